"""Results in a file of one's own choice, for whoever asks for it: a line of CSV for each lesson."""

import csv
import io
from datetime import datetime
from pathlib import Path

from miner.errors import ConfigError
from miner.text import scrub

COLUMNS = ("date", "pupil", "lesson", "right", "asked")
LONGEST = 60  # characters of a name
FORMULAS = ("=", "+", "-", "@")  # what a spreadsheet would compute instead of showing it


def add(path: Path, pupil: str, lesson: str, right: int, asked: int, now: datetime) -> None:
    """Append a line, after the columns' names in a new file. Raises ConfigError naming the file."""
    name = scrub(pupil.strip(), LONGEST)
    if name.startswith(FORMULAS):
        name = f"'{name}"
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    try:
        if not path.is_file() or path.stat().st_size == 0:
            table.writerow(COLUMNS)
        table.writerow([f"{now:%Y-%m-%d %H:%M}", name, lesson, right, asked])
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(lines.getvalue())  # in one piece: several pupils may write to one file
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
