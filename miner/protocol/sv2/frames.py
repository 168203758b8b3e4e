"""Frames of Stratum v2 on an encrypted connection.

A frame is a header of 6 bytes (22 encrypted): extension type u16 with bit 15 for "belongs to a
channel", message type u8, payload length u24, little-endian; then the payload, cut into blocks of
at most 65,519 bytes, each encrypted by itself (65,535). The header's length counts plain bytes; an
empty payload has no block. One nonce counts header and payload blocks of a direction.

Source: Stratum v2 specification, chapters 3.2 and 4.6.
"""

from typing import NamedTuple

from miner.errors import LocalProtocolError, RemoteProtocolError
from miner.protocol.sv2.crypto import TAG_BYTES, Cipher, DecryptionFailed

HEADER_BYTES = 6
SEALED_HEADER_BYTES = HEADER_BYTES + TAG_BYTES
BLOCK_BYTES = 65_519  # plain bytes in one block
CHANNEL_BIT = 0x8000
MAX_PAYLOAD = 2**24 - 1
MINING_CAP = 256 * 1024  # twice what a job's coinbase parts can take by their types


class Frame(NamedTuple):
    """One message as it travels; `channel` tells whether it belongs to an open channel."""

    extension: int  # without the channel bit
    number: int
    payload: bytes
    channel: bool = False


def sealed_length(plain: int) -> int:
    """How many bytes a payload of `plain` bytes takes once it is encrypted."""
    return plain + TAG_BYTES * -(-plain // BLOCK_BYTES)


def seal(cipher: Cipher, frame: Frame) -> bytes:
    """The bytes of one frame, to be sent in one piece. Raises LocalProtocolError."""
    if not 0 < len(frame.payload) <= MAX_PAYLOAD:
        raise LocalProtocolError(f"a frame's payload has {len(frame.payload)} bytes")
    extension = frame.extension | (CHANNEL_BIT if frame.channel else 0)
    header = extension.to_bytes(2, "little") + bytes([frame.number])
    parts = [cipher.encrypt(header + len(frame.payload).to_bytes(3, "little"))]
    for start in range(0, len(frame.payload), BLOCK_BYTES):
        parts.append(cipher.encrypt(frame.payload[start : start + BLOCK_BYTES]))
    return b"".join(parts)


class FrameReader:
    """Turns received bytes into frames, however they were cut.

    A header is decrypted once and kept while its payload is short. After an error the connection
    is of no use any more: the nonces no longer agree.
    """

    def __init__(self, cipher: Cipher, cap: int = MINING_CAP) -> None:
        self._cipher, self._cap = cipher, cap
        self._buffer = bytearray()
        self._header: bytes | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Every frame that these bytes complete. Raises RemoteProtocolError."""
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if self._header is None:
            if len(self._buffer) < SEALED_HEADER_BYTES:
                return None
            self._header = self._open(SEALED_HEADER_BYTES)
        length = int.from_bytes(self._header[3:6], "little")
        if length > self._cap:
            raise RemoteProtocolError(
                f"a frame announces {length} bytes, at most {self._cap} are taken"
            )
        if len(self._buffer) < sealed_length(length):
            return None
        payload = bytearray()
        while len(payload) < length:
            payload += self._open(min(length - len(payload), BLOCK_BYTES) + TAG_BYTES)
        extension, number = int.from_bytes(self._header[:2], "little"), self._header[2]
        self._header = None
        return Frame(
            extension & ~CHANNEL_BIT, number, bytes(payload), bool(extension & CHANNEL_BIT)
        )

    def _open(self, size: int) -> bytes:
        sealed = bytes(self._buffer[:size])
        del self._buffer[:size]
        try:
            return self._cipher.decrypt(sealed)
        except DecryptionFailed:
            raise RemoteProtocolError(
                "a frame cannot be decrypted: it was changed on its way, or the server lost step"
            ) from None
