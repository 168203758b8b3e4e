"""Read small CSV tables: the ones shipped in the package and the user's own beside them."""

import csv
import io
import math
from importlib import resources
from pathlib import Path

from miner import files
from miner.errors import ConfigError

MAX_BYTES = 4 * 1024 * 1024  # a table is a few kilobytes; a wrong path must not fill memory


def packaged(name: str) -> str:
    """The text of a file in miner/gap/data."""
    return (resources.files("miner.gap") / "data" / name).read_text("utf-8")


def own(path: Path) -> str | None:
    """The text of a user's file, None when there is none. Raises ConfigError."""
    try:
        return files.read(path, MAX_BYTES).decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; fix or remove it") from error


def rows(text: str, columns: tuple[str, ...], where: str) -> list[tuple[str, dict[str, str]]]:
    """(place, row) for each line; the header must be exactly `columns`. Raises ConfigError."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = tuple(next(reader, []))
        if header != columns:
            raise ConfigError(
                f"{where}: first line is {','.join(header)!r}, want {','.join(columns)!r}"
            )
        found = []
        for cells in reader:
            place = f"{where} line {reader.line_num}"
            if len(cells) != len(columns):
                raise ConfigError(f"{place}: {len(cells)} cells, want {len(columns)}")
            found.append((place, dict(zip(columns, cells, strict=True))))
        return found
    except csv.Error as error:
        raise ConfigError(f"{where} line {reader.line_num}: {error}") from error


def place(url: str) -> str:
    """Where a page is, short enough to stand beside a figure: its host, on GitHub its project."""
    host, *parts = url.split("/")[2:]
    host = host.removeprefix("www.").removeprefix("m.")
    return "/".join([host, *parts[:2]]) if host == "github.com" else host


def number(text: str, place: str, column: str) -> float | None:
    """A finite number above 0, or None for an empty cell. Raises ConfigError."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"{place}: {column} is {text!r}, want a number above 0 or nothing")
    return value
