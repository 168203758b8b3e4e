"""The gate and the measurement, on real backends and on ones that lie."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from miner.backends import registry
from miner.backends.base import Backend, BackendInfo, Hit, Kind, OpenOptions, Scannable, ScanResult
from miner.backends.hashlib import HashlibBackend
from miner.bitcoin.target import target_from_nbits
from miner.devices import cpu
from miner.devices.gpu import Sensors
from miner.errors import BackendFault, BackendUnavailable
from miner.measure import cases, session, store
from miner.measure.bench import Bench, Plan, Progress
from miner.measure.cases import Case
from miner.measure.result import Result
from miner.measure.threads import Threads
from miner.work.roll import Roller
from miner.work.unit import WorkUnit

QUICK = Plan(samples=3, slice_s=0.03, warmup_s=0.05, seed=7)


class Liar(HashlibBackend):
    """Passes the self-test's windows, but loses a hit elsewhere."""

    info = BackendInfo("liar", "test double", 1, 1, Kind.CPU)

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        found = super().scan(unit, start, count)
        if unit.target == cases.GATE_TARGET and found.hits:
            return ScanResult(found.hits[1:], found.hashes)
        return found


class Inventor(HashlibBackend):
    """Right while it is tested; claims false hits while it is timed."""

    info = BackendInfo("inventor", "test double", 1, 1, Kind.CPU)

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        found = super().scan(unit, start, count)
        if isinstance(unit, WorkUnit):
            return ScanResult((Hit(unit.versions[0], start),), found.hashes)
        return found


def bench(plan: Plan = QUICK, tell: Callable[[Progress], None] = lambda step: None) -> Bench:
    empty = Result("2026-11-22T12:00:00+00:00", "0", None, {}, plan.seed, "quick")
    return Bench(plan, empty, Path("/"), tell, lambda batch: None)


def use(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Backend]) -> None:
    monkeypatch.setattr(registry, "open_named", lambda name, cache: make())


def test_gate_agrees_between_backends(tmp_path: Path) -> None:
    digests = {
        cases.gate(registry.open_named(name, OpenOptions(tmp_path)), 3).digest
        for name in ("hashlib", "numpy", "python")
    }
    assert len(digests) == 1
    assert cases.gate(HashlibBackend(), 4).digest not in digests


def test_digest_questions_reach_the_last_nonce_and_have_hits() -> None:
    asked = cases.digest_questions(3)
    assert asked[0].start + asked[0].count == 2**32
    hits = sum(len(question.answer().hits) for question in asked)
    assert 60 < hits < 200  # 2048 hashes, one in sixteen


def test_a_lost_hit_fails_the_gate() -> None:
    found = cases.gate(Liar(), 3)
    assert not found.passed
    assert "hashlib has" in found.why


def test_an_invalid_variant_gets_no_rate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, Liar)
    run = bench()
    run.add(Case("liar", 1, True), tmp_path)
    run.run()
    found = run.result.cases[0]
    assert not found.slices
    assert found.trust().word == "INVALID"
    assert store.to_dict(run.result)["cases"][0]["stats"] is None


def test_a_backend_that_fails_to_open_is_invalid_or_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> Backend:
        raise BackendFault("x", "self-test: wrong answer")

    use(monkeypatch, broken)
    run = bench()
    run.add(Case("x", 1, True), tmp_path)
    assert run.result.cases[0].trust().word == "INVALID"

    def absent() -> Backend:
        raise BackendUnavailable("x", "not here")

    use(monkeypatch, absent)
    with pytest.raises(BackendUnavailable):
        bench().add(Case("x", 1, True), tmp_path)


def test_false_hits_while_timed_take_the_rate_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, Inventor)
    run = bench()
    run.add(Case("inventor", 1, True), tmp_path)
    assert run.result.cases[0].gate.passed
    run.run()
    found = run.result.cases[0]
    assert "false hit" in found.gate.why
    assert not found.slices


class Counting(HashlibBackend):
    """Counts what it really tested, by thread."""

    def __init__(self, counts: dict[int, int]) -> None:
        self.counts = counts

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        found = super().scan(unit, start, count)
        mine = threading.get_ident()
        self.counts[mine] = self.counts.get(mine, 0) + found.hashes
        return found


def test_threads_counts_every_hash_of_every_thread() -> None:
    counts: dict[int, int] = {}
    threads = Threads([Counting(counts), Counting(counts)], cases.job(7, rolling=True), wants=4)
    ran = threads.run(0.05)
    assert len(counts) == 2
    assert ran.hashes == sum(counts.values())
    assert ran.hashes % 4 == 0  # whole nonces of four versions
    assert 0.05 <= ran.seconds < 10
    assert 0 < ran.cpu_s <= 2 * ran.seconds
    assert ran.device_s is None
    assert threads.overhead is not None
    assert 0 <= threads.overhead < 1
    threads.close()


