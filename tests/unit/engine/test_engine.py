"""The engine with a scripted source and the faulty backend: fault ids B, P and G."""

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from miner.backends.base import Backend
from miner.config import Goal
from miner.engine.core import Engine, EngineOptions
from miner.engine.worker import Sizer, WorkerOptions
from miner.errors import BackendFault, SourceRefused
from miner.journal import Journal
from miner.sources.base import Health, SourceSink, SourceState
from miner.status import Event, Status
from miner.work.values import Answer, FoundBlock, Job, Share, Verdict
from tests.fakes.backend import FakeBackend, fail_at

EASY = 2**254  # a block for each four hashes
SHARES = 2**248
NEVER = 1


def job(name: str = "a", **changes: object) -> Job:
    plain = Job(
        "scripted", 1, name, True, 0x20000000, 0x1FFFE000, hashlib.sha256(name.encode()).digest(),
        b"one", b"two", b"", 8, (), 0x207FFFFF, 1_700_000_000, 0, False, EASY, EASY, height=7,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


class ScriptedSource:
    """Records what arrives; `answer` gives the verdict of a share, None = none yet."""

    name = "scripted"

    def __init__(self, kind: str = "gbt") -> None:
        self.kind = kind
        self.submitted: list[Share] = []
        self.resubmitted: list[FoundBlock] = []
        self.answer: Callable[[Share], Answer | None] = lambda share: Answer.ACCEPTED
        self.journal: Journal | None = None
        self.durable_at_submit: list[bool] = []
        self.stopped_with: float | None = None
        self.sink: SourceSink
        self.pack_fails = False

    def start(self, sink: SourceSink) -> None:
        self.sink = sink

    def submit(self, share: Share) -> None:
        self.submitted.append(share)
        if self.journal is not None and share.is_block:
            on_disk = share.hash_hex.encode() in self.journal.path.read_bytes()
            self.durable_at_submit.append(on_disk)
        answer = self.answer(share)
        if answer is not None:
            self.say(share, answer)

    def say(self, share: Share, answer: Answer) -> None:
        self.sink.verdict(Verdict(self.name, share.hash_hex, answer, share.is_block))

    def pack(self, share: Share) -> FoundBlock:
        if self.pack_fails:
            raise ValueError("validator broken")
        return FoundBlock(self.name, share.hash_hex, 7, share.header, self.kind, "00ff")

    def resubmit(self, block: FoundBlock) -> None:
        self.resubmitted.append(block)

    def stop(self, grace_s: float) -> None:
        self.stopped_with = grace_s


class Bench:
    """An engine with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.source = ScriptedSource()
        self.events: list[Event] = []
        self.folder = folder
        self.engine: Engine
        self.reopened: list[str] = []
        self.spares: list[FakeBackend] = []

    def run(self, *backends: Backend, **options: object) -> Engine:
        self.journal = Journal.open_own(self.folder, "scripted")
        self.source.journal = self.journal
        now = time.monotonic()
        self.status = Status(now, "scripted")
        worker = WorkerOptions(**{"audit_s": 300.0, **options.pop("worker", {})})  # type: ignore[dict-item, arg-type]
        self.engine = Engine(
            self.source,
            backends,
            self.journal,
            self.status,
            self.events.append,
            time.monotonic,
            self.reopen,
            EngineOptions(worker, **options),  # type: ignore[arg-type]
        )
        self.engine.start()
        return self.engine

    def reopen(self, name: str) -> Backend:
        self.reopened.append(name)
        return self.spares.pop(0) if self.spares else FakeBackend(name)

    def alarms(self) -> str:
        return "\n".join(event.text for event in self.events if event.kind == "alarm")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    before = set(threading.enumerate())
    made = Bench(tmp_path)
    yield made
    made.engine.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(5.0)
        assert not thread.is_alive(), f"{thread.name} is left over"


def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


def test_a_block_is_durable_before_it_is_sent_and_settled_after(bench: Bench) -> None:
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))
    bench.source.sink.job(job())
    assert engine.done.wait(20)
    assert bench.source.durable_at_submit == [True]
    assert engine.error is None
    until(lambda: bench.journal.waiting == ())
    assert bench.status.blocks_accepted == 1
    assert engine.desk.own_accepted == 1
    assert [event.kind for event in bench.events if event.kind in ("found", "block")] == [
        "block",  # the scripted source answers at once
        "found",
    ]


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


def test_a_rival_is_sent_when_the_first_block_is_not_accepted(bench: Bench) -> None:
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    bench.source.say(bench.source.submitted[0], Answer.REJECTED)
    until(lambda: len(bench.source.submitted) == 2)
    assert bench.source.submitted[1].hash != bench.source.submitted[0].hash


def test_a_pool_gets_every_share_block_or_not(bench: Bench) -> None:
    bench.source.kind = "stratum"
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: len(bench.source.submitted) > 20)
    hashes = [share.hash for share in bench.source.submitted]
    assert len(set(hashes)) == len(hashes)


def test_no_header_is_hashed_twice(bench: Bench) -> None:
    backends = [FakeBackend("one"), FakeBackend("two")]
    bench.run(*backends)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: all(len(backend.units) > 30 for backend in backends))
    bench.engine.floor.stop()
    time.sleep(0.1)
    seen: set[tuple[bytes, int]] = set()
    for backend in backends:
        for prefix, versions, start, count in backend.units[2:]:  # after the audit
            for version in versions:
                for nonce in range(start, start + count):
                    header = (version.to_bytes(4, "little") + prefix[4:], nonce)
                    assert header not in seen
                    seen.add(header)


def test_a_new_job_is_hashed_within_a_batch_and_counts_are_exact(bench: Bench) -> None:
    backend = FakeBackend()
    engine = bench.run(backend)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.status.hashes > 0)
    for number in range(20):
        bench.source.sink.job(job(f"j{number}", share_target=NEVER, network_target=NEVER))
        until(lambda: len(engine.floor.switch_s) == number + 2)  # noqa: B023
    engine.floor.stop()
    time.sleep(0.2)
    mined = [unit for unit in backend.units if unit[0][4:36] != b"" and len(unit[0]) == 76]
    audits = sum(count * len(versions) for _, versions, _, count in mined[: audit_scans(backend)])
    total = sum(count * len(versions) for _, versions, _, count in mined)
    assert bench.status.hashes == total - audits


def audit_scans(backend: FakeBackend) -> int:
    """Scans of the planted questions come before the first unit of a job."""
    return next(i for i, unit in enumerate(backend.units) if unit[1][0] == 0x20000000)


def test_extranonce2_goes_on_within_a_session(bench: Bench) -> None:
    engine = bench.run(FakeBackend())
    hard = {"share_target": NEVER, "network_target": NEVER}
    bench.source.sink.job(job("a", **hard))
    until(lambda: bench.status.hashes > 0)
    assert engine.floor.latest is not None
    used = engine.floor.latest.roller.next_extranonce2
    bench.source.sink.job(job("b", **hard))
    assert (engine.floor.latest.roller.next_extranonce2 - used) % 256**8 < 10
    bench.source.sink.job(job("c", session=2, **hard))
    assert (engine.floor.latest.roller.next_extranonce2 - used) % 256**8 > 1000


def test_a_job_sent_again_does_not_restart_the_search(bench: Bench) -> None:
    engine = bench.run(FakeBackend())
    same = job(share_target=NEVER, network_target=NEVER)
    bench.source.sink.job(same)
    first = engine.floor.latest
    bench.source.sink.job(replace(same, context="another object"))
    assert engine.floor.latest is first


def test_b19_a_late_share_of_a_replaced_job_is_dropped_a_late_block_is_sent(bench: Bench) -> None:
    late = threading.Event()

    def wait(backend: FakeBackend) -> None:
        if backend.mining > 3:
            late.wait(5)

    bench.source.kind = "stratum"
    backend = FakeBackend(behave=wait)
    bench.run(backend)  # shares alone: no hash found here meets the network target
    bench.source.sink.job(job("old", share_target=EASY, network_target=NEVER))
    until(lambda: backend.mining > 3)
    sent = len(bench.source.submitted)
    bench.source.sink.job(job("new", share_target=NEVER, network_target=NEVER))
    late.set()
    until(lambda: bench.status.dropped > 0)
    assert all(share.unit.job.job_id == "old" for share in bench.source.submitted)
    assert len(bench.source.submitted) == sent


def test_g26_a_late_block_is_always_sent(bench: Bench) -> None:
    bench.source.kind = "stratum"
    gate = threading.Event()

    def wait(backend: FakeBackend) -> None:
        if backend.mining:
            gate.wait(5)

    backend = FakeBackend(behave=wait)
    bench.run(backend)
    bench.source.sink.job(job("old"))
    until(lambda: backend.mining)
    bench.source.sink.job(job("new", share_target=NEVER, network_target=NEVER))
    gate.set()
    until(lambda: any(share.unit.job.job_id == "old" for share in bench.source.submitted))


def test_g25_a_broken_validator_warns_and_the_block_is_sent(bench: Bench) -> None:
    bench.source.pack_fails = True
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    assert "sent unjournalled" in bench.alarms()


def test_b03_false_hits_are_never_sent_and_quarantine_after_three(bench: Bench) -> None:
    liar = FakeBackend("liar")
    bench.spares = [FakeBackend("liar"), FakeBackend("liar")]
    for spare in bench.spares:
        spare.behave = lambda backend: setattr(backend, "flip", backend.mining > 3)
    liar.behave = lambda backend: setattr(backend, "flip", backend.mining > 3)
    bench.source.kind = "stratum"
    engine = bench.run(liar)
    bench.source.sink.job(job(share_target=SHARES, network_target=NEVER))
    assert engine.done.wait(20)
    assert isinstance(engine.error, BackendFault)
    assert engine.error.exit_code == 4
    row = engine.snapshot().backends[0]
    assert row.false_hits >= 3
    assert row.faults == 3
    assert row.state.startswith("quarantined")
    for share in bench.source.submitted:  # nothing false left the house
        digest = hashlib.sha256(hashlib.sha256(share.header).digest()).digest()
        assert int.from_bytes(digest, "little") <= SHARES


def test_b04_a_backend_that_misses_one_hit_in_a_hundred_is_caught_at_start(bench: Bench) -> None:
    loser = FakeBackend("loser")
    loser.miss_every = 100
    bench.run(loser)
    until(lambda: "planted answers missed" in bench.alarms())
    until(lambda: bench.reopened == ["loser"])


def test_b04_a_backend_that_begins_to_miss_is_caught_by_the_next_audit(bench: Bench) -> None:
    backend = FakeBackend()
    bench.run(backend, worker={"audit_s": 0.2})
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.status.hashes > 0)
    backend.miss_every = 50
    until(lambda: "planted answers missed" in bench.alarms())


def test_b14_a_lost_device_is_opened_again_and_the_others_go_on(bench: Bench) -> None:
    good = FakeBackend("good")
    bench.run(FakeBackend("lost", fail_at(3)), good)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.reopened == ["lost"])
    until(lambda: bench.engine.snapshot().backends[0].state == "ok")
    scans = good.scans
    until(lambda: good.scans > scans + 3)
    row = bench.engine.snapshot().backends[0]
    assert (row.restarts, row.faults) == (1, 1)


def test_p18_an_exception_in_a_worker_restarts_it_and_its_range_goes_on(bench: Bench) -> None:
    def crash(backend: FakeBackend) -> None:
        if backend.mining == 8:
            raise RuntimeError("bug")

    first, second = FakeBackend("x", crash), FakeBackend("x")
    bench.spares = [second]
    bench.run(first)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: any(unit[1][0] == 0x20000000 for unit in second.units))
    last = first.units[-1]
    resumed = next(unit for unit in second.units if unit[1][0] == 0x20000000)
    assert resumed[0] == last[0]
    assert resumed[2] == last[2] + last[3]
    assert "bug" in bench.alarms()


def test_a_hanging_scan_is_shown_as_sick_and_does_not_hold_up_the_stop(bench: Bench) -> None:
    gate = threading.Event()

    def hang(backend: FakeBackend) -> None:
        if backend.mining > 4:
            gate.wait(8)

    backend = FakeBackend(behave=hang)
    bench.run(backend)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.engine.snapshot().backends[0].state.startswith("sick"))
    began = time.monotonic()
    bench.engine.stop()
    assert time.monotonic() - began < 2
    gate.set()


def test_p04_a_failing_disk_delays_no_block(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))

    def full(block: FoundBlock) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.journal, "append", full)
    bench.source.sink.job(job())
    assert engine.done.wait(20)
    assert len(bench.source.submitted) == 1
    assert "No space left" in bench.alarms()
    rescue = [event for event in bench.events if event.kind == "rescue"]
    assert len(rescue) == 1
    assert rescue[0].text.endswith("00ff")


def test_p04_a_stalled_disk_delays_no_block(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))
    append, stall = bench.journal.append, threading.Event()

    def slow(block: FoundBlock) -> None:
        stall.wait(5)
        append(block)

    monkeypatch.setattr(bench.journal, "append", slow)
    bench.source.sink.job(job())
    assert engine.done.wait(3)
    assert "keeps block" in bench.alarms()
    stall.set()


def test_p02_blocks_of_a_dead_run_are_sent_again_at_start(bench: Bench) -> None:
    old = Journal.open_own(bench.folder, "scripted")
    block = FoundBlock("scripted", "ab" * 32, 5, bytes(80), "gbt", "00")
    old.append(block)
    import os

    os.close(old._fd)
    old._fd = -1
    bench.run(FakeBackend())
    assert bench.source.resubmitted == [block]
    bench.source.sink.verdict(Verdict("scripted", block.hash_hex, Answer.ACCEPTED, is_block=True))
    until(lambda: bench.journal.waiting == ())
    assert bench.engine.desk.own_accepted == 0  # not counted towards this run's goal


def test_an_unknown_answer_is_asked_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miner.engine.core.RETRY_S", (0.1, 0.2))
    bench.source.answer = lambda share: Answer.UNKNOWN
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.source.resubmitted)
    first = bench.source.submitted[0]
    assert bench.source.resubmitted[0].hash_hex == first.hash_hex


def test_hashing_pauses_while_no_source_is_ready(bench: Bench) -> None:
    backend = FakeBackend()
    bench.run(backend)
    sink = bench.source.sink
    sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.status.hashes > 0)
    sink.state(SourceState("scripted", Health.DOWN, "connection refused"))
    time.sleep(0.1)
    scans = backend.scans
    time.sleep(0.2)
    assert backend.scans == scans
    assert "waiting" in bench.engine.snapshot().state
    sink.state(SourceState("scripted", Health.READY, "back"))
    until(lambda: backend.scans > scans)


def test_a_refusal_ends_the_run_with_its_error(bench: Bench) -> None:
    engine = bench.run(FakeBackend())
    error = SourceRefused("wrong password")
    bench.source.sink.state(SourceState("scripted", Health.REFUSED, "no", fatal=error))
    assert engine.done.wait(5)
    assert engine.error is error


def test_blocks_are_paced(bench: Bench) -> None:
    numbers = iter(range(1000))
    stamps: list[float] = []

    def answer(share: Share) -> Answer:
        stamps.append(time.monotonic())
        bench.source.sink.job(job(f"n{next(numbers)}"))
        return Answer.ACCEPTED

    bench.source.answer = answer
    engine = bench.run(FakeBackend(), goals=(Goal(4, "blocks"),), block_interval_s=0.3)
    bench.source.sink.job(job())
    assert engine.done.wait(20)
    gaps = [later - sooner for sooner, later in itertools.pairwise(stamps)]
    assert min(gaps) >= 0.29
    assert max(gaps) < 3


def test_throttle_leaves_the_cpu_alone_most_of_the_time(bench: Bench) -> None:
    backend = FakeBackend(behave=lambda b: time.sleep(0.002))
    bench.run(backend, worker={"throttle": 10})
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.status.hashes > 0)
    began, scans = time.monotonic(), backend.scans
    time.sleep(1.0)
    busy = (backend.scans - scans) * 0.002
    assert busy / (time.monotonic() - began) < 0.2


def test_b18_batches_are_about_four_milliseconds_and_expect_few_hits() -> None:
    sizer = Sizer(0.004)
    for _ in range(40):
        count = sizer.count(4, NEVER, 2**32)
        sizer.learn(4 * count, 4 * count / 10e6)  # a 10 MH/s device
    assert 0.5 * 40_000 < 4 * sizer.count(4, NEVER, 2**32) <= 40_000 * 1.1
    assert sizer.count(1, 2**255, 2**32) == 15
    assert sizer.count(100, 2**256 - 1, 2**32) == 1
    assert sizer.count(4, NEVER, 3) == 3
    for _ in range(100):
        sizer.learn(16, 0.00005)  # cut short by hits: says little about the rate
    assert sizer.rate_hs > 5e6
