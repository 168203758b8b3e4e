"""Opens a built wheel and looks whether its C library is what it says, with LLVM's tools.

They read ELF, PE and Mach-O alike and disassemble every processor. Instructions beyond what each
CPU of the architecture has are counted in the library and in the object files it was linked from:
all must come from the variants' objects and what asks the CPU before, so none is in code that every
CPU runs.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

from build_backend import clibrary, wasm
from build_backend.targets import Target

# Mnemonics, or operands, that not every CPU of the machine has.
BEYOND = {
    "x86_64": r"^(v(?!er[rw])|sha(1|256)|k(mov|ortest|test|and|or|xor)|p(shufb|alignr|blend|abs)"
    r"|psign|p(insr|extr)[bdq]|pmov[sz]x|pmulld|ptest|phadd)|%[yz]mm",
    "aarch64": r"^(sha|aes|pmull|sm3|sm4|ld1rq|ptrue)|\bz\d+\.",
    "armv7": r"\bq\d+\b|^v\w+\.(i|s|u|p)?(8|16|32|64)\b.*\bd\d+\[",
    "riscv64": r"^v[a-z]",
    "s390x": r"^v[a-z]",
}
BEYOND_MAC = r"^(v(?!er[rw])|sha(1|256)|k(mov|ortest|test))|%[yz]mm"  # each has SSE4.1 by now
MARKS = ("avx512", "shani", "avx2", "armv8")  # variants that show by such instructions
NEEDED = {
    "gnu": r"libc\.so\.6|ld-linux[\w-]*\.so\.\d",
    "musl": r"libc\.so|libc\.musl-\w+\.so\.1",
    "windows": r"KERNEL32\.dll|ucrtbase\.dll|api-ms-win-crt-[\w-]+\.dll",
    "macos": r"/usr/lib/libSystem\.B\.dylib|@rpath/_native\.dylib",  # the second is its own name
}
MACHO_OWN = {"_mh_dylib_header", "__dso_handle"}  # the linker exports them itself
FORMATS = {
    "x86_64": "x86-64", "aarch64": "(aarch64|arm64)", "armv7": "arm", "riscv64": "riscv",
    "s390x": "s390",
}  # fmt: skip


class Wrong(Exception):
    """What a wheel is not as it must be, in one line."""


def check(made: Path, target: Target, tag: str, objects: Path, shapes: list[str]) -> None:
    """Open a wheel, or the archive of a library. Raises Wrong."""
    with tempfile.TemporaryDirectory(prefix="homehash-inspect-") as name:
        unpack(made, Path(name))
        if tag:
            check_tag(made, Path(name), tag)
            check_module(Path(name, "miner", wasm.FILE))
        library = Path(name, "miner", target.file)
        check_record(library)
        check_interface(library, target)
        check_instructions(library, target, objects, shapes)
    wanted = ["_".join(one) for one in clibrary.shapes_of(target)]
    if set(shapes) != set(wanted):
        raise Wrong(f"shapes {shapes}, want {wanted}")


def unpack(made: Path, folder: Path) -> None:
    if made.suffix == ".whl":
        with zipfile.ZipFile(made) as archive:
            archive.extractall(folder)
    else:
        with tarfile.open(made) as tar:
            tar.extractall(folder, filter="data")


def check_tag(made: Path, folder: Path, tag: str) -> None:
    """The name and the metadata say the same, and all files are in RECORD."""
    (info,) = folder.glob("*.dist-info")
    says = re.findall(r"^Tag: (.*)$", (info / "WHEEL").read_text(), re.MULTILINE)
    if says != [f"py3-none-{tag}"] or not made.stem.endswith(f"-py3-none-{tag}"):
        raise Wrong(f"{made.name} says {says}, want py3-none-{tag}")
    listed = {row.split(",")[0] for row in (info / "RECORD").read_text().splitlines()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if listed != there:
        raise Wrong(f"RECORD differs in {sorted(listed ^ there)[:5]}")


def check_module(module: Path) -> None:
    """WebAssembly that needs nothing of its browser."""
    if re.search(r"Type: IMPORT\b", tool("readobj", "--sections", module)):
        raise Wrong(f"{module.name} has imports")


def check_record(library: Path) -> None:
    """Size and SHA-256 that the loader will compare."""
    rows = json.loads((library.parent / clibrary.RECORD).read_text())
    for name in (library.name, clibrary.HEADER):
        data = (library.parent / name).read_bytes()
        if rows[name] != {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}:
            raise Wrong(f"{name} is not what {clibrary.RECORD} says")


def check_interface(library: Path, target: Target) -> None:
    """Processor, needed libraries, glibc's symbols, exported names."""
    about = tool("readobj", "--file-headers", library)
    if not re.search(rf"(?im)^Format: .*{FORMATS[target.machine]}", about):
        raise Wrong(f"{library.name} is for another processor: {about.splitlines()[1:3]}")
    allowed = NEEDED[target.libc or target.system]
    if extra := [name for name in needed(library) if not re.fullmatch(allowed, name)]:
        raise Wrong(f"{library.name} needs {', '.join(extra)}")
    if target.libc == "gnu":
        said = tool("readelf", "--version-info", library)
        newest = max((version(v) for v in re.findall(r"GLIBC_([\d.]+)", said)), default=(0,))
        if newest > version(target.libc_version):
            raise Wrong(f"{library.name} needs glibc {newest}, want {target.libc_version}")
    declared = set(clibrary.functions())
    if (names := exported(library)) != declared:
        raise Wrong(f"exported {sorted(names ^ declared)} differ from scan.h")


