"""The newest shares with their answers, for a page that draws each as a dot.

Not thread-safe: its owner holds a lock.
"""

import time
from collections import OrderedDict
from typing import NamedTuple

from miner.state.answers import Aside
from miner.state.snapshot import FoundShare
from miner.work.found import Share, Verdict

MOST = 256


class Kept(NamedTuple):
    """A share without its work, which would hold a whole template."""

    found_at_s: float
    difficulty: float
    source: str
    is_block: bool
    height: int | None
    number: int
    expected: float
    header: bytes
    answer: str | None = None
    reason: str = ""
    latency_s: float | None = None


class Newest:
    """The last 256 shares found, each with its newest answer."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()  # by hash, display order
        self._rows: tuple[FoundShare, ...] | None = ()  # None: something changed

    def share(self, share: Share, number: int, expected: float) -> None:
        """The session's share of this number; so many were expected by then."""
        job = share.unit.job
        told = time.time(), share.difficulty, job.source, share.is_block, job.height
        self._put(share.hash_hex, Kept(*told, number, expected, share.header))
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def answer(self, verdict: Verdict) -> None:
        self._note(verdict.hash_hex, verdict.answer.value, verdict.reason, verdict.latency_s)

    def set_aside(self, hash_hex: str, counter: Aside) -> None:
        self._note(hash_hex, counter.replace("_", " "))

    def rows(self) -> tuple[FoundShare, ...]:
        """Newest last; made again only when something changed."""
        if self._rows is None:
            self._rows = tuple(row(name, kept) for name, kept in self._kept.items())
        return self._rows

    def _note(
        self, hash_hex: str, answer: str, reason: str = "", latency_s: float | None = None
    ) -> None:
        kept = self._kept.get(hash_hex)
        if kept is not None:
            self._put(hash_hex, Kept(*kept[:8], answer, reason, latency_s))

    def _put(self, hash_hex: str, kept: Kept) -> None:
        self._kept[hash_hex] = kept
        self._rows = None


def row(hash_hex: str, kept: Kept) -> FoundShare:
    answered = kept.answer, kept.reason, kept.latency_s
    return FoundShare(*kept[:7], hash_hex, kept.header.hex(), *answered)
