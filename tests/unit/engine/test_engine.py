"""Jobs, blocks and goals: the engine with a scripted source. Faults B19, G25, G26."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from miner.backends.base import Scannable, ScanResult
from miner.engine.goal import Goal
from miner.engine.worker import Finding
from miner.work.found import Answer, Share
from tests.fakes.backend import FakeBackend, find, is_work
from tests.fakes.engine import EASY, NEVER, SHARES, Bench, bench_in, job, until
from tests.faults import fault


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


def test_a_block_is_durable_before_it_is_sent_and_settled_after(bench: Bench) -> None:
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))
    bench.source.sink.job(job())
    assert engine.done.wait(20)
    assert bench.source.durable_at_submit == [True]
    assert engine.error is None
    until(lambda: bench.journal.waiting == ())
    assert bench.status.blocks_accepted == 1
    assert engine.pipeline.rivals.accepted == 1
    assert [event.kind for event in bench.events if event.kind in ("found", "block")] == [
        "found",
        "block",
    ]


def test_what_is_journalled_is_what_is_sent(bench: Bench) -> None:
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.sent)
    assert bench.journal.waiting[0] is bench.source.sent[0]


def test_goals_are_exact_with_two_workers_and_instant_jobs(bench: Bench) -> None:
    """The next template may come before the verdict; still no block too many."""
    numbers = iter(range(1000))

    def next_job_first(share: Share) -> Answer:
        bench.source.sink.job(job(f"n{next(numbers)}"))
        time.sleep(0.002)
        return Answer.ACCEPTED

    bench.source.answer = next_job_first
    engine = bench.run(FakeBackend("one"), FakeBackend("two"), goals=(Goal(12, "blocks"),))
    bench.source.sink.job(job())
    assert engine.done.wait(20)
    time.sleep(0.1)
    assert len(bench.source.submitted) == 12
    assert bench.status.blocks_accepted == 12


def test_later_blocks_of_a_parent_are_surplus_once_one_is_accepted(bench: Bench) -> None:
    bench.source.answer = lambda share: None
    bench.run(FakeBackend(), FakeBackend("two"))
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    time.sleep(0.1)
    assert len(bench.source.submitted) == 1  # the second waits for the first one's verdict
    bench.source.say(bench.source.submitted[0], Answer.ACCEPTED)
    time.sleep(0.1)
    assert len(bench.source.submitted) == 1
    bench.source.sink.job(job("a", ntime=1_700_000_001))  # same parent, already won
    time.sleep(0.1)
    assert len(bench.source.submitted) == 1
    bench.source.sink.job(job("b"))
    until(lambda: len(bench.source.submitted) == 2)
    assert bench.source.submitted[1].unit.job.job_id == "b"


@fault("G40")
def test_a_parent_whose_accepted_block_is_lost_is_searched_again(bench: Bench) -> None:
    """It was retired for the whole run: 0 hashes for ever."""
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.status.blocks_accepted == 1)
    bench.source.sink.job(job("b", share_target=NEVER, network_target=NEVER))
    bench.source.sink.job(job())
    time.sleep(0.2)
    assert len(bench.source.submitted) == 1
    bench.source.sink.job(job(reopens=True))
    until(lambda: bench.status.blocks_accepted == 2, within_s=2.0)
    assert bench.source.submitted[1].unit.job.prev_hash == job().prev_hash
    assert "no longer has our accepted block" in bench.alarms()
    bench.source.sink.job(job(job_id="again"))  # accepted once more: retired once more
    time.sleep(0.2)
    assert len(bench.source.submitted) == 2


def test_a_rival_is_sent_when_the_first_block_is_not_accepted(bench: Bench) -> None:
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    bench.source.say(bench.source.submitted[0], Answer.REJECTED)
    until(lambda: len(bench.source.submitted) == 2)
    assert bench.source.submitted[1].hash != bench.source.submitted[0].hash


@fault("G42")
def test_of_rivals_on_a_hopeless_easy_chain_the_newest_waits(bench: Bench) -> None:
    """After ten refusals for one reason all but the newest are counted as not sent."""

    def find_nothing(backend: FakeBackend) -> None:
        backend.miss_every = int(backend.mining > 0)

    bench.source.answer = lambda share: None
    engine = bench.run(FakeBackend(behave=find_nothing))
    submitted = bench.source.submitted
    bench.source.sink.job(job())
    until(lambda: engine.current.latest)
    generation = engine.current.latest
    assert generation is not None
    deliver = engine.supervisor.workers[0].around.deliver
    unit = generation.next_unit(1, 0.0)
    assert unit is not None
    hits = tuple(find(unit, 0, 1000)[:45])
    deliver(Finding(engine.supervisor.workers[0], generation, unit, hits[:40], 0.0))
    for refused in range(10):
        until(lambda count=refused + 1: len(submitted) == count)  # type: ignore[misc]
        bench.source.say(submitted[refused], Answer.REJECTED)
    until(lambda: len(submitted) == 11)
    assert bench.status.snapshot(0.0).shares.not_sent == 0
    deliver(Finding(engine.supervisor.workers[0], generation, unit, hits[40:], 0.0))
    until(lambda: bench.status.snapshot(0.0).shares.not_sent == 29 + 4)  # all but one
    bench.source.say(submitted[10], Answer.REJECTED)
    until(lambda: len(submitted) == 12)
    assert submitted[11].nonce == hits[44].nonce


@pytest.mark.parametrize("answer", [Answer.PENDING, Answer.UNKNOWN])
def test_rivals_wait_while_a_block_is_undelivered(bench: Bench, answer: Answer) -> None:
    bench.source.answer = lambda share: answer
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    time.sleep(0.1)
    assert len(bench.source.submitted) == 1
    bench.source.answer = lambda share: None
    bench.source.say(bench.source.submitted[0], Answer.STALE)
    until(lambda: len(bench.source.submitted) == 2)


def test_a_block_on_a_side_branch_does_not_hold_up_the_goal(bench: Bench) -> None:
    bench.source.answer = lambda share: Answer.PENDING
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    bench.source.answer = lambda share: Answer.ACCEPTED
    bench.source.sink.job(job("next tip", height=8))  # not built on ours
    assert engine.done.wait(20)
    assert bench.status.blocks_accepted == 1


def test_a_pool_gets_every_share_block_or_not(bench: Bench) -> None:
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job(one_block_per_parent=False))
    until(lambda: len(bench.source.submitted) > 20)
    hashes = [share.hash for share in bench.source.submitted]
    assert len(set(hashes)) == len(hashes)


@fault("B12")
def test_no_header_is_hashed_twice(bench: Bench) -> None:
    backends = [FakeBackend("one"), FakeBackend("two")]
    bench.run(*backends)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: all(len(backend.units) > 30 for backend in backends))
    bench.engine.current.stop()
    time.sleep(0.1)
    seen: set[tuple[bytes, int]] = set()
    for backend in backends:
        for prefix, versions, start, count in backend.units[2:]:  # after the audit
            for version in versions:
                for nonce in range(start, start + count):
                    header = (version.to_bytes(4, "little") + prefix[4:], nonce)
                    assert header not in seen
                    seen.add(header)


@fault("G44")
def test_only_the_nonces_the_server_allows_are_tried(bench: Bench) -> None:
    """The extranonce rolls inside them."""
    backend = FakeBackend(most_nonces=5)
    bench.run(backend)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER, nonces=range(7, 19)))
    until(lambda: backend.mining > 40)
    tried: dict[bytes, list[int]] = {}
    for prefix, _, start, count in backend.units:
        if is_work(prefix):
            tried.setdefault(prefix, []).extend(range(start, start + count))
    done = list(tried.values())[:-1]  # the last one may be under way
    assert len(done) > 5
    assert all(nonces == list(range(7, 19)) for nonces in done)


@fault("B12")
def test_a_hit_reported_twice_is_sent_once(bench: Bench) -> None:
    class Stutterer(FakeBackend):
        def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
            once = super().scan(unit, start, count)
            if not is_work(unit.prefix):  # the planted answers are exact
                return once
            return ScanResult(tuple(hit for hit in once.hits for _ in range(2)), once.hashes)

    bench.run(Stutterer())
    bench.source.sink.job(job(share_target=SHARES, network_target=NEVER))
    until(lambda: len(bench.source.submitted) > 10)
    hashes = [share.hash for share in bench.source.submitted]
    assert len(set(hashes)) == len(hashes)
    assert "twice; sent once" in bench.alarms()


def test_a_new_job_is_hashed_within_a_batch_and_counts_are_exact(bench: Bench) -> None:
    backend = FakeBackend()
    engine = bench.run(backend)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.status.hashes > 0)
    for number in range(20):
        bench.source.sink.job(job(f"j{number}", share_target=NEVER, network_target=NEVER))
        until(lambda: len(engine.current.switch_s) == number + 2)  # noqa: B023
    engine.current.stop()
    time.sleep(0.2)
    mined = [unit for unit in backend.units if unit[0][4:36] != b"" and len(unit[0]) == 76]
    audits = sum(count * len(versions) for _, versions, _, count in mined[: audit_scans(backend)])
    total = sum(count * len(versions) for _, versions, _, count in mined)
    assert bench.status.hashes == total - audits


def audit_scans(backend: FakeBackend) -> int:
    """Scans of the planted questions come before the first unit of a job."""
    return next(i for i, unit in enumerate(backend.units) if is_work(unit[0]))


def test_extranonce2_goes_on_within_a_session(bench: Bench) -> None:
    engine = bench.run(FakeBackend())
    hard = {"share_target": NEVER, "network_target": NEVER}
    bench.source.sink.job(job("a", **hard))
    until(lambda: bench.status.hashes > 0)
    assert engine.current.latest is not None
    used = engine.current.latest.roller.next_extranonce2
    bench.source.sink.job(job("b", **hard))
    until(lambda: engine.latest_job and engine.latest_job.job_id == "b")
    assert (engine.current.latest.roller.next_extranonce2 - used) % 256**8 < 10
    bench.source.sink.job(job("c", session=2, **hard))
    until(lambda: engine.latest_job and engine.latest_job.job_id == "c")
    assert (engine.current.latest.roller.next_extranonce2 - used) % 256**8 > 1000


def test_a_job_sent_again_does_not_restart_the_search(bench: Bench) -> None:
    engine = bench.run(FakeBackend())
    same = job(share_target=NEVER, network_target=NEVER)
    bench.source.sink.job(same)
    bench.source.sink.job(replace(same, context="another object"))
    bench.catch_up()
    assert engine.current.latest is not None
    assert engine.current.latest.number == 1


@fault("B19")
def test_a_late_share_of_a_replaced_job_is_dropped_a_late_block_is_sent(bench: Bench) -> None:
    late = threading.Event()

    def wait(backend: FakeBackend) -> None:
        if backend.mining > 3:
            late.wait(5)

    backend = FakeBackend(behave=wait)
    bench.run(backend)  # shares alone: no hash found here meets the network target
    bench.source.sink.job(job("old", share_target=EASY, network_target=NEVER))
    until(lambda: backend.mining > 3)
    bench.catch_up()
    sent = len(bench.source.submitted)
    bench.source.sink.job(job("new", share_target=NEVER, network_target=NEVER))
    bench.catch_up()
    late.set()
    until(lambda: bench.status.snapshot(0.0).shares.dropped > 0)
    assert all(share.unit.job.job_id == "old" for share in bench.source.submitted)
    assert len(bench.source.submitted) == sent


@fault("G26")
def test_a_late_block_is_always_sent(bench: Bench) -> None:
    gate = threading.Event()

    def wait(backend: FakeBackend) -> None:
        if backend.mining:
            gate.wait(5)

    backend = FakeBackend(behave=wait)
    bench.run(backend)
    bench.source.sink.job(job("old", one_block_per_parent=False))
    until(lambda: backend.mining)
    bench.source.sink.job(job("new", share_target=NEVER, network_target=NEVER))
    gate.set()
    until(lambda: any(share.unit.job.job_id == "old" for share in bench.source.submitted))


@fault("G25")
def test_a_broken_validator_warns_and_the_block_is_sent(bench: Bench) -> None:
    bench.source.pack_fails = True
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    assert "sent unjournalled" in bench.alarms()
