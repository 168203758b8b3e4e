"""Notices a peer that misbehaves for long: bad lines among good ones, or a flood of lines.

Neither can be told from one line: a bad message is ignored, and a busy pool sends many. Times are
monotonic seconds, passed in.
"""

from collections import deque

MOST_BAD, BAD_WINDOW_S = 60, 60.0  # more bad lines than that within a minute
FLOOD_LINES, FLOOD_S = 2000, 10  # more lines than that in each of so many seconds in a row


class PeerWatch:
    """Counts the lines of one peer; `complaint` says what is wrong with its peer."""

    def __init__(self) -> None:
        self.complaint = ""
        self.bad_lines = 0
        self._bad: deque[float] = deque(maxlen=MOST_BAD + 1)
        self._second, self._lines = 0, 0  # the second under way, and its lines so far
        self._flooded = 0  # full seconds in a row above the limit

    def line(self, now: float) -> None:
        """A line came."""
        second = int(now)
        if second != self._second:
            gap = second != self._second + 1
            self._flooded = 0 if gap or self._lines <= FLOOD_LINES else self._flooded + 1
            self._second, self._lines = second, 0
            if self._flooded >= FLOOD_S:
                self.complaint = f"more than {FLOOD_LINES} lines a second for {FLOOD_S} s"
        self._lines += 1

    def answer(self) -> None:
        """The line was the answer to a share of ours: those come as fast as we send."""
        self._lines -= 1

    def bad(self, now: float) -> None:
        """A line could not be used."""
        self.bad_lines += 1
        self._bad.append(now)
        if len(self._bad) > MOST_BAD and now - self._bad[0] <= BAD_WINDOW_S:
            self.complaint = f"more than {MOST_BAD} bad messages in a minute"
