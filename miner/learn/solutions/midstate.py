"""One way to solve exercise midstate."""

import struct

from miner.bitcoin.sha256 import INITIAL_STATE, compress


def padding(length: int) -> bytes:
    """What SHA-256 puts behind a message of so many bytes, to fill its last chunk."""
    zeros = 64 - (length + 9) % 64
    return b"\x80" + bytes(zeros) + struct.pack(">Q", 8 * length)


def hashes(header: bytes, nonces: list[int]) -> list[bytes]:
    midstate = compress(INITIAL_STATE, header[:64])
    found = []
    for nonce in nonces:
        chunk = header[64:76] + struct.pack("<I", nonce) + padding(80)
        first = struct.pack(">8I", *compress(midstate, chunk))
        second = compress(INITIAL_STATE, first + padding(32))
        found.append(struct.pack(">8I", *second))
    return found
