"""Which lessons were played to their end, and how exercises went: small files, for the ticks."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from miner import files

FILE, TRIED_FILE = "lessons", "exercises"
MOST = 1000  # characters of a file that are read


@dataclass(frozen=True, slots=True)
class Tried:
    """How one exercise went so far."""

    failed: int = 0  # runs that did not pass
    solved: bool = False


def finished(state_dir: Path) -> set[str]:
    """Names of lessons; empty when there is no usable file."""
    return set(_read(state_dir / FILE).split())


def finish(state_dir: Path, name: str) -> None:
    """Tick a lesson; a folder that cannot be written to is no reason to complain."""
    _write(state_dir, FILE, sorted(finished(state_dir) | {name}))


def tried(state_dir: Path) -> dict[str, Tried]:
    """Exercises by name: `NAME FAILED` a line, and `solved` behind it."""
    found = {}
    for line in _read(state_dir / TRIED_FILE).splitlines():
        name, *words = line.split() or [""]
        if words and words[0].isdecimal():
            found[name] = Tried(int(words[0]), "solved" in words[1:])
    return found


def note(state_dir: Path, name: str, solved: bool) -> Tried:
    """Count a run of an exercise; what is known of it now, also where nothing can be kept."""
    known = tried(state_dir)
    before = known.get(name, Tried())
    known[name] = Tried(before.failed + (not solved), before.solved or solved)
    lines = [f"{one} {how.failed}{' solved' * how.solved}" for one, how in sorted(known.items())]
    _write(state_dir, TRIED_FILE, lines)
    return known[name]


def _read(path: Path) -> str:
    with suppress(OSError, ValueError):
        if path.is_file():
            return path.read_text(encoding="utf-8")[:MOST]
    return ""


def _write(state_dir: Path, name: str, lines: list[str]) -> None:
    with suppress(OSError):
        files.replace(files.private_dir(state_dir) / name, ("\n".join(lines) + "\n").encode())
