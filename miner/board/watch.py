"""One source of the board, asked again and again: what it told last, since when it is silent."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from miner.board import language
from miner.board.place import Place
from miner.board.row import MinerRow, Reading, State
from miner.errors import MinerError
from miner.state.history import FINE_ROWS, Ring, Row
from miner.text import scrub

POLL_S, MOST_POLL_S = 5.0, 60.0  # between two questions; a silent miner is asked less often
MOST_ROWS = 512  # of one source: a pool names its workers
MOST_CHARS = 120  # of a reason


@dataclass(slots=True)
class Line:
    """One miner of a source."""

    told: Reading
    seen_s: float  # wall clock
    present: bool = True  # in the newest answer
    past: Ring = field(default_factory=lambda: Ring(FINE_ROWS))
    history: tuple[Row, ...] = ()  # made anew with each answer: many may read it


class Watch:
    """Asks one place. Belongs to one event loop."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.failures = 0  # one after the other
        self.why = ""  # the last failure
        self.lines: dict[str, Line] = {}
        self._named = place  # before its language was found out

    async def ask(self) -> None:
        """One question. Never raises for what a miner does."""
        try:
            self.place, readings = await language.ask(self.place)
        except MinerError as error:
            self.failures += 1
            self.why = scrub(error, MOST_CHARS)
            if self.failures > 3 and not self.lines:
                self.place = self._named  # it may be another program by now
        else:
            self.failures, self.why = 0, ""
            self.take(readings, time.time())

    @property
    def pause_s(self) -> float:
        """Until the next question."""
        return min(POLL_S * 2.0 ** max(self.failures - 1, 0), MOST_POLL_S)

    def take(self, readings: list[Reading], now_s: float) -> None:
        """A new answer; miners that are no longer in it stay, as offline ones."""
        for line in self.lines.values():
            line.present = False
        for reading in readings[:MOST_ROWS]:
            key = self._key(reading)
            line = self.lines.setdefault(key, Line(reading, now_s))
            line.told, line.seen_s, line.present = reading, now_s, True
            line.past.add(sample(reading, now_s))
            line.history = tuple(line.past.since())
        while len(self.lines) > MOST_ROWS:
            self.lines.pop(min(self.lines, key=lambda key: self.lines[key].seen_s))

    def _key(self, reading: Reading) -> str:
        """Workers of one name are numbered: a pool lists each connection."""
        key, number = reading.name, 1
        while key in self.lines and self.lines[key].present:
            number += 1
            key = f"{reading.name} {number}"
        return key

    def rows(self) -> Iterator[tuple[str, MinerRow]]:
        """Each with the name it would like to have on the board."""
        if not self.lines:
            state = State.OFFLINE if self.failures else State.WAITING
            name = self.place.label or str(self.place)
            yield name, self._row(state, None, Reading(), ())
        for key, line in self.lines.items():
            online = not self.failures and line.present
            state = line.told.state() if online else State.OFFLINE
            name = self.place.label or key or str(self.place)
            if self.place.label and len(self.lines) > 1:
                name = f"{self.place.label} {key}"
            yield name, self._row(state, line.seen_s, line.told, line.history)

    def _row(
        self, state: State, seen_s: float | None, told: Reading, history: tuple[Row, ...]
    ) -> MinerRow:
        why = self.why or "its pool no longer names it" if state is State.OFFLINE else ""
        return MinerRow("", self.place.kind, str(self.place), state, why, seen_s, told, history)


def sample(reading: Reading, now_s: float) -> Row:
    """An answer as a row of history; what a miner does not tell is NaN."""
    told = (reading.rate_hs, reading.temperature_c, reading.power_w)
    rate, warm, watts = (math.nan if value is None else value for value in told)
    return Row(now_s, rate, rate, rate, math.nan, math.nan, warm, watts, math.nan)