def test_more_threads_than_cpus_claim_no_more_than_was_done() -> None:
    """Each thread timing itself made 32 threads on 2 CPUs 63 % faster than they were."""
    counts: dict[int, int] = {}
    threads = Threads([Counting(counts) for _ in range(24)], cases.job(7, rolling=False), wants=1)
    began = time.perf_counter()
    ran = threads.run(0.1)
    outside = time.perf_counter() - began
    threads.close()
    assert ran.hashes == sum(counts.values())
    assert ran.seconds <= outside
    assert ran.hashes / ran.seconds >= ran.hashes / outside


def test_threads_walks_the_units_of_mining() -> None:
    seen: list[Scannable] = []

    class Watching(HashlibBackend):
        def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
            seen.append(unit)
            return ScanResult((), count * len(unit.versions))  # pretend: reach the unit's end

    threads = Threads([Watching()], cases.job(7, rolling=True), wants=2)
    for runner in threads.runners:
        runner.sizer.rate_hs = 1e12
    threads.run(0.05)
    threads.close()
    mine = list(dict.fromkeys(unit.prefix for unit in seen))
    roller = Roller(cases.job(7, rolling=True))
    wanted = []
    for _ in mine:
        unit = roller.next(2, 0.0)
        assert unit is not None
        wanted.append(unit.prefix)
    assert len(mine) > 1
    assert mine == wanted
    assert len(seen[0].versions) == 2


def test_rounds_alternate_and_results_grow(tmp_path: Path) -> None:
    order: list[str] = []

    def tell(step: Progress) -> None:
        if step.stage == "slice" and step.case is not None:
            order.append(step.case.name)

    run = bench(tell=tell)
    for name in ("hashlib", "numpy", "hashlib"):  # a case asked for twice is measured once
        run.add(Case(name, 1, False), tmp_path)
    run.run()
    assert [sorted(order[i : i + 2]) for i in (0, 2, 4)] == [["hashlib", "numpy"]] * 3
    for found in run.result.cases:
        assert len(found.slices) == 3
        assert found.warmup
        assert found.counters["seconds"] > 0
        assert all(one.hashes > 0 and one.seconds > 0 for one in found.slices)
    assert not run.result.partial
    store.from_dict(store.to_dict(run.result), "own")


@pytest.mark.parametrize(
    ("kind", "in_caller", "batch"),
    [(Kind.CPU, True, "cpu"), (Kind.CPU, False, "driver"), (Kind.GPU, False, "gpu")],
)
def test_the_workers_cpu_time_counts_only_where_it_hashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: Kind, in_caller: bool, batch: str
) -> None:
    """A driver that hashes on the CPU in its own threads looked 70 times as fast as it was."""

    class Elsewhere(HashlibBackend):
        info = replace(HashlibBackend.info, kind=kind, in_caller=in_caller)

    use(monkeypatch, Elsewhere)
    run = bench()
    run.add(Case("hashlib", 1, False), tmp_path)
    assert [found.batch for found in run.result.cases] == [batch]


def test_interrupt_keeps_what_is_done(tmp_path: Path) -> None:
    def tell(step: Progress) -> None:
        if step.stage == "slice" and step.case is not None and len(step.case.slices) == 2:
            raise KeyboardInterrupt

    threads = set(threading.enumerate())  # other tests may have left some behind
    run = bench(Plan(samples=50, slice_s=0.02, warmup_s=0.02, seed=7), tell)
    run.add(Case("hashlib", 1, False), tmp_path)
    run.run()
    assert run.result.partial
    assert len(run.result.cases[0].slices) == 2
    assert set(threading.enumerate()) <= threads


class Ramp:
    """A meter that counts 10 J at each look."""

    boundary, source = "package", "test"

    def __init__(self, step: float) -> None:
        self.sum, self.step = 0.0, step

    def joules(self) -> float:
        self.sum += self.step
        return self.sum

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("step", "joules"), [(10.0, 30.0), (0.0, None)])
def test_energy_is_summed_over_slices(
    step: float, joules: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "busy_s", lambda root: 5.0)  # nobody works
    run = bench(Plan(samples=3, slice_s=0.02, warmup_s=0.02, idle_s=0.02, seed=7))
    run.meter_for = lambda batch: Ramp(step)
    run.add(Case("hashlib", 1, False), tmp_path)
    run.run()
    energy = run.result.cases[0].energy
    if joules is None:
        assert energy is None  # a counter that stands still measured nothing
        return
    assert energy is not None
    assert energy.joules == joules
    assert energy.hashes == sum(one.hashes for one in run.result.cases[0].slices)
    assert energy.idle_w is not None
    assert 0 < energy.idle_w <= 10 / 0.02


