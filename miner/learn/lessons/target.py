"""The target is a number: nbits, target and difficulty."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace

from miner.bitcoin.header import Header
from miner.bitcoin.target import (
    difficulty,
    expected_hashes,
    nbits_from_target,
    target_from_nbits,
)  # fmt: skip
from miner.errors import ConfigError
from miner.learn.chain import FAMOUS, by_height, real_headers
from miner.learn.live import Live, Point, Shown, word
from miner.learn.steps import Setting
from miner.work.found import Share
from miner.work.job import FixedRoot, Job
from miner.work.unit import WorkUnit

REGTEST_NBITS = 0x207FFFFF
ONE_IN = 128  # the easy target's hashes: some dots fall on each side
EASY_TARGET = 2**256 // ONE_IN
TRIES = 600


def screens(setting: Setting) -> Iterator[Live]:
    """Compact form, the number line, and exactness."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    try:
        target_from_nbits(Header.parse(block).nbits)
    except ValueError as error:
        raise ConfigError(f"--header: {error}; here its nbits must stand for a target") from error
    yield _spellings()
    yield _by_hand(Header.parse(block).nbits)
    yield _line(Header.parse(block), setting)
    yield _exact(setting, block)


def _spellings() -> Live:
    rows: list[tuple[Shown, ...]] = [_row("regtest", REGTEST_NBITS)]
    for height in (0, FAMOUS, max(real_headers())):
        rows.append(_row(word("block", height=height), Header.parse(by_height(height)).nbits))
    return Live("spellings", spellings=rows, code=target_from_nbits)


def _row(name: Shown, nbits: int) -> tuple[Shown, ...]:
    target = target_from_nbits(nbits)
    bits = round(math.log2(target), 2)
    return (
        name, f"{nbits:08x}", word("power", bits=bits), difficulty(target),
        float(expected_hashes(target)),
    )  # fmt: skip


def _by_hand(nbits: int) -> Live:
    target, exponent = target_from_nbits(nbits), nbits >> 24
    return Live(
        "hand",
        nbits=nbits,
        exponent=exponent,
        mantissa=nbits & 0x7FFFFF,
        shift=8 * (exponent - 3),
        target=f"{target:064x}",
        back=nbits_from_target(target) == nbits,
        code=nbits_from_target,
    )


def _line(header: Header, setting: Setting) -> Live:
    start = random.Random(setting.seed).randrange(2**32 - TRIES)
    hashes = [
        int.from_bytes(replace(header, nonce=nonce).hash, "little")
        for nonce in range(start, start + TRIES)
    ]
    found, mean = sum(value <= EASY_TARGET for value in hashes), TRIES / ONE_IN
    return Live(
        "line",
        line=[
            Point(word("target", one_in=ONE_IN), float(EASY_TARGET)),
            *(Point("", float(value), "missed") for value in hashes),
            Point(word("best", tries=TRIES), float(min(hashes)), "found"),
        ],
        tries=TRIES,
        found=found,
        mean=mean,
        root=math.sqrt(mean),
        count=0 < found <= mean + 4 * math.sqrt(mean),
    )


def _exact(setting: Setting, block: bytes) -> Live:
    rng = random.Random(setting.seed)
    forms = [
        exponent << 24 | mantissa
        for exponent in range(3, 33)
        for mantissa in (0x8000, 0xFFFF, 0x7FFFFF, rng.randrange(0x8000, 0x800000))
    ]
    return Live(
        "exact",
        trips=all(nbits_from_target(target_from_nbits(one)) == one for one in forms),
        refused=all(_refused(nbits) for nbits in (0x1D800001, 0x1D000000, 0x22FFFF00)),
        equal=_equal_counts(block),
        height=FAMOUS,
        code=Share.from_hit,
    )


def _refused(nbits: int) -> bool:
    try:
        target_from_nbits(nbits)
    except ValueError:
        return True
    return False


def _equal_counts(block: bytes) -> bool:
    header = Header.parse(block)
    value = int.from_bytes(header.hash, "little")

    def share(target: int) -> Share | None:
        job = Job(
            source="lesson", session=0, job_id="", clean=True, version=header.version,
            version_mask=0, prev_hash=header.prev_hash, merkle=FixedRoot(header.merkle_root),
            nbits=header.nbits, ntime=header.time,
            ntime_limit=0, ntime_follows_clock=False, share_target=target, network_target=target,
        )  # fmt: skip
        unit = WorkUnit(block[:76], (header.version,), target, job, b"", header.time)
        return Share.from_hit(unit, header.version, header.nonce)

    return share(value) is not None and share(value - 1) is None
