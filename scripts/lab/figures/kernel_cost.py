"""Machine instructions per hash of the OpenCL kernels, from the real compilers' output.

    python3 scripts/figures.py kernel_cost [--group 128] [--nonces 32] [--unroll 1]
                                    [--spread] [--check] [TARGET...]

AMD targets (gfx...) are compiled by clang; NVIDIA's (sm_...) by clang to PTX, then by ptxas, read
back with nvdisasm. Neither needs a GPU. Debian: apt install clang-19; NVIDIA's tools are set up in
.venv.

A hash costs one pass through the nonce loop without a candidate, plus the set-up (loading a
midstate, the work-group's share of the schedule, leaving) divided by the nonces an item walks.
"""

import argparse
import heapq
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
KERNEL = ROOT / "kernels" / "sha256d_scan.cl"
CLANGS = ("clang-19", "clang-20", "clang-21", "clang-18", "clang")
# Instructions a hash: our limit, and the best public kernels compiled the same way.
LIMITS = {"gfx1030": 2200, "gfx900": 2450, "sm_86": 2150}
PUBLIC = {"gfx1030": "2579..2586", "gfx900": "2899..2908", "sm_86": "2472..2480"}
# What the kernel calls, without the vendors' libraries: the same instructions, no packages.
PRELUDE = """
#define atomic_inc(p) \\
    __scoped_atomic_fetch_add(p, 1u, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE)
#define min(a, b) ((a) < (b) ? (a) : (b))
"""
AMD_PRELUDE = """
#define get_local_id(d) ((uint)__builtin_amdgcn_workitem_id_x())
#define get_group_id(d) ((uint)((d) ? __builtin_amdgcn_workgroup_id_y() \\
                                    : __builtin_amdgcn_workgroup_id_x()))
#define barrier(f) (__builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup"), \\
                    __builtin_amdgcn_s_barrier(), \\
                    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup"))
"""
NVIDIA_PRELUDE = """
#define get_local_id(d) ((uint)__nvvm_read_ptx_sreg_tid_x())
#define get_group_id(d) ((uint)((d) ? __nvvm_read_ptx_sreg_ctaid_y() \\
                                    : __nvvm_read_ptx_sreg_ctaid_x()))
#define barrier(f) __syncthreads()
"""
# sm_86: registers, shared memory, warps and blocks of one multiprocessor (CUDA C++ guide, 21.1).
SM_REGISTERS, SM_SHARED, SM_WARPS, SM_BLOCKS = 65536, 102400, 48, 16


class ToolMissing(Exception):
    """A compiler is not installed; the text says which package brings it."""


@dataclass
class Block:
    """A basic block: opcodes, and the labels or fall-through it goes on to."""

    label: str
    opcodes: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cost:
    """Instructions a hash by class, and what the kernel occupies."""

    loop: Counter[str]
    setup: Counter[str]  # of one item
    hashes: int  # an item does
    note: str  # registers, spills, occupancy

    def per_hash(self, kind: str) -> float:
        return self.loop[kind] + self.setup[kind] / self.hashes

    def whole(self, target: str) -> tuple[str, float]:
        """What the limits are about: AMD's vector instructions, all of NVIDIA's."""
        if target.startswith("gfx"):
            return "VALU", self.per_hash("VALU")
        return "SASS", self.per_hash("SASS") + self.per_hash("IMAD")


def run(command: list[str]) -> str:
    """Its output, stderr included; its own words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"kernel_cost: {command[0]} failed:\n{done.stderr}")
    return done.stdout + done.stderr


def clang() -> str:
    for name in CLANGS:
        if found := shutil.which(name):
            return found
    raise ToolMissing("clang is not installed; Debian: apt install clang-19")


def nvidia_tool(name: str) -> str:
    """A tool of NVIDIA's pip packages, here or in .venv, or of an installed CUDA toolkit."""
    sites = [Path(sysconfig.get_paths()["purelib"])]
    sites += ROOT.glob(".venv/lib/python*/site-packages")
    for site in sites:
        for found in sorted(site.glob(f"nvidia/**/bin/{name}")):
            return str(found)
    if on_path := shutil.which(name):
        return on_path
    raise ToolMissing(f"{name} is not installed; pip install nvidia-cuda-nvcc nvidia-cuda-nvdisasm")


def compile_asm(
    target: list[str], prelude: str, options: list[str], folder: Path, name: str
) -> Path:
    (folder / "prelude.h").write_text(PRELUDE + prelude)
    out = folder / name
    common = ["-x", "cl", "-cl-std=CL1.2", "-O3", "-Xclang", "-fdeclare-opencl-builtins"]
    include = ["-include", str(folder / "prelude.h"), "-S", "-o", str(out), str(KERNEL)]
    run([clang(), *common, *target, *options, *include])
    return out


