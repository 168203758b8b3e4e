"""The built C library carries the hardening that scripts/build_backend/clibrary.py asks for.

Read from the file itself, installed or built in place, with binutils' readelf.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from miner.backends import native
from tests.backends.test_native_build import CSRC, PRODUCT, build_library, run, tool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads ELF files")
LINKED = ("-Wl,-z,relro,-z,now,-z,noexecstack",)


@pytest.fixture
def built() -> Path:
    """The library in use."""
    if native.LIBRARY is None:
        pytest.skip(native.NOT_BUILT)
    return native.LIBRARY.file


def declared() -> list[str]:
    """Every function of scan.h."""
    header = (CSRC / "scan.h").read_text(encoding="utf-8")
    return sorted(re.findall(r"^SCAN_API [^(]*?(\w+)\(", header, re.MULTILINE))


def faults(module: Path) -> list[str]:
    """What is missing, in words."""
    readelf = tool("readelf")
    segments = run(readelf, "--wide", "--segments", module)
    dynamic = run(readelf, "--wide", "--dynamic", module)
    symbols = run(readelf, "--wide", "--dyn-syms", module)
    stack = re.search(r"^ *GNU_STACK .* ([RWE ]{3}) +0x", segments, re.MULTILINE)
    writable = re.findall(r"^ *LOAD .* (RWE) +0x", segments, re.MULTILINE)
    rows = [line.split() for line in symbols.splitlines() if re.match(r" +\d+: ", line)]
    names = {row[7].partition("@")[0]: row[6] for row in rows if len(row) > 7}
    exported = sorted(name for name, section in names.items() if section != "UND")
    wrong = {
        "no read-only relocations (RELRO)": "GNU_RELRO" not in segments,
        "relocations bound late (no BIND_NOW)": "NOW" not in dynamic,
        "executable stack": stack is None or "E" in stack[1],
        "a segment both writable and executable": bool(writable),
        "text relocations": "TEXTREL" in dynamic,
        "a run-time search path": "RPATH" in dynamic or "RUNPATH" in dynamic,
        "no stack protector": "__stack_chk_fail" not in names,
        f"exported: {', '.join(exported)}": exported != declared(),
    }
    return [what for what, bad in wrong.items() if bad]


def test_the_built_library_is_hardened(built: Path) -> None:
    assert faults(built) == []


def test_a_library_without_hardening_is_found_out(tmp_path: Path) -> None:
    """The judge itself: everything left out is named."""
    soft = ("-O2", "-fPIC", "-fno-stack-protector")
    linked = ("-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/nowhere",)
    found = faults(build_library(tool("gcc"), tmp_path, *soft, variants=(), linked=linked))
    assert found[:-1] == [
        "no read-only relocations (RELRO)",
        "relocations bound late (no BIND_NOW)",
        "executable stack",
        "a run-time search path",
        "no stack protector",
    ]
    assert re.match(
        "exported: .*scan_avx2.*scan_run|exported: .*scan_portable.*scan_run", found[-1]
    )


def test_one_flag_left_out_is_one_fault(tmp_path: Path) -> None:
    assert faults(build_library(tool("gcc"), tmp_path, *PRODUCT, linked=LINKED)) == []


def test_text_relocations_are_found_out(tmp_path: Path) -> None:
    """A constant address inside the code, as hand-written assembly may have."""
    source, module = tmp_path / "text.c", tmp_path / "text.so"
    source.write_text('int there; __asm__(".text\\n.quad there\\n");')
    run(tool("gcc"), "-shared", "-fPIC", "-Wl,-z,notext,--no-warnings", source, "-o", module)
    assert "text relocations" in faults(module)


def test_copies_are_checked_as_far_as_this_compiler_can(built: Path) -> None:
    """No call of ours needs a check at run time (every length is known), so the built file shows
    none; it says itself how it was compiled."""
    assert native.LIBRARY is not None
    level = native.LIBRARY.lib.scan_fortify_level()
    if "glibc" not in str(sysconfig.get_config_var("HOST_GNU_TYPE") or "") and not glibc():
        pytest.skip("this C library has no checked copies")
    assert level >= 2
    best = subprocess.run(
        [tool("gcc"), "-O2", "-D_FORTIFY_SOURCE=3", "-dM", "-E", "-include", "string.h", "-"],
        input="", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert f"#define __USE_FORTIFY_LEVEL {level}\n" in best


def glibc() -> bool:
    import platform

    return platform.libc_ver()[0] == "glibc"
