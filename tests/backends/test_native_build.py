"""The C kernels through other compilers, sanitizers, valgrind and other processors."""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CSRC, DRIVER = ROOT / "csrc", ROOT / "tests" / "csrc" / "driver.c"
COMMON = ("-std=gnu11", "-g", f"-I{CSRC}")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
X86 = {
    "avx512": ("-mavx512f",),
    "shani": ("-msha", "-mssse3", "-msse4.1"),
    "avx2": ("-mavx2",),
    "sse2": ("-msse2",),
}
ARM = {"neon": (), "armv8": ("-march=armv8-a+crypto",)}
HERE = X86 if platform.machine() in ("x86_64", "AMD64") else ARM
Flags = tuple[str, ...]


def tool(name: str) -> str:
    """The path of a tool, or a skip that names it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command: str | Path, **environment: str) -> str:
    """Standard output; a failure shows everything the command said."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, f"{command[0]} ended {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(cc: str, variants: dict[str, Flags], folder: Path, *flags: str) -> Path:
    """The driver with these variants; each file gets its own flags, as in the product."""
    objects = []
    sources = {f"scan_{isa}.c": own for isa, own in variants.items()} | {"scan_portable.c": ()}
    for source, own in sources.items():
        objects.append(folder / f"{source}.o")
        run(cc, *COMMON, *flags, *own, "-c", CSRC / source, "-o", objects[-1])
    defines = [f"-DHAVE_{isa.upper()}" for isa in variants]
    shared = [CSRC / "dispatch.c", CSRC / "cpu_features.c", DRIVER]
    run(cc, *COMMON, *flags, *defines, *shared, *objects, "-o", folder / "driver")
    return folder / "driver"


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_no_warning_and_exact(cc: str, tmp_path: Path) -> None:
    driver = build(tool(cc), HERE, tmp_path, "-O2", *WARNINGS)
    assert "portable: exact" in run(driver, "60")


def test_portable_without_vectors(tmp_path: Path) -> None:
    """As on a target whose baseline has none."""
    driver = build(tool("gcc"), {}, tmp_path, "-O2", "-DPLAIN_WORDS", *WARNINGS)
    assert "portable: exact" in run(driver, "60")


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_driver_under_sanitizers(cc: str, tmp_path: Path) -> None:
    driver = build(tool(cc), HERE, tmp_path, "-O1", *SANITIZERS)
    assert "portable: exact" in run(driver, "40")


def test_driver_sees_a_wrong_kernel(tmp_path: Path) -> None:
    """The judge itself: a kernel whose check drops hits must be found out."""
    sources = tmp_path / "csrc"
    shutil.copytree(CSRC, sources)
    header = sources / "sha256_scalar.h"
    good = "return byteswap32(mask);"
    assert good in header.read_text()
    header.write_text(header.read_text().replace(good, "return byteswap32(mask) | 1;"))
    files = [sources / name for name in ("dispatch.c", "cpu_features.c", "scan_portable.c")]
    out = ("-o", tmp_path / "driver")
    run(tool("gcc"), "-std=gnu11", "-O1", f"-I{sources}", *files, DRIVER, *out)
    done = subprocess.run([tmp_path / "driver", "60"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "missed hit" in done.stderr


@pytest.mark.skipif(HERE is not X86, reason="these variants are x86's")
def test_driver_under_valgrind(tmp_path: Path) -> None:
    """valgrind hides AVX-512 and the SHA extensions: those must be refused, with the reason."""
    driver = build(tool("gcc"), X86, tmp_path, "-O2")
    memcheck = (tool("valgrind"), "-q", "--error-exitcode=9", "--leak-check=full")
    said = run(*memcheck, driver, "12")
    assert said.count("exact, 12 cases") == 3
    assert "avx512: skipped, this CPU has no AVX-512F" in said
    assert "shani: skipped, this CPU has no SHA extensions" in said


def test_arm_under_qemu(tmp_path: Path) -> None:
    cc, qemu = tool("aarch64-linux-gnu-gcc"), tool("qemu-aarch64")
    driver = build(cc, ARM, tmp_path, "-O2", "-static", *WARNINGS)
    said = run(qemu, "-cpu", "max", driver, "40", "armv8", "neon", "portable")
    assert said.count("exact") == 3


def test_big_endian_under_qemu(tmp_path: Path) -> None:
    cc, qemu = tool("s390x-linux-gnu-gcc"), tool("qemu-s390x")
    driver = build(cc, {}, tmp_path, "-O2", "-static", *WARNINGS)
    assert "portable: exact" in run(qemu, driver, "40", "portable")


def build_module(cc: str, folder: Path, *flags: str) -> Path:
    """The native module without CMake, so that any flags may be given."""
    source = folder / "native_module.c"
    texts = (CSRC / "native.cdef.txt", CSRC / "native.csrc.c")
    run(sys.executable, "-m", "cffi.gen_src", "read-sources", "miner._native", *texts, source)
    objects = []
    for isa, own in {**HERE, "portable": ()}.items():
        objects.append(folder / f"scan_{isa}.o")
        run(cc, *COMMON, *flags, *own, "-c", CSRC / f"scan_{isa}.c", "-o", objects[-1])
    defines = [f"-DHAVE_{isa.upper()}" for isa in HERE]
    headers = f"-I{sysconfig.get_path('include')}"
    shared = (source, CSRC / "dispatch.c", CSRC / "cpu_features.c", *objects)
    module = folder / "_native.so"
    run(cc, *COMMON, headers, *flags, *defines, "-shared", *shared, "-o", module)
    return module


def test_backend_suite_under_sanitizers(tmp_path: Path) -> None:
    """The native module itself, built with sanitizers, through the common backend tests."""
    gcc = tool("gcc")
    runtime = [run(gcc, f"-print-file-name=lib{name}.so").strip() for name in ("asan", "ubsan")]
    if not all(os.path.isabs(path) for path in runtime):
        pytest.skip("gcc has no sanitizer libraries here")
    module = build_module(gcc, tmp_path, "-O1", "-fPIC", *SANITIZERS)
    said = run(
        *(sys.executable, ROOT / "tests" / "csrc" / "pytest_with_module.py", module),
        *("-q", "-x", "-p", "no:cacheprovider", "-k", "native"),
        ROOT / "tests" / "backends" / "test_scan.py",
        LD_PRELOAD=" ".join(runtime),
        ASAN_OPTIONS="detect_leaks=0",
        MINER_REQUIRE_BACKENDS="",
    )
    assert " passed" in said