def amd_cost(gpu: str, options: list[str], hashes: int, folder: Path) -> tuple[list[Block], str]:
    """Blocks and occupancy of one kernel on one AMD target."""
    target = ["-target", "amdgcn-amd-amdhsa", f"-mcpu={gpu}", "-nogpulib"]
    text = compile_asm(target, AMD_PRELUDE, options, folder, f"{gpu}.s").read_text()
    facts = {
        key: int(match[1]) if (match := re.search(rf"{key}:\s+(\d+)", text)) else -1
        for key in (".vgpr_count", ".vgpr_spill_count", "; ScratchSize", "; Occupancy")
    }
    note = (
        f"{facts['.vgpr_count']} VGPRs, {facts['.vgpr_spill_count']} spilled, "
        f"{facts['; ScratchSize']} B scratch, {facts['; Occupancy']} waves a SIMD"
    )
    lines = re.findall(
        r"^(\.LBB\w+:|scan_\w+:|\s+(?:v|s|ds|global|flat|scratch|buffer)_.*)", text, re.M
    )
    return amd_blocks(lines), note


def amd_blocks(lines: Iterable[str]) -> list[Block]:
    blocks = [Block("entry")]
    for line in lines:
        text = line.split(";")[0].strip()
        if text.endswith(":"):
            blocks[-1].next.append(text[:-1])
            blocks.append(Block(text[:-1]))
            continue
        opcode, _, operand = text.partition(" ")
        blocks[-1].opcodes.append(opcode)
        if opcode in ("s_endpgm", "s_branch"):
            blocks[-1].next += [operand.strip()] if opcode == "s_branch" else ["end"]
            blocks.append(Block(f"dead{len(blocks)}"))
        elif opcode.startswith("s_cbranch"):
            follow = f"after{len(blocks)}"
            blocks[-1].next += [operand.strip(), follow]
            blocks.append(Block(follow))
    return blocks


def nvidia_cost(gpu: str, options: list[str], group: int, folder: Path) -> tuple[list[Block], str]:
    """Blocks and occupancy of one kernel on one NVIDIA target."""
    target = ["-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang", gpu]
    target += ["-Xclang", "-target-feature", "-Xclang", "+ptx75"]
    ptx = compile_asm(target, NVIDIA_PRELUDE, options, folder, f"{gpu}.ptx")
    cubin = folder / f"{gpu}.cubin"
    said = run([nvidia_tool("ptxas"), "-v", "-O3", f"-arch={gpu}", str(ptx), "-o", str(cubin)])
    text = run([nvidia_tool("nvdisasm"), "-c", str(cubin)])
    registers, shared, spilled = (
        int(match[1]) if (match := re.search(pattern, said)) else 0
        for pattern in (r"Used (\d+) registers", r"(\d+) bytes smem", r"(\d+) bytes spill stores")
    )
    warps = occupancy(registers, shared, group)
    note = f"{registers} registers, {spilled} B spilled, {warps} of {SM_WARPS} warps an SM"
    return nvidia_blocks(text.splitlines()), note


