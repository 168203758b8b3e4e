"""Machine instructions per hash of the WGSL kernel, as Mesa compiles it for AMD's cards.

    python3 scripts/figures.py wgsl_cost [--group 64] [--nonces 32] [--unroll 1]
                                 [--root DIR] [FAMILY...]

No card is needed. The miner's own WebGPU library turns the kernel into SPIR-V on any Vulkan driver;
a layer keeps it (scripts/lab/radv/spirv_layer.c); RADV, told by RADV_FORCE_FAMILY of a card that is
not there, compiles it (compile_spirv.c); the assembly is counted as kernel_cost counts clang's.
Debian: apt install mesa-vulkan-drivers libvulkan-dev. --root takes the Mesa of another Debian in a
folder, as root: debootstrap --variant=minbase --include=mesa-vulkan-drivers,libvulkan1 trixie DIR
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.figures.kernel_cost import Cost, amd_blocks, cost_of, kind_amd, run

RADV = Path(__file__).resolve().parents[1] / "radv"
DRIVERS = ("usr/share/vulkan/icd.d", "usr/local/share/vulkan/icd.d")
HERE = Path("/")
KERNELS = ("scan_shared", "scan_single")
LAYER = "VK_LAYER_LAB_spirv"
BUILD = """
import sys
from pathlib import Path
from miner.backends.selftest import GENESIS, Question
from miner.backends.wgpu import listing, tune
from miner.backends.wgpu.device import Shape

shape = Shape(*map(int, sys.argv[1:]))
backend = tune.open_with(listing.find("wgpu"), shape)
for versions in (1, shape.wide):
    numbers = tuple(1 + (step << 13) for step in range(versions))
    backend.scan(Question(GENESIS[:76], numbers, 0, 0, 0), 0, 1)
backend.close()
"""


@dataclass(frozen=True)
class Layout:
    """How the kernel is built: as the shape of miner.backends.wgpu."""

    group: int
    nonces: int
    unroll: int


def radv(root: Path) -> str:
    """The file that names RADV to the loader, as seen from `root`."""
    for folder in DRIVERS:
        for found in (root / folder).glob("radeon_icd*.json"):
            return f"/{found.relative_to(root)}"
    sys.exit("wgsl_cost: RADV is not installed; Debian: apt install mesa-vulkan-drivers")


def build(folder: Path) -> None:
    """Compile the layer and the program that compiles SPIR-V."""
    cc = shutil.which("cc") or sys.exit("wgsl_cost: no C compiler (cc)")
    layer = [cc, "-O1", "-fPIC", "-shared", str(RADV / "spirv_layer.c")]
    run([*layer, "-o", str(folder / "layer.so")])
    program = [cc, "-O1", str(RADV / "compile_spirv.c"), "-lvulkan"]
    run([*program, "-o", str(folder / "compile_spirv")])
    about = {
        "name": LAYER, "type": "GLOBAL", "library_path": str(folder / "layer.so"),
        "api_version": "1.3.0", "implementation_version": "1", "description": "keeps SPIR-V",
    }  # fmt: skip
    manifest = {"file_format_version": "1.2.0", "layer": about}
    (folder / "layer.json").write_text(json.dumps(manifest))


def spirv(folder: Path, layout: Layout) -> dict[str, Path]:
    """Each kernel's SPIR-V, as WebGPU makes it."""
    env = {
        **os.environ, "SPIRV_FOLDER": str(folder), "VK_LAYER_PATH": str(folder),
        "VK_INSTANCE_LAYERS": LAYER,
    }  # fmt: skip
    numbers = (layout.group, layout.nonces, layout.unroll)
    words = [str(number) for number in numbers]
    subprocess.run([sys.executable, "-P", "-c", BUILD, *words], env=env, check=True)
    files = [(file, file.read_bytes()) for file in folder.glob("*.spv")]
    return {name: file for name in KERNELS for file, code in files if name.encode() + b"\0" in code}


def compiled(folder: Path, file: Path, kernel: str, family: str, root: Path) -> str:
    """What compile_spirv tells of a kernel on a card of this family."""
    driver = radv(root)
    env = {**os.environ, "VK_DRIVER_FILES": driver, "VK_ICD_FILENAMES": driver}
    env |= {"RADV_FORCE_FAMILY": family, "MESA_SHADER_CACHE_DISABLE": "true"}
    made, enter = [folder / "compile_spirv", file], []
    if root != HERE:
        made = [Path(shutil.copy(one, root / "tmp")) for one in made]
        enter = ["chroot", str(root)]
    inside = [f"/{one.relative_to(root)}" for one in made]
    command = [*enter, *inside, kernel]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wgsl_cost: {done.stderr.strip()}")
    return done.stdout


def cost(text: str, kernel: str, layout: Layout) -> Cost:
    """What a hash costs, by the statistics and the assembly."""
    facts = dict(re.findall(r"^statistic: (.*) = (\d+)$", text, re.MULTILINE))
    note = (
        f"{facts['VGPRs']} VGPRs, {facts['Spilled VGPRs']} spilled, "
        f"{facts['Scratch size']} B scratch, {facts['Subgroups per SIMD']} waves a SIMD"
    )
    lines = re.findall(r"^(BB\w+:|\s+(?:v|s|ds|global|flat|scratch|buffer)_.*)", text, re.MULTILINE)
    shared = kernel == "scan_shared"
    expanding = min(1.0, layout.nonces / layout.group) if shared else 0.0
    hashes = layout.nonces * (layout.unroll if shared else 1)
    return cost_of(amd_blocks(lines), kind_amd, hashes, expanding, note, layout.unroll)


def row(text: str, kernel: str, found: Cost) -> str:
    device = text.partition("\n")[0].removeprefix("device: ")
    others = [f"{found.per_hash(kind):.1f} {kind}" for kind in ("SALU", "LDS") if found.loop[kind]]
    return (
        f"{device}  {kernel}  {found.per_hash('VALU'):8.1f} VALU/hash (loop {found.loop['VALU']} "
        f"+ set-up {found.setup['VALU']}/{found.hashes}); and {', '.join(others)}; {found.note}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("families", nargs="*", default=["navi21", "vega10"], metavar="FAMILY")
    parser.add_argument("--group", type=int, default=64, help="invocations of a workgroup")
    parser.add_argument("--nonces", type=int, default=32, help="nonces of a workgroup")
    parser.add_argument("--unroll", type=int, default=1, help="hashes side by side, 1 or 2")
    parser.add_argument("--root", type=Path, default=HERE, help="where RADV is")
    asked = parser.parse_args()
    layout = Layout(asked.group, asked.nonces, asked.unroll)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        files = spirv(folder, layout)
        for family in asked.families:
            for kernel in KERNELS:
                text = compiled(folder, files[kernel], kernel, family, asked.root)
                print(row(text, kernel, cost(text, kernel, layout)))


if __name__ == "__main__":
    main()
