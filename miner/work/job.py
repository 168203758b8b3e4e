"""What a source asks for. Byte order: every `bytes` field is as hashed (internal order)."""

from dataclasses import dataclass, field
from typing import ClassVar

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.merkle import root_from_branch

UINT32 = 2**32
UINT256 = 2**256


@dataclass(frozen=True, slots=True)
class Coinbase:
    """Work whose merkle root is computed: a coinbase with a hole for the extranonce."""

    part1: bytes
    extranonce1: bytes
    extranonce2_size: int  # 0..32 bytes
    part2: bytes
    branch: tuple[bytes, ...]  # merkle branch of the coinbase, 32 bytes each

    def fill(self, extranonce2: bytes) -> bytes:
        """The whole coinbase, serialized without witness."""
        return self.part1 + self.extranonce1 + extranonce2 + self.part2

    def root_with(self, extranonce2: bytes) -> bytes:
        """The merkle root with this extranonce2."""
        return root_from_branch(sha256d(self.fill(extranonce2)), self.branch)

    @property
    def is_whole(self) -> bool:
        """Are all hashes 32 bytes?"""
        return all(len(node) == 32 for node in self.branch)


@dataclass(frozen=True, slots=True)
class FixedRoot:
    """Header-only work, as a Stratum v2 standard channel gives it: versions and time roll alone."""

    root: bytes
    extranonce2_size: ClassVar[int] = 0

    def root_with(self, extranonce2: bytes) -> bytes:
        """The one root there is. Raises ValueError for an extranonce."""
        if extranonce2:
            raise ValueError(f"an extranonce2 of {len(extranonce2)} bytes for a fixed merkle root")
        return self.root

    @property
    def is_whole(self) -> bool:
        """Is the root 32 bytes?"""
        return len(self.root) == 32


@dataclass(frozen=True, slots=True)
class Job:
    """What a source asks for; the same shape for pools and nodes."""

    source: str  # name of the WorkSource
    session: int  # which connection of that source; shares never cross sessions
    job_id: str  # opaque
    clean: bool  # drop older work at once
    version: int
    version_mask: int  # effective: bits we may add; none of them is set in `version`
    prev_hash: bytes
    merkle: Coinbase | FixedRoot
    nbits: int
    ntime: int  # earliest header time, seconds
    ntime_limit: int  # seconds ntime may move forward at most; 0 = never
    ntime_follows_clock: bool  # solo: each unit takes ntime + elapsed; pools: only when exhausted
    share_target: int
    network_target: int
    height: int | None = None
    nonces: range = range(UINT32)  # that may be tried, step 1
    one_block_per_parent: bool = False  # solo: an accepted block makes later ones surplus
    reopens: bool = False  # solo: the accepted block on this parent is lost, search it again
    transactions: int | None = None  # in the block, with the coinbase; None: not known
    context: object = field(default=None, compare=False, repr=False)  # the source's own, opaque

    def __post_init__(self) -> None:
        if len(self.prev_hash) != 32 or not self.merkle.is_whole:
            raise ValueError(f"job {self.job_id!r}: hashes are 32 bytes")
        for name in ("version", "version_mask", "nbits", "ntime"):
            if not 0 <= getattr(self, name) < UINT32:
                raise ValueError(f"job {self.job_id!r}: {name} {getattr(self, name)} is not 32-bit")
        if self.version & self.version_mask:
            raise ValueError(
                f"job {self.job_id!r}: version bits {self.version:08x} inside the mask"
            )
        if not 0 <= self.merkle.extranonce2_size <= 32 or self.ntime_limit < 0:
            raise ValueError(f"job {self.job_id!r}: extranonce2 size or ntime limit out of range")
        low, high = self.nonces.start, self.nonces.stop
        if not (0 <= low < high <= UINT32 and self.nonces.step == 1):
            raise ValueError(f"job {self.job_id!r}: nonces {low} .. {high - 1} are no range")
        if not (0 < self.share_target < UINT256 and 0 < self.network_target < UINT256):
            raise ValueError(f"job {self.job_id!r}: targets are 1 .. 2**256 - 1")

    @property
    def coinbase(self) -> Coinbase:
        """Raises ValueError for header-only work."""
        if isinstance(self.merkle, Coinbase):
            return self.merkle
        raise ValueError(f"job {self.job_id!r} has no coinbase: its merkle root is given")

    @property
    def target(self) -> int:
        """What a hit must meet: the share target, or a network target that is easier but not
        easier than difficulty 1, so that a high pool difficulty never hides a block."""
        easiest = 0xFFFF << 208
        if self.share_target < self.network_target <= easiest:
            return self.network_target
        return self.share_target
