"""One member's place in the room: the work given out, the difficulty, the score."""

import math
from collections import deque
from dataclasses import dataclass, field

from miner.bitcoin.target import expected_hashes
from miner.pool.values import Answer, Judged, Member
from miner.protocol.stratum.vardiff import Vardiff
from miner.work.claim import WorkBook

RATE_S = 180.0  # a rate is told from the shares of so long
MOST_RECENT = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """What a connection holds before its member has a name; who shows the token comes back."""

    token: str  # secret between the room and the member
    extranonce1: bytes


@dataclass(slots=True)
class Score:
    """What a member has done since it came, or since the teacher began anew."""

    accepted: int = 0
    refused: int = 0
    work: float = 0.0  # expected hashes of the accepted shares
    blocks: int = 0
    reward: int = 0
    best_hash: int | None = None
    last_share_s: float | None = None
    since_s: float = 0.0
    recent: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))

    def count(self, judged: Judged, now: float) -> None:
        """A claim was judged."""
        if judged.answer is not Answer.ACCEPTED or judged.share is None:
            self.refused += 1
            return
        self.accepted += 1
        self.last_share_s = now
        if judged.difficulty:
            work = float(expected_hashes(judged.share.unit.job.share_target))
            self.work += work
            self.recent.append((now, work))
        value = judged.share.value
        self.best_hash = value if self.best_hash is None else min(self.best_hash, value)

    def rate(self, now: float) -> tuple[float | None, float | None]:
        """Hashes a second and its sigma, from the shares of the last three minutes."""
        while self.recent and self.recent[0][0] < now - RATE_S:
            self.recent.popleft()
        if not self.recent:
            return (None, None) if self.last_share_s is None else (0.0, 0.0)
        begun = self.since_s
        if len(self.recent) == self.recent.maxlen:
            begun = self.recent[0][0]
        span_s = max(min(RATE_S, now - begun), 1.0)
        rate_hs = sum(work for _, work in self.recent) / span_s
        return rate_hs, rate_hs / math.sqrt(len(self.recent))


@dataclass(slots=True)
class Seat:
    """Everything of one member; the room alone changes it."""

    member: Member
    entry: Entry
    vardiff: Vardiff
    book: WorkBook = field(default_factory=WorkBook)
    score: Score = field(default_factory=Score)

    @property
    def here(self) -> bool:
        """Connected?"""
        return self.member.left_s is None
