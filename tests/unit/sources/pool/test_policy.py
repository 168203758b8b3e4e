"""Back-off, reject rates, log floods and the queue of shares."""

import random
import time
from dataclasses import replace

import pytest

from miner.protocol.pool import Redirect
from miner.sources.base import Health
from miner.sources.fixed import never_found
from miner.sources.pool.clock import SystemClock
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.policy import Backoff, Ending, Policy, RejectWatch
from miner.sources.pool.queue import MAX_QUEUED, ShareQueue, lost
from miner.sources.pool.report import MAX_KINDS, MAX_OF_A_CLASS, RepeatFilter, Report
from miner.transport.urls import pool_login
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.roll import Roller
from tests.faults import fault


def test_backoff_doubles_to_its_bound_with_full_jitter_and_resets() -> None:
    backoff = Backoff(1.0, 60.0, random.Random(1))
    bounds = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    for _ in range(200):
        delays = [backoff.next_s() for _ in bounds]
        assert all(0.0 <= delay <= bound for delay, bound in zip(delays, bounds, strict=True))
        backoff.reset()
    many = Backoff(1.0, 60.0, random.Random(2))
    longest = [many.next_s() for _ in range(5000)]
    assert max(longest) <= 60.0
    assert min(longest[10:]) < 3.0  # full jitter: short ones come, too


def verdict(answer: Answer) -> Verdict:
    return Verdict("pool", "00", answer, False)


def fed(watch: RejectWatch, answer: Answer, count: int) -> list[str]:
    return [judged for _ in range(count) if (judged := watch.add(verdict(answer)))]


def test_a_tenth_of_rejects_warns_once_and_half_fails() -> None:
    watch = RejectWatch()
    assert fed(watch, Answer.ACCEPTED, 30) == []
    assert fed(watch, Answer.REJECTED, 1) == []
    assert fed(watch, Answer.REJECTED, 1) == ["warn"]
    assert fed(watch, Answer.REJECTED, 7) == []
    assert fed(watch, Answer.REJECTED, 1) == ["fail"]
    assert fed(watch, Answer.REJECTED, 19) == []  # counted anew
    assert fed(watch, Answer.REJECTED, 1) == ["fail"]


def test_stale_and_unanswered_shares_are_nobodys_fault() -> None:
    watch = RejectWatch()
    assert fed(watch, Answer.STALE, 50) + fed(watch, Answer.UNKNOWN, 50) == []


def test_each_kind_of_message_is_said_once_and_kinds_are_bounded() -> None:
    repeats = RepeatFilter()
    assert [repeats.is_new("a"), repeats.is_new("a"), repeats.is_new("b")] == [True, False, True]
    assert sum(repeats.is_new(str(kind)) for kind in range(1000)) == MAX_KINDS - 2


@fault("S32")
def test_a_flood_of_one_class_keeps_no_other_out() -> None:
    """A pool that sends 1,000 difficulties must not mute "refused to go to another host"."""
    repeats = RepeatFilter()
    assert sum(repeats.is_new(f"pace {seconds}") for seconds in range(1000)) == MAX_OF_A_CLASS
    assert sum(repeats.is_new(f"bad method {name}") for name in range(1000)) == MAX_OF_A_CLASS
    assert repeats.is_new("redirect")


def block(number: int) -> FoundBlock:
    return FoundBlock("pool", f"{number:064x}", None, bytes(80), "stratum", "{}")


def solved(share_target: int, network_target: int) -> Share:
    job = replace(never_found(), share_target=share_target, network_target=network_target)
    unit = Roller(job).next(1, 0.0)
    assert unit is not None
    return next(filter(None, (Share.from_hit(unit, job.version, n) for n in range(1000))))


@fault("S56")
def test_a_full_queue_never_drops_a_block() -> None:
    queue = ShareQueue()
    assert all(queue.put(block(number)) is None for number in range(MAX_QUEUED + 10))
    assert len(queue) == MAX_QUEUED + 10
    first = queue.take()
    assert first is not None
    assert first.hash_hex == f"{0:064x}"


@fault("S56")
def test_a_new_block_overtakes_old_ones_and_shares() -> None:
    """A journal of 100,000 blocks is sent again at every start: a fresh one must not wait."""
    queue = ShareQueue()
    began = time.process_time()
    for number in range(100_000):
        queue.put(block(number))
    shares = [solved(share_target=2**255, network_target=1) for _ in range(2)]
    found = solved(share_target=2**255, network_target=2**255)
    for share in (*shares, found):
        assert queue.put(share) is None
    assert queue.take() is found
    assert queue.take() == block(0)
    for _ in range(100_000 - 1):
        queue.take()
    assert [queue.take(), queue.take(), queue.take()] == [*shares, None]
    assert time.process_time() - began < 10.0  # it was minutes, growing with the square


@fault("S56")
def test_too_many_shares_cost_the_oldest_ones() -> None:
    queue = ShareQueue()
    shares = [solved(share_target=2**255, network_target=1) for _ in range(MAX_QUEUED + 3)]
    dropped = [queue.put(share) for share in shares]
    assert [share for share in dropped if share is not None] == shares[:3]
    assert len(queue) == MAX_QUEUED


@pytest.mark.parametrize("why", ["its pool session is over"])
def test_what_is_lost_is_unknown_and_not_final(why: str) -> None:
    told = lost("pool", block(7), why)
    assert (told.answer, told.is_block, told.explanation) == (Answer.UNKNOWN, True, why)
    assert not told.final


def test_the_computers_clock_notices_a_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    assert not clock.slept()
    before = clock.wall(), clock.monotonic()
    monkeypatch.setattr(time, "time", lambda: before[0] + 3600.0)
    assert clock.wall() == before[0] + 3600.0
    assert clock.monotonic() >= before[1]
    assert clock.slept()
    assert not clock.slept()  # said once


def test_a_report_without_a_listener_is_lost() -> None:
    report = Report("pool")
    report.say("kind", "a line")
    report.verdict(verdict(Answer.ACCEPTED))
    report.job(never_found())
    assert report.health is Health.DOWN


def test_a_pool_with_a_key_may_send_us_anywhere_since_the_key_stays() -> None:
    key = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"
    for url, follows in (
        (f"stratum2+tcp://a.example:1/{key}", True),
        ("stratum2+tcp://a.example:1", False),
        ("stratum+ssl://a.example:1", False),
    ):
        made = Policy("a", pool_login(url, "u"), PoolOptions(), random.Random(1))
        answer = made.redirected(Redirect("elsewhere.example", 2, 0.0))
        assert isinstance(answer, Ending) is follows
        if isinstance(answer, Ending) and answer.redirect is not None:
            place, _ = answer.redirect
            assert (place.host, place.port) == ("elsewhere.example", 2)
            assert place.authority == made.place.authority is not None
