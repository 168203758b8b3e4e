"""Which OpenCL drivers are let in: none, missing ones, ones that crash, beside good ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.opencl_kit import DEVICES, needs_device


def run_probe(**env: str) -> str:
    """The provider's rows in a fresh process with another driver setting."""
    code = (
        "from miner.backends import opencl\n"
        "for row in opencl.PROVIDER.probe(): print(row.name, row.usable, row.why_not)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, **env},
    )  # fmt: skip
    return done.stdout


@needs_device
def test_no_driver_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    out = run_probe(OCL_ICD_VENDORS=str(tmp_path), OPENCL_VENDOR_PATH=str(tmp_path))
    assert out.startswith("opencl False no OpenCL platform found; install your GPU's driver")
    assert out.count("\n") == 1


@needs_device
def test_a_missing_driver_beside_a_good_one_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.icd").write_text("libno-such-driver.so.1\n")
    for icd in Path("/etc/OpenCL/vendors").glob("*.icd"):
        (tmp_path / icd.name).write_text(icd.read_text())
    out = run_probe(OCL_ICD_VENDORS=str(tmp_path), OPENCL_VENDOR_PATH=str(tmp_path))
    assert f"{DEVICES[0].name} True" in out


@needs_device
def test_a_driver_that_crashes_takes_only_the_helper_with_it(tmp_path: Path) -> None:
    """It is reported, and opening refuses to load it into the miner."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler to make a driver that crashes")
    source, driver = tmp_path / "crash.c", tmp_path / "libcrash.so"
    source.write_text(
        "#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { abort(); }\n"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(driver), str(source)], check=True)
    (tmp_path / "crash.icd").write_text(f"{driver}\n")
    vendors = {"OCL_ICD_VENDORS": str(tmp_path), "OPENCL_VENDOR_PATH": str(tmp_path)}
    says = "a driver crashed with signal 6 while devices were listed"
    assert says in run_probe(**vendors)
    code = (
        "import pathlib\nfrom miner.backends import registry\n"
        "registry.open_named('opencl', pathlib.Path('.'))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True,
        env={**os.environ, **vendors},
    )  # fmt: skip
    assert done.returncode == 1 and says in done.stderr


def test_probing_loads_no_driver_here() -> None:
    code = (
        "import sys\nfrom miner.backends import opencl\nopencl.PROVIDER.probe()\n"
        "assert 'pyopencl' not in sys.modules"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
