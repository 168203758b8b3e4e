"""Parse a header: the six fields of 80 bytes."""

import struct
from typing import Any

from miner.bitcoin.header import Header
from miner.learn.chain import FAMOUS, by_height, real_headers
from miner.learn.task import Case, Task, cases

NUMBERS = {"version": 0, "time": 68, "nbits": 72, "nonce": 76}
HASHES = {"previous": 4, "merkle_root": 36}


def right(raw: bytes) -> dict[str, Any]:
    """By the miner's own parser."""
    header = Header.parse(raw)
    return {
        "version": header.version,
        "previous": header.prev_hash[::-1].hex(),
        "merkle_root": header.merkle_root[::-1].hex(),
        "time": header.time,
        "nbits": header.nbits,
        "nonce": header.nonce,
    }


def big_endian(raw: bytes) -> dict[str, Any]:
    read = {name: int.from_bytes(raw[at : at + 4], "big") for name, at in NUMBERS.items()}
    return {**right(raw), **read}


def unreversed(raw: bytes) -> dict[str, Any]:
    return {**right(raw), **{name: raw[at : at + 32].hex() for name, at in HASHES.items()}}


def both(raw: bytes) -> dict[str, Any]:
    return {**unreversed(raw), **{name: big_endian(raw)[name] for name in NUMBERS}}


def digits(raw: bytes) -> dict[str, Any]:
    return {**right(raw), **{name: raw[at : at + 32].hex()[::-1] for name, at in HASHES.items()}}


def swapped(raw: bytes) -> dict[str, Any]:
    found = right(raw)
    return {**found, "previous": found["merkle_root"], "merkle_root": found["previous"]}


def exchanged(raw: bytes) -> dict[str, Any]:
    found = right(raw)
    return {**found, "time": found["nbits"], "nbits": found["time"]}


def signed(raw: bytes) -> dict[str, Any]:
    read = {name: struct.unpack_from("<i", raw, at)[0] for name, at in NUMBERS.items()}
    return {**right(raw), **read}


def short(raw: bytes) -> dict[str, Any]:
    read = {name: int.from_bytes(raw[at : at + 3], "little") for name, at in NUMBERS.items()}
    cut = {name: raw[at : at + 31][::-1].hex() for name, at in HASHES.items()}
    return {**read, **cut}


def short_numbers(raw: bytes) -> dict[str, Any]:
    read = {name: int.from_bytes(raw[at : at + 3], "little") for name, at in NUMBERS.items()}
    return {**right(raw), **read}


def short_hashes(raw: bytes) -> dict[str, Any]:
    return {
        **right(raw), **{name: raw[at : at + 31][::-1].hex() for name, at in HASHES.items()}
    }  # fmt: skip


def raw_hashes(raw: bytes) -> dict[str, Any]:
    return {**right(raw), **{name: raw[at : at + 32][::-1] for name, at in HASHES.items()}}


def made() -> tuple[Case, ...]:
    return cases(
        right,
        famous=(by_height(FAMOUS),),
        genesis=(by_height(0),),
        newest=(by_height(max(real_headers())),),
    )


TASK = Task(
    "parse_header(raw: bytes) -> dict[str, int | str]",
    right,
    made,
    {
        "big-endian": big_endian, "unreversed": unreversed, "both": both, "digits": digits,
        "swapped": swapped, "exchanged": exchanged, "signed": signed, "short": short,
        "short.2": short_numbers, "short.3": short_hashes,
        "bytes": raw_hashes,
    },
    in_hex=("nbits", "version"),
)  # fmt: skip
