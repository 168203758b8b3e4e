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


def test_without_pyopencl_the_family_says_why(tmp_path: Path) -> None:
    """As on Windows on ARM, where it has no wheel; the real helper, with an import that fails."""
    (tmp_path / "pyopencl.py").write_text("raise ImportError(\"No module named 'pyopencl'\")\n")
    out = run_probe(PYTHONPATH=str(tmp_path))
    assert out.startswith("opencl False pyopencl cannot be imported: No module named 'pyopencl'; ")
    assert out.count("\n") == 1
    done = subprocess.run(
        [sys.executable, "-P", "-m", "miner", "tune", "opencl"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 3 and len(done.stderr.splitlines()) == 1, done.stderr


def bad_driver(folder: Path, body: str) -> None:
    """Register a library that runs `body` as soon as it is loaded."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler to make a driver that crashes")
    source, driver = folder / "bad.c", folder / "libbad.so"
    source.write_text(
        "#include <stdlib.h>\n#include <unistd.h>\n"
        f"__attribute__((constructor)) static void f(void) {{ {body} }}\n"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(driver), str(source)], check=True)
    (folder / "bad.icd").write_text(f"{driver}\n")


def vendors(folder: Path) -> dict[str, str]:
    return {"OCL_ICD_VENDORS": str(folder), "OPENCL_VENDOR_PATH": str(folder)}


def run_code(code: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True,
        env={**os.environ, **env},
    )  # fmt: skip


OPEN = (
    "import pathlib\nfrom miner.backends import registry\n"
    "from miner.backends.base import OpenOptions\n"
    "backend = registry.open_named('opencl', OpenOptions(pathlib.Path('.')))\n"
    "print(backend.info.name)\n"
    "backend.close()"  # as every caller does: a driver's threads may outlive Python otherwise
)


@needs_device
def test_a_driver_that_crashes_alone_is_let_in_nowhere(tmp_path: Path) -> None:
    """It takes only the helper with it: it is reported, and opening refuses to load it."""
    bad_driver(tmp_path, "abort();")
    says = "a driver crashed with signal 6 while devices were listed"
    assert says in run_probe(**vendors(tmp_path))
    done = run_code(OPEN, **vendors(tmp_path))
    assert done.returncode == 1 and says in done.stderr


@needs_device
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("abort();", "a driver crashed with signal 6 while devices were listed"),
        ("*(volatile int *)0 = 1;", "a driver crashed with signal 11"),
        ("_exit(3);", "listing devices failed: status 3"),
    ],
    ids=["aborts", "segfaults", "ends"],
)
def test_a_driver_that_crashes_among_good_ones_is_named_and_left_out(
    tmp_path: Path, body: str, says: str
) -> None:
    """The others are listed, opened and tuned, in the same process."""
    good = list(Path("/etc/OpenCL/vendors").glob("*.icd"))
    if not good:
        pytest.skip("this system registers its drivers elsewhere")
    for icd in good:
        (tmp_path / icd.name).write_text(icd.read_text())
    bad_driver(tmp_path, body)
    out = run_probe(**vendors(tmp_path))
    assert f"{DEVICES[0].name} True" in out
    assert f"opencl False the driver of {tmp_path / 'bad.icd'} is not loaded: {says}" in out
    assert "remove that file" in out
    done = run_code(OPEN, **vendors(tmp_path), MINER_TUNE="0")
    assert (done.returncode, done.stdout.strip()) == (0, DEVICES[0].name), done.stderr
    tune = f"import sys\nsys.argv = ['miner', 'tune', '--seconds', '0', '{DEVICES[0].name}']\n"
    tune += "from miner.__main__ import main\nmain()"
    if body == "abort();":
        done = run_code(tune, **vendors(tmp_path), MINER_HOME=str(tmp_path / "home"))
        assert done.returncode == 0 and "MH/s" in done.stdout, done.stderr


def test_probing_loads_no_driver_here() -> None:
    code = (
        "import sys\nfrom miner.backends import opencl\nopencl.PROVIDER.probe()\n"
        "assert 'pyopencl' not in sys.modules"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


@needs_device
def test_a_process_that_ends_right_after_a_scan_ends_well(tmp_path: Path) -> None:
    """pyopencl's thread wanted the interpreter once more and aborted the process, about every
    second time."""
    command = [sys.executable, "-c", OPEN]
    started = [
        subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "MINER_TUNE": "0"},
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]  # fmt: skip
    for process in started:
        _, words = process.communicate(timeout=120)
        assert process.returncode == 0, words
