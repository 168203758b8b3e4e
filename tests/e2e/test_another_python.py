"""A Python without the built-in node, as 3.14 is: `mine` says which Python to use, and uses it.

What decides is whether the node's library can be imported, so a run that is told it cannot be
stands for such a Python; the other Python is this one under another name.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its other Python is a shell script")


def mine(tmp_path: Path, other: str = "") -> subprocess.CompletedProcess[str]:
    """One block, without the node's library; `other` starts the Python that is on PATH."""
    hook, path = tmp_path / "hook", tmp_path / "bin"
    hook.mkdir()
    path.mkdir()
    (hook / "sitecustomize.py").write_text("import sys\nsys.modules['pbk'] = None\n")
    if other:
        script = path / "python3.13"
        script.write_text(f'#!/bin/sh\nunset PYTHONPATH\nexec {other} "$@"\n')
        script.chmod(0o755)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MINER_")}
    env = {**kept, "PYTHONPATH": str(hook), "PATH": str(path), "MINER_HOME": str(tmp_path / "home")}
    return subprocess.run(
        [sys.executable, "-m", "miner", "mine", "--blocks", "1", "--backend", "hashlib"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_python_with_the_node_is_used(tmp_path: Path) -> None:
    done = mine(tmp_path, other=f"'{sys.executable}'")
    assert done.returncode == 0, done.stderr
    assert f"going on with {tmp_path}/bin/python3.13\n" in done.stderr
    assert "blocks 1 accepted" in done.stdout + done.stderr


def test_a_python_without_homehash_is_named(tmp_path: Path) -> None:
    done = mine(tmp_path, other=f"'{sys.executable}' -S")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "needs CPython 3.11 to 3.13" in line
    assert f"{tmp_path}/bin/python3.13 scripts/mine.py" in line


@pytest.mark.parametrize("other", ["", "no-such-command"], ids=["none", "a shim that runs nothing"])
def test_without_any_the_python_to_install_is_named(tmp_path: Path, other: str) -> None:
    done = mine(tmp_path, other)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("miner: the built-in node needs CPython 3.11 to 3.13")
    assert "install CPython 3.13, or mine with --node URL or --pool URL" in line
