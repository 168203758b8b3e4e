"""A block whose fate nobody told is in the chain once a job builds on it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.journal import Journal
from miner.state.events import BlockAnswered
from miner.work.found import Answer, Verdict
from tests.fakes.backend import FakeBackend
from tests.fakes.engine import Bench, bench_in, job, until
from tests.fakes.found import solo_block


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


def upon(name: str, hash_hex: str, height: int = 8) -> object:
    return job(name, prev_hash=bytes.fromhex(hash_hex)[::-1], height=height)


def test_a_block_of_a_connection_that_broke(bench: Bench) -> None:
    """A Stratum v2 pool cannot be asked again: its next job is the answer."""
    bench.source.kind = "sv2"
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job(one_block_per_parent=False))
    until(lambda: bench.source.submitted)
    found = bench.source.submitted[0]
    lost = Verdict("scripted", found.hash_hex, Answer.UNKNOWN, True, "no-answer", of_share=True)
    bench.source.sink.verdict(lost)
    bench.source.sink.job(upon("b", found.hash_hex))  # type: ignore[arg-type]
    bench.catch_up()
    (told,) = [
        event
        for event in bench.events
        if isinstance(event, BlockAnswered) and event.answer == "accepted"
    ]
    assert (told.hash, told.height) == (found.hash_hex, 7)
    assert "a later job builds on it" in told.explanation
    until(lambda: found.hash_hex not in {one.hash_hex for one in bench.journal.waiting})


def test_a_block_of_an_earlier_run(bench: Bench) -> None:
    old = Journal.open_own(bench.folder, "scripted")
    block = solo_block(5, "scripted")
    old.append(block)
    os.close(old._fd)
    old._fd = -1
    bench.run(FakeBackend())
    until(lambda: bench.source.resubmitted)
    bench.source.sink.job(upon("a", block.hash_hex, 6))  # type: ignore[arg-type]
    until(lambda: not bench.engine.journal.earlier.left)
    assert bench.engine.pipeline.rivals.accepted == 0


def test_a_job_on_a_strangers_block_settles_nothing(bench: Bench) -> None:
    bench.source.answer = lambda share: Answer.UNKNOWN
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    bench.source.sink.job(job("other"))
    bench.catch_up()
    assert bench.status.blocks_accepted == 0
