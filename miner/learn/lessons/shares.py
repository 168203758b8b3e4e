"""Lesson 7: share and block, and how a pool knows your hashrate."""

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
from miner.learn.answers import near_judge, word_judge
from miner.learn.mining import (
    REGTEST_GENESIS,
    bench_unit,
    job_after,
    open_quick,
    rate,
)  # fmt: skip
from miner.learn.pool import LoopbackPool
from miner.learn.steps import (
    Bars,
    Check,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.sources.base import SourceState
from miner.sources.pool.connection import PoolConnection
from miner.sources.pool.options import PoolOptions
from miner.transport.urls import pool_login
from miner.units import si
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

    def state(self, state: SourceState) -> None:
        if state.fatal is not None:
            self.ready.set()


def screens(setting: Setting) -> Iterator[Screen]:
    """Mine on a loopback pool, then look at what it can tell from shares alone."""
    yield _two_targets()
    backend = open_quick(setting.backend)
    try:
        seconds = QUICK_SECONDS if setting.quick else SECONDS
        speed = rate(backend, bench_unit(backend.info.versions_wanted, 0), 0.2)
        difficulty = _difficulty(speed * seconds / SHARES_WANTED)
        target = target_from_difficulty(Fraction(json.dumps(difficulty)))
        template = job_after(REGTEST_GENESIS[::-1], 1, max(target // BLOCK_FACTOR, 1), 1296688603)
        with LoopbackPool(template, target, difficulty) as pool:
            session = mine(backend, pool, seconds)
            yield _session(session, pool)
            yield _estimate(session, target, setting)
            yield _best(session, pool)
    finally:
        backend.close()


def _difficulty(hashes_per_share: float) -> float:
    """A short decimal near the difficulty of so many hashes a share."""
    return float(f"{max(hashes_per_share, 64) / HASHES_AT_DIFFICULTY_1:.3g}")


def mine(backend: Backend, pool: LoopbackPool, seconds: float) -> Session:
    """Mine on the pool through the real Stratum source for so long."""
    source, sink = PoolConnection(pool_login(pool.url, "learner.lesson"), PoolOptions()), Sink()
    source.start(sink)
    try:
        job = sink.jobs.get(timeout=HANDSHAKE_S)
        session = _hash(backend, source, Roller(job), seconds)
        _await_answers(sink, len(session.shares))
        session.verdicts = sink.verdicts
    except queue.Empty:
        raise MinerError(f"the lesson's pool gave no job within {HANDSHAKE_S:.0f} s") from None
    finally:
        source.stop(1.0)
    return session


def _hash(backend: Backend, source: PoolConnection, roller: Roller, seconds: float) -> Session:
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
            if time.monotonic() - at < backend.info.scan_s:
                batch = min(batch * 2, 1 << 22)
    return session


def _await_answers(sink: Sink, count: int) -> None:
    until = time.monotonic() + ANSWERS_S
    while len(sink.verdicts) < count and time.monotonic() < until:
        time.sleep(0.01)


def _two_targets() -> Screen:
    return Screen(
        "Two targets for the same hashes",
        (
            Text(
                "A block is too rare to pay by. So a pool sets an easier **share target**: hashes "
                "that meet it are sent in as proof that you are working. A share is a near miss, "
                "worth nothing to the chain. Once in a while one also meets the network's target: "
                "the block. Nobody can tell beforehand which."
            ),
            Text(
                "The next screen starts a small real pool on this computer and mines on it "
                "through the same Stratum code as `miner mine --pool`."
            ),
            Question(
                "Could a miner keep the block for itself and send in only the other shares? "
                "(yes/no)",
                "no",
                word_judge("no", "n"),
                "The coinbase inside the hash pays the pool: another payee is another header, "
                "another hash. It can only withhold the block: that gains nothing in this pool, "
                "but a rival pool that sends such miners can (Eyal 2015, The Miner's Dilemma).",
            ),
            code(Roller.next),
        ),
    )


def _session(session: Session, pool: LoopbackPool) -> Screen:
    accepted = sum(verdict.answer is Answer.ACCEPTED for verdict in session.verdicts)
    return Screen(
        f"{session.seconds:.1f} seconds on a pool",
        (
            Table(
                "",
                ("", "your side", "pool's side"),
                (
                    ("address", "", pool.url),
                    ("share difficulty", "", f"{pool.difficulty:g}"),
                    ("hashes", f"{session.hashes:,}", "not told"),
                    ("shares", str(len(session.shares)), str(len(pool.ledger.accepted))),
                    ("refused", str(len(session.verdicts) - accepted),
                     str(len(pool.ledger.rejected))),
                    ("blocks among them", str(sum(s.is_block for s in session.shares)),
                     str(pool.ledger.blocks)),
                ),
            ),
            Check(
                "the pool rebuilt every header from the submitted fields and took every share",
                len(pool.ledger.accepted) == accepted == len(session.shares)
                and {s.header for s in session.shares} == set(pool.ledger.accepted),
                "miner mine --pool ... --stop-after 5shares",
            ),
            code(PoolConnection.submit),
        ),
    )  # fmt: skip


def _told(session: Session, target: int) -> RateEstimate:
    each = float(expected_hashes(target))
    told = rate_from_shares(len(session.shares), each * len(session.shares), session.seconds, SURE)
    if told is None:
        raise MinerError("no share was found: the computer is too busy, try again")
    return told


def _estimate(session: Session, target: int, setting: Setting) -> Screen:
    counted, told = session.hashes / session.seconds, _told(session, target)
    count = len(session.shares)
    return Screen(
        "How a pool knows your hashrate",
        (
            Text(
                "It does not. It counts shares, multiplies by the hashes each is worth, and "
                "divides by time. The error is about one over the square root of the count."
            ),
            Bars(
                "hashrate",
                ("counted here", "told by shares", "lowest likely", "highest likely"),
                (counted, told.rate_hs, told.low_hs, told.high_hs),
                "hashes a second",
            ),
            Check(
                f"the counted {si(counted, 'H/s', 3)} lies in the interval "
                f"{si(told.low_hs, 'H/s', 3)} to "
                f"{si(told.high_hs, 'H/s', 3)}, which misses one time in a hundred thousand",
                told.low_hs <= counted <= told.high_hs,
                f"rate_from_shares({count}, ...), chi-square quantiles",
            ),
            code(rate_from_shares),
            Question(
                "With 100 shares, about how many percent may the pool's figure be off?",
                "10",
                near_judge(9, 11),
                "1 / sqrt(100). A small miner's graph on a pool jumps for this reason alone.",
            ),
        ),
    )


def _best(session: Session, pool: LoopbackPool) -> Screen:
    best = float(exact_difficulty(max(pool.ledger.best, 1)))
    unit = session.hashes / 2**32
    low, high = BAND[0] * unit, BAND[1] * unit
    chance = math.exp(-session.hashes / (best * HASHES_AT_DIFFICULTY_1))
    return Screen(
        "Best difficulty so far",
        (
            Table(
                "",
                ("", "difficulty"),
                (
                    ("your best share", f"{best:.4g}"),
                    ("middle of all miners with as many hashes", f"{1.44 * unit:.4g}"),
                    ("95 in 100 lie between", f"{low:.4g} and {high:.4g}"),
                ),
            ),
            Text(
                f"Of a hundred miners with your hashes, {chance * 100:.0f} would have a lower "
                "best. There is no average best: a few lucky ones are beyond all bounds, which is "
                "what a lottery looks like from inside."
            ),
            Check(
                "your best is no stranger than one in a hundred thousand",
                1e-5 < chance < 1 - 1e-5,
                "exp(-hashes / (best x 2^32))",
            ),
            code(exact_difficulty),
        ),
    )
