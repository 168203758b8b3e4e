"""What the last day was like: two rings of numbers, kept over a restart in one file.

A row is taken every 5 s (an hour of them) and every minute (a day of them). Times are wall-clock
seconds, so that a gap between two runs shows as one. The file is replaced in one step: whoever
saves each minute and at the stop loses a minute at most by a crash.
"""

import json
import math
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from miner import files

SCHEMA = 1
SAMPLE_S = 0.95  # readings sooner than this say little of a rate
FINE_S, FINE_ROWS = 5.0, 720
COARSE_S, COARSE_ROWS = 60.0, 1_440
MAX_BYTES = 4 << 20  # of the file; a full one has some 300 KB


class Row(NamedTuple):
    """One moment; NaN where something is not known. Counts are those of the interval."""

    time_s: float  # wall clock, end of the interval
    rate_hs: float  # mean of the interval
    low_hs: float  # least and most of its samples
    high_hs: float
    accepted: float
    rejected: float  # with stale and unknown ones
    temperature_c: float
    power_w: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known at one moment; counts are totals of the session."""

    hashes: int
    accepted: int
    rejected: int
    temperature_c: float | None = None
    power_w: float | None = None
    latency_s: float | None = None


class Ring:
    """The newest rows, in columns of doubles."""

    __slots__ = ("_columns", "_next", "rows")

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._columns = tuple(array("d") for _ in Row._fields)
        self._next = 0  # where the oldest row stands, once the ring is full

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, row: Row) -> None:
        full = len(self) == self.rows
        for column, value in zip(self._columns, row, strict=True):
            if full:
                column[self._next] = value
            else:
                column.append(value)
        self._next = (self._next + 1) % self.rows if full else 0

    def since(self, time_s: float = 0.0) -> list[Row]:
        """Rows later than this, oldest first."""
        count = len(self)
        order = ((self._next + step) % count for step in range(count))
        rows = (Row(*(column[at] for column in self._columns)) for at in order)
        return [row for row in rows if row.time_s > time_s]


class Interval:
    """Gathers readings until its time is over. Times are monotonic and passed in."""

    def __init__(self, every_s: float, now: float) -> None:
        self._every_s, self._began = every_s, now
        self._start: Reading | None = None
        self._last: tuple[float, int] | None = None  # time and hashes of the newest sample
        self._rates: list[float] = []

    def see(self, now: float, wall_s: float, reading: Reading) -> Row | None:
        """A row, when the interval is over with this reading."""
        if self._start is None:
            self._start = reading
            self._began = now
        elif self._last is not None and now > self._last[0]:
            self._rates.append((reading.hashes - self._last[1]) / (now - self._last[0]))
        self._last = now, reading.hashes
        elapsed = now - self._began
        if elapsed < self._every_s or not self._rates:
            return None
        start, rates = self._start, self._rates
        self._start, self._began, self._rates = reading, now, []
        told = (reading.temperature_c, reading.power_w, reading.latency_s)
        return Row(
            wall_s,
            (reading.hashes - start.hashes) / elapsed,
            min(rates),
            max(rates),
            max(reading.accepted - start.accepted, 0),
            max(reading.rejected - start.rejected, 0),
            *(math.nan if value is None else value for value in told),
        )


class History:
    """Both rings and their file. One writer; `rows` is for any reader."""

    def __init__(self, now: float, path: Path | None = None) -> None:
        self.fine, self.coarse = Ring(FINE_ROWS), Ring(COARSE_ROWS)
        self._intervals = (Interval(FINE_S, now), Interval(COARSE_S, now))
        self._path = path
        self._seen = float("-inf")
        if path is not None:
            self._load(path)
        self.rows = (tuple(self.fine.since()), tuple(self.coarse.since()))

    def see(self, now: float, wall_s: float, reading: Reading) -> None:
        """Call once a second or more often."""
        if now - self._seen < SAMPLE_S:
            return
        self._seen = now
        fresh = [interval.see(now, wall_s, reading) for interval in self._intervals]
        for ring, row in zip((self.fine, self.coarse), fresh, strict=True):
            if row is not None:
                ring.add(row)
        fine, coarse = self.rows  # made again only for a new row: views read them all the time
        self.rows = (
            tuple(self.fine.since()) if fresh[0] else fine,
            tuple(self.coarse.since()) if fresh[1] else coarse,
        )

    def save(self) -> None:
        """Replace the file; any thread. Raises OSError."""
        if self._path is None:
            return
        rings = dict(zip(("fine", "coarse"), self.rows, strict=True))
        text = json.dumps({"schema": SCHEMA, "columns": Row._fields, **to_plain(rings)})
        files.replace(self._path, text.encode() + b"\n")

    def _load(self, path: Path) -> None:
        """What an earlier run left; anything unusable is left out."""
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            kept = json.loads(files.read(path, MAX_BYTES))
            if kept["schema"] != SCHEMA or kept["columns"] != list(Row._fields):
                return
            for name, ring in (("fine", self.fine), ("coarse", self.coarse)):
                for row in kept[name][-ring.rows :]:
                    ring.add(from_plain(row))


def to_plain(rings: Mapping[str, Sequence[Row]]) -> dict[str, list[list[float | None]]]:
    """Rows as JSON has them: null for what is not known, six digits."""
    return {name: [plain_row(row) for row in rows] for name, rows in rings.items()}


def plain_row(row: Row) -> list[float | None]:
    values = (None if math.isnan(value) else float(f"{value:.6g}") for value in row[1:])
    return [round(row.time_s, 1), *values]


def from_plain(values: Sequence[float | None]) -> Row:
    """Raises ValueError or TypeError for anything but a row."""
    numbers = [math.nan if value is None else float(value) for value in values]
    row = Row(*numbers)
    if not math.isfinite(row.time_s) or any(math.isinf(value) for value in row):
        raise ValueError(f"{row} is no row of a history")
    return row
