"""Real searching for lessons: a chain of small blocks of our own, through roller and backend."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from miner.backends import registry, speed
from miner.backends.base import NONCES, Backend, OpenOptions, Scannable
from miner.bitcoin.address import script_from_address
from miner.bitcoin.coinbase import build_coinbase
from miner.bitcoin.target import nbits_from_target
from miner.bitcoin.tx import TxOut
from miner.bitcoin.versions import BIP320_MASK
from miner.errors import MinerError
from miner.paths import cache_dir
from miner.work.found import Share
from miner.work.job import Coinbase, Job
from miner.work.roll import Roller

QUICK_TO_OPEN = ("native", "numpy", "hashlib", "python")
REGTEST_GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
PAYOUT = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"  # P2WSH of OP_TRUE
EXTRANONCE = 8
BASE_VERSION = 0x20000000
LAST_TARGET = 2**256 - 1


def open_quick(name: str | None) -> Backend:
    """The backend asked for, else the fastest family that opens without ado."""
    options = OpenOptions(cache_dir())
    if name is not None and name != registry.AUTO:
        return registry.open_named(name, options)
    for family in QUICK_TO_OPEN:
        try:
            return registry.open_named(family, options)
        except MinerError:  # not built, or not for this machine: `miner devices` says why
            continue
    return registry.open_named("python", options)


def open_workers(name: str | None) -> list[Backend]:
    """That backend, or the fastest that opens quickly, once for each core where it can be."""
    first = open_quick(name)
    first.close()
    return registry.open_choice(
        [first.info.name], None, OpenOptions(cache_dir(), lambda text: None)
    )


def job_after(prev_hash: bytes, height: int, target: int, ntime: int, mask: int = 0) -> Job:
    """A block template of ours: a coinbase and nothing else, on top of `prev_hash`."""
    script = script_from_address(PAYOUT, "regtest")
    coinbase = build_coinbase(height, [TxOut(50 * 10**8, script)], EXTRANONCE, b"/homehash/")
    return Job(
        source="lesson", session=0, job_id=str(height), clean=True, version=BASE_VERSION,
        version_mask=mask, prev_hash=prev_hash,
        merkle=Coinbase(coinbase.part1, b"", EXTRANONCE, coinbase.part2, ()),
        nbits=nbits_from_target(target), ntime=ntime, ntime_limit=0, ntime_follows_clock=False,
        share_target=target, network_target=target, height=height,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A block of the lesson's chain and what it cost."""

    share: Share
    hashes: int  # tried until it was found, this one included


def mine_chain(backend: Backend, blocks: int, target: int, seed: int) -> Iterator[Found]:
    """Blocks on top of each other from the regtest genesis block, one version each."""
    rng = random.Random(seed)
    prev_hash, ntime = REGTEST_GENESIS[::-1], 1296688602
    batch = backend.info.lanes
    most = max(2**256 // (target + 1) // 2, batch)  # a scan beyond the hit is thrown away
    for height in range(1, blocks + 1):
        ntime += 1
        job = job_after(prev_hash, height, target, ntime)
        found, batch = _search(backend, Roller(job, rng.getrandbits(63)), batch, most)
        prev_hash = found.share.hash
        yield found


def _search(backend: Backend, roller: Roller, batch: int, most: int) -> tuple[Found, int]:
    """The first hit in nonce order; the batch is sized to some milliseconds, at most `most`."""
    tried = 0
    while (unit := roller.next(1, 0.0)) is not None:
        nonce = 0
        while nonce < NONCES:
            begun = time.monotonic()
            result = backend.scan(unit, nonce, min(batch, NONCES - nonce))
            if result.hits:
                first = result.hits[0]
                share = Share.from_hit(unit, first.version, first.nonce)
                if share is None:
                    raise MinerError(f"{backend.info.name} reported nonce {first.nonce}: no hit")
                return Found(share, tried + first.nonce - nonce + 1), batch
            nonce += result.hashes
            tried += result.hashes
            quick = time.monotonic() - begun < backend.info.scan_s
            batch = min(batch * 2, most) if quick else max(batch // 2, backend.info.lanes)
    raise MinerError("the lesson's search space is used up")


def rate(
    backend: Backend,
    unit: Scannable,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Hashes a second over `unit`, by this clock."""
    return speed.Timing(backend, unit, clock).sample(seconds)


def bench_unit(versions: int, target: int) -> Scannable:
    """A unit as mining uses it, with so many versions."""
    job = job_after(REGTEST_GENESIS[::-1], 1, LAST_TARGET, 1296688603, BIP320_MASK)
    unit = Roller(job).next(versions, 0.0)
    if unit is None:
        raise MinerError("a new job has no unit")
    return _Unit(unit.prefix, unit.versions, target)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A scannable with a target of the lesson's own."""

    prefix: bytes
    versions: tuple[int, ...]
    target: int
