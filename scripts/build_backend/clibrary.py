"""Compiles csrc/ into the C library, its header and its record, as csrc/build.toml says."""

import hashlib
import json
import os
import re
import shlex
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from build_backend import compilers, operations
from build_backend.compilers import Clock, Compiler, CompilerFailed
from build_backend.project import ROOT
from build_backend.targets import Target

CSRC = ROOT / "csrc"
HEADER, RECORD, FLAGS = "scan.h", "_native.json", "flags"
KEY = "key.txt"  # in a kept build folder: what the library was made of
# What the compiler has, of: protected stacks and jumps, checked copies.
HARDENING = (
    ("-fstack-protector-strong",),
    ("-fcf-protection",),
    ("-Werror", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"),
)
FORTIFY_LESS = ("-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2")
RELOCATIONS = ("-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack")
Say = Callable[[str], None]


def plan() -> dict[str, Any]:
    """csrc/build.toml."""
    return tomllib.loads((CSRC / "build.toml").read_text(encoding="utf-8"))


def functions() -> list[str]:
    """Every function of scan.h."""
    header = (CSRC / HEADER).read_text(encoding="utf-8")
    return re.findall(r"^SCAN_API [^(]*?(\w+)\(", header, re.MULTILINE)


def variants_of(target: Target) -> dict[str, dict[str, Any]]:
    """The variants that can be there, by name."""
    rows: dict[str, dict[str, Any]] = plan()["variants"]
    return {
        name: row
        for name, row in rows.items()
        if target.machine in row.get("machines", [target.machine])
    }


def shapes_of(target: Target) -> list[tuple[str, str]]:
    """Variant and shape of each object that can be there."""
    return [(name, shape) for name, row in variants_of(target).items() for shape in row["shapes"]]


def build(compiler: Compiler, folder: Path, say: Say, clock: Clock | None = None) -> list[str]:
    """Put library, header and record into the folder; the shapes built, "avx2_loops2".

    A shape that this compiler cannot build is said. Raises CompilerFailed.
    """
    with tempfile.TemporaryDirectory(prefix="homehash-") as name:
        work = Work(compiler, Path(name), clock or Clock())
        shapes = work.compile_all(say)
        library = work.link(shapes)
        install(library, folder, work.told(shapes))
    return shapes


def install(library: Path, folder: Path, flags: dict[str, str] | None = None) -> None:
    """Put a linked library into the folder, and beside it header and record."""
    shutil.copyfile(library, folder / library.name)
    shutil.copyfile(CSRC / HEADER, folder / HEADER)
    write_record(folder, (library.name, HEADER), flags)


def write_record(folder: Path, names: Iterable[str], flags: dict[str, str] | None = None) -> None:
    """Size and SHA-256 of the files, so that one that differs is never opened; and what the
    compiler was told, for results that say what was measured."""
    rows: dict[str, Any] = {FLAGS: flags} if flags else {}
    for name in names:
        data = (folder / name).read_bytes()
        rows[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / RECORD).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


class Work:
    """One build in a folder of its own."""

    def __init__(self, compiler: Compiler, folder: Path, clock: Clock) -> None:
        self.compiler, self.folder, self.clock = compiler, folder, clock
        self.env = compilers.environment(str(folder))
        self.plan = plan()
        self.common = [*self.plan["flags"], "-fvisibility=hidden", f"-I{CSRC}"]
        if compiler.target.system != "windows":
            self.common.append("-fPIC")
        if compiler.target.system == "macos":
            self.common += compilers.shared_flags(compiler.target)[1:]
        self.common += shlex.split(os.environ.get("CFLAGS", ""))

    def compile_all(self, say: Say) -> list[str]:
        """Every object file; the shapes that came out. Raises CompilerFailed."""
        self.common += self.hardening()
        variants = variants_of(self.compiler.target)
        shapes = shapes_of(self.compiler.target)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            whys = pool.map(lambda one: self.shape(one[0], one[1], variants[one[0]]), shapes)
            made = dict(zip(shapes, whys, strict=True))
            good = [f"{name}_{shape}" for (name, shape), why in made.items() if not why]
            defines = [f"-DHAVE_{name.upper()}" for name in good]
            defines.append(self.count([one for one, why in made.items() if not why], pool))
            sources = [*self.plan["shared"], *self.plan["guarded"]]
            list(pool.map(lambda source: self.compile(source, source, defines), sources))
        for name, row in variants.items():
            failed = {shape: why for shape in row["shapes"] if (why := made[name, shape])}
            if len(failed) == len(row["shapes"]):
                say(f"without the variant {name}: {next(iter(failed.values()))}")
            else:
                for shape, why in failed.items():
                    say(f"without the shape {name}:{shape}: {why}")
        return good

    def flags(self, shape: str, row: dict[str, Any]) -> list[str]:
        """Of one shape, beside those of every file."""
        family = self.compiler.family
        isa = row.get(f"isa-{family}", row.get("isa", []))
        defines = [f"-D{one}" for one in (f"SHAPE={shape}", *row["shapes"][shape])]
        return [*row.get(family, []), *isa, *defines]

    def told(self, shapes: list[str]) -> dict[str, str]:
        """The flags of every file and of each shape that was built; folders are nobody's affair."""
        rows = variants_of(self.compiler.target)
        found = {"all": [flag for flag in self.common if "/" not in flag and "\\" not in flag]}
        found |= {
            f"{name}:{shape}": self.flags(shape, rows[name])
            for name, shape in shapes_of(self.compiler.target)
            if f"{name}_{shape}" in shapes
        }
        return {name: shlex.join(flags) for name, flags in found.items()}

    def shape(self, variant: str, shape: str, row: dict[str, Any]) -> str:
        """Compile one; why not, or "". Raises CompilerFailed for one that must be there."""
        flags = self.flags(shape, row)
        try:
            self.compile(f"scan_{variant}.c", f"{variant}_{shape}", flags)
        except CompilerFailed as error:
            if row.get("required"):
                raise
            return str(error)
        return ""

    def compile(self, source: str, name: str, flags: list[str]) -> None:
        """One object file."""
        out = str(self.folder / f"{name}.o")
        arguments = [*self.common, *flags, "-c", str(CSRC / source), "-o", out]
        self.clock.run(self.compiler, arguments, self.env)

    def count(self, shapes: list[tuple[str, str]], pool: ThreadPoolExecutor) -> str:
        """Write the operations of the shapes for dispatch.c; the flag that names the file."""
        files = [self.folder / f"{name}_{shape}.o" for name, shape in shapes]
        found = pool.map(operations.count, [name for name, _ in shapes], files)
        rows = [
            f'{{"{name}", "{shape}", {{{step[0]}, {step[1]}}}, {{{version[0]}, {version[1]}}}}},\n'
            for (name, shape), counts in zip(shapes, found, strict=True)
            if counts is not None
            for step, version in [counts]
        ]
        out = self.folder / "operations.inc"
        out.write_text("".join(rows), encoding="utf-8")
        return f'-DOPERATIONS_FILE="{out.as_posix()}"'

    def hardening(self) -> list[str]:
        """The flags of HARDENING that this compiler takes without a warning."""
        taken = [flags for flags in HARDENING if self.takes(flags)]
        flags = [flag for flags in taken for flag in flags if flag != "-Werror"]
        return flags if HARDENING[-1] in taken else [*flags, *FORTIFY_LESS]

    def takes(self, flags: tuple[str, ...]) -> bool:
        source = self.folder / "flags.c"
        source.write_text("#include <string.h>\nint flags;\n", encoding="utf-8")
        out = str(self.folder / "flags.o")
        with suppress(CompilerFailed):
            arguments = [*self.common, *flags, "-c", str(source), "-o", out]
            self.clock.run(self.compiler, arguments, self.env, loud=False)
            return True
        return False

    def link(self, shapes: list[str]) -> Path:
        """The library, without symbols that no caller needs."""
        target = self.compiler.target
        out = self.folder / target.file
        arguments = compilers.shared_flags(target)
        if target.system != "macos":
            arguments.append("-s")
        if target.system not in ("windows", "macos"):
            arguments += [*RELOCATIONS, f"-Wl,-soname,{target.file}"]
        if target.system == "macos":
            arguments += [f"-Wl,-install_name,@rpath/{target.file}"]
        names = [*self.plan["shared"], *self.plan["guarded"], *shapes]
        arguments += [str(self.folder / f"{name}.o") for name in names]
        arguments += shlex.split(os.environ.get("LDFLAGS", ""))
        self.clock.run(self.compiler, [*arguments, "-o", str(out)], self.env)
        return out


def key(compiler: Compiler) -> str:
    """What the library is made of: sources, compiler, flags of the environment."""
    total = hashlib.sha256()
    folders = (CSRC, Path(__file__).parent)
    for path in sorted(path for folder in folders for path in folder.glob("*.*")):
        total.update(f"{path.name}\0".encode() + path.read_bytes())
    flags = (os.environ.get("CFLAGS", ""), os.environ.get("LDFLAGS", ""))
    total.update("\0".join([compiler.identity, *flags]).encode())
    return total.hexdigest()


def kept(folder: Path, compiler: Compiler) -> bool:
    """Does a kept build folder hold what this compiler would make?"""
    with suppress(OSError):
        return (folder / KEY).read_text(encoding="utf-8") == key(compiler)
    return False
