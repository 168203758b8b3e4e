"""A recorded session shown again, at a chosen speed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from miner.pool.tally import Tally
from miner.pool.values import Joined, RoomEvent, RoomView
from miner.units import duration


class Replay:
    """`clock`: seconds of whoever watches; the session's own time runs `speed` times as fast."""

    def __init__(
        self,
        first: RoomView,
        events: Sequence[RoomEvent],
        speed: float,
        clock: Callable[[], float],
    ) -> None:
        self._tally, self._events = Tally(first), events
        self._speed, self._clock, self._begun_s = speed, clock, clock()
        self._from_s = events[0].at_s if events else first.at_s
        # A clock that was set back writes events that are not in the order of their times.
        self._until_s = max((one.at_s for one in events), default=first.at_s)
        self._told = 0  # events so far

    def view(self) -> RoomView:
        """Of the session's moment that it is now; the last one stays."""
        now = self._now_s()
        while self._told < len(self._events) and self._events[self._told].at_s <= now:
            self._tally.take(self._events[self._told])
            self._told += 1
        return self._tally.view(now)

    @property
    def about(self) -> str:
        """What there is to see."""
        members = len({one.member.number for one in self._events if isinstance(one, Joined)})
        return f"{members} members, {duration(self._until_s - self._from_s)}"

    def told(self) -> dict[str, Any]:
        """For the board: where the replay is."""
        now, began = self._now_s(), self._from_s
        return {"replay": {
            "speed": self._speed,
            "at_s": now - began,
            "of_s": self._until_s - began,
            "ended": now >= self._until_s,
        }}  # fmt: skip

    def _now_s(self) -> float:
        passed = (self._clock() - self._begun_s) * self._speed
        return min(self._from_s + passed, self._until_s)


def fold(first: RoomView, events: Iterable[RoomEvent]) -> Tally:
    """The books after all of these events."""
    tally = Tally(first)
    for event in events:
        tally.take(event)
    return tally
