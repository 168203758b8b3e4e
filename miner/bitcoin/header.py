"""The 80 bytes that are hashed."""

import struct
from dataclasses import dataclass

from miner.bitcoin.encoding import display_hex, sha256d

HEADER_BYTES = 80
LAYOUT = struct.Struct("<I32s32sIII")  # every number little-endian
UINT32 = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Header:
    """A block header; hashes in internal order, numbers unsigned 32-bit."""

    version: int
    prev_hash: bytes
    merkle_root: bytes
    time: int  # seconds since 1970
    nbits: int
    nonce: int

    def __post_init__(self) -> None:
        if len(self.prev_hash) != 32 or len(self.merkle_root) != 32:
            raise ValueError("previous hash and merkle root are 32 bytes")
        for name in ("version", "time", "nbits", "nonce"):
            if not 0 <= getattr(self, name) < 2**32:
                raise ValueError(f"header {name} {getattr(self, name)} is not unsigned 32-bit")

    def pack(self) -> bytes:
        """The 80 bytes."""
        return LAYOUT.pack(
            self.version, self.prev_hash, self.merkle_root, self.time, self.nbits, self.nonce
        )

    @classmethod
    def parse(cls, data: bytes) -> "Header":
        """From exactly 80 bytes; ValueError otherwise."""
        if len(data) != HEADER_BYTES:
            raise ValueError(f"a header has 80 bytes, not {len(data)}")
        return cls(*LAYOUT.unpack(data))

    @property
    def hash(self) -> bytes:
        """Internal order."""
        return sha256d(self.pack())

    @property
    def hash_hex(self) -> str:
        """Display order."""
        return display_hex(self.hash)

    def meets(self, target: int) -> bool:
        """Is the hash, read as a little-endian number, at most the target?"""
        return int.from_bytes(self.hash, "little") <= target


def with_nonce(prefix: bytes, version: int, nonce: int) -> bytes:
    """The 80 bytes of a header given as its first 76, with another version and this nonce: what
    every backend hashes, and every hit is checked with."""
    return UINT32.pack(version) + prefix[4:] + UINT32.pack(nonce)
