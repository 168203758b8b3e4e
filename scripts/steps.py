"""Runs one command of set-up: its output goes into a log, a sign of life to the terminal."""

import subprocess
import sys
import time
from pathlib import Path

import causes


class SetupFailed(Exception):
    """Set-up cannot go on; the text is the one line to show."""


def say(text: str, end: str = "\n") -> None:
    """Talk goes to stderr: stdout belongs to the command that is started."""
    print(f"homehash: {text}", end=end, file=sys.stderr, flush=True)


def what(about: str) -> str:
    """A step's text without the time it takes: "making .venv (about 5 s)" -> "making .venv"."""
    return about.split(" (")[0]


def run(  # one command with all that surrounds it
    about: str, command: list[str], folder: Path, env: dict[str, str], path: Path, lock: int
) -> None:
    """Run the command in a folder; SetupFailed, with the log's cause, if it fails.

    `lock`, a descriptor or -1, is held by the command too: it outlives us if we are killed.
    """
    say(f"{about} ...")
    with open(path, "w", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=env,
            pass_fds=(lock,) if lock >= 0 else (),
        )
        try:
            wait_visibly(child)
        finally:
            stop(child)
    if child.returncode:
        cause = causes.of_step(path, child.returncode)
        raise SetupFailed(f"{what(about)} failed: {cause}; all of it: {path}")


def wait_visibly(child: "subprocess.Popen[bytes]") -> None:
    """Wait; on a terminal show the seconds, elsewhere a line every half minute."""
    started, shown = time.monotonic(), 0.0
    terminal = sys.stderr.isatty()
    while True:
        try:
            child.wait(timeout=1.0 if terminal else 30.0)
            break
        except subprocess.TimeoutExpired:
            shown = time.monotonic() - started
            say(f"... {shown:.0f} s", end="\r" if terminal else "\n")
    if shown and terminal:
        print(" " * 40, end="\r", file=sys.stderr, flush=True)


def stop(child: "subprocess.Popen[bytes]") -> None:
    """End the child if we leave before it does."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
