"""One way to solve exercise miner."""

import hashlib
from typing import Any

from miner.bitcoin.target import target_from_nbits


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def mine(work: dict[str, Any]) -> bytes:
    coinbase = bytes.fromhex(work["coinbase"])
    bits = bytes.fromhex(work["bits"])
    version = work["version"].to_bytes(4, "little")
    previous = bytes.fromhex(work["previousblockhash"])[::-1]
    time = work["curtime"].to_bytes(4, "little")
    prefix: bytes = version + previous + sha256d(coinbase) + time + bits[::-1]
    target = target_from_nbits(int.from_bytes(bits, "big"))
    for nonce in range(2**32):
        header = prefix + nonce.to_bytes(4, "little")
        if int.from_bytes(sha256d(header), "little") <= target:
            return header + b"\x01" + coinbase
    raise ValueError("all nonces are used up: another time or coinbase is needed")
