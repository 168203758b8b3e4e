"""One pool over loopback: work, shares, faults. Every share is judged by the fake pool's code."""

import json
import threading
import time
from functools import partial
from typing import Any

import pytest

from miner.sources.base import Health
from miner.sources.pool.connection import PoolConnection
from miner.sources.pool.queue import MAX_QUEUED
from miner.work.found import Answer, Share
from miner.work.unit import build_unit
from tests.e2e.stratum_kit import CANARY, source
from tests.fakes.hasher import Hasher
from tests.fakes.pool import Connection, FakePool
from tests.faults import fault


def clean_ledger(pool: FakePool) -> None:
    """Every share was accepted, and good by both rebuild rules."""
    assert pool.shares(accepted=False) == []
    assert all(entry.headers[0] == entry.headers[1] for entry in pool.ledger)


def masked(miner: Hasher, mask: int) -> bool:
    return miner.jobs[-1].version_mask == mask


def connected(pool: FakePool, count: int) -> bool:
    return len(pool.connections) >= count


@pytest.mark.parametrize("mask", [0x1FFFE000, 0x18000000, 0x00002000, 0, None])
@pytest.mark.parametrize("version", ["20000000", "3fffe004"])
def test_shares_are_accepted_whatever_the_mask(mask: int | None, version: str) -> None:
    with FakePool(mask=mask, version=version) as pool, Hasher(source(pool)) as miner:
        miner.accepted(12)
        clean_ledger(pool)
        assert miner.repeated == 0
        lengths = {len(entry.params) for entry in pool.ledger}
        assert lengths == {5 if mask is None else 6}


@pytest.mark.parametrize("difficulty", ["0.9999847e-7", "1e-6", "0.00000033333333333333333"])
@fault("S11")
def test_shares_of_odd_difficulties_arrive(difficulty: str) -> None:
    with FakePool(difficulty=difficulty) as pool, Hasher(source(pool)) as miner:
        miner.accepted(5, 20.0)
        clean_ledger(pool)


@pytest.mark.parametrize("size", [0, 1, 2, 8, 32])
@fault("S14")
def test_small_extranonces_are_used_up_and_nothing_repeats(size: int) -> None:
    with FakePool(extranonce2_size=size, mask=0x6000, difficulty="1e-8") as pool:
        with Hasher(source(pool), pause_s=0.0005) as miner:
            miner.accepted(3, 20.0)
            if size <= 1:  # 256 * 4 versions are gone at once; then time rolls
                miner.wait(lambda: len({p[68:72] for p in miner.headers}) > 1, 5.0)
                assert max(int.from_bytes(p[68:72], "little") for p in miner.headers) <= time.time()
        clean_ledger(pool)
        assert miner.repeated == 0


@fault("S12")
def test_a_share_of_an_older_job_keeps_its_difficulty() -> None:
    with FakePool(difficulty="1e-7") as pool, Hasher(source(pool)) as miner:
        miner.accepted(3)
        (connection,) = pool.live
        for difficulty in ("1e-6", "2e-8", "5e-7", "1e-7"):
            connection.set_difficulty(difficulty)
            time.sleep(0.05)
            pool.notify()
            time.sleep(0.1)
        connection.set_difficulty("1e-3")  # binds to a job that never comes
        before = len(miner.answers(Answer.ACCEPTED))
        miner.accepted(before + 5)
        clean_ledger(pool)


@fault("S42")
def test_masks_change_under_way() -> None:
    with FakePool() as pool, Hasher(source(pool)) as miner:
        miner.accepted(3)
        (connection,) = pool.live
        for mask in (0x00006000, 0x1FFFE000, 0, 0x10000000):
            for job_id, job in list(connection.jobs.items()):  # what a pool holds its jobs to
                connection.jobs[job_id] = type(job)(
                    job.fields, job.extranonce1, job.size, job.target, 0x1FFFE000
                )
            connection.call("mining.set_version_mask", f"{mask:08x}")
            miner.wait(partial(masked, miner, mask))
            before = len(miner.answers(Answer.ACCEPTED))
            miner.accepted(before + 3)
        clean_ledger(pool)
        assert miner.repeated == 0


@fault("S26")
def test_jobs_before_every_reply() -> None:
    with FakePool() as pool:

        def eager(connection: Connection, message: Any) -> None:
            connection.set_difficulty("1e-7")
            connection.give(pool.job)
            pool._mining_subscribe(connection, message)

        pool.on["mining.subscribe"] = eager

        def login(connection: Connection, message: Any) -> None:
            connection.user = message["params"][0]
            connection.reply(message, True)

        pool.on["mining.authorize"] = login
        with Hasher(source(pool)) as miner:
            miner.accepted(3)
        clean_ledger(pool)


@pytest.mark.parametrize("how", ["hang up", "error", "silence"])
def test_a_pool_without_mining_configure(how: str) -> None:
    def refuse(connection: Connection, message: Any) -> None:
        if how == "hang up":
            connection.close()
        elif how == "error":
            connection.reply(message, None, [20, "Unknown method", None])

    with FakePool(mask=None) as pool:
        pool.on["mining.configure"] = refuse
        with Hasher(source(pool)) as miner:
            miner.accepted(3)
        clean_ledger(pool)
        assert len(pool.connections) == (2 if how == "hang up" else 1)