def check_instructions(library: Path, target: Target, objects: Path, shapes: list[str]) -> None:
    """All instructions beyond the baseline are those of the variants' object files."""
    plan = clibrary.plan()
    portable = [name for name in shapes if name.startswith("portable_")]
    for name in [f"{name}.o" for name in [*plan["shared"], *portable]]:
        if found := beyond(objects / name, target):
            raise Wrong(f"{name} has {found} instructions that not every CPU has")
    each = {name: beyond(objects / f"{name}.o", target) for name in [*plan["guarded"], *shapes]}
    for name in shapes:
        if name.startswith(MARKS) and not each[name]:
            raise Wrong(f"the shape {name} has none of its instructions")
    if (total := beyond(library, target)) != sum(each.values()):
        raise Wrong(
            f"{total} special instructions in the library, {sum(each.values())} in its shapes"
        )


def beyond(file: Path, target: Target) -> int:
    """Instructions in a library or object file that not every CPU of the machine has."""
    mac = target.system == "macos" and target.machine == "x86_64"
    pattern = re.compile(BEYOND_MAC if mac else BEYOND[target.machine])
    said = tool("objdump", "--disassemble", "--no-show-raw-insn", "--no-leading-addr", file)
    return sum(
        bool(pattern.search(line.strip())) for line in said.splitlines() if line[:1] in " \t"
    )


def needed(library: Path) -> list[str]:
    if library.suffix == ".dll":
        return re.findall(
            r"^  Name: (\S+)", tool("readobj", "--coff-imports", library), re.MULTILINE
        )
    said = tool("readobj", "--needed-libs", library)
    return said.partition("NeededLibraries [")[2].partition("]")[0].split()


def exported(library: Path) -> set[str]:
    if library.suffix == ".dll":
        said = tool("readobj", "--coff-exports", library)
        return set(re.findall(r"^ *Name: (\w+)$", said, re.MULTILINE))
    if library.suffix == ".dylib":
        said = tool("objdump", "--macho", "--exports-trie", library)
        return set(re.findall(r"^0x[0-9A-F]+ +_(\w+)$", said, re.MULTILINE)) - MACHO_OWN
    said = tool("nm", "--dynamic", "--defined-only", "--format=just-symbols", library)
    return {name for name in said.split() if re.fullmatch(r"\w+", name)}


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def tool(name: str, *arguments: str | Path) -> str:
    """What one of LLVM's tools prints. Raises Wrong where there is none."""
    program = shutil.which(f"llvm-{name}-19") or shutil.which(f"llvm-{name}")
    if program is None:
        raise Wrong(f"not checked: llvm-{name} is not installed (Debian: apt install llvm-19)")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
