"""Memory stays flat however many jobs, shares and messages pass."""

import gc
import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miner.work.values import Answer
from tests.fakes.backend import FakeBackend
from tests.fakes.engine import NEVER, SHARES, Bench, bench_in, job, until
from tests.unit.protocol.stratum_lines import notify, reply, sent, share_of, subscribed

ROUND = 400
PER_JOB = 64 * 1024 / 10_000  # bytes
SLACK = 64 * 1024  # a table that doubles, rate samples of a slow run; a leaked job costs 2 KiB each


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


def growth(one_round: Callable[[], None], rounds: int = 4) -> int:
    """Bytes that Python holds more after `rounds` than after the first two."""
    for _ in range(2):
        one_round()
    gc.collect()
    tracemalloc.start()
    try:
        one_round()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            one_round()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_P10_jobs_and_shares_leave_nothing_in_the_engine(bench: Bench) -> None:
    bench.source.kind = "stratum"
    bench.source.answer = lambda share: Answer.ACCEPTED
    backend = FakeBackend(most_nonces=20)
    bench.run(backend)
    numbers = itertools.count()

    def one_round() -> None:
        for _ in range(ROUND):
            name = f"j{next(numbers)}"
            bench.source.sink.job(job(name, share_target=SHARES, network_target=NEVER))
        hashes = bench.status.hashes
        until(lambda: bench.status.hashes > hashes + 200)
        for kept in (bench.events, bench.source.submitted, backend.units, backend.times):
            kept.clear()  # the doubles' own ledgers
        bench.engine.floor.switch_s.clear()

    assert growth(one_round) < 4 * ROUND * PER_JOB + SLACK


def test_P10_jobs_and_shares_leave_nothing_in_a_pool_session() -> None:
    session = subscribed()
    numbers = itertools.count()

    def one_round() -> None:
        for _ in range(ROUND):
            number = next(numbers)
            session.receive_data(notify(job_id=f"{number:x}"), number * 0.5)
            assert session.job is not None
            session.submit(share_of(session.job, nonce=number), number * 0.5)
            (asked,) = sent(session)
            session.receive_data(reply(asked["id"], True), number * 0.5)

    assert growth(one_round) < 4 * ROUND * PER_JOB + SLACK
