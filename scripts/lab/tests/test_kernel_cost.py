"""Instructions per hash stay under the limits; the count itself is checked on code made by hand."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from lab.figures import kernel_cost


@pytest.mark.parametrize("target", ["gfx1030", "gfx900", "sm_86"])
def test_the_shared_kernel_is_under_its_limit_without_spills(target: str) -> None:
    try:
        shared = kernel_cost.measure(target, False)
        single = kernel_cost.measure(target, True)
    except kernel_cost.ToolMissing as missing:
        pytest.skip(str(missing))
    cost = shared.whole(target)[1]
    assert 2000 < cost <= kernel_cost.LIMITS[target]
    assert cost * 1.12 < single.whole(target)[1]
    assert " 0 spilled" in shared.note or " 0 B spilled" in shared.note


def test_sums_by_multiply_add_relieve_the_busy_pipe_of_nvidia() -> None:
    try:
        plain = kernel_cost.measure("sm_86", False)
        spread = kernel_cost.measure("sm_86", False, spread=True)
    except kernel_cost.ToolMissing as missing:
        pytest.skip(str(missing))
    assert spread.per_hash("SASS") < 0.85 * plain.per_hash("SASS")
    assert spread.per_hash("IMAD") < spread.per_hash("SASS")


@pytest.mark.parametrize("target", ["gfx1030", "gfx900"])
def test_two_hashes_side_by_side_cost_registers_not_instructions(target: str) -> None:
    """They are really interleaved: both live at once."""
    try:
        one, two = (kernel_cost.measure(target, False, unroll=number) for number in (1, 2))
    except kernel_cost.ToolMissing as missing:
        pytest.skip(str(missing))
    assert two.whole(target)[1] == pytest.approx(one.whole(target)[1], rel=0.01)
    registers = [int(cost.note.split()[0]) for cost in (one, two)]
    assert registers[1] >= registers[0] + 8
    assert " 0 spilled" in two.note


@pytest.mark.parametrize(
    "single", [[], ["-DSINGLE"], ["-DUNROLL=2"]], ids=["shared", "single", "pairs"]
)
@pytest.mark.parametrize("vector", [1, 2, 4, 8, 16])
def test_the_kernel_is_plain_opencl_c_1_2_without_warnings(vector: int, single: list[str]) -> None:
    try:
        clang = kernel_cost.clang()
    except kernel_cost.ToolMissing as missing:
        pytest.skip(str(missing))
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only"]
    plain = [
        "-x",
        "cl",
        "-cl-std=CL1.2",
        "-target",
        "spir64",
        "-Xclang",
        "-finclude-default-header",
    ]
    subprocess.run(
        [clang, *plain, *strict, f"-DVECTOR={vector}", *single, str(kernel_cost.KERNEL)], check=True
    )


AMD = """
scan_shared:
    s_load x
    v_setup a
    s_cbranch_execz .LBB0_2
    v_expand a
    v_expand b
.LBB0_2:
    v_load a
.LBB0_5:
    v_work a
    v_work b
    v_work c
    s_cbranch_execz .LBB0_4
    v_hit a
    s_branch .LBB0_4
.LBB0_4:
    s_add x
    s_cbranch_scc1 .LBB0_5
    s_endpgm
"""


def test_amd_code_made_by_hand_is_counted_without_the_hit_path() -> None:
    blocks = kernel_cost.amd_blocks(line for line in AMD.splitlines() if line.strip())
    cost = kernel_cost.cost_of(blocks, kernel_cost.kind_amd, 4, 0.5, "")
    assert cost.loop == {"VALU": 3, "SALU": 3}
    assert cost.setup["VALU"] == 1 + 1 + 1  # setup, load, half of two expansions
    assert cost.per_hash("VALU") == 3 + 3 / 4


def nvidia_lines() -> Iterable[str]:
    code = [
        "S2R R0 ;", "@P0 BRA `(.L_1) ;", "STS R1 ;", ".L_1:", "IADD3 R1 ;", "SHF R1 ;", "LOP3 R1 ;",
        "@P1 BRA `(.L_2) ;", "ATOMG R1 ;", ".L_2:", "@P2 EXIT ;", "BRA `(.L_1) ;", "NOP ;",
    ]  # fmt: skip
    return (f"{row}" if row.endswith(":") else f"        /*0010*/   {row}" for row in code)


def test_nvidia_code_made_by_hand_is_counted_without_the_hit_path() -> None:
    blocks = kernel_cost.nvidia_blocks(nvidia_lines())
    cost = kernel_cost.cost_of(blocks, kernel_cost.kind_nvidia, 4, 1.0, "")
    assert cost.loop == {"SASS": 6}  # three of work, the branch over the hit, exit check, back
    assert cost.setup["SASS"] == 3 + 1  # entry with the store, leaving


def test_a_missing_compiler_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(kernel_cost, "ROOT", Path(__file__))
    with pytest.raises(kernel_cost.ToolMissing, match="apt install clang-19"):
        kernel_cost.clang()
    with pytest.raises(kernel_cost.ToolMissing, match="pip install nvidia-cuda-nvcc"):
        kernel_cost.nvidia_tool("nosuchtool")


def test_occupancy_is_bounded_by_registers_memory_and_blocks() -> None:
    assert kernel_cost.occupancy(54, 6656, 128) == 36
    assert kernel_cost.occupancy(54, 13312, 128) == 28
    assert kernel_cost.occupancy(32, 0, 32) == 16
