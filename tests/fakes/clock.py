"""CK: a monotonic clock that moves when told."""

import threading


class FakeClock:
    """Call it for the time; `move` makes it later."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._now

    def move(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
