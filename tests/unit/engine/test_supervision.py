"""Faulty backends, disks and sources. Faults B03, B04, B14, B18, P02, P04, P18."""

import hashlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miner.backends.base import Backend, Scannable, ScanResult
from miner.engine import supervisor
from miner.engine.goal import Goal
from miner.errors import BackendFault, SourceRefused
from miner.journal import Journal
from miner.sources.base import Health, SourceState
from miner.views.sentences import sentence
from miner.work.found import Answer, FoundBlock, Share, Verdict
from tests.fakes.backend import FakeBackend, fail_at, is_work
from tests.fakes.engine import NEVER, SHARES, Bench, bench_in, job, until
from tests.fakes.found import solo_block
from tests.faults import fault


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


@fault("B03")
def test_false_hits_are_never_sent_and_quarantine_after_three(bench: Bench) -> None:
    liar = FakeBackend("liar")
    bench.spares = [FakeBackend("liar"), FakeBackend("liar")]
    for spare in bench.spares:
        spare.behave = lambda backend: setattr(backend, "flip", backend.mining > 3)
    liar.behave = lambda backend: setattr(backend, "flip", backend.mining > 3)
    engine = bench.run(liar)
    bench.source.sink.job(job(share_target=SHARES, network_target=NEVER))
    assert engine.done.wait(20)
    assert isinstance(engine.error, BackendFault)
    assert engine.error.exit_code == 4
    row = engine.snapshot().workers[0]
    assert row.false_hits >= 3
    assert row.faults == 3
    assert row.state.startswith("quarantined")
    for share in bench.source.submitted:  # nothing false left the house
        digest = hashlib.sha256(hashlib.sha256(share.header).digest()).digest()
        assert int.from_bytes(digest, "little") <= SHARES


@pytest.mark.parametrize("hashes", [0, -2, 3, 2**40])
@fault("B03")
def test_impossible_counts_are_a_fault(bench: Bench, hashes: int) -> None:
    class Miscounter(FakeBackend):
        def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
            result = super().scan(unit, start, count)
            return ScanResult((), hashes) if is_work(unit.prefix) else result

    bench.run(Miscounter())
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.reopened)
    assert f"counted {hashes} hashes, impossible" in bench.alarms()


@fault("B04")
def test_a_backend_that_misses_one_hit_in_a_hundred_is_caught_at_start(bench: Bench) -> None:
    loser = FakeBackend("loser")
    loser.miss_every = 100
    bench.run(loser)
    until(lambda: "planted answers missed" in bench.alarms())
    until(lambda: bench.reopened == ["loser"])


@fault("B04")
def test_a_backend_that_begins_to_miss_is_caught_by_the_next_audit(bench: Bench) -> None:
    backend = FakeBackend()
    bench.run(backend, worker={"audit_s": 0.2})
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.status.hashes > 0)
    backend.miss_every = 50
    until(lambda: "planted answers missed" in bench.alarms())


@fault("B14")
def test_a_lost_device_is_opened_again_and_the_others_go_on(bench: Bench) -> None:
    good = FakeBackend("good")
    bench.run(FakeBackend("lost", fail_at(3)), good)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.reopened == ["lost"])
    until(lambda: bench.engine.snapshot().workers[0].state == "ok")
    scans = good.scans
    until(lambda: good.scans > scans + 3)
    row = bench.engine.snapshot().workers[0]
    assert (row.restarts, row.faults) == (1, 1)


def test_a_second_fault_waits_before_the_device_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that resets its card needs time: at once after the first fault, later then."""
    monkeypatch.setattr(supervisor, "RESTART_S", (0.0, 1.0))
    spare = FakeBackend("lost", fail_at(1))
    bench.spares = [spare]
    bench.run(FakeBackend("lost", fail_at(1)), FakeBackend("good"))
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: len(bench.reopened) == 1)
    until(lambda: "strike 2 of 3" in bench.alarms())
    failed = time.monotonic()
    until(lambda: len(bench.reopened) == 2)
    assert time.monotonic() - failed > 0.8


@fault("P18")
def test_an_exception_in_a_worker_restarts_it_and_its_range_goes_on(bench: Bench) -> None:
    def crash(backend: FakeBackend) -> None:
        if backend.mining == 8:
            raise RuntimeError("bug")

    first, second = FakeBackend("x", crash), FakeBackend("x")
    bench.spares = [second]
    bench.run(first)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: any(is_work(unit[0]) for unit in second.units))
    last = first.units[-1]
    resumed = next(unit for unit in second.units if is_work(unit[0]))
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
    until(lambda: bench.engine.snapshot().workers[0].state.startswith("sick"))
    began = time.monotonic()
    bench.engine.stop()
    assert time.monotonic() - began < 2
    gate.set()


def hanging(gate: threading.Event) -> Callable[[FakeBackend], None]:
    def hang(backend: FakeBackend) -> None:
        if backend.mining == 5:
            gate.wait(8)

    return hang


@fault("P08")
def test_a_stopped_process_does_not_blame_its_devices(bench: Bench) -> None:
    """Ctrl-Z for an hour in the middle of a scan: the clock leaps, no scan hung."""
    gate, slept = threading.Event(), [0.0]
    bench.clock = lambda: time.monotonic() + slept[0]
    backend = FakeBackend(behave=hanging(gate))
    engine = bench.run(backend)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: backend.mining == 5)
    slept[0] = 3600.0
    time.sleep(0.5)  # several ticks
    gate.set()
    until(lambda: backend.mining > 10)
    assert not engine.done.is_set()
    assert bench.alarms() == ""
    assert engine.snapshot().workers[0].faults == 0


@fault("B14")
def test_a_hung_scan_is_replaced_and_its_late_hits_still_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new thread with a new instance goes on in the same range; the other device never stops."""
    monkeypatch.setattr("miner.engine.supervisor.HUNG_S", 1.2)
    gate = threading.Event()
    hung, fresh = FakeBackend("hung", hanging(gate)), FakeBackend("hung")
    good = FakeBackend("good")
    bench.spares = [fresh]
    engine = bench.run(hung, good)
    bench.source.sink.job(job(share_target=SHARES, network_target=NEVER))
    until(lambda: "hung: a scan has not come back for 1 s; replaced, hang 1 of 3" in bench.alarms())
    until(lambda: fresh.mining > 3)
    taken_over = next(unit for unit in fresh.units if is_work(unit[0]))
    until(lambda: engine.snapshot().workers[0].state == "ok")
    row = engine.snapshot().workers[0]
    assert (row.faults, row.restarts) == (1, 1)
    assert hung.closed == 0  # a thread is still inside it
    hashes, scans = engine.status.hashes, good.scans
    until(lambda: engine.status.hashes > hashes and good.scans > scans)
    gate.set()
    until(lambda: (hung.units[-1][0], hung.units[-1][2]) == (taken_over[0], taken_over[2]))
    time.sleep(0.1)
    assert hung.mining == 5  # its thread has ended


