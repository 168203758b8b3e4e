"""Values that travel from a source to the backends and back: frozen, slotted, checked when made.

Byte order: `prev_hash`, the branch and every `bytes` field are as hashed (internal order).
"""

import struct
from dataclasses import dataclass, field
from enum import Enum

from miner.bitcoin.encoding import sha256d

UINT32 = 2**32
UINT256 = 2**256


@dataclass(frozen=True, slots=True)
class Job:
    """What a source asks for; the same shape for pools and nodes.

    The coinbase is coinbase1 + extranonce1 + extranonce2 + coinbase2, serialized without witness.
    """

    source: str  # name of the WorkSource
    session: int  # which connection of that source; shares never cross sessions
    job_id: str  # opaque
    clean: bool  # drop older work at once
    version: int
    version_mask: int  # effective: bits we may add; none of them is set in `version`
    prev_hash: bytes
    coinbase1: bytes
    coinbase2: bytes
    extranonce1: bytes
    extranonce2_size: int  # 0..32 bytes
    branch: tuple[bytes, ...]  # merkle branch of the coinbase, 32 bytes each
    nbits: int
    ntime: int  # earliest header time, seconds
    ntime_limit: int  # seconds ntime may move forward at most; 0 = never
    ntime_follows_clock: bool  # solo: each unit takes ntime + elapsed; pools: only when exhausted
    share_target: int
    network_target: int
    height: int | None = None
    nonces: range = range(UINT32)  # that may be tried, step 1
    reopens: bool = False  # solo: the accepted block on this parent is lost, search it again
    context: object = field(default=None, compare=False, repr=False)  # the source's own, opaque

    def __post_init__(self) -> None:
        if len(self.prev_hash) != 32 or any(len(node) != 32 for node in self.branch):
            raise ValueError(f"job {self.job_id!r}: hashes are 32 bytes")
        for name in ("version", "version_mask", "nbits", "ntime"):
            if not 0 <= getattr(self, name) < UINT32:
                raise ValueError(f"job {self.job_id!r}: {name} {getattr(self, name)} is not 32-bit")
        if self.version & self.version_mask:
            raise ValueError(
                f"job {self.job_id!r}: version bits {self.version:08x} inside the mask"
            )
        if not 0 <= self.extranonce2_size <= 32 or self.ntime_limit < 0:
            raise ValueError(f"job {self.job_id!r}: extranonce2 size or ntime limit out of range")
        low, high = self.nonces.start, self.nonces.stop
        if not (0 <= low < high <= UINT32 and self.nonces.step == 1):
            raise ValueError(f"job {self.job_id!r}: nonces {low} .. {high - 1} are no range")
        if not (0 < self.share_target < UINT256 and 0 < self.network_target < UINT256):
            raise ValueError(f"job {self.job_id!r}: targets are 1 .. 2**256 - 1")

    @property
    def target(self) -> int:
        """What a hit must meet: the share target, or a network target that is easier but not
        easier than difficulty 1, so that a high pool difficulty never hides a block."""
        easiest = 0xFFFF << 208
        if self.share_target < self.network_target <= easiest:
            return self.network_target
        return self.share_target


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """One prefix with its versions: 2**32 nonces for each, given to one worker."""

    prefix: bytes  # header[0:76]; its version field is versions[0]
    versions: tuple[int, ...]  # distinct, ascending, unsigned 32-bit, never empty
    target: int  # a hit has int.from_bytes(hash, "little") <= target
    job: Job
    extranonce2: bytes
    ntime: int

    def __post_init__(self) -> None:
        check_scannable(self.prefix, self.versions, self.target)

    def header(self, version: int, nonce: int) -> bytes:
        """The 80 bytes hashed for a hit: the one place that assembles them."""
        return struct.pack("<I", version) + self.prefix[4:] + struct.pack("<I", nonce)


def check_scannable(prefix: bytes, versions: tuple[int, ...], target: int) -> None:
    """Raise ValueError unless a backend may be given these."""
    if len(prefix) != 76:
        raise ValueError(f"prefix has {len(prefix)} bytes, want 76")
    if not versions or list(versions) != sorted(set(versions)):
        raise ValueError("versions must be distinct, ascending and not empty")
    if not (0 <= versions[0] and versions[-1] < UINT32):
        raise ValueError("versions are unsigned 32-bit")
    if int.from_bytes(prefix[:4], "little") != versions[0]:
        raise ValueError(f"prefix does not carry version {versions[0]:#010x}")
    if not 0 <= target < UINT256:
        raise ValueError("target is not an unsigned 256-bit number")


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
    kind: str  # "gbt" or "stratum": who can resubmit it
    payload: str  # full block hex, or the submit message
    context: str = ""  # gbt: workid; stratum: the extranonce1 it belongs to, hex
    found_at: int = 0  # wall clock, seconds, for people


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
