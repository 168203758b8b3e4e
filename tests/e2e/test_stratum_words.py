"""What the user is told about a pool: pace, time, rejects, the computer's sleep."""

import time
from typing import Any

import pytest

from miner.work.found import Answer
from tests.e2e.stratum_kit import source
from tests.fakes.hasher import Hasher
from tests.fakes.pool import FakePool
from tests.faults import fault


def test_rare_shares_are_announced_and_a_better_difficulty_is_asked_for() -> None:
    rates: list[float | None] = [None]
    with (
        FakePool(difficulty="1000") as pool,
        Hasher(source(pool, rate_hs=lambda: rates[0])) as miner,
    ):
        miner.wait(lambda: miner.ready)
        (connection,) = pool.live
        methods = [message["method"] for message in connection.received]
        assert "mining.suggest_difficulty" not in methods  # no rate is known yet
        rates[0] = 1e6
        text = miner.said("a share takes").text
        assert "71584 min" in text
        pool.wait(lambda: connection.received[-1]["method"] == "mining.suggest_difficulty")
        assert connection.received[-1]["params"] == [pytest.approx(0.00233, rel=0.01)]


def test_a_known_rate_suggests_a_difficulty_at_once() -> None:
    with FakePool() as pool, Hasher(source(pool, rate_hs=lambda: 4295032833.0)) as miner:
        miner.wait(lambda: miner.ready)
        suggested = [
            message["params"]
            for message in pool.connections[0].received
            if message["method"] == "mining.suggest_difficulty"
        ]
        assert suggested == [[10.0]]


@pytest.mark.parametrize("ntime", ["00000000", "20000000", "ffffffff"])
@fault("S46")
def test_odd_block_times_are_told_and_kept(ntime: str) -> None:
    with FakePool() as pool:
        pool.new_job(ntime=ntime)
        with Hasher(source(pool)) as miner:
            miner.said("the pool's block time is")
            miner.accepted(3)
        assert pool.shares(accepted=False) == []
        assert {entry.params[3] for entry in pool.ledger} == {ntime}


@pytest.mark.parametrize(
    "error", [[23, "Above target", None], [22, "Duplicate share", None], "bad-version"]
)
def test_rejects_that_may_be_our_fault_are_told_in_plain_words(error: Any) -> None:
    with FakePool() as pool:
        pool.on["mining.submit"] = lambda connection, message: connection.reply(
            message, None, error
        )
        with Hasher(source(pool)) as miner:
            text = miner.said("share rejected:").text
            assert "our fault" in text or "version bits" in text
            assert miner.answers(Answer.REJECTED)[0].reason != "other"


@fault("P08")
def test_a_jump_of_the_clock_means_a_fresh_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakePool() as pool, Hasher(source(pool)) as miner:
        miner.accepted(1)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
        miner.said("this computer slept", 5.0)
        pool.wait(lambda: len(pool.connections) == 2, 5.0)
        miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 1)
        time.sleep(0.5)
        assert len(pool.connections) == 2


@fault("P12")
def test_hostile_texts_reach_no_screen_unscrubbed() -> None:
    evil = "\x1b]52;c;aGk=\x07\x1b[2J\r\n\u202egpj.exe\u2028" * 50
    with FakePool() as pool:
        pool.new_job(job_id="\x1b[31mred")
        pool.on["mining.submit"] = lambda connection, message: connection.reply(
            message, None, [20, evil, None]
        )
        with Hasher(source(pool)) as miner:
            miner.wait(lambda: miner.ready)
            (connection,) = pool.live
            connection.call("client.show_message", evil)
            connection.call("mining.notify", evil, evil)
            connection.call("client.reconnect", evil, evil, evil)
            connection.call("mining.set_difficulty", evil)
            miner.said("the pool says")
            miner.wait(lambda: miner.verdicts)
            texts = [state.text for state in miner.states]  # each was checked by the sink
            texts += [verdict.explanation for verdict in miner.verdicts]
            assert all(text.isprintable() and len(text) < 400 for text in texts)