def test_idle_is_not_believed_while_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = iter(range(0, 1000, 100))
    monkeypatch.setattr(cpu, "busy_s", lambda root: float(next(worked)))
    run = bench(Plan(samples=2, slice_s=0.02, warmup_s=0.02, idle_s=0.02, seed=7))
    run.meter_for = lambda batch: Ramp(10.0)
    run.add(Case("hashlib", 1, False), tmp_path)
    run.run()
    found = run.result.cases[0]
    assert found.energy is not None
    assert found.energy.idle_w is None
    assert found.counters["idle_busy"] > 1


def test_a_soak_ends_when_the_rate_has_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, mode = session.plan(full=False, samples=None, soak="steady", seed=1)
    assert (mode, plan.until_steady, plan.samples) == ("soak", True, session.MOST_STEADY)
    monkeypatch.setattr("miner.measure.bench.STEADY_AFTER_S", 0.1)
    monkeypatch.setattr("miner.measure.bench.WINDOW_S", 0.05)
    monkeypatch.setattr("miner.measure.bench.SETTLED", 1e9)  # any two minutes are alike then
    run = bench(replace(plan, slice_s=0.02, warmup_s=0.02))
    run.add(Case("hashlib", 1, False), tmp_path)
    run.run()
    assert run.result.cases[0].seconds >= 0.1
    assert len(run.result.cases[0].slices) < 100  # of 1,800
    assert not run.result.partial


def test_a_card_is_watched_while_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Card(HashlibBackend):
        info = replace(HashlibBackend().info, kind=Kind.GPU)

        def __init__(self) -> None:
            super().__init__()
            self.busy_s = 0.0

        def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
            self.busy_s += 0.01
            return super().scan(unit, start, count)

        def sensors(self) -> Sensors:  # type: ignore[override]
            return Sensors(1500.0, 71.0, 90.0, "heat")

    use(monkeypatch, Card)
    monkeypatch.setattr(
        "miner.measure.threads.LOOK_S", 0.01
    )  # on a busy machine a thread starts late
    run = bench(Plan(samples=2, slice_s=0.3, warmup_s=0.1, seed=7))
    run.add(Case("hashlib", 1, False), tmp_path)
    run.run()
    found = run.result.cases[0]
    assert [one.clock_mhz for one in found.slices] == [1500.0] * 2
    assert [one.temperature_c for one in found.slices] == [71.0] * 2
    assert found.counters["card_heat"] == 2
    assert len(found.gpu_rates()) == 2
    assert any("heat held the card back in 2" in reason for reason in found.trust().reasons)


def test_a_meter_that_dies_costs_joules_not_the_run(tmp_path: Path) -> None:
    class Dying(Ramp):
        def joules(self) -> float:
            if self.sum >= 40:
                raise OSError("sensor gone")
            return super().joules()

    run = bench(Plan(samples=4, slice_s=0.02, warmup_s=0.02, seed=7))
    run.meter_for = lambda batch: Dying(10.0)
    run.add(Case("hashlib", 1, False), tmp_path)
    run.run()
    found = run.result.cases[0]
    assert [one.joules for one in found.slices] == [10, 10, None, None]
    assert found.energy is not None
    assert found.energy.hashes == sum(one.hashes for one in found.slices[:2])
    assert found.energy.joules == 20


def test_matrix_and_thread_scan() -> None:
    assert cases.thread_scan(16, 8) == [1, 2, 4, 8, 16]
    assert cases.thread_scan(12, 6) == [1, 2, 4, 6, 8, 12]
    assert cases.thread_scan(1, None) == [1]
    built = cases.build(["native", "hashlib"], [1, 2], [True, False], lambda n: n == "native")
    assert [(case.name, case.threads, case.rolling) for case in built] == [
        ("native", 1, True), ("native", 1, False), ("native", 2, True), ("native", 2, False),
        ("hashlib", 1, True), ("hashlib", 1, False),
    ]  # fmt: skip


def test_names_are_expanded(tmp_path: Path) -> None:
    said: list[str] = []
    assert cases.choose_names(["hashlib", "hashlib"], tmp_path, said.append) == ["hashlib"]
    everything = cases.choose_names(["all"], tmp_path, said.append)
    assert {"hashlib", "numpy", "python"} <= set(everything)
    auto = cases.choose_names([], tmp_path, said.append)
    assert auto
    assert all(name in everything for name in auto)


def test_job_repeats_with_its_seed() -> None:
    assert cases.job(1, rolling=True) == cases.job(1, rolling=True)
    assert cases.job(1, rolling=True).prev_hash != cases.job(2, rolling=True).prev_hash
    assert cases.job(1, rolling=False).version_mask == 0
    assert cases.job(1, rolling=True).target == target_from_nbits(0x1D00FFFF)
