"""Writes what outlives a run, each minute and at its end: `miner.state.kept`."""

import threading
from collections.abc import Callable

from miner.run.background import Work
from miner.state.events import Event, HistoryTold
from miner.state.kept import Kept

SAVE_S = 60.0
NOT_OURS = (
    "another miner writes history.json in this state folder: the rates of this run are kept in "
    "memory alone (to keep both, give each miner a MINER_HOME of its own)"
)


def keeper(kept: Kept, tell: Callable[[Event], None]) -> Work:
    """For a thread that may wait for the disk, so that nobody else does."""

    def work(stop: threading.Event) -> None:
        if not kept.owns_history():
            tell(HistoryTold(NOT_OURS))
        while not stop.wait(SAVE_S):
            kept.save()
        kept.close()

    return work
