"""An installation whose files were cut short or lost: a line and another backend, no crash."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import miner
from miner.backends.native import library

INSTALLED = Path(miner.__file__).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package in use, copied, so that it may be broken. Its C library's path."""
    package = tmp_path / "miner"
    shutil.copytree(INSTALLED, package)  # with its bytecode: compiling all of it takes a second
    if not (package / library.FILE).exists():
        pytest.skip("installed without the C library")
    return package / library.FILE


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "miner", *words], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(package.parent), "MINER_HOME": str(package.parent)},
    )  # fmt: skip


@pytest.mark.parametrize("kept", [0.5, 0.0])
def test_a_truncated_library_is_a_line_and_another_backend_mines(copy: Path, kept: float) -> None:
    """dlopen alone ends the process with SIGBUS."""
    size = copy.stat().st_size
    os.truncate(copy, int(size * kept))
    shown = run(copy.parent, "devices")
    assert shown.returncode == 0, shown.stderr
    (row,) = (line for line in shown.stdout.splitlines() if line.startswith("native"))
    assert f"has {int(size * kept)} bytes, was built with {size}; install homehash again" in row
    header = "00" * 72 + "ffff7f20" + "00" * 4
    ground = run(copy.parent, "grind", header)
    assert (ground.returncode, ground.stderr) == (0, "")


def test_one_changed_byte_is_enough(copy: Path) -> None:
    record = copy.with_name(library.RECORD)
    library.checked(copy, record)
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    with pytest.raises(library.NotUsable, match=r"SHA-256.*install homehash again"):
        library.checked(copy, record)


@pytest.mark.parametrize("record", [None, "", "[]", '{"scan.h": {"bytes": "x", "sha256": ""}}'])
def test_a_library_without_a_good_record_is_not_opened(copy: Path, record: str | None) -> None:
    file = copy.with_name(library.RECORD)
    file.unlink()
    if record is not None:
        file.write_text(record)
    with pytest.raises(library.NotUsable, match=r"_native\.json cannot be read"):
        library.load(copy.parent)


def test_a_missing_kernel_is_a_row_with_a_reason(copy: Path) -> None:
    (copy.parent / "sha256d_scan.cl").unlink()
    shown = run(copy.parent, "devices", "--json")
    assert shown.returncode == 0, shown.stderr
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    opencl = [row for row in rows if row["name"].startswith("opencl")]
    assert opencl and not any(row["usable"] for row in opencl)
    if not opencl[0]["why_not"].startswith("no OpenCL platform"):
        assert "sha256d_scan.cl" in opencl[0]["why_not"]
        assert "install homehash again" in opencl[0]["why_not"]
    asked = run(copy.parent, "grind", "--backend", "opencl", "00" * 80)
    assert asked.returncode == 3 and len(asked.stderr.splitlines()) == 1
    tuned = run(copy.parent, "tune", "opencl", "--seconds", "1")
    assert tuned.returncode == 3 and "Traceback" not in tuned.stderr
