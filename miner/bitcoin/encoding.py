"""Bytes, hex and integers of Bitcoin's wire formats.

Inside the program hashes are `bytes` as hashed (internal order); hex is for the edge only.
"""

import hashlib
import re
import struct

HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
MAX_COMPACT_SIZE = 0x02000000  # Bitcoin Core's limit for a length prefix (serialize.h MAX_SIZE)


def sha256d(data: bytes) -> bytes:
    """SHA-256 applied twice; 32 bytes in internal order."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def display_hex(internal: bytes) -> str:
    """A hash as people read it: bytes reversed, lower-case hex."""
    return internal[::-1].hex()


def from_display_hex(text: str) -> bytes:
    """The inverse of display_hex. Raises ValueError unless 64 hex digits."""
    return from_hex(text, 32)[::-1]


def from_hex(text: str, size: int | None = None) -> bytes:
    """Strict hex: an even number of hex digits, no spaces. Raises ValueError."""
    if not HEX.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not hex")
    if size is not None and len(text) != 2 * size:
        raise ValueError(f"{len(text)} hex digits, want {2 * size}")
    return bytes.fromhex(text)


def compact_size(number: int) -> bytes:
    """Bitcoin's variable-length count, shortest form."""
    if not 0 <= number <= 0xFFFFFFFFFFFFFFFF:
        raise ValueError(f"compact size {number} is not an unsigned 64-bit number")
    if number < 0xFD:
        return struct.pack("<B", number)
    if number <= 0xFFFF:
        return b"\xfd" + struct.pack("<H", number)
    if number <= 0xFFFFFFFF:
        return b"\xfe" + struct.pack("<I", number)
    return b"\xff" + struct.pack("<Q", number)


def with_length(data: bytes) -> bytes:
    """The bytes behind their compact size."""
    return compact_size(len(data)) + data


class Reader:
    """Takes values off the front of a byte string; ValueError when it runs out."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes) -> None:
        self._data, self.position = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self.position

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ValueError(f"{size} bytes wanted at offset {self.position}, {self.left} left")
        self.position += size
        return self._data[self.position - size : self.position]

    def number(self, size: int) -> int:
        """Unsigned little-endian."""
        return int.from_bytes(self.take(size), "little")

    def compact_size(self) -> int:
        """Shortest form only, at most MAX_COMPACT_SIZE, as Bitcoin Core reads it."""
        first = self.number(1)
        if first < 0xFD:
            return first
        size = 1 << (first - 0xFC)
        value = self.number(size)
        if value < (0xFD if size == 2 else 1 << 4 * size):
            raise ValueError(f"compact size {value} is not in its shortest form")
        if value > MAX_COMPACT_SIZE:
            raise ValueError(f"compact size {value} is above {MAX_COMPACT_SIZE}")
        return value

    def sized(self) -> bytes:
        """Bytes behind their compact size."""
        return self.take(self.compact_size())

    def end(self) -> None:
        """Raise ValueError when bytes are left over."""
        if self.left:
            raise ValueError(f"{self.left} bytes left over at offset {self.position}")
