"""The journal's thread: makes blocks durable, writes verdicts. A stalled disk stalls nothing else.

Blocks that wait together are written together, with one fsync. Every outcome is a `Written` in the
engine's mailbox; this thread writes no field of anybody else.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from miner.journal import Journal
from miner.work.found import FoundBlock, Verdict

RETRY_S = 5.0  # between looks at a disk that refused a block


class Append(NamedTuple):
    """A block on its way to the disk."""

    block: FoundBlock
    found_at: float  # monotonic


class Written(NamedTuple):
    """What the journal's thread did."""

    appended: tuple[Append, ...] = ()  # blocks now on disk, or held in memory after an error
    error: str = ""  # why the disk took them not
    caught_up: int = 0  # blocks held in memory that are on disk now
    waiting: int = 0  # blocks in the journal without a verdict
    at: float = 0.0  # monotonic


class DurableQueue:
    """Queues what the journal's thread writes; its methods never wait for the disk."""

    def __init__(
        self, journal: Journal, report: Callable[[Written], None], clock: Callable[[], float]
    ) -> None:
        self._journal, self._report, self._clock = journal, report, clock
        self._items: queue.SimpleQueue[Append | Verdict | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def append(self, block: FoundBlock, found_at: float) -> None:
        self._items.put(Append(block, found_at))

    def settle(self, verdict: Verdict) -> None:
        self._items.put(verdict)

    def close(self, grace_s: float) -> None:
        """Write what is queued, at most so long."""
        self._items.put(None)
        if self._thread.ident is not None:
            self._thread.join(grace_s)

    def _write_all(self) -> None:
        while True:
            try:
                items = [self._items.get(timeout=RETRY_S)]
            except queue.Empty:
                self._catch_up()
                continue
            with suppress(queue.Empty):
                while True:
                    items.append(self._items.get_nowait())
            appends = tuple(item for item in items if isinstance(item, Append))
            if appends:
                self._append(appends)
            for item in items:
                if isinstance(item, Verdict):
                    self._settle(item)
            if None in items:
                return

    def _append(self, appends: tuple[Append, ...]) -> None:
        try:
            self._journal.append(*(item.block for item in appends))
            self._say(appends)
        except OSError as error:
            self._say(appends, error.strerror or str(error))

    def _settle(self, verdict: Verdict) -> None:
        try:
            self._journal.settle(verdict)
            self._say()
        except OSError as error:
            self._say(error=error.strerror or str(error))

    def _catch_up(self) -> None:
        """Room on the disk again? A crash must not cost the blocks held in memory."""
        with suppress(OSError):
            if count := self._journal.catch_up():
                self._say(caught_up=count)

    def _say(self, appended: tuple[Append, ...] = (), error: str = "", caught_up: int = 0) -> None:
        waiting = self._journal.waiting_count
        self._report(Written(appended, error, caught_up, waiting, self._clock()))
