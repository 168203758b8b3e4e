"""Several runs of a benchmark, each in a process of its own, two programs taking turns.

Alignment, page placement and the state of caches are drawn anew with every process; only several of
them show how much one run differs from the next.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from miner.errors import ConfigError
from miner.measure import store
from miner.measure.result import Result

THIS = (sys.executable, "-P", "-m", "miner")  # -P: not the source tree one happens to stand in
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Side:
    """A program to be measured: the words that start it, and the files of its runs."""

    name: str  # "old", "new", or "" when there is one
    command: tuple[str, ...]
    files: tuple[Path, ...]


def files(target: Path, name: str, count: int) -> tuple[Path, ...]:
    """out.json -> out-old-1.json, out-old-2.json ..."""
    middle = f"-{name}" if name else ""
    return tuple(
        target.with_name(f"{target.stem}{middle}-{index + 1}{target.suffix}")
        for index in range(count)
    )


def measure(sides: list[Side], options: list[str], say: Callable[[str], None]) -> None:
    """Fill every side's files. Rounds go old new, new old, ..., so that drift hits both alike.

    Raises ConfigError when a run fails, KeyboardInterrupt when it was interrupted.
    """
    count = len(sides[0].files)
    for index in range(count):
        for side in sides if index % 2 == 0 else list(reversed(sides)):
            say(f"run {index + 1} of {count}{' ' + side.name if side.name else ''} ...")
            _run(side, index, options)


def _run(side: Side, index: int, options: list[str]) -> None:
    words = [*side.command, "bench", *options, "--export", str(side.files[index])]
    try:
        done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        raise ConfigError(f"{side.command[0]} cannot be started: {error}") from error
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError(
            f"a run of {' '.join(side.command)} ended with {done.returncode}: "
            f"{last[-1] if last else 'it said nothing'}"
        )


def load(side: Side) -> list[Result]:
    return [store.load(path) for path in side.files]
