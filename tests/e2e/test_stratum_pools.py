"""Several pools: failover, the way back, redirects, and a storm of reconnects."""

import time
from functools import partial
from typing import Any

import pytest

from miner.errors import ConfigError, SourceRefused
from miner.sources.base import Health
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.work.found import Answer
from tests.e2e.stratum_kit import QUICK, login, pools, source
from tests.fakes.hasher import Hasher
from tests.fakes.pool import Connection, FakePool
from tests.faults import fault


def works_for(miner: Hasher, pool: FakePool) -> bool:
    """Is the newest job of this pool, and may it be hashed?"""
    place = f"127.0.0.1:{pool.port}"
    return bool(miner.jobs) and miner.jobs[-1].source == place and place in miner.ready


def closed_port() -> str:
    with FakePool() as pool:
        return f"127.0.0.1:{pool.port}"


def test_M7_a_refused_primary_fails_over_at_once() -> None:
    started = time.monotonic()
    with FakePool() as backup, Hasher(pools(closed_port(), backup)) as miner:
        miner.wait(partial(works_for, miner, backup))
        assert time.monotonic() - started < 6.0  # 3 s on a machine that is not busy
        miner.accepted(3)
        assert not any(state.fatal for state in miner.states)


def test_M7_a_silent_primary_fails_over_within_its_deadline() -> None:
    with (
        FakePool(seed=1) as primary,
        FakePool(seed=2) as backup,
        Hasher(pools(primary, backup, silence_s=1.0)) as miner,
    ):
        miner.wait(partial(works_for, miner, primary))
        assert backup.connections == []
        started = time.monotonic()
        primary.on["mining.extranonce.subscribe"] = lambda connection, message: None
        primary.on["mining.submit"] = lambda connection, message: None
        primary.on["mining.configure"] = lambda connection, message: None
        primary.on["mining.subscribe"] = lambda connection, message: None
        miner.wait(partial(works_for, miner, backup))
        assert time.monotonic() - started < 5.0


def test_the_work_goes_back_only_after_a_real_job_and_a_while() -> None:
    with FakePool(seed=1) as primary, FakePool(seed=2) as backup:
        give = FakePool._mining_authorize

        def no_job(connection: Connection, message: Any) -> None:
            connection.user = message["params"][0]
            connection.reply(message, True)

        with Hasher(pools(primary, backup, stable_s=1.0)) as miner:
            miner.wait(partial(works_for, miner, primary))
            primary.on["mining.authorize"] = no_job
            primary.drop_all()
            miner.wait(partial(works_for, miner, backup))
            primary.wait(lambda: len(primary.connections) >= 2)
            time.sleep(1.5)
            assert works_for(miner, backup)  # logged in, but no job: nothing to go back to
            primary.on["mining.authorize"] = partial(give, primary)
            primary.drop_all()
            seen = len(primary.connections)
            primary.wait(lambda: len(primary.connections) > seen)
            back = time.monotonic()
            before = len(backup.shares())
            miner.wait(partial(works_for, miner, primary))
            assert time.monotonic() - back > 0.8
            assert len(backup.shares()) > before  # it went on mining meanwhile
        assert primary.shares(accepted=False) == []
        assert backup.shares(accepted=False) == []


def test_nothing_is_hashed_while_no_pool_is_up() -> None:
    with FakePool() as pool, Hasher(pools(pool)) as miner:
        miner.accepted(1)
        pool.on_accept = lambda connection: False
        pool.drop_all()
        miner.wait(lambda: not miner.ready)
        hashed = len(miner.headers)
        time.sleep(0.5)
        assert len(miner.headers) <= hashed + 1
        assert miner.states[-1].health in (Health.DOWN, Health.CONNECTING)
        for connection in pool.live:
            connection.close()


def test_every_pool_refusing_is_fatal_one_is_not() -> None:
    with (
        FakePool(users=set()) as primary,
        FakePool(users=set()) as backup,
        Hasher(pools(primary, backup)) as miner,
    ):
        miner.wait(lambda: any(state.fatal for state in miner.states))
        first = next(index for index, state in enumerate(miner.states) if state.fatal)
        assert isinstance(miner.states[first].fatal, SourceRefused)
        refused = {state.source for state in miner.states if state.health is Health.REFUSED}
        assert len(refused) == 2


def test_half_of_20_shares_rejected_moves_the_work() -> None:
    with FakePool(seed=1) as primary, FakePool(seed=2) as backup:
        primary.on["mining.submit"] = lambda connection, message: connection.reply(
            message, None, [23, "Above target", None]
        )
        with Hasher(pools(primary, backup)) as miner:
            miner.wait(partial(works_for, miner, backup))
            miner.accepted(3)
            time.sleep(1.2)  # longer than `stable_s`: the penalty counts
            assert works_for(miner, backup)
            assert len(miner.answers(Answer.REJECTED)) >= 10


@fault("S32")
def test_a_redirect_to_another_host_is_refused_and_said() -> None:
    with FakePool(seed=1) as pool, FakePool(seed=2) as other:
        with Hasher(source(pool)) as miner:
            miner.accepted(1)
            pool.live[0].call("client.reconnect", "localhost", other.port, 0)
            miner.said(f"refused to go to localhost:{other.port}")
            miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 2)
        assert other.connections == []
        assert len(pool.connections) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "", None])
