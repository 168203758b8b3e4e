"""The kernels' source texts: installed beside the modules; in a source tree, in kernels/."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from miner.backends.base import Candidate
from miner.errors import BackendUnavailable


def read(family: str, file: str) -> str:
    """The text of a kernel of a family. Raises BackendUnavailable where there is none."""
    try:
        beside = files("miner") / file
        if beside.is_file():
            return beside.read_text()
        return (Path(__file__).parents[2] / "kernels" / file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = f"its kernel cannot be read: {error}; install homehash again"
        raise BackendUnavailable(family, why) from error


def needed_by(rows: Sequence[Candidate], file: str) -> list[Candidate]:
    """A family's rows; without its kernel none is usable, and each says so."""
    try:
        read(rows[0].family, file)
    except BackendUnavailable as error:
        why = error.why
        return [replace(row, usable=False, why_not=row.why_not or why) for row in rows]
    return list(rows)
