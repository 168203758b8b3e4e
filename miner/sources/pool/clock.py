"""The clocks of a pool's connection; tests pass their own."""

import time
from typing import Protocol

from miner.sources.sleep import SleepWatch


class Clock(Protocol):
    """What time it is."""

    def monotonic(self) -> float:
        """Seconds; for every deadline."""

    def wall(self) -> float:
        """Seconds since 1970; for people, and to compare with block times."""

    def slept(self) -> bool:
        """Did the computer sleep since the last question?"""


class SystemClock:
    """The computer's own; one for each connection, since `slept` remembers."""

    def __init__(self) -> None:
        self._sleep = SleepWatch()

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def slept(self) -> bool:
        return self._sleep.slept()
