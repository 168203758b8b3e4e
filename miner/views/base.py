"""A view's own thread and queue: a slow, stuck or broken view costs its lines, never the run.

The run puts events and the newest snapshot here and goes on. The queue is bounded: what a view
cannot keep up with is dropped and counted, of snapshots only the newest is kept.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from miner.state.events import Alarm, Event
from miner.state.snapshot import Snapshot
from miner.text import scrub

MOST_EVENTS = 10_000  # waiting to be shown
KEPT = ("block", "rescue", "alarm", "stop")  # twice as many of these may wait
EVENTS_TURN = 500  # shown before the newest snapshot is
STUCK_S = 0.15  # a view that takes longer for one thing is not waited for at the end


class View(Protocol):
    """Shows a run. Every method is called from the view's own thread."""

    def event(self, event: Event) -> None: ...

    def tick(self, now: Snapshot) -> None:
        """Several times a second; a view that is busy misses some."""

    def close(self, last: Snapshot) -> None:
        """The run is over."""


class ViewThread:
    """Runs one view. Any thread may put, show and close."""

    def __init__(self, view: View) -> None:
        self.dropped = 0  # events
        self.left = False  # the reader of the view's output has gone
        self._view = view
        self._events: deque[Event] = deque()
        self._newest: Snapshot | None = None
        self._last: Snapshot | None = None  # of the run, when it is over
        self._changed = threading.Condition()
        self._done_at = time.monotonic()  # when the view gave control back last
        self._complained = False
        self._thread = threading.Thread(target=self._work, name="view", daemon=True)

    def start(self) -> None:
        """Raises RuntimeError when the system has no thread left."""
        self._thread.start()

    def put(self, event: Event) -> None:
        with self._changed:
            room = 2 * MOST_EVENTS if event.kind in KEPT else MOST_EVENTS
            if len(self._events) >= room or not self._thread.is_alive():
                self.dropped += 1
                return
            self._events.append(event)
            self._changed.notify()

    def show(self, now: Snapshot) -> None:
        with self._changed:
            self._newest = now
            self._changed.notify()

    def close(self, last: Snapshot) -> None:
        """Show what waits, then this, then end. Returns at once."""
        with self._changed:
            self._last = last
            self._done_at = time.monotonic()
            self._changed.notify()

    def join(self, stuck_s: float, most_s: float) -> bool:
        """Wait for the end while the view gets on: False when one call takes longer than
        `stuck_s`, or all together `most_s`."""
        deadline = time.monotonic() + most_s
        while self._thread.is_alive() and time.monotonic() < deadline:
            if time.monotonic() - self._done_at > stuck_s:
                return False
            self._thread.join(0.01)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while not self._turn():
                pass
        except BrokenPipeError:
            self.left = True

    def _turn(self) -> bool:
        """One round of events and the newest snapshot; True at the end."""
        with self._changed:
            while not (self._events or self._newest or self._last):
                self._changed.wait()
            events = [self._events.popleft() for _ in range(min(len(self._events), EVENTS_TURN))]
            newest, self._newest = self._newest, None
            last = self._last if not self._events else None
        for event in events:
            self._try(lambda event=event: self._view.event(event))  # type: ignore[misc]
        if last is not None:
            self._try(lambda: self._view.close(last))
            return True
        if newest is not None:
            self._try(lambda: self._view.tick(newest))
        return False

    def _try(self, draw: Callable[[], None]) -> None:
        """A full disk, a terminal that is gone or a bug of the view is named once, where that is
        possible; a reader that left (BrokenPipeError) ends the view."""
        try:
            draw()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - no view ends the mining
            if not self._complained:
                self._complained = True
                text = f"output is lost: {scrub(getattr(error, 'strerror', None) or repr(error))}"
                with suppress(Exception):
                    self._view.event(Alarm(f"{text}; mining goes on"))
        finally:
            self._done_at = time.monotonic()


def join_all(views: Iterable[ViewThread], most_s: float, stuck_s: float = STUCK_S) -> None:
    """Wait for views that get on; those that do not are left behind."""
    deadline = time.monotonic() + most_s
    for view in views:
        view.join(stuck_s, max(deadline - time.monotonic(), 0.0))
