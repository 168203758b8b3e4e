"""Share and block, and how a pool knows your hashrate."""

import json
import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from miner.backends.base import NONCES, Backend
from miner.bitcoin.target import exact_difficulty, expected_hashes, target_from_difficulty
from miner.errors import MinerError
from miner.learn.live import Live, Series, Si, word
from miner.learn.mining import (
    REGTEST_GENESIS,
    bench_unit,
    job_after,
    open_quick,
    rate,
)  # fmt: skip
from miner.learn.pool import LoopbackPool
from miner.learn.steps import Setting, Tell, silent
from miner.sources.base import SourceState
from miner.sources.pool.connection import PoolConnection
from miner.sources.pool.options import PoolOptions
from miner.transport.urls import pool_login
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job
from miner.work.luck import HASHES_AT_DIFFICULTY_1, RateEstimate, rate_from_shares
from miner.work.roll import Roller

SECONDS, QUICK_SECONDS = 10.0, 1.2
SHARES_WANTED = 60  # over the whole time, on average
BLOCK_FACTOR = 16  # the lesson's network target is this much harder than the share target
HANDSHAKE_S = 10.0
ANSWERS_S = 5.0
SURE = 0.99999  # a lesson that cries wolf teaches nothing
BAND = (0.27, 39.5)  # 95 % of best difficulties, in units of hashes / 2**32


@dataclass(slots=True)
class Session:
    """What one stretch of pool mining gave."""

    hashes: int = 0
    seconds: float = 0.0
    shares: list[Share] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class Sink:
    """Takes what the pool's source says, as the engine does."""

    def __init__(self) -> None:
        self.jobs: queue.Queue[Job] = queue.Queue()
        self.verdicts: list[Verdict] = []
        self.ready = threading.Event()

    def job(self, job: Job) -> None:
        self.jobs.put(job)

    def verdict(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def alarm(self, text: str) -> None:
        """Nobody is to be alarmed: this pool is our own."""

    def state(self, state: SourceState) -> None:
        if state.fatal is not None:
            self.ready.set()


def screens(setting: Setting) -> Iterator[Live]:
    """Mine on a loopback pool, then look at what it can tell from shares alone."""
    yield Live("targets", code=Roller.next)
    backend = open_quick(setting.backend)
    try:
        setting.progress(word("trial"))
        seconds = QUICK_SECONDS if setting.quick else SECONDS
        speed = rate(backend, bench_unit(backend.info.versions_wanted, 0), 0.2)
        difficulty = _difficulty(speed * seconds / SHARES_WANTED)
        target = target_from_difficulty(Fraction(json.dumps(difficulty)))
        template = job_after(REGTEST_GENESIS[::-1], 1, max(target // BLOCK_FACTOR, 1), 1296688603)
        with LoopbackPool(template, target, difficulty) as pool:
            session = mine(backend, pool, seconds, setting.progress)
            yield _session(session, pool)
            yield _estimate(session, target)
            yield _best(session, pool)
    finally:
        backend.close()


def _difficulty(hashes_per_share: float) -> float:
    """A short decimal near the difficulty of so many hashes a share."""
    return float(f"{max(hashes_per_share, 64) / HASHES_AT_DIFFICULTY_1:.3g}")


def mine(backend: Backend, pool: LoopbackPool, seconds: float, tell: Tell = silent) -> Session:
    """Mine on the pool through the real Stratum source for so long."""
    source, sink = PoolConnection(pool_login(pool.url, "learner.lesson"), PoolOptions()), Sink()
    source.start(sink)
    try:
        job = sink.jobs.get(timeout=HANDSHAKE_S)
        session = _hash(backend, source, Roller(job), seconds, tell)
        _await_answers(sink, len(session.shares))
        session.verdicts = sink.verdicts
    except queue.Empty:
        raise MinerError(f"the lesson's pool gave no job within {HANDSHAKE_S:.0f} s") from None
    finally:
        source.stop(1.0)
    return session


def _hash(
    backend: Backend, source: PoolConnection, roller: Roller, seconds: float, tell: Tell
) -> Session:
    session, batch, begun = Session(), backend.info.lanes, time.monotonic()
    while (unit := roller.next(backend.info.versions_wanted, 0.0)) is not None:
        nonce = 0
        while nonce < NONCES:
            at = time.monotonic()
            session.seconds = at - begun
            if session.seconds >= seconds:
                return session
            result = backend.scan(unit, nonce, min(batch, NONCES - nonce))
            session.hashes += result.hashes
            nonce += result.hashes // len(unit.versions)
            for hit in result.hits:
                share = Share.from_hit(unit, hit.version, hit.nonce)
                if share is not None:
                    session.shares.append(share)
                    source.submit(share)
                    tell(word("pool", seconds=seconds, shares=len(session.shares)))
            if time.monotonic() - at < backend.info.scan_s:
                batch = min(batch * 2, 1 << 22)
    return session


def _await_answers(sink: Sink, count: int) -> None:
    until = time.monotonic() + ANSWERS_S
    while len(sink.verdicts) < count and time.monotonic() < until:
        time.sleep(0.01)


def _session(session: Session, pool: LoopbackPool) -> Live:
    accepted = sum(verdict.answer is Answer.ACCEPTED for verdict in session.verdicts)
    return Live(
        "session",
        seconds=session.seconds,
        address=pool.url,
        difficulty=pool.difficulty,
        hashes=session.hashes,
        unknown=word("unknown"),
        shares=len(session.shares),
        pool_shares=len(pool.ledger.accepted),
        refused=len(session.verdicts) - accepted,
        pool_refused=len(pool.ledger.rejected),
        blocks=sum(share.is_block for share in session.shares),
        pool_blocks=pool.ledger.blocks,
        took=len(pool.ledger.accepted) == accepted == len(session.shares)
        and {share.header for share in session.shares} == set(pool.ledger.accepted),
        code=PoolConnection.submit,
    )


def _told(session: Session, target: int) -> RateEstimate:
    each = float(expected_hashes(target))
    told = rate_from_shares(len(session.shares), each * len(session.shares), session.seconds, SURE)
    if told is None:
        raise MinerError("no share was found: the computer is too busy, try again")
    return told


def _estimate(session: Session, target: int) -> Live:
    counted, told = session.hashes / session.seconds, _told(session, target)
    names = [word(key) for key in ("counted", "told", "low", "high")]
    return Live(
        "estimate",
        rates=Series(names, [counted, told.rate_hs, told.low_hs, told.high_hs]),
        counted=Si(counted, "H/s"),
        low=Si(told.low_hs, "H/s"),
        high=Si(told.high_hs, "H/s"),
        inside=told.low_hs <= counted <= told.high_hs,
        code=rate_from_shares,
    )


def _best(session: Session, pool: LoopbackPool) -> Live:
    best = float(exact_difficulty(max(pool.ledger.best, 1)))
    unit = session.hashes / 2**32
    chance = math.exp(-session.hashes / (best * HASHES_AT_DIFFICULTY_1))
    return Live(
        "best",
        own=best,
        median=1.44 * unit,
        low=BAND[0] * unit,
        high=BAND[1] * unit,
        lower=chance * 100,
        likely=1e-5 < chance < 1 - 1e-5,
        code=exact_difficulty,
    )