@fault("S30")
def test_a_storm_of_clean_jobs_is_coalesced() -> None:
    with FakePool() as pool, Hasher(source(pool)) as miner:
        miner.accepted(1)
        (connection,) = pool.live
        fields = [pool.new_job(tip=True) for _ in range(2000)]
        for job in fields:
            connection.jobs[job[0]] = connection.jobs[next(iter(connection.jobs))]
        lines = [{"id": None, "method": "mining.notify", "params": job} for job in fields]
        connection.send(*lines[:-1])
        connection.give(fields[-1])
        miner.wait(lambda: miner.jobs[-1].job_id == fields[-1][0])
        before = len(pool.shares())
        miner.wait(lambda: len(pool.shares()) > before + 2)
        assert all(job.clean for job in miner.jobs[1:])


@fault("S39")
def test_a_reset_while_submitting_loses_nothing_in_a_resumed_session() -> None:
    with FakePool(resume=True) as pool:
        judge_share = pool._mining_submit
        resets = iter([True, False, True])

        def reset(connection: Connection, message: Any) -> None:
            if next(resets, False):
                connection.close(reset=True)
            else:
                judge_share(connection, message)

        pool.on["mining.submit"] = reset
        with Hasher(source(pool)) as miner:
            miner.wait(lambda: len(pool.connections) >= 3)
            miner.accepted(10)
        assert len({job.session for job in miner.jobs}) == 1
        # A reset may swallow the answer of a share before it: sent again, it is a duplicate.
        assert all(one.error and one.error[0] == 22 for one in pool.shares(accepted=False))
        assert miner.answers(Answer.UNKNOWN) == []  # all were sent again and answered
        assert miner.repeated == 0


@fault("S40")
def test_a_restarted_pool_gets_nothing_of_the_session_before() -> None:
    rounds = 12
    with FakePool() as pool, Hasher(source(pool)) as miner:
        for number in range(1, rounds + 1):
            before = len(miner.answers(Answer.ACCEPTED))
            miner.accepted(before + 2)
            pool.jobs_made = 0  # the same job ids again
            pool.new_job()
            pool.drop_all(reset=number % 2 == 0)
            pool.wait(partial(connected, pool, number + 1))
        miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 1)
        clean_ledger(pool)  # a share of session A in B would be "Above target"
        assert len({job.session for job in miner.jobs}) == rounds + 1


@fault("S56")
def test_a_flood_of_shares_keeps_blocks_and_is_bounded() -> None:
    with FakePool() as pool, Hasher(quiet := source(pool), pause_s=10.0) as miner:
        miner.wait(lambda: miner.ready)
        pool.on["mining.submit"] = lambda connection, message: None
        job = miner.jobs[-1]
        (connection,) = pool.live
        shares = [a_share(job, nonce, block=nonce == 3) for nonce in range(3000)]
        pool.on_accept = lambda connection: False  # and says nothing: shares can only wait
        connection.close()
        pool.wait(lambda: connected(pool, 2))
        for share in shares:
            quiet.submit(share)
        lost = [verdict.hash_hex for verdict in miner.verdicts if "faster" in verdict.explanation]
        others = [share.hash_hex for share in shares if not share.is_block]
        assert lost == others[:-MAX_QUEUED]  # the oldest, and no block


def a_share(job: Any, nonce: int, block: bool = False) -> Share:
    """A share with a made-up hash: only the bookkeeping is under test."""
    unit = build_unit(job, (job.version,), bytes(job.merkle.extranonce2_size), job.ntime)
    value = (1 if block else 2**250) + nonce
    return Share(
        unit, job.version, nonce, unit.header(job.version, nonce), value.to_bytes(32, "little")
    )


@fault("S36")
def test_accepted_then_silent_is_one_budget() -> None:
    with FakePool() as pool:
        pool.on_accept = lambda connection: False
        started = time.monotonic()
        with Hasher(source(pool, handshake_s=0.5)) as miner:
            miner.said("no answer to mining.subscribe in time", 8.0)
            assert time.monotonic() - started < 5.0


@fault("S37")
def test_a_pool_that_falls_silent_is_probed_then_left() -> None:
    with FakePool() as pool, Hasher(source(pool, silence_s=1.0), pause_s=10.0) as miner:
        miner.wait(lambda: miner.ready)
        pool.on["mining.extranonce.subscribe"] = lambda connection, message: None
        miner.said("the pool is silent", 4.0)
        first = pool.connections[0]
        probes = [m for m in first.received if m["method"] == "mining.extranonce.subscribe"]
        assert len(probes) == 2  # the handshake's and the probe
        pool.wait(lambda: len(pool.connections) >= 2)


@fault("S37")
def test_a_probe_that_is_answered_keeps_the_connection() -> None:
    with FakePool() as pool, Hasher(source(pool, silence_s=0.6), pause_s=10.0) as miner:
        miner.wait(lambda: miner.ready)
        time.sleep(2.0)
        assert len(pool.connections) == 1