@fault("S32")
def test_a_redirect_on_the_same_host_is_followed(host: str | None) -> None:
    with FakePool(seed=1) as pool, FakePool(seed=2) as other:
        with Hasher(source(pool)) as miner:
            miner.accepted(1)
            pool.live[0].call("client.reconnect", host, other.port, 0)
            other.wait(lambda: len(other.shares()) >= 2)
        assert other.shares(accepted=False) == []


@fault("S32")
def test_a_redirect_to_an_allowed_host_is_followed() -> None:
    with (
        FakePool(seed=1) as pool,
        FakePool(seed=2) as other,
        Hasher(source(pool, allow_redirect=("LocalHost",))) as miner,
    ):
        miner.accepted(1)
        pool.live[0].call("client.reconnect", "localhost", other.port, 0)
        other.wait(lambda: len(other.shares()) >= 2)


@fault("S33")
def test_a_loop_of_redirects_ends_in_failover() -> None:
    with FakePool(seed=1) as circle, FakePool(seed=2) as backup:

        def round_and_round(connection: Connection, message: Any) -> None:
            connection.reply(message, True)
            connection.call("client.reconnect", "", circle.port, 0)

        circle.on["mining.authorize"] = round_and_round
        with Hasher(pools(circle, backup)) as miner:
            miner.wait(partial(works_for, miner, backup))
            time.sleep(1.0)
            assert works_for(miner, backup)
            assert len(circle.connections) < 40


@fault("S33")
def test_a_wait_is_kept_and_the_backup_mines_meanwhile() -> None:
    with (
        FakePool(seed=1) as pool,
        FakePool(seed=2) as backup,
        Hasher(pools(pool, backup)) as miner,
    ):
        miner.accepted(1)
        pool.live[0].call("client.reconnect", "", pool.port, 1e9)
        miner.said("in 300 s")
        miner.wait(partial(works_for, miner, backup))
        assert len(pool.connections) == 1


@fault("S40")
def test_shares_belong_to_their_pool() -> None:
    """Work moves to and fro; no share of one pool reaches the other."""
    with FakePool(seed=1) as primary, FakePool(seed=2) as backup:
        with Hasher(pools(primary, backup, stable_s=0.2)) as miner:
            for _ in range(4):
                miner.wait(partial(works_for, miner, primary))
                miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 2)
                primary.drop_all(reset=True)
                miner.wait(partial(works_for, miner, backup))
                miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 2)
        for pool in (primary, backup):
            assert pool.shares()
            assert pool.shares(accepted=False) == []


def test_M4_a_short_storm_of_reconnects() -> None:
    """Pools that drop every 0.2 to 0.6 s: nothing is rejected, nothing repeats, work goes on."""
    with FakePool(seed=1, resume=True) as primary, FakePool(seed=2) as backup:
        with Hasher(pools(primary, backup, stable_s=0.3)) as miner:
            miner.accepted(1)
            for index in range(14):
                time.sleep(0.1 + 0.02 * index)
                (primary if index % 3 else backup).drop_all(reset=index % 2 == 0)
            miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 3)
        refused = primary.shares(accepted=False) + backup.shares(accepted=False)
        # Sent again after the answer was lost: the pool has them, so they count.
        assert all(entry.error is not None and entry.error[0] == 22 for entry in refused)
        assert miner.answers(Answer.REJECTED) == []
        assert miner.repeated == 0
        assert len(miner.verdicts) >= len(miner.found)


def test_two_logins_at_one_place_have_two_names() -> None:
    with FakePool() as pool:
        both = pool_source([login(pool, "a"), login(pool, "b")], QUICK)
        assert both.name == f"127.0.0.1:{pool.port}"
        both.stop(0.1)


def test_no_pool_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="no pool"):
        pool_source([], QUICK)


def spoil(pool: FakePool, bad: bytes) -> None:
    """The newest connection gets a bad line with every good one, in one segment, 70 times."""
    pool.live[-1].send(*[bad, {"id": None, "method": "mining.set_difficulty", "params": [1]}] * 70)


@pytest.mark.parametrize("bad", [b"junk\n", b'{"id":1,"id":2}\n'])
@fault("S06")
def test_a_pool_that_mixes_in_bad_lines_is_left_for_another(bad: bytes) -> None:
    with (
        FakePool(seed=1) as primary,
        FakePool(seed=2) as backup,
        Hasher(pools(primary, backup, penalty_s=3.0, alone_s=1.0, stable_s=0.1)) as miner,
    ):
        miner.wait(partial(works_for, miner, primary))
        left = time.monotonic()
        spoil(primary, bad)
        miner.said("more than 60 bad messages in a minute")
        miner.wait(partial(works_for, miner, backup))
        miner.wait(partial(works_for, miner, primary))
        assert time.monotonic() - left >= 3.0
        assert len(primary.connections) == 2


@fault("S06")
def test_the_only_pool_is_tried_again_sooner() -> None:
    with FakePool() as pool, Hasher(pools(pool, penalty_s=60.0, alone_s=0.5)) as miner:
        miner.accepted(1)
        left = time.monotonic()
        spoil(pool, b"junk\n")
        pool.wait(lambda: len(pool.connections) == 2)
        assert time.monotonic() - left >= 0.5
        miner.wait(partial(works_for, miner, pool))


def test_misbehaviour_costs_five_minutes_or_one() -> None:
    assert (PoolOptions().penalty_s, PoolOptions().alone_s) == (300.0, 60.0)
