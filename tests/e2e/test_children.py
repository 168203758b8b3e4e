"""What homehash starts is a fresh program, never a copy of a process with threads and drivers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import fault

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

# A fork runs these handlers; starting a program (posix_spawn, fork and exec at once) does not.
FORBID_FORKS = """
import os, sys, threading
os.register_at_fork(before=lambda: os._exit(99))
from miner.cli.main import main
sys.argv = ["miner", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("mine", "--blocks", "2", "--block-interval", "0"),  # auto: OpenCL is looked for, too
        ("devices",),
    ],
)
@fault("B16")
def test_no_process_is_forked(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", FORBID_FORKS, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            "PATH": "/usr/bin:/bin",
            "MINER_HOME": str(tmp_path),
            "PYTHONPATH": ":".join(sys.path),
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr


@fault("B16")
def test_the_forbidding_works() -> None:
    script = FORBID_FORKS.split("from miner")[0] + "os.fork()"
    assert subprocess.run([sys.executable, "-P", "-c", script], timeout=60).returncode == 99
