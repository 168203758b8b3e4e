"""Memory stays flat however many jobs, shares and messages pass."""

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miner.engine.pipeline import SEEN
from miner.state.answers import MAX_ANSWERS
from miner.work.found import Answer
from tests.fakes.backend import FakeBackend
from tests.fakes.engine import NEVER, Bench, bench_in, job, until
from tests.faults import fault
from tests.unit.protocol.stratum_lines import notify, reply, sent, share_of, subscribed

ROUND = 400
PER_JOB = 64 * 1024 / 10_000  # bytes
SLACK = 8 * 1024  # the work in hand, a bytearray's spare room; a leaked job costs 2 KiB each
EASY = 2**255  # every other hash is a share: the tables of the newest fill at once


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


def growth(one_round: Callable[[], None], full: Callable[[], bool], rounds: int = 4) -> int:
    """Bytes that Python holds more after `rounds`, from when the bounded tables are `full`."""
    tracemalloc.start()  # first, or a table's new entries would count and its old ones not
    try:
        one_round()
        while not full():
            one_round()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            one_round()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def at_rest(bench: Bench) -> bool:
    """Has every hit become a share, and every share an answer?"""
    now = bench.engine.snapshot()
    answered = now.shares.accepted + now.shares.dropped
    return bench.engine._mailbox.empty() and now.shares.found == answered


@fault("P10")
def test_jobs_and_shares_leave_nothing_in_the_engine(bench: Bench) -> None:
    bench.source.answer = lambda share: Answer.ACCEPTED
    backend = FakeBackend(most_nonces=20)
    engine = bench.run(backend)
    numbers = itertools.count()

    def one_round() -> None:
        engine.pause(paused=False)
        for _ in range(ROUND):
            name = f"j{next(numbers)}"
            bench.source.sink.job(job(name, share_target=EASY, network_target=NEVER))
        hashes = bench.status.hashes
        until(lambda: bench.status.hashes > hashes + 400)
        engine.pause(paused=True)
        until(lambda: engine.supervisor.workers[0].call is None and at_rest(bench))
        for kept in (bench.events, bench.source.submitted, backend.units, backend.times):
            kept.clear()  # the doubles' own ledgers
        engine.current.switch_s.clear()

    seen, answers = engine.pipeline._seen, bench.status._shares.answers._newest

    def full() -> bool:  # and each table was rebuilt since, to the size it keeps
        return bench.status.snapshot(0.0).shares.found > 4 * max(SEEN, MAX_ANSWERS)

    assert growth(one_round, full) < 4 * ROUND * PER_JOB + SLACK
    assert (len(seen), len(answers)) == (SEEN, MAX_ANSWERS)


@fault("P10")
def test_jobs_and_shares_leave_nothing_in_a_pool_session() -> None:
    session = subscribed()
    numbers = itertools.count()

    def one_round() -> None:
        for _ in range(ROUND):
            number = next(numbers)
            session.receive(notify(job_id=f"{number:x}"), number * 0.5)
            assert session.job is not None
            session.submit(share_of(session.job, nonce=number), number * 0.5)
            (asked,) = sent(session)
            session.receive(reply(asked["id"], True), number * 0.5)

    assert growth(one_round, lambda: True) < 4 * ROUND * PER_JOB + SLACK
