"""What a build says: to its output, which pip shows with -v alone, and to the terminal."""

import contextlib
import os
import sys

SILENT = "MINER_SETUP"  # set by scripts/bootstrap.py, which tells the user itself


def say(text: str) -> None:
    """One line, "homehash: ...", to stderr and, when pip keeps that for itself, to the terminal."""
    line = f"homehash: {text}"
    print(line, file=sys.stderr, flush=True)
    if sys.stderr.isatty() or os.environ.get(SILENT):
        return
    with (
        contextlib.suppress(OSError),
        open("CONOUT$" if os.name == "nt" else "/dev/tty", "w", encoding="utf-8") as terminal,
    ):
        terminal.write(f"\n{line}\n")


def flag(name: str) -> bool | None:
    """What a variable switches: True, False, or None when it is not set."""
    text = os.environ.get(name, "").strip().lower()
    return None if not text else text not in ("0", "false", "no", "off")
