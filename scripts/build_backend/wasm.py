"""Compiles csrc/ to WebAssembly, by the compiler wheel: for browsers that join a class.

The module exports all of scan.h and imports nothing; its one variant is portable. Without the
compiler wheel there is none, and browsers hash in JavaScript.
"""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from build_backend import clibrary, compilers
from build_backend.clibrary import CSRC
from build_backend.compilers import Clock, Compiler
from build_backend.targets import Target

FILE = "pool/static/hash.wasm"  # below miner/
KEY = "wasm.txt"  # in a kept build folder: what the module was made of
TARGET = Target("wasm32", "freestanding")


def compiler() -> Compiler | None:
    """The compiler wheel's, where it can be imported."""
    return compilers.wheel_compiler(TARGET)


def build(compiler: Compiler, clock: Clock | None = None) -> bytes:
    """The module. Raises CompilerFailed."""
    plan = clibrary.plan()
    how, portable = plan["wasm"], plan["variants"]["portable"]
    names = [*plan["shared"], *plan["guarded"], "scan_portable.c"]
    defines = (f"SHAPE={how['shape']}", *portable["shapes"][how["shape"]])
    exports = (*clibrary.functions(), "__heap_base")
    with tempfile.TemporaryDirectory(prefix="homehash-") as folder:
        out = Path(folder, "hash.wasm")
        shutil.copyfile(CSRC / "no_libc.h", Path(folder, "string.h"))
        arguments = [
            *plan["flags"],
            *how["flags"],
            "-fvisibility=hidden",
            f"-I{CSRC}",
            f"-I{folder}",
        ]
        arguments += [f"-D{one}" for one in defines]
        arguments += [f"-Wl,--export={name}" for name in exports]
        arguments += [*(str(CSRC / name) for name in names), "-o", str(out)]
        (clock or Clock()).run(compiler, arguments, compilers.environment(folder))
        return out.read_bytes()


def kept(folder: Path) -> bytes:
    """The module in a kept build folder, where it is what the compiler wheel would make; or b""."""
    wanted = clibrary.key(compilers.wheel_compiler_at(Path(), TARGET))
    with suppress(OSError):
        if (folder / KEY).read_text(encoding="utf-8") == wanted:
            return (folder / Path(FILE).name).read_bytes()
    return b""


def keep(folder: Path, module: bytes) -> None:
    """Put the module into a build folder."""
    (folder / Path(FILE).name).write_bytes(module)
    key = clibrary.key(compilers.wheel_compiler_at(Path(), TARGET))
    (folder / KEY).write_text(key, encoding="utf-8")
