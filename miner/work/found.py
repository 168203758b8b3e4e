"""What a search finds, and what becomes of it: share, block, verdict."""

from dataclasses import dataclass, field, replace
from enum import Enum

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.target import DIFF1_TARGET
from miner.work.unit import WorkUnit


@dataclass(frozen=True, slots=True)
class Share:
    """A hit confirmed by hashlib."""

    unit: WorkUnit
    version: int
    nonce: int
    header: bytes  # 80 bytes
    hash: bytes  # internal order

    @classmethod
    def from_hit(cls, unit: WorkUnit, version: int, nonce: int) -> "Share | None":
        """Hash the 80 bytes again with hashlib; None when the hit is false."""
        header = unit.header(version, nonce)
        share = cls(unit, version, nonce, header, sha256d(header))
        return share if share.value <= unit.target else None

    @property
    def value(self) -> int:
        """The hash as the number that is compared with targets."""
        return int.from_bytes(self.hash, "little")

    @property
    def difficulty(self) -> float:
        """Of its hash; display only."""
        return DIFF1_TARGET / max(self.value, 1)

    @property
    def is_block(self) -> bool:
        return self.value <= self.unit.job.network_target

    @property
    def hash_hex(self) -> str:
        """Display order, as people read it."""
        return self.hash[::-1].hex()


@dataclass(frozen=True, slots=True)
class FoundBlock:
    """Everything needed to send a block again after a crash; what the journal stores."""

    source: str
    hash_hex: str  # display order: the key
    height: int | None
    header: bytes
    kind: str  # of source: who can send it
    payload: str  # full block hex, or the submit message
    context: str = ""  # what its source needs beside the payload
    found_at: int = 0  # wall clock, seconds, for people
    origin: Share | None = field(default=None, compare=False, repr=False)  # None: of a journal

    @property
    def again(self) -> "FoundBlock":
        """The same as a journal gives it."""
        return replace(self, origin=None)


NO_SIGN = "no-sign"  # reason of UNKNOWN: sent whole, and nothing followed; the next may be sent


class Answer(Enum):
    """What became of a share or block."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STALE = "stale"
    UNKNOWN = "unknown"  # no answer: keep a block, count a share
    PENDING = "pending"  # a side-chain candidate or a retry: the journal keeps it
    NOT_SENT = "not sent"  # a block of an easy chain whose node refuses all of them


@dataclass(frozen=True, slots=True)
class Verdict:
    """The source's answer to one share or block."""

    source: str
    hash_hex: str  # display order
    answer: Answer
    is_block: bool
    reason: str = ""  # the source's word: "bad-cb-amount", "duplicate"; scrubbed
    explanation: str = ""  # the same in plain words
    height: int | None = None
    latency_s: float | None = None  # submit to answer
    difficulty: float | None = None  # of the share target; display only
    of_share: bool = False  # a pool's word on the share; of a block's fate it says nothing

    @property
    def final(self) -> bool:
        """May the journal let the block go?"""
        return self.answer in (Answer.ACCEPTED, Answer.REJECTED, Answer.STALE, Answer.NOT_SENT)