@fault("B14")
def test_the_third_hang_of_the_only_backend_ends_the_run_and_none_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miner.engine.supervisor.HUNG_S", 1.2)
    gate = threading.Event()
    bench.spares = [FakeBackend("hung", hanging(gate)) for _ in range(2)]
    engine = bench.run(FakeBackend("hung", hanging(gate)))
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    assert engine.done.wait(20)
    gate.set()
    assert bench.reopened == ["hung", "hung"]
    assert "hang 2 of 3" in bench.alarms()
    assert "hung is quarantined: a scan has not come back" in bench.alarms()
    assert isinstance(engine.error, BackendFault)
    assert engine.error.exit_code == 4


@fault("B14")
def test_a_device_that_hangs_while_it_opens_holds_up_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that is stuck is stuck in everything: the supervisor never calls it itself."""
    monkeypatch.setattr("miner.engine.supervisor.SLOW_S", 0.5)
    gate, good = threading.Event(), FakeBackend("good")
    reopen = bench.reopen

    def stuck(name: str) -> Backend:
        gate.wait(8 if not bench.reopened else 0)
        return reopen(name)

    monkeypatch.setattr(bench, "reopen", stuck)
    bench.run(FakeBackend("lost", fail_at(1)), good)
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: "lost: its driver has not come back" in bench.alarms())
    scans = good.scans
    until(lambda: good.scans > scans)
    gate.set()


@fault("P04")
def test_a_failing_disk_delays_no_block(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))

    def full(*blocks: FoundBlock) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.journal, "append", full)
    bench.source.sink.job(job())
    assert engine.done.wait(20)
    assert len(bench.source.submitted) == 1
    assert "No space left" in bench.alarms()
    rescue = [event for event in bench.events if event.kind == "rescue"]
    assert len(rescue) == 1
    assert sentence(rescue[0]).endswith("00ff")


@fault("P04")
def test_a_block_held_in_memory_is_written_once_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miner.engine.durable.RETRY_S", 0.1)
    full, write = [True], os.write

    def limited(fd: int, data: bytes) -> int:
        if full:
            raise OSError(28, "No space left on device")
        return write(fd, data)

    bench.source.answer = lambda share: None  # nothing settles it
    bench.run(FakeBackend())
    monkeypatch.setattr(os, "write", limited)
    bench.source.sink.job(job())
    until(lambda: "is held in memory" in bench.alarms())
    name = bench.source.submitted[0].hash_hex
    assert name.encode() not in bench.journal.path.read_bytes()
    full.clear()
    until(lambda: name.encode() in bench.journal.path.read_bytes())
    until(lambda: any("are on disk" in sentence(event) for event in bench.events))


@fault("P04")
def test_a_stalled_disk_delays_no_block(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = bench.run(FakeBackend(), goals=(Goal(1, "blocks"),))
    append, stall = bench.journal.append, threading.Event()

    def slow(*blocks: FoundBlock) -> None:
        stall.wait(5)
        append(*blocks)

    monkeypatch.setattr(bench.journal, "append", slow)
    bench.source.sink.job(job())
    assert engine.done.wait(3)
    assert "keeps block" in bench.alarms()
    stall.set()


@fault("P02")
def test_blocks_of_a_dead_run_are_sent_again_at_start(bench: Bench) -> None:
    old = Journal.open_own(bench.folder, "scripted")
    block = solo_block(5, "scripted")
    old.append(block)
    os.close(old._fd)
    old._fd = -1
    bench.run(FakeBackend())
    until(lambda: bench.source.resubmitted == [block])
    bench.source.sink.verdict(Verdict("scripted", block.hash_hex, Answer.ACCEPTED, is_block=True))
    until(lambda: bench.journal.waiting == ())
    assert bench.engine.pipeline.rivals.accepted == 0  # not counted towards this run's goal


def test_an_unknown_answer_is_asked_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miner.engine.unanswered.RETRY_S", (0.1, 0.2))
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
    assert "waiting" in bench.engine.snapshot().run.activity.value
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
