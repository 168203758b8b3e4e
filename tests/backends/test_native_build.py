"""The C kernels through other compilers, sanitizers, valgrind and other processors."""

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from miner.backends.native import library

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".cache" / "objects"
CSRC, DRIVER = ROOT / "csrc", ROOT / "tests" / "csrc" / "driver.c"
THREADS = ROOT / "tests" / "csrc" / "threads.c"
COMMON = ("-std=gnu11", "-g1", f"-I{CSRC}")  # line tables: all that a trace needs
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
SHARED = tuple(CSRC / f"{name}.c" for name in ("dispatch", "cpu_features", "about", "yardstick"))
PLAN = tomllib.loads((CSRC / "build.toml").read_text())
SHAPES = {  # the definitions of each shape of each variant
    variant: {
        shape: (f"-DSHAPE={shape}", *(f"-D{word}" for word in words))
        for shape, words in row["shapes"].items()
    }
    for variant, row in PLAN["variants"].items()
}
PORTABLE = SHAPES["portable"]["loops1"]
# As the product is built, and with every warning: one set of object files for several tests.
PRODUCT = ("-O2", "-fPIC", "-fvisibility=hidden", "-fstack-protector-strong", *WARNINGS)
CHECKED = ("-fPIC", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SANITIZERS = ("-O1", *CHECKED)
RACES = ("-O1", "-fsanitize=thread", "-pthread")
X86: dict[str, tuple[str, ...]] = {
    "avx512": ("-mavx512f",),
    "shani": ("-msha", "-mssse3", "-msse4.1"),
    "avx2": ("-mavx2",),
    "sse2": ("-msse2",),
}
ARM: dict[str, tuple[str, ...]] = {"neon": (), "armv8": ("-march=armv8-a+crypto",)}
HERE = tuple(X86 if platform.machine() in ("x86_64", "AMD64") else ARM)


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


@functools.cache
def object_file(cc: str, isa: str, shape: str, flags: tuple[str, ...]) -> Path:
    """One shape's, compiled once for all sessions; it gets its own flags, as in the product."""
    words = [*COMMON, *flags, *{**X86, **ARM, "portable": ()}[isa], *SHAPES[isa][shape]]
    out = KEPT / f"{key(cc, isa, words)}.o"
    if not out.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        made = out.with_suffix(f".{os.getpid()}")
        run(cc, *words, "-c", CSRC / f"scan_{isa}.c", "-o", made)
        made.replace(out)  # whole or not at all, also beside another session
    os.utime(out)
    return out


def key(cc: str, isa: str, words: Sequence[str]) -> str:
    """All that an object file is made of: compiler, words and sources."""
    known = hashlib.sha256(repr((compiler(cc), isa, [*words], sources())).encode())
    return f"{isa}-{known.hexdigest()[:32]}"


@functools.cache
def compiler(cc: str) -> str:
    return run(cc, "--version")


@functools.cache
def sources() -> str:
    """A hash of every C file, since variants include each other's."""
    files = sorted([*CSRC.glob("*.c"), *CSRC.glob("*.h")])
    parts = (part for path in files for part in (path.name.encode(), path.read_bytes()))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Object files that nothing asked for in a week are let go of."""
    yield
    for path in KEPT.glob("*"):
        if time.time() - path.stat().st_mtime > 7 * 86400:
            path.unlink(missing_ok=True)


EVERY = 99  # shape of a variant


def shapes_of(variants: tuple[str, ...], most: int = EVERY) -> list[tuple[str, str]]:
    return [(isa, shape) for isa in variants for shape in [*SHAPES[isa]][:most]]


def compiled(
    cc: str, variants: tuple[str, ...], flags: tuple[str, ...], most: int
) -> tuple[Path, ...]:
    """The object files of portable and these variants, in the first `most` of their shapes."""
    with ThreadPoolExecutor(2) as pool:
        wanted = shapes_of(("portable", *variants), most)
        return tuple(pool.map(lambda one: object_file(cc, *one, flags), wanted))


def link(
    cc: str, variants: tuple[str, ...], flags: tuple[str, ...], out: Path, *more: str | Path,
    most: int = EVERY,
) -> Path:  # fmt: skip
    """The shared sources and these variants, compiled with `flags`, linked with `more`."""
    shapes = shapes_of(variants, most)
    defines = [f"-DHAVE_{isa.upper()}_{shape.upper()}" for isa, shape in shapes]
    objects = compiled(cc, variants, flags, most)
    run(cc, *COMMON, *defines, *flags, *more, *SHARED, *objects, "-o", out)
    return out


def build(cc: str, variants: tuple[str, ...], folder: Path, *flags: str, most: int = EVERY) -> Path:
    """The driver with these variants."""
    return link(cc, variants, flags, folder / "driver", DRIVER, most=most)


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_no_warning_and_exact(cc: str, tmp_path: Path) -> None:
    driver = build(tool(cc), HERE, tmp_path, *PRODUCT)
    assert "portable: exact" in run(driver, "60")


def test_portable_without_vectors(tmp_path: Path) -> None:
    """As on a target whose baseline has none."""
    driver = build(tool("gcc"), (), tmp_path, "-O2", "-DPLAIN_WORDS", *WARNINGS)
    assert "portable: exact" in run(driver, "60")


@pytest.mark.parametrize(("cc", "level", "most"), [("gcc", "-O1", EVERY), ("clang", "-O0", 1)])
def test_driver_under_sanitizers(cc: str, level: str, most: int, tmp_path: Path) -> None:
    """clang, several times as slow, gives a second opinion on each variant, of its first shape and
    as the code is written; gcc checks every shape, optimised."""
    driver = build(tool(cc), HERE, tmp_path, level, *CHECKED, most=most)
    assert "portable: exact" in run(driver, "40")


def test_driver_sees_a_wrong_kernel(tmp_path: Path) -> None:
    """The judge itself: a kernel whose check drops hits must be found out."""
    sources = tmp_path / "csrc"
    shutil.copytree(CSRC, sources)
    header = sources / "sha256_scalar.h"
    good = "return byteswap32(mask);"
    assert good in header.read_text()
    header.write_text(header.read_text().replace(good, "return byteswap32(mask) | 1;"))
    files = [sources / path.name for path in (*SHARED, CSRC / "scan_portable.c")]
    out = ("-o", tmp_path / "driver")
    run(tool("gcc"), "-std=gnu11", "-O1", f"-I{sources}", *PORTABLE, *files, DRIVER, *out)
    done = subprocess.run([tmp_path / "driver", "60"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "missed hit" in done.stderr


@pytest.mark.skipif("sse2" not in HERE, reason="these variants are x86's")
def test_driver_under_valgrind(tmp_path: Path) -> None:
    """valgrind hides AVX-512 and the SHA extensions: those must be refused, with the reason."""
    driver = build(tool("gcc"), tuple(X86), tmp_path, *PRODUCT)
    memcheck = (tool("valgrind"), "-q", "--error-exitcode=9", "--leak-check=full")
    said = run(*memcheck, driver, "12")
    assert "sse2: exact, 12 cases" in said
    assert "portable: exact, 12 cases" in said
    assert re.search("avx2: (exact, 12 cases|skipped, this CPU has no AVX2)", said)
    assert "avx512: skipped, this CPU has no AVX-512F" in said
    assert "shani: skipped, this CPU has no SHA extensions" in said


def test_portable_alone_under_every_checker(tmp_path: Path) -> None:
    """The short form: seconds instead of minutes, a few cases."""
    gcc, memcheck = tool("gcc"), (tool("valgrind"), "-q", "--error-exitcode=9", "--leak-check=full")
    assert "portable: exact, 9 cases" in run(build(gcc, (), tmp_path, *SANITIZERS), "9", "portable")
    plain = build(gcc, (), tmp_path, *PRODUCT)
    assert "portable: exact, 5 cases" in run(*memcheck, plain, "5", "portable")
    said = race(link(gcc, (), RACES, tmp_path / "threads", THREADS))
    assert said.returncode == 0, said.stderr


def test_arm_under_qemu(tmp_path: Path) -> None:
    cc, qemu = tool("aarch64-linux-gnu-gcc"), tool("qemu-aarch64")
    driver = build(cc, tuple(ARM), tmp_path, "-O2", "-static", *WARNINGS)
    said = run(qemu, "-cpu", "max", driver, "40", "armv8", "neon", "portable")
    assert said.count("exact") == len(shapes_of((*ARM, "portable")))


def test_big_endian_under_qemu(tmp_path: Path) -> None:
    cc, qemu = tool("s390x-linux-gnu-gcc"), tool("qemu-s390x")
    driver = build(cc, (), tmp_path, "-O2", "-static", *WARNINGS)
    assert "portable: exact" in run(qemu, driver, "40", "portable")


def build_library(
    cc: str, folder: Path, *flags: str, variants: tuple[str, ...] = HERE, linked: Sequence[str] = ()
) -> Path:
    """The C library with any flags, its header and record beside it, as library.load wants them."""
    out = link(cc, variants, flags, folder / library.FILE, *linked, "-shared", "-fPIC")
    shutil.copy(CSRC / library.HEADER, folder)
    record(folder)
    return out


def record(folder: Path) -> None:
    """Write down what is in the folder, as the build does."""
    files = [folder / library.FILE, folder / library.HEADER]
    rows = {
        path.name: {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    }
    (folder / library.RECORD).write_text(json.dumps(rows))


def test_threads_under_the_thread_sanitizer(tmp_path: Path) -> None:
    """Several workers scan with one variant at once and share nothing that is written."""
    said = race(link(tool("gcc"), HERE, RACES, tmp_path / "threads", THREADS))
    assert said.returncode == 0, said.stderr
    assert "portable: same" in said.stdout


def test_the_thread_sanitizer_sees_a_shared_counter(tmp_path: Path) -> None:
    """The judge itself: a global that each scan writes must be found out."""
    sources = tmp_path / "csrc"
    shutil.copytree(CSRC, sources)
    dispatch = sources / "dispatch.c"
    entry = "                 size_t capacity, uint64_t *hashes) {\n"
    assert dispatch.read_text().count(entry) == 1
    counter = "    static uint64_t calls;\n    if (++calls == 0) return SCAN_ECPU;\n"
    dispatch.write_text(dispatch.read_text().replace(entry, entry + counter))
    files = [sources / path.name for path in (*SHARED, CSRC / "scan_portable.c")]
    out = ("-o", tmp_path / "threads")
    run(tool("gcc"), "-std=gnu11", "-g1", *RACES, f"-I{sources}", *PORTABLE, *files, THREADS, *out)
    said = race(tmp_path / "threads")
    assert said.returncode != 0
    assert "data race" in said.stderr


def race(program: Path) -> subprocess.CompletedProcess[str]:
    """Run it; some kernels place memory where the sanitizer cannot have it."""
    done = subprocess.run([program], capture_output=True, text=True, timeout=600, check=False)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("the thread sanitizer does not know this kernel's memory layout")
    return done


def test_backend_suite_under_sanitizers(tmp_path: Path) -> None:
    """The library as Python opens it, built with sanitizers, through every test that scans with it:
    the common cases and edges of each variant, and its provider's own."""
    gcc = tool("gcc")
    runtime = [run(gcc, f"-print-file-name=lib{name}.so").strip() for name in ("asan", "ubsan")]
    if not all(os.path.isabs(path) for path in runtime):
        pytest.skip("gcc has no sanitizer libraries here")
    build_library(gcc, tmp_path, *SANITIZERS)
    said = run(
        *(sys.executable, ROOT / "tests" / "csrc" / "pytest_with_library.py", tmp_path),
        *("-q", "-x", "-p", "no:cacheprovider", "-k", "(native or built_library) and not triples"),
        *(ROOT / "tests" / "backends" / f"test_{name}.py" for name in ("scan", "edges", "native")),
        LD_PRELOAD=" ".join(runtime),
        ASAN_OPTIONS="detect_leaks=0",
        MINER_REQUIRE_BACKENDS="",
    )
    assert " passed" in said
