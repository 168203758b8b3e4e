"""What became of the shares found: each in exactly one counter, by its newest answer.

Not thread-safe: its owner holds a lock.
"""

from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from itertools import accumulate
from statistics import median
from typing import Literal

from miner.state.snapshot import LATENCY_BOUNDS_S
from miner.work.found import Answer, Verdict

MAX_REASONS = 32  # different reject reasons kept; the rest is "other"
MAX_ANSWERS = 512  # hashes whose last answer is remembered, to count each once
LATENCIES = 64

Aside = Literal["dropped", "surplus", "not_sent"]


class Reasons:
    """Why shares were refused, in a bounded table."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, reason: str, step: int) -> None:
        known = reason in self._counts or len(self._counts) < MAX_REASONS
        self._counts[reason if known else "other"] += step

    def most_common(self) -> tuple[tuple[str, int], ...]:
        return tuple((+self._counts).most_common())


class Latencies:
    """Submit to answer: the newest for people, sums for tools."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque(maxlen=LATENCIES)
        self._within = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, latency_s: float | None) -> None:
        if latency_s is not None:
            latency_s = max(latency_s, 0.0)
            self._newest.append(latency_s)
            self.sum_s += latency_s
            self._within[bisect_left(LATENCY_BOUNDS_S, latency_s)] += 1

    @property
    def last_s(self) -> float | None:
        return self._newest[-1] if self._newest else None

    @property
    def median_s(self) -> float | None:
        return median(self._newest) if self._newest else None

    @property
    def counts(self) -> tuple[int, ...]:
        """Answers within each bound of LATENCY_BOUNDS_S, then all."""
        return tuple(accumulate(self._within))


class Answers:
    """Counts verdicts; a block that one node refused may be accepted by another later."""

    def __init__(self) -> None:
        self.counts: Counter[Answer] = Counter()
        self.blocks: Counter[Answer] = Counter()
        self.aside: Counter[Aside] = Counter()  # found and not sent
        self.reasons = Reasons()
        self.latencies = Latencies()
        self._newest: OrderedDict[str, Verdict] = OrderedDict()
        self._open: set[str] = set()  # hashes of shares found that are in no other counter yet

    def found(self, hash_hex: str) -> None:
        self._open.add(hash_hex)

    def set_aside(self, hash_hex: str, counter: Aside) -> None:
        self._open.discard(hash_hex)
        self.aside[counter] += 1

    def take(self, verdict: Verdict) -> Verdict | None:
        """The answer counted until now that this one replaces, or `verdict` itself when it is the
        first; None when it says nothing new."""
        before = self._newest.pop(verdict.hash_hex, None)
        if before is None and not (verdict.is_block or verdict.hash_hex in self._open):
            return None  # answered so long ago that it is forgotten
        self._open.discard(verdict.hash_hex)
        self._newest[verdict.hash_hex] = verdict
        if before is not None:
            late = before.final and verdict.answer is not Answer.ACCEPTED
            if before.answer in (verdict.answer, Answer.ACCEPTED) or late:
                self._newest[verdict.hash_hex] = before
                return None
            self._count(before, -1)
        self._count(verdict, 1)
        self.latencies.add(verdict.latency_s)
        if len(self._newest) > MAX_ANSWERS:
            self._forget_one()
        return before or verdict

    @property
    def pending(self) -> int:
        """Without a final answer: on the way, in a batch the pool has not told of, or kept."""
        return self.counts[Answer.PENDING] + len(self._open)

    def close(self) -> None:
        """The run is over: of what nobody answered the fate is unknown."""
        self.counts[Answer.UNKNOWN] += len(self._open)
        self._open.clear()

    def _count(self, verdict: Verdict, step: int) -> None:
        self.counts[verdict.answer] += step
        if verdict.is_block and not (verdict.of_share and verdict.answer is Answer.ACCEPTED):
            self.blocks[verdict.answer] += step
        if verdict.answer is Answer.REJECTED:
            self.reasons.add(verdict.reason, step)

    def _forget_one(self) -> None:
        """The oldest share; a block, whose answer may yet change, only when all are blocks."""
        shares = (name for name, verdict in self._newest.items() if not verdict.is_block)
        del self._newest[next(shares, next(iter(self._newest)))]
