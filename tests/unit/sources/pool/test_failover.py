"""Who has the work: sources that are told what to say, and a clock that is told the time."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from miner.errors import ConfigError, SourceRefused
from miner.sources.base import Health, SourceState
from miner.sources.pool import protocols
from miner.sources.pool.failover import Failover, PoolSlot
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.sources.pool.wish import Wish
from miner.transport.urls import PoolLogin
from miner.work.found import Answer, FoundBlock, Verdict
from tests.faults import fault
from tests.unit.protocol.stratum_lines import jobs, notify, share_of, subscribed
from tests.unit.sources.pool.kit import Log, login
from tests.unit.sources.pool.members import TIMES, FakeMember, Rig


def sources_of(log: Log) -> list[str]:
    return [job.source for job in log.jobs]


def test_the_first_mines_and_the_others_are_not_even_connected() -> None:
    rig = Rig()
    rig["a"].says(Health.CONNECTING)
    assert rig.failover.name == "a"
    rig["a"].works()
    rig.later(1.0)
    assert (sources_of(rig.log), rig.opened(), rig["a"].standby) == (["a"], "a", False)
    rig["a"].works("c0")
    assert [job.job_id for job in rig.log.jobs] == ["bf", "c0"]
    assert rig.log.healths()[-1] is Health.READY


def test_the_next_is_connected_when_every_better_one_has_failed() -> None:
    rig = Rig()
    rig["a"].says(Health.CONNECTING)
    rig.later(1.0)
    assert rig.opened() == "a"
    rig["a"].says(Health.DOWN, "refused")
    assert rig.opened() == "ab"
    rig["b"].says(Health.WAITING)
    rig.later(1.0)
    assert rig.opened() == "ab"  # it may yet come
    rig["b"].says(Health.DOWN)
    assert rig.opened() == "abc"
    rig["c"].says(Health.DOWN)
    rig.later(1.0)
    assert rig.opened() == "abc"
    rig["c"].works()
    assert rig.failover.name == "c"
    assert (rig["a"].standby, rig["b"].standby, rig["c"].standby) == (True, True, False)


def test_the_work_goes_back_to_a_better_one_only_after_a_while() -> None:
    rig = Rig("ab")
    rig["a"].says(Health.DOWN)
    rig["b"].works()
    rig["a"].says(Health.READY)  # but without a job
    rig.later(100.0)
    assert rig.failover.name == "b"
    rig["a"].says(Health.DOWN)
    rig["a"].works()
    rig.later(59.0)
    assert rig.failover.name == "b"
    rig.later(1.0)
    assert rig.failover.name == "a"
    assert sources_of(rig.log) == ["b", "a"]
    standby = rig.log.said("standby; the work goes to a")
    assert [(state.source, state.health) for state in standby] == [("b", Health.WAITING)]
    assert rig.log.states[-1] == SourceState("a", Health.READY, "mining")  # the screen: the newest


def test_a_worse_one_takes_over_at_once_when_the_better_one_fails() -> None:
    rig = Rig("ab")
    rig["a"].says(Health.DOWN)
    rig["b"].works()
    rig["a"].works()
    rig.later(60.0)
    assert rig.failover.name == "a"
    rig["a"].says(Health.DOWN, "it broke")
    assert rig.failover.name == "b"
    assert rig.log.said("it broke")


def test_when_none_is_up_the_engine_hears_of_each() -> None:
    rig = Rig("ab")
    rig["a"].works()
    rig["a"].says(Health.DOWN, "gone")
    rig["b"].says(Health.CONNECTING, "trying")
    assert [state.text for state in rig.log.states[-2:]] == ["gone", "trying"]
    assert rig.failover.name == "a"  # the first, when nobody has the work
    assert not rig["b"].standby


def test_what_is_on_standby_is_not_told_but_for_a_new_refusal() -> None:
    rig = Rig("ab")
    rig["a"].says(Health.DOWN)
    rig["b"].works()
    told = len(rig.log.states)
    rig["a"].says(Health.CONNECTING)
    rig["a"].says(Health.DOWN)
    assert len(rig.log.states) == told
    refusal = SourceRefused("no such user")
    rig["a"].says(Health.REFUSED, "no such user", refusal)
    rig["a"].says(Health.REFUSED, "no such user", refusal)
    assert [state.text for state in rig.log.states[told:]] == ["no such user", "mining"]
    assert rig.log.states[told].fatal is None


def test_refusals_are_fatal_when_every_source_refuses() -> None:
    rig = Rig("ab")
    refusal = SourceRefused("no such user")
    rig["a"].says(Health.REFUSED, "no", refusal)
    assert rig.log.states[-1].fatal is None
    rig["b"].says(Health.REFUSED, "no", refusal)
    assert rig.log.states[-1].fatal is refusal


# --- rejects and penalties -------------------------------------------------------------------


def test_half_of_20_shares_rejected_moves_the_work_for_five_minutes() -> None:
    rig = Rig("ab")
    rig["a"].works()
    rig["a"].answers(Answer.ACCEPTED, 10)
    rig["a"].answers(Answer.REJECTED, 10)
    assert rig.opened() == "ab"
    assert rig.failover.name == "a"  # better than none
    rig["b"].works()
    assert rig.failover.name == "b"
    rig.later(299.0)
    assert rig.failover.name == "b"
    rig.later(1.0)
    assert rig.failover.name == "a"
    assert len(rig.log.verdicts) == 20


def test_of_several_penalised_the_best_goes_on() -> None:
    rig = Rig("ab")
    rig["a"].works()
    rig["a"].answers(Answer.REJECTED, 20)
    rig["b"].works()
    rig["b"].answers(Answer.REJECTED, 20)
    rig.later(1.0)
    assert rig.failover.name == "b"  # both guilty: it stays, until the better one held long enough
    rig.later(60.0)
    assert rig.failover.name == "a"


# --- shares and blocks -----------------------------------------------------------------------


@fault("S40")
def test_shares_go_to_the_pool_of_their_job() -> None:
    rig = Rig("ab")
    first = rig["a"].works()
    rig["a"].says(Health.DOWN)
    second = rig["b"].works()
    old, new = share_of(first), share_of(second)
    rig.failover.submit(old)
    rig.failover.submit(new)
    assert (rig["a"].shares, rig["b"].shares) == ([old], [new])
    assert rig.failover.pack(old).source == "a"
    assert rig.failover.pack(new).source == "b"


def test_what_a_disconnected_pool_had_is_lost_and_can_still_be_packed() -> None:
    rig = Rig("ab")
    rig["a"].says(Health.DOWN)
    late = share_of(rig["b"].works())
    rig["a"].works()
    rig.later(60.0)
    rig.later(300.0)
    assert rig["b"].stopped == [2.0]
    rig.failover.submit(late)
    (verdict,) = rig.log.verdicts
    assert (verdict.source, verdict.answer) == ("b", Answer.UNKNOWN)
    assert verdict.explanation == "its pool is not connected any more"
    assert rig.failover.pack(late).source == "b"
    rig["a"].says(Health.DOWN)
    assert len(rig.made["b"]) == 2  # opened anew in need


def test_nothing_is_disconnected_while_the_work_may_yet_move() -> None:
    rig = Rig("abc")
    rig["a"].says(Health.DOWN)
    rig["b"].works()
    rig.later(299.0)
    assert not rig["a"].stopped
    rig["a"].says(Health.DOWN)
    rig.later(1.0)
    assert not rig["a"].stopped  # it is better: always tried
    none = Rig("ab")
    none.later(400.0)
    assert not none["a"].stopped


def test_a_block_is_offered_where_it_is_in_force_else_kept() -> None:
    rig = Rig("ab")
    rig["a"].says(Health.DOWN)
    block = FoundBlock("x:1", "ab" * 32, 7, bytes(80), "stratum", "{}", "0a")
    rig.failover.send(block)
    (verdict,) = rig.log.verdicts
    assert verdict.answer is Answer.PENDING
    assert verdict.explanation == "it needs pool x:1 to give extranonce1 0a again"
    rig["b"].in_force = {"0a"}
    rig.failover.send(block)
    assert (rig["a"].blocks, rig["b"].blocks) == ([], [block])
    rig.failover.send(replace(block, kind="gbt", context=""))
    assert rig.log.verdicts[-1].explanation == "it is a whole block: start with --node on its chain"


def test_a_share_before_any_source_is_lost_and_cannot_be_packed() -> None:
    rig = Rig("ab", begin=False)
    share = share_of(jobs(subscribed().receive(notify(), 0.0))[0])
    rig.failover.submit(share)  # to nobody: no sink yet
    with pytest.raises(ValueError, match="gave no work"):
        rig.failover.pack(share)


# --- trouble, start and stop -----------------------------------------------------------------


def test_a_source_that_cannot_be_opened_now_is_tried_later() -> None:
    rig = Rig("ab", begin=False)
    rig.trouble["a"] = OSError(24, "Too many open files")
    rig.failover.begin(rig.log)
    assert rig.log.said("cannot be tried now: [Errno 24] Too many open files")
    rig.failover.tick()
    assert len(rig.log.states) == 1  # said once
    assert rig.opened() == ""
    rig.trouble.clear()
    rig.failover.tick()
    assert rig.opened() == "a"


def test_a_stop_reaches_all_that_are_open_and_ends_the_choice() -> None:
    rig = Rig("ab")
    rig["a"].works()
    rig["a"].says(Health.DOWN)
    rig["b"].works()
    rig.failover.stop(1.5)
    assert rig["a"].stopped == rig["b"].stopped == [1.5]
    assert rig["a"].joined
    rig["b"].says(Health.DOWN)
    assert rig.failover.name == "b"  # nothing is chosen any more


def test_its_own_thread_ticks_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("a", begin=False)
    ticked = threading.Event()
    monkeypatch.setattr("miner.sources.pool.failover.TICK_S", 0.001)
    monkeypatch.setattr(rig.failover, "tick", ticked.set)
    rig.failover.start(rig.log)
    assert ticked.wait(20.0)
    rig.failover.stop(5.0)
    assert not any(thread.name == "pools" for thread in threading.enumerate())


def test_no_source_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="no pool given"):
        Failover([], TIMES)


def test_before_the_start_nobody_is_told() -> None:
    rig = Rig("ab", begin=False)
    slot = PoolSlot("z", lambda: FakeMember("z"))
    rig.failover.slot_verdict(slot, Verdict("z", "00", Answer.ACCEPTED, False))
    rig.failover.slot_state(slot, SourceState("z", Health.DOWN, "down"))
    job = jobs(subscribed().receive(notify(), 0.0))[0]
    rig.failover.slot_job(slot, job)
    rig.failover.slot_state(slot, SourceState("z", Health.READY, "mining"))
    assert rig.failover.name == "a"
    assert rig.log.states == []


# --- made from options -----------------------------------------------------------------------


def test_pools_are_checked_before_anything_is_opened() -> None:
    source = pool_source([login(), login("stratum+ssl://b.example:2")], PoolOptions())
    assert source.name == "pool.example:3333"
    source.stop(0.0)
    long = replace(login(), user="u" * 300)
    with pytest.raises(ConfigError, match="user name is longer"):
        pool_source([login(), long], PoolOptions())
    with pytest.raises(ConfigError, match="no pool given"):
        pool_source([], PoolOptions())


def test_any_protocol_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one needs a name in PROTOCOLS, and nothing else here."""
    asked: list[Any] = []

    def other(wish: Wish, left: Any) -> Any:
        asked.append((wish.name, wish.number, left))

    pool = PoolLogin(replace(login().url, protocol="other"), "u")
    monkeypatch.setattr(protocols, "PROTOCOLS", {"other": other})
    protocols.open_session(Wish("x", pool, PoolOptions(), number=3))
    assert asked == [("x", 3, None)]
