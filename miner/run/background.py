"""A thread of a run beside its parts' own."""

import threading
from collections.abc import Callable

Work = Callable[[threading.Event], None]  # until the event is set


class Background:
    """`work` in a thread of its own; the end of the run waits for it a short while only."""

    def __init__(self, name: str, work: Work, patience_s: float) -> None:
        self._stop, self._patience_s = threading.Event(), patience_s
        self._thread = threading.Thread(target=work, args=(self._stop,), name=name, daemon=True)

    def start(self) -> None:
        """Raises RuntimeError when the system has no thread left."""
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(self._patience_s)
