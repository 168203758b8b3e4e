"""Finds a C compiler that works: the system's, or the one that comes as a wheel."""

import contextlib
import importlib.util
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from build_backend import project, targets
from build_backend.targets import Target

LIMIT_S = 300  # of one compiler, for the whole library: one that hangs is given up
TEST_LIMIT_S = 60  # for the test program
VERSION_LIMIT_S = 10  # to say what it is
(REQUIREMENT,) = project.settings()["project"]["optional-dependencies"]["wheels"]
WHEEL, VERSION = REQUIREMENT.split("==")
DOWNLOAD_MB, DISK_MB = 101, 411
# Machines for which there is a wheel of it.
WHEEL_MACHINES = {
    "linux": ("x86_64", "aarch64", "i686", "armv7", "riscv64"),
    "windows": ("x86_64", "aarch64", "i686"),
    "macos": ("x86_64", "aarch64"),
}
OLDEST_MACOS = 13
# All that the sources need of a compiler: the right pointers, gcc's vectors and assembly, a link.
TEST_C = """#include <stdint.h>
#include <string.h>
_Static_assert(sizeof(void *) == %d, "another pointer size");
typedef uint32_t vec __attribute__((vector_size(16)));
int homehash_test(vec *x, void *to, const void *from);
int homehash_test(vec *x, void *to, const void *from) {
    __asm__ volatile("" ::: "memory");
    memcpy(to, from, 16);
    *x += (vec){1, 2, 3, 4};
    return 0;
}
"""


class CompilerFailed(Exception):
    """Why a compiler is given up, in one line."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler for a target."""

    command: tuple[str, ...]
    family: str  # "gcc", "clang", or "zig": clang as the wheel has it
    target: Target

    def __str__(self) -> str:
        return f"{WHEEL} {VERSION}" if self.family == "zig" else shlex.join(self.command)

    @property
    def identity(self) -> str:
        """Changes when the compiler does."""
        if self.family == "zig":
            return f"{self} {self.target.zig}"
        real = Path(self.command[0]).resolve()
        changed = real.stat().st_mtime_ns if real.exists() else 0
        return f"{shlex.join(self.command)} {real} {changed}"


class Clock:
    """What is left of a compiler's time."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self.limit_s = limit_s
        self.deadline = time.monotonic() + limit_s

    def run(
        self, compiler: Compiler, arguments: Sequence[str], env: dict[str, str], loud: bool = True
    ) -> str:
        """Run the compiler; its words, which are printed if it fails. Raises CompilerFailed."""
        with tempfile.TemporaryFile() as output:  # not a pipe: a grandchild might hold it open
            try:
                child = subprocess.Popen(
                    [*compiler.command, *arguments], env=env, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise CompilerFailed(f"{compiler}: {error.strerror}") from error
            try:
                child.wait(max(0.1, self.deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                words = f"{compiler} does not end; given up after {self.limit_s:.0f} s"
                raise CompilerFailed(words) from None
            finally:
                _end(child)
            output.seek(0)
            said = output.read().decode(errors="replace")
        if child.returncode:
            if loud:
                print(said, file=sys.stderr)
            raise CompilerFailed(f"{compiler}: {_cause(said, child.returncode)}")
        return said


def _end(child: "subprocess.Popen[bytes]") -> None:
    """It and what it started: a compiler is a driver of several programs."""
    if child.poll() is None:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                child.kill()
            else:
                os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _cause(said: str, code: int) -> str:
    """The line of a compiler's words that says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "Error" in line]
    ended = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return (errors or lines or [ended])[0][:200]


def system_compilers() -> Iterator[Compiler]:
    """Those of this system, working or not; where CC is set, that one alone."""
    asked = os.environ.get("CC", "").strip()
    seen: list[str] = []
    for words in [shlex.split(asked)] if asked else [["cc"], ["gcc"], ["clang"]]:
        path = shutil.which(words[0])
        if path is not None and os.path.realpath(path) not in seen and not _is_a_stub(path):
            seen.append(os.path.realpath(path))
            command = (path, *words[1:])
            yield Compiler(command, _family(command), targets.here())
        elif asked:
            yield Compiler(tuple(words), "gcc", targets.here())


def _is_a_stub(path: str) -> bool:
    """Apple's place-holder, which opens a window that offers to install the real one?"""
    if sys.platform != "darwin" or not path.startswith("/usr/bin/"):
        return False
    return subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode != 0


def _family(command: tuple[str, ...]) -> str:
    asked = Compiler(command, "gcc", targets.here())
    said = ""
    with contextlib.suppress(CompilerFailed):  # its test will tell
        said = Clock(VERSION_LIMIT_S).run(asked, ["--version"], dict(os.environ), loud=False)
    return "clang" if "clang" in said else "gcc"


def wheel_compiler(target: Target | None = None) -> Compiler | None:
    """The one that comes as a wheel, where it can be imported."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    program = Path(spec.submodule_search_locations[0], "zig.exe" if os.name == "nt" else "zig")
    return wheel_compiler_at(program, target or targets.here())


def wheel_compiler_at(program: Path, target: Target) -> Compiler:
    """The same, where its program is known, or need not be there."""
    # Without -target it would build for this very CPU.
    cpu = ("-mcpu=baseline-neon",) if target.machine == "armv7" else ()  # not every one has NEON
    return Compiler((str(program), "cc", "-target", target.zig, *cpu), "zig", target)


def wheel_exists() -> bool:
    """Is there a wheel of it for this machine?"""
    target = targets.here()
    if target.system == "macos" and int(platform.mac_ver()[0].split(".")[0]) < OLDEST_MACOS:
        return False
    return target.machine in WHEEL_MACHINES.get(target.system, ())


def test(compiler: Compiler, clock: Clock) -> None:
    """Build a small library. Raises CompilerFailed."""
    with tempfile.TemporaryDirectory(prefix="homehash-") as name:
        source = Path(name, "test.c")
        source.write_text(TEST_C % (targets.POINTER_BITS // 8), encoding="utf-8")
        arguments = ["-std=gnu11", "-O2", *shared_flags(compiler.target), str(source)]
        clock.run(compiler, [*arguments, "-o", str(Path(name, "test.so"))], environment(name))


def shared_flags(target: Target) -> list[str]:
    """What makes a shared library there."""
    if target.system == "macos":
        machine = "arm64" if target.machine == "aarch64" else target.machine
        return ["-dynamiclib", *(["-arch", machine] if sys.platform == "darwin" else [])]
    return ["-shared"] if target.system == "windows" else ["-shared", "-fPIC"]


def environment(folder: str) -> dict[str, str]:
    """For a compiler's run: what the wheel's keeps goes into this folder, unless told otherwise."""
    caches = {"ZIG_GLOBAL_CACHE_DIR": f"{folder}/zig", "ZIG_LOCAL_CACHE_DIR": f"{folder}/zig"}
    return {**caches, **os.environ}


def working() -> Compiler | None:
    """The first compiler of this system that can build a test program."""
    for compiler in system_compilers():
        with contextlib.suppress(CompilerFailed):
            test(compiler, Clock(TEST_LIMIT_S))
            return compiler
    return None