def occupancy(registers: int, shared: int, group: int) -> int:
    """Warps of an sm_86 multiprocessor: by registers (allotted by eights), memory and blocks."""
    warps = -(-group // 32)
    by_registers = SM_REGISTERS // (-(-registers // 8) * 8 * 32 * warps)
    by_memory = SM_SHARED // (shared + 1024)
    return min(SM_WARPS // warps, by_registers, by_memory, SM_BLOCKS) * warps


def nvidia_blocks(lines: Iterable[str]) -> list[Block]:
    blocks = [Block("entry")]
    for line in lines:
        if label := re.match(r"^([.\w$]+):", line.strip()):
            blocks[-1].next.append(label[1])
            blocks.append(Block(label[1]))
        match = re.match(r"^\s+/\*[0-9a-f]+\*/\s+(@!?U?P\w+ )?([A-Z][\w.]*)(.*?);", line)
        if not match or match[2] == "NOP":
            continue
        guarded, opcode, operands = match.groups()
        blocks[-1].opcodes.append(opcode)
        if opcode in ("BRA", "EXIT"):
            goal = re.search(r"`\(([^)]*)\)", operands)
            follow = f"after{len(blocks)}"
            blocks[-1].next.append(goal[1] if goal else "end")
            blocks[-1].next += [follow] if guarded or "P" in operands.split("`")[0] else []
            blocks.append(Block(follow))
    return blocks


def kind_amd(opcode: str) -> str:
    return {"v_": "VALU", "s_": "SALU", "ds": "LDS"}.get(opcode[:2], "memory")


def kind_nvidia(opcode: str) -> str:
    """IMAD runs on the multiplier's pipe, beside the one for shifts, logic and sums."""
    return "IMAD" if opcode.startswith("IMAD") else "SASS"


def path(blocks: dict[str, Block], start: str, goal: str, longest: bool) -> list[str]:
    """Blocks from start's successors to goal, goal excluded: the cheapest or costliest way."""
    sign = -1 if longest else 1
    best: list[str] | None = None
    best_cost = 0.0
    heap: list[tuple[int, list[str]]] = [(0, [follow]) for follow in blocks[start].next]
    while heap:
        cost, way = heapq.heappop(heap)
        if way[-1] == goal:
            if best is None or sign * cost < sign * best_cost:
                best, best_cost = way[:-1], cost
            continue
        block = blocks.get(way[-1])
        for follow in block.next if block else []:
            if follow not in way and (follow != start or follow == goal):
                heapq.heappush(heap, (cost + len(block.opcodes if block else []), [*way, follow]))
    if best is None:
        raise ValueError(f"no way from {start} to {goal}")
    return best


def cost_of(
    blocks: list[Block], kind: Callable[[str], str], hashes: int, expanding: float, note: str,
    unroll: int = 1,
) -> Cost:  # fmt: skip
    """A hash of the loop, which does `unroll` in a pass, and the set-up; `expanding`: share of
    items that expand schedules."""
    by_label = {block.label: block for block in blocks}
    body = max(blocks, key=lambda block: len(block.opcodes)).label

    def count(labels: Iterable[str]) -> Counter[str]:
        return Counter(kind(opcode) for label in labels for opcode in by_label[label].opcodes)

    # A loop's own start is not among its successors' ways, so the body is added once.
    inside = [body, *path(by_label, body, body, longest=False)]
    loop = Counter({name: round(number / unroll) for name, number in count(inside).items()})

    def way(start: str, goal: str, longest: bool = False) -> Counter[str]:
        """A loop of several hashes is cut into blocks: those are no set-up."""
        labels = path(by_label, start, goal, longest)
        return count(label for label in labels if unroll == 1 or label not in inside)

    leave, entry = way(body, "end"), count(["entry"])
    long, short = way("entry", body, longest=True), way("entry", body)
    setup: Counter[str] = Counter()
    for name in {*loop, *long}:
        between = expanding * long[name] + (1 - expanding) * short[name]
        setup[name] = round(entry[name] + between + leave[name])
    return Cost(loop, setup, hashes, note)


def measure(
    target: str, single: bool, group: int = 128, nonces: int = 32, spread: bool = False,
    unroll: int = 1,
) -> Cost:  # fmt: skip
    """The cost of one kernel on one target."""
    unroll = 1 if single else unroll
    options = [f"-DGROUP={group}", f"-DNONCES={nonces}", "-DVECTOR=1", f"-DUNROLL={unroll}"]
    options += ["-DSINGLE"] * single + ["-DSPREAD"] * spread
    expanding = 0.0 if single else min(1.0, nonces / group)
    with tempfile.TemporaryDirectory() as name:
        if target.startswith("gfx"):
            blocks, note = amd_cost(target, options, nonces, Path(name))
            return cost_of(blocks, kind_amd, nonces, expanding, note, unroll)
        blocks, note = nvidia_cost(target, options, group, Path(name))
        return cost_of(blocks, kind_nvidia, nonces, expanding, note, unroll)


def row(target: str, path_name: str, cost: Cost) -> str:
    main, whole = cost.whole(target)
    parts = ("VALU",) if main == "VALU" else ("SASS", "IMAD")
    loop, setup = (sum(count[part] for part in parts) for count in (cost.loop, cost.setup))
    others = [
        f"{cost.per_hash(kind):.1f} {kind}" for kind in ("SALU", "LDS", "IMAD") if cost.loop[kind]
    ]
    limit = f"limit {LIMITS[target]}, " if path_name == "shared" and target in LIMITS else ""
    public = f"public kernels {PUBLIC[target]}" if target in PUBLIC else ""
    among = "of them" if main == "SASS" else "and"
    return (
        f"{target:8} {path_name}  {whole:8.1f} {main}/hash "
        f"(loop {loop} + set-up {setup}/{cost.hashes}); {among} {', '.join(others)}\n"
        f"{'':16}  {limit}{public}\n{'':16}  {cost.note}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("targets", nargs="*", default=list(LIMITS), metavar="TARGET")
    parser.add_argument("--group", type=int, default=128, help="items of a work-group")
    parser.add_argument("--nonces", type=int, default=32, help="nonces an item walks")
    parser.add_argument("--unroll", type=int, default=1, help="hashes side by side, 1 or 2")
    parser.add_argument("--spread", action="store_true", help="sums by multiply-add")
    parser.add_argument("--check", action="store_true", help="fail when a limit is passed")
    asked = parser.parse_args()
    failed = False
    for target in asked.targets:
        for single in (False, True):
            try:
                cost = measure(
                    target, single, asked.group, asked.nonces, asked.spread, asked.unroll
                )
            except ToolMissing as missing:
                print(f"{target:8} not counted: {missing}")
                failed = True
                break
            print(row(target, "single" if single else "shared", cost))
            failed |= not single and cost.whole(target)[1] > LIMITS.get(target, float("inf"))
    return int(failed and asked.check)
