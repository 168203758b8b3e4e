"""What scripts/wheels.py builds with the compiler wheel: checked, loaded, run on others' CPUs."""

import importlib.util
import platform
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.backends.native import library
from tests.backends.test_native_build import ROOT, run, tool

SCRIPT = ROOT / "scripts" / "wheels.py"
# The library, its compiler target, qemu's name, where Debian keeps its C library, shapes.
ELSEWHERE = {
    "linux-aarch64": ("aarch64-linux-gnu.2.17", "aarch64", "aarch64-linux-gnu", 5),
    "linux-armv7": ("arm-linux-gnueabihf.2.17", "arm", "arm-linux-gnueabihf", 1),
    "linux-riscv64": ("riscv64-linux-gnu.2.27", "riscv64", "riscv64-linux-gnu", 1),
    "linux-s390x": ("s390x-linux-gnu.2.17", "s390x", "s390x-linux-gnu", 1),
}
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason="the compiler wheel is not installed"
)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the compiler builds for itself is built once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("compiler"))
        patch.setenv("ZIG_GLOBAL_CACHE_DIR", folder)
        patch.setenv("ZIG_LOCAL_CACHE_DIR", folder)
        yield


def wheels(folder: Path, name: str) -> Path:
    """Build and check one; the folder with its files."""
    tool("llvm-objdump-19")
    said = run(sys.executable, SCRIPT, "--out", folder, name)
    assert "FAILED" not in said
    (made,) = folder.glob("homehash-*")
    inside = folder / "inside"
    if made.suffix == ".whl":
        with zipfile.ZipFile(made) as archive:
            archive.extractall(inside)
    else:
        with tarfile.open(made) as archive:
            archive.extractall(inside, filter="data")
    return inside / "miner"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the library is x86-64's")
def test_the_library_of_the_compiler_wheel_passes_the_backend_suite(tmp_path: Path) -> None:
    folder = wheels(tmp_path, "linux-x86_64")
    assert (folder / "pool" / "static" / "hash.wasm").read_bytes()[:4] == b"\0asm"
    opened = library.load(folder)
    assert opened.ffi.string(opened.lib.scan_compiler()).startswith(b"clang ")
    script, tests = ROOT / "tests" / "csrc" / "pytest_with_library.py", ROOT / "tests" / "backends"
    options = ("-q", "-x", "-p", "no:cacheprovider", "-k", "native or built_library")
    names = ("scan", "edges", "fixed_root", "native")
    said = run(
        *(sys.executable, script, folder, *options),
        *[tests / f"test_{name}.py" for name in names],
        MINER_REQUIRE_BACKENDS="native:portable",
    )
    assert " passed" in said


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_library_for_another_processor_is_exact(tmp_path: Path, name: str) -> None:
    """The C driver, linked with the very library that is shipped, under qemu."""
    target, processor, sysroot, shapes = ELSEWHERE[name]
    qemu = tool(f"qemu-{processor}")
    if not Path("/usr", sysroot, "lib", "libc.so.6").exists():
        pytest.skip(f"Debian's C library for {sysroot} is not installed")
    folder = wheels(tmp_path, name)
    driver = folder / "driver"
    run(
        *(sys.executable, "-m", "ziglang", "cc", "-target", target, "-O1", f"-I{folder}"),
        *(ROOT / "tests" / "csrc" / "driver.c", folder / library.FILE),
        *("-Wl,-rpath,$ORIGIN", "-o", driver),
    )
    cpu = ("-cpu", "max") if processor == "aarch64" else ()
    said = run(qemu, *cpu, "-L", Path("/usr", sysroot), driver, "40")
    assert said.count(": exact, 40 cases") == shapes, said
