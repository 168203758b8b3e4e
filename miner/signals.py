"""Signals that ask a run to stop, and a guard for a run that cannot look at them.

SIGHUP, which a closed terminal sends, counts like SIGTERM, unless the process was started to
ignore it (nohup). The main thread may be stuck in a library while a run is set up: then the guard's
thread ends the process.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

NOTICE_S = 1.0  # for the main thread to see the signal,
START_S = 7.0  # and some more: a start may be slow, and tidies up best itself


class StopAsked(BaseException):
    """A signal came while the run was being set up."""


def stop_numbers() -> list[signal.Signals]:
    """The signals that ask for a stop."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    return numbers


class Signals:
    """The first signal asks for a stop, the second ends the process at once."""

    def __init__(
        self,
        restore_screen: Callable[[], None],
        exit_code: Callable[[], int],
    ) -> None:
        """Raises RuntimeError when the system has no thread left."""
        self.asked = False
        self.starting = True  # until the main loop looks at `asked`
        self._restore_screen = restore_screen
        self._exit_code = exit_code
        self._woken, self._noticed = threading.Event(), threading.Event()
        self._guard = threading.Thread(target=self._watch, name="signal guard", daemon=True)
        self._guard.start()  # now: a handler may start none, it interrupts whoever holds locks
        self._before = {number: signal.signal(number, self._handle) for number in stop_numbers()}

    def notice(self) -> None:
        """The main thread is about to stop the run."""
        self._noticed.set()

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._noticed.set()
        self._woken.set()
        self._guard.join(1.0)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self._restore_screen()
            os._exit(self._exit_code())
        self.asked = True
        self._woken.set()
        if self.starting and not swallows_errors(frame):
            raise StopAsked

    def _watch(self) -> None:
        self._woken.wait()
        if not self._noticed.wait(NOTICE_S + START_S):
            os._exit(self._exit_code())


class ForcedExit:
    """Ends the process when a stop takes too long, with the exit code of the run's error.

    Its thread is there from the start: at a stop the system may have none left.
    """

    def __init__(self, exit_code: Callable[[], int]) -> None:
        """Raises RuntimeError when the system has no thread left."""
        self._exit_code = exit_code
        self._due: float | None = None  # monotonic
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="forced exit", daemon=True)
        self._thread.start()

    def within(self, seconds: float) -> None:
        """At most so long from now on; a later call moves the end."""
        with self._changed:
            self._due = time.monotonic() + seconds
            self._changed.notify()

    def cancel(self) -> None:
        """The stop is done: the thread ends. A second call does nothing."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(1.0)

    def _watch(self) -> None:
        with self._changed:
            while not self._over:
                left = None if self._due is None else self._due - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            else:
                return
        os._exit(self._exit_code())


def swallows_errors(frame: FrameType | None) -> bool:
    """Is the kernel's library at work? It calls back from C, where an exception is printed and
    lost; the start's checks notice the signal a moment later."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "pbk":
            return True
        frame = frame.f_back
    return False


def kill(process: "subprocess.Popen[bytes]", within_s: float = 1.0) -> None:
    """End a process with everything it started, where the system has groups; it was made with a
    session of its own."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
