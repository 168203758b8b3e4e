"""A signal while a command still imports: no traceback, 130, or 0 where a stop is no failure.

Deterministic: the signal is raised at the moment when a named module is imported.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import fault

if sys.platform == "win32":
    pytest.skip("signals as on POSIX", allow_module_level=True)

INTERRUPTED_AT = """
import _signal, atexit, sys  # Python's signal is itself one of the modules imported under way
_signal.signal(_signal.SIGINT, _signal.default_int_handler)  # a shell's background job ignores it
name = sys.argv[1]
def interrupt():
    sys.stderr.write("raised\\n")
    _signal.raise_signal(_signal.SIGINT)
class Interrupting:
    def find_spec(self, fullname, path, target=None):
        if fullname == name:
            interrupt()
sys.meta_path.insert(0, Interrupting())
if name == "the end":
    atexit.register(interrupt)
sys.argv = ["miner", *sys.argv[2:]]
from miner.__main__ import main
main()
"""
AT_FIRST = ("signal", "enum", "miner.streams", "click", "miner.cli.main", "miner.errors")


@pytest.mark.parametrize(
    ("command", "modules", "codes"),
    [
        (
            "mine --backend hashlib",
            (*AT_FIRST, "miner.cli.mine", "miner.run.config", "tomllib"),
            (0,),
        ),
        ("node", (*AT_FIRST, "miner.cli.node"), (0,)),
        ("devices", (*AT_FIRST, "miner.cli.devices", "cffi", "numpy", "pyopencl"), (130,)),
        ("bench --quick", (*AT_FIRST, "miner.cli.bench"), (130,)),
        ("learn 1", (*AT_FIRST, "miner.cli.learn"), (130,)),
        ("explain hash", (*AT_FIRST, "miner.cli.explain"), (130,)),
        ("--help", AT_FIRST, (130,)),
    ],
)
@fault("P01")
def test_an_interrupt_during_imports_shows_no_traceback(
    command: str, modules: tuple[str, ...], codes: tuple[int, ...], tmp_path: Path
) -> None:
    for module in modules:
        done = subprocess.run(
            [sys.executable, "-P", "-c", INTERRUPTED_AT, module, *command.split()],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "MINER_HOME": str(tmp_path)},
        )
        if "raised" not in done.stderr:
            continue  # this command does not need it
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in codes, (module, done.returncode, done.stderr)


@pytest.mark.parametrize("command", ["explain hash", "--help"])
@fault("P01")
def test_an_interrupt_at_the_very_end_changes_nothing(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", INTERRUPTED_AT, "the end", *command.split()],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "MINER_HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "raised\n")
