"""Data types of Stratum v2 (specification, chapter 3.1): everything is little-endian.

A `Codec` reads one value from a Reader and writes it again. Readers raise RemoteProtocolError that
names the field; writers raise LocalProtocolError, since what we send is ours to keep right.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from miner.errors import LocalProtocolError, RemoteProtocolError

MAX_FLOAT32 = float.fromhex("0x1.fffffep+127")


class Reader:
    """A payload and how far it was read."""

    def __init__(self, payload: bytes) -> None:
        self._payload, self._at = payload, 0
        self.field = "payload"  # what is being read, for errors

    def take(self, size: int) -> bytes:
        """The next bytes. Raises RemoteProtocolError when there are fewer."""
        end = self._at + size
        if end > len(self._payload):
            left = len(self._payload) - self._at
            raise RemoteProtocolError(f"{self.field} wants {size} bytes, {left} are left")
        piece = self._payload[self._at : end]
        self._at = end
        return piece

    def rest(self) -> bytes:
        """What follows the fields read so far: fields of extensions, or nothing."""
        return self._payload[self._at :]

    def fail(self, what: str) -> RemoteProtocolError:
        return RemoteProtocolError(f"{self.field} {what}")


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type is read and written."""

    read: Callable[[Reader], Any]
    write: Callable[[Any], bytes]


def unsigned(size: int) -> Codec:
    """An unsigned integer of `size` bytes."""

    def read(reader: Reader) -> int:
        return int.from_bytes(reader.take(size), "little")

    def write(value: int) -> bytes:
        try:
            return value.to_bytes(size, "little")
        except OverflowError:
            raise LocalProtocolError(f"{value} does not fit {size} bytes") from None

    return Codec(read, write)


def data(length_bytes: int, limit: int | None = None) -> Codec:
    """Bytes behind a length of `length_bytes`; at most `limit` of them."""
    most = 256**length_bytes - 1 if limit is None else limit

    def read(reader: Reader) -> bytes:
        size = int.from_bytes(reader.take(length_bytes), "little")
        if size > most:
            raise reader.fail(f"has {size} bytes, at most {most} are allowed")
        return reader.take(size)

    def write(value: bytes) -> bytes:
        if len(value) > most:
            raise LocalProtocolError(f"{len(value)} bytes where at most {most} are allowed")
        return len(value).to_bytes(length_bytes, "little") + value

    return Codec(read, write)


def sequence(count_bytes: int, item: Codec) -> Codec:
    """A tuple of values behind their count."""

    def read(reader: Reader) -> tuple[Any, ...]:
        count = int.from_bytes(reader.take(count_bytes), "little")
        return tuple(item.read(reader) for _ in range(count))

    def write(values: tuple[Any, ...]) -> bytes:
        if len(values) >= 256**count_bytes:
            raise LocalProtocolError(f"{len(values)} values where {256**count_bytes - 1} fit")
        return len(values).to_bytes(count_bytes, "little") + b"".join(map(item.write, values))

    return Codec(read, write)


def optional(item: Codec) -> Codec:
    """None, or a value: OPTION[T]."""

    def read(reader: Reader) -> Any:
        mark = reader.take(1)[0]
        if mark > 1:
            raise reader.fail(f"is marked {mark}, want 0 for absent or 1 for present")
        return item.read(reader) if mark else None

    def write(value: Any) -> bytes:
        return b"\x00" if value is None else b"\x01" + item.write(value)

    return Codec(read, write)


def _read_bool(reader: Reader) -> bool:
    return bool(reader.take(1)[0] & 1)  # the other bits may be anything, says the specification


def _read_float(reader: Reader) -> float:
    value: float = struct.unpack("<f", reader.take(4))[0]
    if not math.isfinite(value) or value < 0:
        raise reader.fail(f"is {value}, want a number that is finite and not negative")
    return value


def _write_float(value: float) -> bytes:
    if not math.isfinite(value) or value < 0:
        raise LocalProtocolError(f"{value} is no rate")
    return struct.pack("<f", min(value, MAX_FLOAT32))


def _fixed(size: int) -> Codec:
    def write(value: bytes) -> bytes:
        if len(value) != size:
            raise LocalProtocolError(f"{len(value)} bytes where {size} are wanted")
        return value

    return Codec(lambda reader: reader.take(size), write)


U8, U16, U32, U64 = (unsigned(size) for size in (1, 2, 4, 8))
U256 = unsigned(32)  # a number: a target
HASH = _fixed(32)  # U256 as bytes in the order in which they are hashed
BOOL = Codec(_read_bool, lambda value: bytes([bool(value)]))
F32 = Codec(_read_float, _write_float)
B0_32, B0_255, B0_64K, B0_16M = data(1, 32), data(1), data(2), data(3)
STR = Codec(
    lambda reader: B0_255.read(reader).decode("utf-8", "replace"),
    lambda value: B0_255.write(value.encode()),
)
