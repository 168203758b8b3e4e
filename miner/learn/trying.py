"""`miner learn --try EXPRESSION`: the lessons' functions, by short names, for checks by hand.

It is Python on the learner's own computer, as `python -c` is: no sandbox, and none is needed.
"""

import hashlib
import random
from collections.abc import Callable
from typing import Any

from miner.bitcoin.coinbase import commitment_script, subsidy, witness_root
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.bitcoin.merkle import merkle_branch, merkle_root, root_from_branch
from miner.bitcoin.sha256 import K, compress, header_hash, midstate, schedule, sha256
from miner.bitcoin.target import (
    difficulty,
    expected_hashes,
    nbits_from_target,
    next_target,
    target_from_nbits,
)  # fmt: skip
from miner.errors import ConfigError
from miner.gap.arithmetic import chance, kwh
from miner.learn.attack import exact_success, nakamoto_success, race
from miner.learn.centralisation import entropy_bits, gini, hhi, nakamoto
from miner.learn.chain import real_headers
from miner.learn.opened import round_parts
from miner.learn.payout import hopping_gain, reserve_for
from miner.learn.retarget import simulate
from miner.learn.trace import padded

LONGEST = 2_000  # characters that are shown


def block(height: int, more: int = 0) -> bytes:
    """A real header, 80 bytes, with its nonce so many higher."""
    raw = real_headers()[height]
    return raw[:76] + ((nonce(raw) + more) % 2**32).to_bytes(4, "little")


def blocks() -> list[bytes]:
    """Every real header there is here."""
    return list(real_headers().values())


def nonce(header: bytes) -> int:
    """The nonce of a header."""
    return int.from_bytes(header[76:80], "little")


def value(header: bytes) -> int:
    """The hash as the number that is compared."""
    return int.from_bytes(sha256d(header), "little")


def meets(header: bytes) -> bool:
    """Does the hash meet the target in the header's own nbits?"""
    return Header.parse(header).meets(target_from_nbits(Header.parse(header).nbits))


def meets_itself(header: bytes, less: int) -> bool:
    """Does the hash meet a target that is the hash itself, or so much less?"""
    return Header.parse(header).meets(value(header) - less)


def repacked(header: bytes) -> bytes:
    """80 bytes taken apart and put together again."""
    return Header.parse(header).pack()


def by_midstate(header: bytes) -> bytes:
    """The hash in two compressions."""
    return header_hash(midstate(header), header[64:76], nonce(header))


def measures(counts: list[float]) -> dict[str, float]:
    """How concentrated these counts of blocks are."""
    return {one.__name__: one(counts) for one in (nakamoto, hhi, gini, entropy_bits)}


def hashlib256(data: bytes) -> bytes:
    """SHA-256 by Python's own library."""
    return hashlib.sha256(data).digest()


def randoms(size: int, count: int = 1_000) -> list[bytes]:
    """Random bytes, the same each time."""
    rng = random.Random(2009)
    return [rng.randbytes(size) for _ in range(count)]


_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    block, blocks, nonce, value, meets, meets_itself, repacked, by_midstate, measures,
    hashlib256, randoms, sha256, sha256d,
    compress, header_hash, midstate, schedule, padded, round_parts, difficulty, expected_hashes,
    nbits_from_target, next_target, target_from_nbits, merkle_branch, merkle_root,
    root_from_branch, commitment_script, subsidy, witness_root, chance, kwh, exact_success,
    nakamoto_success, race, entropy_bits, gini, hhi, nakamoto, hopping_gain, reserve_for, simulate,
)  # fmt: skip
NAMES: dict[str, Any] = {**{one.__name__: one for one in _FUNCTIONS}, "Header": Header, "K": K}
__all__ = list(NAMES)  # what notebooks import


def evaluate(expression: str) -> str:
    """What an expression gives, with bytes as hex. Raises ConfigError with what was wrong."""
    try:
        result = eval(expression, dict(NAMES))
    except Exception as error:  # whatever the learner's own expression raises
        what = f"{type(error).__name__}: {error}"
        raise ConfigError(f"--try {expression!r}: {what}") from error
    return _shown(result)[:LONGEST]


def _shown(result: Any) -> str:
    if isinstance(result, bytes):
        return result.hex()
    if isinstance(result, tuple | list):
        return "\n".join(_shown(one) for one in result)
    if isinstance(result, dict):
        return "\n".join(f"{name}: {_shown(one)}" for name, one in result.items())
    return str(result)
