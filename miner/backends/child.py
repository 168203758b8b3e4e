"""Asks a module that lists devices in a process that ends: drivers cost memory, and may crash."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROBE_S = 20.0  # a driver that has not answered by then is broken


@dataclass(frozen=True, slots=True)
class Told:
    """The lines of JSON that came, and how it ended if not well."""

    rows: tuple[dict[str, Any], ...] = ()
    failed: str = ""  # in words
    signal: int = 0  # that killed it


def ask(module: str, env: Mapping[str, str] | None = None) -> Told:
    """Run `python -m module`; what a driver prints among the rows is skipped."""
    # -P: the folder the user happens to be in is not searched for modules.
    command = [sys.executable, "-P", "-m", module]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_S, errors="replace",
            env={**os.environ, **(env or {})},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        hangs = isinstance(error, subprocess.TimeoutExpired)
        return Told(failed=f"no answer in {PROBE_S:.0f} s" if hangs else str(error))
    rows = tuple(row for line in done.stdout.splitlines() if (row := _row(line)) is not None)
    if not done.returncode:
        return Told(rows)
    words = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
    return Told(rows, words[0][:200], max(0, -done.returncode))


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
