"""What outlives a run, in files: the best hash ever, the last day, and what all runs did together.

Several miners may share the folder. The best hash and the totals are merged with what the others
wrote, under a lock; the history is written by the miner that began first.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from miner import files
from miner.state.best import Best
from miner.state.history import History

LOCK_S = 1.0  # others hold the lock for one small file
MAX_BYTES = 1024
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """How long something ran, and what it hashed."""

    seconds: float = 0.0
    hashes: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.seconds + other.seconds, self.hashes + other.hashes)

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(self.seconds - other.seconds, self.hashes - other.hashes)


class Lifetime:
    """The totals of all runs; each adds to the file what it did since it last wrote."""

    def __init__(self, path: Path | None) -> None:
        self.mine = Totals()  # of this run; written by whoever counts
        self._path = path
        self._others = load_totals(path)
        self._written = Totals()  # of this run, in the file already

    @property
    def total(self) -> Totals:
        return self._others + self.mine

    def save(self) -> None:
        """Raises OSError. The caller holds the folder's lock."""
        mine = self.mine
        if self._path is None or mine == self._written:
            return
        fresh = load_totals(self._path) + mine - self._written
        told = {"schema": SCHEMA, "seconds": round(fresh.seconds, 3), "hashes": fresh.hashes}
        files.replace(self._path, json.dumps(told).encode() + b"\n")
        self._others, self._written = fresh - mine, mine


def load_totals(path: Path | None) -> Totals:
    """Nothing where there is no usable file."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        if path is not None:
            kept = json.loads(files.read(path, MAX_BYTES))
            seconds, hashes = float(kept["seconds"]), kept["hashes"]
            if kept["schema"] == SCHEMA and type(hashes) is int and 0 <= seconds < 1e12:
                return Totals(seconds, max(hashes, 0))
    return Totals()


class Kept:
    """The files of a state folder; without a folder everything is gone with the run.

    `owns_history`, `save` and `close` belong to one thread: they may wait for the disk.
    """

    def __init__(self, now: float, folder: Path | None = None) -> None:
        self._folder = folder
        self.best = Best(folder and folder / "best-hash")
        self.history = History(now, folder and folder / "history.json")
        self.lifetime = Lifetime(folder and folder / "lifetime.json")
        self._owner: IO[bytes] | None = None  # the lock of the history, while we have it

    def owns_history(self) -> bool:
        """May this run write the history? Not while another miner does. Where files cannot be
        locked, everybody may."""
        if self._folder is None or self._owner is not None:
            return True
        try:
            self._owner = files.locked(self._folder / "history.lock")
        except OSError:
            return True
        return self._owner is not None

    def save(self) -> None:
        """Write everything; a disk that fails is no reason to stop."""
        if self._folder is None:
            return
        if self.owns_history():
            with suppress(OSError):
                self.history.save()
        with suppress(OSError):
            lock = files.locked(self._folder / "totals.lock", LOCK_S)
            if lock is not None:
                with lock:
                    self.best.save()
                    self.lifetime.save()

    def close(self) -> None:
        """Save, and let another miner write the history."""
        self.save()
        if self._owner is not None:
            self._owner.close()
