"""The built-in node's library has wheels for CPython 3.11 to 3.13: finds one of these here."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys

import click

from miner.errors import NodeError

NAMES = ("python3.13", "python3.12", "python3.11")  # best first
CAN_MINE = "import miner.cli.main, pbk"  # homehash and the node's library are installed there


def go_on_with_node() -> None:
    """Return if this Python has the built-in node; else start over with one that has it.

    Raises NodeError, which says what to use, when no Python here has homehash and the node.
    """
    if importlib.util.find_spec("pbk") is not None:
        return
    here = platform.python_version()
    paths = [path for name in NAMES if (path := shutil.which(name))]
    for python in paths:
        if runs(python, CAN_MINE):
            click.echo(f"Python {here} has no built-in node: going on with {python}", err=True)
            start_over(python)
    ways = "install CPython 3.13, or mine with --node URL or --pool URL"
    for python in paths:
        if runs(python, "import venv"):
            ways = f"{python} is here: start homehash by {python} scripts/mine.py, or install it"
            ways += " there; or mine with --node URL or --pool URL"
            break
    raise NodeError(
        f"the built-in node needs CPython 3.11 to 3.13 with py-bitcoinkernel (Bitcoin Core's "
        f"consensus code), and this is Python {here} without it; {ways}"
    )


def runs(python: str, code: str) -> bool:
    """Whether the code runs there; a name on PATH may be a shim that runs nothing."""
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def start_over(python: str) -> None:
    """This command in another Python, in this process where the system can."""
    command = [python, "-m", "miner", *sys.argv[1:]]
    if os.name == "nt":  # exec there returns to the shell at once
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(python, command)
