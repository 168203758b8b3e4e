"""The 80 bytes that are hashed."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from miner.bitcoin.encoding import display_hex
from miner.bitcoin.header import HEADER_BYTES, Header
from miner.bitcoin.target import target_from_nbits
from miner.learn.chain import FAMOUS, by_height, real_headers
from miner.learn.live import Live, word
from miner.learn.steps import Setting

ROUND_TRIPS = 1_000


def screens(setting: Setting) -> Iterator[Live]:
    """From the bytes of a real block to the traps of byte order."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    header = Header.parse(block)
    met = _proves(header)
    yield Live("bytes", met=met, hash=header.hash_hex[:24], code=Header.parse, **fields(block))
    yield _one_more(header, met)
    yield Live(
        "orders",
        nbits=header.nbits,
        first=f"{header.nbits & 0xFF:02x}",
        last=f"{header.nbits >> 24:02x}",
        nbits_raw=header.nbits.to_bytes(4, "little").hex(),
        hash_raw=header.hash.hex()[:32],
        hash_read=display_hex(header.hash)[:32],
        code=display_hex,
    )
    yield _checks(setting, block)


def fields(block: bytes) -> dict[str, Any]:
    """The six fields of a header: their bytes as `header`, and what the text says of them."""
    header = Header.parse(block)
    return {
        "header": {
            "version": block[0:4], "previous": block[4:36], "root": block[36:68],
            "time": block[68:72], "nbits": block[72:76], "nonce": block[76:80],
        },
        # a plain number, or since BIP 9 (2016) bits that vote
        "kind": word("votes" if header.version >> 29 == 1 else "plain"),
        "version": header.version, "time": header.time, "nbits": header.nbits,
        "nonce": header.nonce,
    }  # fmt: skip


def _proves(header: Header) -> bool:
    """Whether the hash meets the header's own nbits; False where these stand for no target."""
    try:
        return header.meets(target_from_nbits(header.nbits))
    except ValueError:
        return False


def _one_more(header: Header, met: bool) -> Live:
    changed = replace(header, nonce=(header.nonce + 1) % 2**32)
    return Live(
        "one",
        nonces=[(one.nonce, one.hash_hex) for one in (header, changed)],
        met=met,
        meets=not _proves(changed),
        height=FAMOUS,
        code=Header.meets,
    )


def _checks(setting: Setting, block: bytes) -> Live:
    rng = random.Random(setting.seed)
    raws = [rng.randbytes(HEADER_BYTES) for _ in range(ROUND_TRIPS)]
    real = [Header.parse(raw) for raw in real_headers().values()]
    twice = hashlib.sha256(hashlib.sha256(block).digest()).digest()
    proven = sum(map(_proves, real))
    return Live(
        "checks",
        trips=all(Header.parse(raw).pack() == raw for raw in raws),
        trips_done=len(raws),
        proven=proven == len(real),
        proven_count=proven,
        all_count=len(real),
        hash=display_hex(twice) == Header.parse(block).hash_hex,
        digits=display_hex(twice)[:24],
        height=FAMOUS,
    )