@fault("S38")
def test_one_byte_at_a_time_is_silence() -> None:
    with FakePool() as pool, Hasher(source(pool, silence_s=1.0), pause_s=10.0) as miner:
        miner.wait(lambda: miner.ready)
        pool.on["mining.extranonce.subscribe"] = lambda connection, message: None
        (connection,) = pool.live
        line = json.dumps({"id": None, "method": "mining.notify", "params": pool.job}).encode()
        for index in range(40):
            connection.send(line[index : index + 1])
            time.sleep(0.05)
            if not connection.open or len(pool.connections) > 1:
                break
        miner.said("the pool is silent", 3.0)


@fault("S06")
def test_ten_lines_of_junk_make_the_miner_come_back() -> None:
    with FakePool() as pool, Hasher(source(pool)) as miner:
        miner.accepted(1)
        pool.live[0].send(b"\x00\xff\n" * 10)
        pool.wait(lambda: len(pool.connections) == 2)
        miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 1)
        assert len([s for s in miner.states if s.text.startswith("ignored:")]) <= 2


def test_a_wrong_user_is_refused_with_the_pools_words_and_no_hammering() -> None:
    with FakePool(users={"bob"}) as pool:
        with Hasher(source(pool, least_delay_s=5.0, most_delay_s=5.0)) as miner:
            state = miner.said("unknown user (24)")
        assert state.health is Health.REFUSED
        assert state.fatal is not None
        assert state.fatal.exit_code == 5  # type: ignore[attr-defined]
        assert "next try" not in state.text
        assert CANARY not in state.text + repr(state)
        assert len(pool.connections) <= 2


@pytest.mark.parametrize("how", ["false", "null", "error", "extranonce"])
def test_a_pool_that_took_us_once_is_asked_again_when_it_refuses(how: str) -> None:
    """Its login service is down for a minute: hours of mining do not end for that."""
    with FakePool() as pool, Hasher(source(pool)) as miner:
        miner.accepted(1)
        refuse: dict[str, Any] = {
            "false": lambda c, m: c.reply(m, False),
            "null": lambda c, m: c.reply(m, None),
            "error": lambda c, m: c.reply(m, None, [20, "database is down", None]),
            "extranonce": lambda c, m: c.reply(m, [[], "zz", 4]),
        }
        pool.on["mining.subscribe" if how == "extranonce" else "mining.authorize"] = refuse[how]
        pool.drop_all()
        pool.wait(lambda: connected(pool, 4))
        pool.on.clear()
        miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 1)
    assert not any(state.fatal for state in miner.states)
    assert any(
        state.health is Health.REFUSED and "next try" in state.text for state in miner.states
    )


def test_retries_end_in_an_error_with_exit_code_6() -> None:
    with FakePool() as pool:
        port = pool.port
    with Hasher(source(f"127.0.0.1:{port}", retries=2)) as miner:
        miner.wait(lambda: any(state.fatal for state in miner.states))
        fatal = next(state.fatal for state in miner.states if state.fatal)
        assert fatal.exit_code == 6  # type: ignore[attr-defined]
        assert "refused" in str(fatal)


def test_stop_waits_for_open_submits_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with FakePool() as pool:
        slow = pool._mining_submit

        def later(connection: Connection, message: Any) -> None:
            time.sleep(0.02)
            slow(connection, message)

        pool.on["mining.submit"] = later
        with Hasher(source(pool)) as miner:
            miner.accepted(2)
        assert len(miner.verdicts) == len(miner.found)
        assert miner.answers(Answer.UNKNOWN) == []
    assert threading.active_count() <= before + 1


def test_a_found_block_is_packed_and_can_be_sent_again() -> None:
    with FakePool(nbits="207fffff", difficulty="1e-9") as pool:
        miner_source: PoolConnection = source(pool)
        with Hasher(miner_source) as miner:
            miner.accepted(2)
            share = miner.found[0]
            assert share.is_block
            assert any(v.is_block for v in miner.answers(Answer.ACCEPTED))
            block = miner_source.pack(share)
            assert (block.kind, block.hash_hex) == ("stratum", share.hash_hex)
            assert block.context == share.unit.job.coinbase.extranonce1.hex()
            assert CANARY not in repr(block)
            miner_source.send(block.again)
            miner.wait(lambda: any(v.reason == "duplicate" for v in miner.verdicts))
            foreign = type(block)(
                **{**{s: getattr(block, s) for s in block.__slots__}, "context": "ffff"}
            )
            miner_source.send(foreign.again)
            miner.wait(lambda: any("session is over" in v.explanation for v in miner.verdicts))


def test_nothing_the_miner_sent_shows_the_password_twice() -> None:
    with FakePool() as pool, Hasher(source(pool)) as miner:
        miner.accepted(1)
        texts = [json.dumps(message) for message in pool.connections[0].received]
        assert sum(CANARY in text for text in texts) == 1  # mining.authorize alone
        assert not any(CANARY in state.text for state in miner.states)
