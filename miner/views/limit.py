"""Keeps a pool with a tiny difficulty from filling a log: few lines of shares and of what it calls
blocks, the rest summed up.

The counts of the status stay exact whatever is shown.
"""

import threading
from collections import Counter

from miner.state.events import Answered, Event, SharesSummed

SHARES = ("share",)
OF_POOLS = ("share", "found", "block")  # whose block may be a share of a toy chain
LINES_A_SECOND = 10
SUM_S = 10.0


class ShareLimit:
    """Lets ten events of a kind and second through and counts the others. Thread-safe."""

    def __init__(self, kinds: tuple[str, ...] = SHARES) -> None:
        self._kinds = kinds
        self._lock = threading.Lock()
        self._second = 0  # the one under way
        self._shown: Counter[str] = Counter()  # in it, by kind
        self._since = 0.0  # the first event not shown
        self._counts: Counter[tuple[str, str]] = Counter()  # (answer, reason)

    def passes(self, event: Event, now: float) -> bool:
        """Is this event to be shown? If not it is in the next sum."""
        if event.kind not in self._kinds:
            return True
        with self._lock:
            if int(now) != self._second:
                self._second, self._shown = int(now), Counter()
            self._shown[event.kind] += 1
            if self._shown[event.kind] <= LINES_A_SECOND:
                return True
            if not self._counts:
                self._since = now
            answer = event.answer if isinstance(event, Answered) else "found"
            reason = event.reason if isinstance(event, Answered) else ""
            named = answer if event.kind == "share" else f"block {answer}"
            self._counts[named, reason] += 1
            return False

    def due(self, now: float, last: bool = False) -> Event | None:
        """The sum of the events not shown, ten seconds after the first of them, or the last sum."""
        with self._lock:
            seconds = now - self._since
            if not self._counts or (seconds < SUM_S and not last):
                return None
            counts, self._counts = self._counts, Counter()
        by_answer: dict[str, dict[str, int]] = {}
        for (answer, reason), count in counts.items():
            by_answer.setdefault(answer, {})[reason] = count
        return SharesSummed(counts.total(), round(seconds, 3), by_answer)
