"""What one worker searches: a header but for its nonce, with several versions."""

from dataclasses import dataclass

from miner.bitcoin.header import Header, with_nonce
from miner.work.job import UINT32, UINT256, Job


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
        """The 80 bytes hashed for a hit."""
        return with_nonce(self.prefix, version, nonce)


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


def build_unit(job: Job, versions: tuple[int, ...], extranonce2: bytes, ntime: int) -> WorkUnit:
    """The unit of exactly these choices; byte order as hashed."""
    root = job.merkle.root_with(extranonce2)
    header = Header(versions[0], job.prev_hash, root, ntime, job.nbits, 0)
    return WorkUnit(header.pack()[:76], versions, job.target, job, extranonce2, ntime)
