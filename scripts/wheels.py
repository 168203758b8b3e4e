"""Build homehash's wheels for every system on this one Linux machine.

    python3 scripts/wheels.py [--out dist] [NAME...]     names as --list prints them

The compiler is the one that comes as a wheel; where it is not installed it is fetched for the run.
Each wheel is opened and checked (scripts/lab/inspection.py, with LLVM's tools): platform tag,
needed libraries, exported names, variants, that no vector instruction is in code all CPUs run, and
that the WebAssembly module for browsers, the same in every wheel, imports nothing.
For systems on which our dependencies have no wheels, the C library alone is made, as an archive to
unpack into the package's folder.
"""

import argparse
import contextlib
import functools
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import require_python  # noqa: F401  ends here when this Python is too old

# isort: split
from build_backend import archives, clibrary, compilers, hooks, project, wasm
from build_backend.compilers import Clock, CompilerFailed
from build_backend.targets import Target
from lab import inspection

COMPILE_S = 1800  # of one target: the compiler also makes a C library for Windows the first time


@dataclass(frozen=True, slots=True)
class Product:
    """One wheel, or with an empty tag the C library alone."""

    name: str
    target: Target
    tag: str = ""


PRODUCTS = (
    Product("linux-x86_64", Target("x86_64", "linux", "gnu", "2.17"), "manylinux_2_17_x86_64"),
    Product("linux-aarch64", Target("aarch64", "linux", "gnu", "2.17"), "manylinux_2_17_aarch64"),
    Product("musl-x86_64", Target("x86_64", "linux", "musl", "1.2"), "musllinux_1_2_x86_64"),
    Product("musl-aarch64", Target("aarch64", "linux", "musl", "1.2"), "musllinux_1_2_aarch64"),
    Product("windows-x86_64", Target("x86_64", "windows"), "win_amd64"),
    Product("windows-arm64", Target("aarch64", "windows"), "win_arm64"),
    Product("macos-x86_64", Target("x86_64", "macos"), "macosx_10_15_x86_64"),
    Product("macos-arm64", Target("aarch64", "macos"), "macosx_11_0_arm64"),
    Product("linux-armv7", Target("armv7", "linux", "gnu", "2.17")),
    Product("linux-riscv64", Target("riscv64", "linux", "gnu", "2.27")),
)
MORE = (Product("linux-s390x", Target("s390x", "linux", "gnu", "2.17")),)  # big-endian, for tests


@contextlib.contextmanager
def compiler_wheel() -> Iterator[None]:
    """Make the compiler importable, in a folder that is gone afterwards if it was not."""
    if compilers.wheel_compiler() is not None:
        yield
        return
    print(
        f"fetching {compilers.REQUIREMENT}: {compilers.DOWNLOAD_MB} MB to download,"
        f" {compilers.DISK_MB} MB on disk until this ends",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="homehash-compiler-") as folder:
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", folder]
        subprocess.run([*command, compilers.REQUIREMENT], check=True)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)


@functools.cache
def for_browsers() -> bytes:
    """The WebAssembly module, the same in every wheel. Raises CompilerFailed."""
    compiler = wasm.compiler()
    assert compiler is not None, "compiler_wheel() is around"
    return wasm.build(compiler, Clock(COMPILE_S))


def make(product: Product, out: Path) -> Path:
    """Build and check one. Raises CompilerFailed or inspection.Wrong."""
    compiler = compilers.wheel_compiler(product.target)
    assert compiler is not None, "compiler_wheel() is around"
    with tempfile.TemporaryDirectory(prefix="homehash-wheel-") as name:
        objects, folder = Path(name, "objects"), Path(name, "library")
        objects.mkdir()
        folder.mkdir()
        work = clibrary.Work(compiler, objects, Clock(COMPILE_S))
        shapes = work.compile_all(complain)
        clibrary.install(work.link(shapes), folder, work.told(shapes))
        files = {f"miner/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}
        if product.tag:
            files |= hooks.package_contents() | {f"miner/{wasm.FILE}": for_browsers()}
            made = out / archives.wheel(out, f"py3-none-{product.tag}", files)
        else:
            made = archive(out / f"{project.name()}-{product.name}.tar.gz", files)
        inspection.check(made, product.target, product.tag, objects, shapes)
    return made


def archive(path: Path, files: dict[str, bytes]) -> Path:
    """A tar of the C library, its header and record."""
    with tempfile.TemporaryDirectory() as name, tarfile.open(path, "w:gz") as tar:
        for inner, data in files.items():
            file = Path(name, Path(inner).name)
            file.write_bytes(data)
            tar.add(file, inner)
    return path


def complain(text: str) -> None:
    """A wheel without one of its shapes is not shipped."""
    raise CompilerFailed(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=project.ROOT / "dist")
    parser.add_argument("--list", action="store_true", help="print the names, and end")
    parser.add_argument("name", nargs="*", help="only these")
    options = parser.parse_args()
    known = {product.name: product for product in (*PRODUCTS, *MORE)}
    if options.list or set(options.name) - set(known):
        print(*known, sep="\n")
        return 0 if options.list else 2
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with compiler_wheel():
        for product in [known[name] for name in options.name] or PRODUCTS:
            started = time.monotonic()
            try:
                made = make(product, options.out)
            except (CompilerFailed, inspection.Wrong) as error:
                print(f"{product.name:15} FAILED: {error}", flush=True)
                failed += 1
                continue
            took, size = time.monotonic() - started, made.stat().st_size
            print(f"{product.name:15} {size:9,} bytes {took:5.0f} s  {made.name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
