"""At the end every share found is in exactly one counter, whatever happened to it."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.state.snapshot import Snapshot
from miner.work.found import Answer, Share
from tests.e2e.stratum_kit import pools
from tests.fakes.backend import FakeBackend
from tests.fakes.engine import EASY, NEVER, Bench, bench_in, job, until
from tests.fakes.pool import Connection, FakePool


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


def counted(snapshot: Snapshot) -> int:
    """The sum of all counters a share may end in; each reason of a reject once."""
    now = snapshot.shares
    assert sum(count for _, count in now.rejected_reasons) == now.rejected
    answered = now.accepted + now.rejected + now.stale + now.unknown + now.pending
    return answered + now.dropped + now.surplus + now.not_sent


@pytest.mark.parametrize("solo", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_each_share_is_counted_once_whatever_is_answered(
    bench: Bench, solo: bool, seed: int
) -> None:
    """Answers at random, at once or never, under new jobs, until a stop in the midst of it."""
    dice = random.Random(f"{solo} {seed}")
    late: list[Share] = []

    def answer(share: Share) -> Answer | None:
        if late and dice.random() < 0.3:
            bench.source.say(late.pop(), dice.choice(list(Answer)))
        if dice.random() < 0.3:
            late.append(share)
            return None
        return dice.choice(list(Answer))

    bench.source.answer = answer
    bench.run(FakeBackend(), FakeBackend("two"))
    for number in range(12):
        network = dice.choice((EASY, 2**248, NEVER))
        new = job(
            str(number), share_target=EASY, network_target=network, height=number,
            one_block_per_parent=solo,
        )  # fmt: skip
        bench.source.sink.job(new)
        time.sleep(0.03)
    bench.engine.stop()
    now = bench.engine.snapshot()
    assert now.shares.found > 100
    assert counted(now) == now.shares.found


def test_a_second_answer_long_after_the_first_counts_nothing(bench: Bench) -> None:
    bench.source.kind, bench.source.answer = "stratum", lambda share: Answer.UNKNOWN
    bench.run(FakeBackend())
    bench.source.sink.job(job(share_target=EASY, network_target=NEVER))
    until(lambda: len(bench.source.submitted) > 1000)
    bench.source.say(bench.source.submitted[0], Answer.ACCEPTED)
    bench.engine.stop()
    now = bench.engine.snapshot()
    assert counted(now) == now.shares.found
    assert now.shares.accepted == 0


def reject_some(connection: Connection, message: Any) -> None:
    """Half of them, in batches: what ends a session comes in the midst of other answers."""
    good = connection.pool.dice.random() < 0.5
    connection.reply(message, good or None, None if good else [23, "Low difficulty share", None])


@pytest.mark.parametrize("fault", ["none", "half rejected", "reset", "silent", "two pools"])
def test_each_share_is_counted_once_with_a_pool(bench: Bench, fault: str) -> None:
    """A flood over loopback; the stop comes in its midst and takes at most 3 s."""
    with FakePool(difficulty="2e-9") as pool, FakePool(difficulty="2e-9") as other:
        if fault == "half rejected":
            pool.on["mining.submit"] = other.on["mining.submit"] = reject_some
        if fault == "silent":
            pool.on["mining.submit"] = lambda connection, message: None
        places = (pool, other) if fault == "two pools" else (pool,)
        source = pools(*places, answer_s=1.0)
        engine = bench.over(source, FakeBackend(most_nonces=100_000), FakeBackend("two"))
        until(lambda: engine.snapshot().shares.found > 500)
        if fault in ("reset", "two pools"):
            for connection in pool.live:
                connection.close(reset=True)
            found = engine.snapshot().shares.found
            until(lambda: engine.snapshot().shares.found > found + 200)
        began = time.monotonic()
        engine.stop()
        assert time.monotonic() - began < 3.0
    now = engine.snapshot()
    assert counted(now) == now.shares.found
