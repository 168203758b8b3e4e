"""What wakes the threads of one link: news of theirs, `wake`, or the stop."""

import threading
from collections.abc import Callable


class Bell:
    """Sleeps that end early. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._woken = False
        self._stopped = False

    @property
    def stopped(self) -> bool:
        return self._stopped

    def stop(self) -> None:
        """For good: nobody sleeps any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wake(self) -> None:
        """End the running `pause`, or the next one."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def news(self) -> None:
        """Have those who `wait_for` something look again."""
        with self._changed:
            self._changed.notify_all()

    def take_woken(self) -> bool:
        """Was there a `wake` that ended no pause?"""
        with self._changed:
            woken, self._woken = self._woken, False
            return woken

    def pause(self, seconds: float) -> None:
        """Sleep, or until `wake` or `stop`."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._stopped, seconds)
            self._woken = False

    def rest(self, seconds: float) -> None:
        """Sleep, or until `stop`."""
        self.wait_for(lambda: False, seconds)

    def wait_for(self, test: Callable[[], bool], seconds: float | None = None) -> bool:
        """Until the test holds, or `stop`; False when the time is over before."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped or test(), seconds)
