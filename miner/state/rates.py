"""Rates of growing counters over sliding windows, in memory that never grows.

Times are monotonic seconds, passed in. The rate of a whole is the sum of its parts' rates, so that
they add up from the first second on.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import astuple, dataclass

SAMPLE_S, SHORT_S = 1.0, 60.0  # the fine ring
COARSE_S, LONG_S = 10.0, 3600.0  # the coarse one: an hour in 6 KB


@dataclass(frozen=True, slots=True)
class Rates:
    """Hashes a second over the last so many seconds, or since the start where that is nearer."""

    rate_10s_hs: float = 0.0
    rate_1min_hs: float = 0.0
    rate_5min_hs: float = 0.0
    rate_10min_hs: float = 0.0
    rate_15min_hs: float = 0.0
    rate_1h_hs: float = 0.0


WINDOWS_S = (10.0, 60.0, 300.0, 600.0, 900.0, 3600.0)  # of the fields of Rates, in their order


def total(parts: Iterable[Rates]) -> Rates:
    """Field by field."""
    return Rates(*(sum(column) for column in zip(*(astuple(part) for part in parts), strict=True)))


class Meter:
    """Samples of one counter in a ring; totals are floats, exact to one part in 10**15."""

    __slots__ = ("_count", "_first", "_sample_s", "_times", "_totals")

    def __init__(self, now: float, longest_s: float = LONG_S, sample_s: float = SAMPLE_S) -> None:
        size = int(longest_s / sample_s) + 2  # one sample lies before the longest window
        self._times, self._totals = array("d", bytes(8 * size)), array("d", bytes(8 * size))
        self._times[0] = now
        self._first, self._count = 0, 1  # place of the oldest sample, and how many there are
        self._sample_s = sample_s

    def sample(self, now: float, total: float) -> None:
        """Remember the total; one that comes too soon after the last is skipped."""
        if now - self._times[self._place(self._count - 1)] < self._sample_s:
            return
        place = self._place(self._count)  # of the oldest, once the ring is full
        self._times[place], self._totals[place] = now, total
        if self._count < len(self._times):
            self._count += 1
        else:
            self._first = self._place(1)

    def rate(self, now: float, total: float, window_s: float) -> float:
        """Per second over the window, or since the first sample when that is nearer."""
        since = now - window_s
        later = bisect_right(range(self._count), since, key=lambda n: self._times[self._place(n)])
        place = self._place(max(later - 1, 0))
        elapsed = now - self._times[place]
        return max(total - self._totals[place], 0.0) / elapsed if elapsed > 0 else 0.0

    def _place(self, number: int) -> int:
        """Where the sample of this number is, counted from the oldest."""
        return (self._first + number) % len(self._times)


class Windows:
    """All windows of one counter: a fine ring for the last minute, a coarse one for the hour."""

    __slots__ = ("_coarse", "_fine")

    def __init__(self, now: float) -> None:
        self._fine = Meter(now, SHORT_S, SAMPLE_S)
        self._coarse = Meter(now, LONG_S, COARSE_S)

    def sample(self, now: float, total: float) -> None:
        """Call about once a second."""
        self._fine.sample(now, total)
        self._coarse.sample(now, total)

    def rates(self, now: float, total: float) -> Rates:
        meters = ((self._fine if window <= SHORT_S else self._coarse) for window in WINDOWS_S)
        windows = zip(meters, WINDOWS_S, strict=True)
        return Rates(*(meter.rate(now, total, window) for meter, window in windows))
