"""What the build counts in object files: the operations of a hash, or nothing."""

import shutil
import sys
from pathlib import Path

import pytest

from miner.backends import native
from miner.backends.native import device

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from build_backend import clibrary, operations, targets
from build_backend.compilers import Clock, Compiler

LOOP = """
0000000000000000 <survivors>:
   0:\tvpaddd (%rsi),%ymm1,%ymm1
   4:\tvmovdqa %ymm1,%ymm2
   8:\tmov    $0x8,%eax
000000000000000d <turns_7_3_12>:
   d:\tvpsrld $0x3,%ymm1,%ymm1
  12:\tvpaddd %ymm1,%ymm2,%ymm2
  16:\tadd    $0x1,%eax
  19:\tjne    d <turns_7_3_12>
  1b:\tvptest %ymm2,%ymm2
  20:\tret
0000000000000030 <scan>:
  30:\tvpaddd %ymm1,%ymm1,%ymm1
"""

AGAIN = "  20:\tjne    0 <survivors>\n0000000000000022 <turns_7_3_13>:\n  22:\tret\n"


def counted(listing: str, variant: str = "avx2") -> tuple[int, int] | None:
    return operations.parse(listing, variant)["survivors"].operations()


def test_a_loop_counts_as_often_as_its_label_says() -> None:
    assert counted(LOOP) == (2 + 2 * 7, 2 + 2 * 3)


def test_llvm_writes_jumps_otherwise() -> None:
    assert counted(LOOP.replace("jne    d <", "jne 0xd <")) == (16, 8)


def test_a_branch_with_a_label_counts_only_where_it_says() -> None:
    """One path for several versions, one for a single one: each call takes one of them."""
    listing = """
0000000000000000 <survivors>:
   0:\ttest   %eax,%eax
   2:\tje     10 <turns_0_1_9>
0000000000000004 <turns_1_0_8>:
   4:\tsha256rnds2 %xmm0,%xmm1,%xmm2
   8:\tsha256rnds2 %xmm0,%xmm2,%xmm1
   c:\tjmp    14 <turns_0_1_9+0x4>
0000000000000010 <turns_0_1_9>:
  10:\tsha256rnds2 %xmm0,%xmm1,%xmm2
  14:\tpaddd  %xmm1,%xmm2
  18:\tret
"""
    assert counted(listing, "shani") == (2, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("000000000000000d <turns_7_3_12>:\n", ""),  # a loop without a label
        ("  20:\tret\n", AGAIN),
        ("jne    d <turns_7_3_12>", "jne    *%rax"),  # a jump to nobody knows where
    ],
    ids=["no label", "label twice", "unknown jump"],
)  # fmt: skip
def test_what_is_not_certain_is_not_counted(old: str, new: str) -> None:
    assert old in LOOP
    assert counted(LOOP.replace(old, new)) is None


def test_no_disassembler_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert operations.count("portable", tmp_path / "portable.o") is None


@pytest.mark.skipif(targets.here().machine != "x86_64", reason="these figures are x86-64's")
@pytest.mark.parametrize(
    ("variant", "shape", "step", "version"),
    [
        ("avx512", "straight2", (938, 938), (4780, 4780)),
        ("avx512", "loops2", (938, 170), (4898, 5666)),
        ("shani", "straight4", (0, 0), (244, 244)),
    ],
)
@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_two_compilers_need_the_same(
    tmp_path: Path,
    cc: str,
    variant: str,
    shape: str,
    step: tuple[int, int],
    version: tuple[int, int],
) -> None:
    """AVX-512 has an instruction for each operation of the source, and of a SHA hash 61 round
    instructions are left; in `schedule` a compiler may add a sum more or less."""
    command = shutil.which(cc)
    if command is None or shutil.which("objdump") is None:
        pytest.skip(f"{cc} or objdump is not installed")
    work = clibrary.Work(Compiler((command,), cc, targets.here()), tmp_path, Clock())
    assert work.shape(variant, shape, work.plan["variants"][variant]) == ""
    found = operations.count(variant, tmp_path / f"{variant}_{shape}.o")
    assert found is not None
    assert found[1] == version
    assert found[0] == pytest.approx(step, abs=10)


def test_the_installed_library_tells_them() -> None:
    if native.LIBRARY is None:
        pytest.skip(native.NOT_BUILT)
    if shutil.which("objdump") is None:
        pytest.skip("objdump is not installed")
    lib = native.LIBRARY.lib
    for row in device.usable(native.LIBRARY):
        one, many = (lib.scan_variant_operations(row.index, n) for n in (1, row.versions_wanted))
        assert one >= many > 0, row
        backend = device.NativeBackend(native.LIBRARY, row.name, row, row)
        limit = backend.limit_hs(row.versions_wanted)
        assert limit is not None
        assert 1e5 < limit < 1e10, row
