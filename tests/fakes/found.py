"""Found blocks that a journal can hold, each known by a number."""

import hashlib
import json

from miner.work.found import FoundBlock


def header_of(number: int) -> bytes:
    return number.to_bytes(80, "little")


def hash_of(number: int) -> str:
    return hash_hex(header_of(number))


def hash_hex(header: bytes) -> str:
    """Display order; a hash of our own making, as the product's must be the same."""
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()[::-1].hex()


def solo_block(number: int, source: str = "node", found_at: int = 1700) -> FoundBlock:
    header = header_of(number)
    payload = header.hex() + "aabb" * 50
    return FoundBlock(source, hash_of(number), number, header, "gbt", payload, "w", found_at)


def pool_block(number: int, extranonce1: str = "ab01", source: str = "pool") -> FoundBlock:
    params = ["user", "job", "00000001", "5f5e1000", f"{number:08x}"]
    payload = json.dumps({"method": "mining.submit", "params": params})
    header = header_of(number)
    return FoundBlock(
        source, hash_of(number), number, header, "stratum", payload, extranonce1, 1700
    )
