"""Single keys at the terminal while a run is shown live: they need no Enter.

p pause, r resume, i identify, d details, ? help, q quit. Nothing is read unless both the input and
the live view are a terminal; what the terminal was before comes back at the end.
"""

import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol

from miner.run.run import Run
from miner.views.base import View

if sys.platform != "win32":
    import termios
    import tty

LOOK_S = 0.2


class Screen(View, Protocol):
    """A view at the terminal; one that is live also has `key`."""

    def restore(self) -> None: ...


class Keys:
    """A context: inside of it keys act on the run and its view."""

    def __init__(self, run: Run, view: Screen) -> None:
        self.quit = False
        show: Callable[[str], None] | None = getattr(view, "key", None)
        self._show = show
        self._run = run
        self._over = threading.Event()
        self._before: list[Any] | None = None
        self._thread = threading.Thread(target=self._read, name="keys", daemon=True)

    def __enter__(self) -> "Keys":
        if sys.platform != "win32" and self._show is not None and is_terminal():
            with suppress(termios.error, OSError, RuntimeError):
                before = termios.tcgetattr(sys.stdin.fileno())
                tty.setcbreak(sys.stdin.fileno())
                self._before = before
                self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self.restore()
        if self._thread.ident is not None:
            self._thread.join(2 * LOOK_S)

    def restore(self) -> None:
        """The terminal as it was before; also from a signal handler that ends the process."""
        if sys.platform != "win32" and self._before is not None:
            with suppress(termios.error, OSError):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._before)

    def press(self, key: str) -> None:
        """What a key does; unknown ones do nothing."""
        if key == "q":
            self.quit = True
        elif key in "pr":
            self._run.pause(key == "p")
        elif self._show is not None and key in "id?":
            self._show(key)

    def _read(self) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone: SIGHUP tells the run
            while not self._over.is_set():
                if select.select([sys.stdin], [], [], LOOK_S)[0]:
                    pressed = os.read(sys.stdin.fileno(), 64).decode("ascii", "replace")
                    if not pressed:
                        return
                    for key in pressed:
                        self.press(key)


def is_terminal() -> bool:
    """May keys be read: the input is a terminal, and we are in its foreground?"""
    if sys.platform == "win32":
        return False
    try:
        return sys.stdin.isatty() and os.getpgrp() == os.tcgetpgrp(sys.stdin.fileno())
    except (OSError, ValueError, AttributeError):
        return False
