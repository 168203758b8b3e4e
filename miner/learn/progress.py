"""Which lessons were played to their end: a small file of names, for the ticks of the list."""

from contextlib import suppress
from pathlib import Path

from miner import files

FILE = "lessons"
MOST = 1000  # characters of the file that are read


def finished(state_dir: Path) -> set[str]:
    """Names of lessons; empty when there is no usable file."""
    path = state_dir / FILE
    with suppress(OSError, ValueError):
        if path.is_file():
            return set(path.read_text(encoding="utf-8")[:MOST].split())
    return set()


def finish(state_dir: Path, name: str) -> None:
    """Tick a lesson; a folder that cannot be written to is no reason to complain."""
    names = finished(state_dir) | {name}
    with suppress(OSError):
        files.replace(
            files.private_dir(state_dir) / FILE, ("\n".join(sorted(names)) + "\n").encode()
        )
