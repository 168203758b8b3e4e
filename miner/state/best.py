"""The best hashes: of the session with what is needed to check them, and the best ever in a file.

Not thread-safe: its owner holds a lock.
"""

import heapq
import itertools
import time
from contextlib import suppress
from pathlib import Path

from miner import files
from miner.bitcoin.target import DIFF1_TARGET
from miner.state.snapshot import BestShare
from miner.text import scrub
from miner.work.found import Share

BEST = 20
NONE = 2**256  # above every hash


class Best:
    """Numbers are hashes as they are compared with targets: the smaller, the better."""

    def __init__(self, path: Path | None = None) -> None:
        self.session = NONE
        self.ever = self._saved = load_best(path)
        self._path = path
        self._heap: list[tuple[int, int, BestShare]] = []  # worst first, by -value
        self._numbers = itertools.count()  # parts equal values

    def share(self, share: Share) -> None:
        value = share.value
        self.session, self.ever = min(self.session, value), min(self.ever, value)
        if len(self._heap) < BEST:
            heapq.heappush(self._heap, (-value, next(self._numbers), checkable(share)))
        elif value < -self._heap[0][0]:
            heapq.heapreplace(self._heap, (-value, next(self._numbers), checkable(share)))

    def shares(self) -> tuple[BestShare, ...]:
        """The best first."""
        return tuple(best for _, _, best in sorted(self._heap, reverse=True))

    def save(self) -> None:
        """Write an improved all-time best to its file. Raises OSError. The caller holds the
        folder's lock."""
        ever = self.ever
        if self._path is not None and ever < self._saved:
            if ever < load_best(self._path):
                files.replace(self._path, f"{ever:064x}\n".encode())
            self._saved = ever


def checkable(share: Share) -> BestShare:
    unit = share.unit
    return BestShare(
        difficulty=share.difficulty,
        hash=share.hash_hex,
        header=share.header.hex(),
        job_id=scrub(unit.job.job_id),
        extranonce2=unit.extranonce2.hex(),
        ntime=unit.ntime,
        nonce=share.nonce,
        version=share.version,
        version_bits=share.version & unit.job.version_mask,
        source=unit.job.source,
        found_at_s=time.time(),
        is_block=share.is_block,
    )


def shown_best(value: int) -> float | None:
    """As a difficulty; None when there is none."""
    return DIFF1_TARGET / max(value, 1) if value < NONE else None


def load_best(path: Path | None) -> int:
    """The smallest hash ever found, as a number; 2**256 when none is kept."""
    with suppress(OSError, ValueError):
        if path is not None and path.is_file():  # reading a pipe would wait for ever
            value = int(path.read_text()[:80], 16)
            return value if 0 <= value < NONE else NONE
    return NONE
