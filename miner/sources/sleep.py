"""Notices that the computer slept: connections may be dead without knowing, work is old."""

import time

JUMP_S = 30.0  # wall clock against monotonic clock, which may stand still meanwhile


class SleepWatch:
    """Ask it often; it compares how far the two clocks went since the last question."""

    def __init__(self) -> None:
        self._gap_s = time.time() - time.monotonic()

    def slept(self) -> bool:
        """Did the computer sleep, or somebody set its clock, since the last question?"""
        before, self._gap_s = self._gap_s, time.time() - time.monotonic()
        return abs(self._gap_s - before) > JUMP_S
