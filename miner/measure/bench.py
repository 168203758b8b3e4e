"""Measure cases: gate, warm-up, interleaved slices of about a second, each with its joules.

A slice runs the worker's loop of mining on every thread of a case (see threads.py). Rounds visit
the cases in an order drawn anew, so that the heat and clocks that one case leaves behind meet all
the others alike.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from miner.backends.base import Backend, Kind
from miner.backends.native.device import NativeBackend
from miner.devices import cpu
from miner.devices.cpu import Reading
from miner.devices.energy import Given, Meter
from miner.devices.gpu import Sensors
from miner.errors import BackendFault
from miner.measure import cases, proof, stats
from miner.measure.result import (
    DRIVER,
    ON_CPU,
    ON_GPU,
    CaseResult,
    Energy,
    Gate,
    Proof,
    Result,
    Slice,
)
from miner.measure.threads import Ran, Threads

WARM_SLICE_S = 0.5
IDLE = 0.05  # share of the CPUs' time above which the machine was not idle
STEADY_AFTER_S, WINDOW_S = 180.0, 60.0
SETTLED = 0.005  # between a minute and the next
WARM_SPREAD = 0.02  # three successive slices this close: warm


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often; seconds."""

    samples: int = 16
    slice_s: float = 1.0
    warmup_s: float = 3.0
    idle_s: float = 0.0  # before and after, for net energy
    seed: int = 1
    until_steady: bool = False  # stop before `samples` once the rate has settled

    @property
    def least_s(self) -> float:
        """How long a case is timed at least."""
        whole = self.samples * self.slice_s
        return min(whole, STEADY_AFTER_S) if self.until_steady else whole

    def seconds(self, count: int) -> float:
        """What `count` cases will take, about."""
        return count * (self.warmup_s + self.samples * self.slice_s) + 2 * self.idle_s


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of the measurement, for a screen."""

    stage: str  # "gate", "warm-up", "slice", "idle"
    case: CaseResult | None
    elapsed_s: float
    left_s: float


@dataclass(slots=True)
class Track:
    """A case with its threads and meter while it is measured."""

    found: CaseResult
    threads: Threads
    meter: Meter | None
    card: "CardWatch | None" = None
    bound: str = ""  # what its work is derived from; see proof.py
    idle_w: list[float] = field(default_factory=list)


class Bench:
    """One `miner bench`: fills `result` case by case, so that an interrupt keeps what is done."""

    def __init__(
        self,
        plan: Plan,
        result: Result,
        root: Path,
        tell: Callable[[Progress], None],
        meter_for: Callable[[Backend], Meter | None],
    ) -> None:
        self.plan, self.result, self._root, self._tell = plan, result, root, tell
        self.meter_for = meter_for
        self._tracks: list[Track] = []
        self._begun = time.monotonic()
        self._first_slice: float | None = None
        self._done_s = 0.0

    def add(self, case: cases.Case, cache: Path) -> None:
        """Open and gate a case. A wrong variant becomes a row marked INVALID, never a rate.

        Raises BackendUnavailable.
        """
        try:
            backends = cases.open_case(case, cache)
        except BackendFault as error:
            self.result.cases.append(_invalid(case, str(error)))
            return
        info = backends[0].info
        wants = info.versions_wanted if case.rolling else 1
        batch = ON_GPU if info.kind is Kind.GPU else ON_CPU if info.in_caller else DRIVER
        family, _, variant = info.name.partition(":")
        found = CaseResult(
            family, variant, info.device, case.threads, wants, batch, Gate(0, "", False)
        )
        found.usable_cpus = cpu.usable_threads(self._root)
        if batch == DRIVER:
            found.usable_cpus = min(found.usable_cpus, info.cores)
        if isinstance(backends[0], NativeBackend):
            found.shape = backends[0].shape(wants).form
        if any(found.key == other.key for other in self.result.cases):
            cases.close_all(backends)
            return
        self._say("gate", found)
        found.gate = cases.gate(backends[0], self.plan.seed)
        self.result.cases.append(found)
        if not found.gate.passed:
            cases.close_all(backends)
            return
        job = cases.job(self.plan.seed, rolling=wants > 1)
        card = CardWatch(backends[0].sensors) if found.on_gpu else None
        clock = None if batch == DRIVER else card or partial(cpu.clock_of, self._root)
        threads = Threads(backends, job, wants, clock, batch == DRIVER)
        self._tracks.append(Track(found, threads, self.meter_for(backends[0]), card))

    def run(self) -> None:
        """Idle, warm-up, interleaved slices, idle. Ctrl-C ends early and marks it partial."""
        try:
            self._idle()
            for track in self._tracks:
                self._warm(track)
            order = random.Random(self.plan.seed)
            for _ in range(self.plan.samples):
                if self.plan.until_steady and all(_settled(one.found) for one in self._tracks):
                    break
                for track in order.sample(self._tracks, len(self._tracks)):
                    self._slice(track)
            self._idle()
        except KeyboardInterrupt:
            self.result.partial = True
        finally:
            for track in self._tracks:
                track.threads.close()
                _finish(track)

    def _idle(self) -> None:
        """The draw of the machine doing nothing, each meter once."""
        meters = {id(track.meter): track.meter for track in self._tracks if track.meter}
        if not self.plan.idle_s or not meters:
            return
        self._say("idle", None)
        before = {key: _joules(meter) for key, meter in meters.items()}
        began, busy = time.monotonic(), cpu.busy_s(self._root)
        time.sleep(self.plan.idle_s)
        elapsed, used = time.monotonic() - began, _moved(busy, cpu.busy_s(self._root))
        share = (used or 0.0) / elapsed / (os.cpu_count() or 1)
        self._done_s += self.plan.idle_s
        for track in self._tracks:
            if share > IDLE:  # others worked: their joules are not those of idleness
                track.found.counters["idle_busy"] = share
            elif track.meter and track.meter.source != Given.source:
                first, last = before[id(track.meter)], _joules(track.meter)
                if first is not None and last is not None:
                    track.idle_w.append((last - first) / elapsed)

    def _warm(self, track: Track) -> None:
        """Until three successive slices differ by less than 2 %, or the time is up; kept apart."""
        length = min(WARM_SLICE_S, self.plan.slice_s)
        began = time.monotonic()
        warm = track.found.warmup
        while time.monotonic() - began < self.plan.warmup_s:
            self._say("warm-up", track.found)
            try:
                ran = track.threads.run(length)
                warm.append(Slice(ran.hashes, ran.seconds, cpu_s=ran.cpu_s))
            except BackendFault as error:
                self._refuse(track, error)
                break
            last = [one.rate_hs for one in warm[-3:]]
            if len(last) == 3 and max(last) - min(last) < WARM_SPREAD * max(last):
                break
        track.threads.forget()
        self._promise(track)
        self._done_s += self.plan.warmup_s

    def _promise(self, track: Track) -> None:
        """Fix the target of the proof before anything is timed."""
        warm = track.found.warmup
        rate = statistics.median(one.rate_hs for one in warm) if warm else 1e6
        target = proof.choose_target(rate * self.plan.least_s)
        track.found.proof = Proof(target)
        track.bound = proof.commitment(self.result, track.found, target)

    def _slice(self, track: Track) -> None:
        """One slice of a case, on work of its own, with what the machine did meanwhile."""
        found = track.found
        if not found.gate.passed:
            return
        index, promised = len(found.slices), found.proof
        assert promised is not None  # made after the warm-up
        block = self.result.seed_block
        track.threads.work_on(proof.job(track.bound, index, found, promised.target, block))
        before, joules = cpu.read(self._root), _joules(track.meter)
        began = time.monotonic()
        if self._first_slice is None:
            self._first_slice = began
        try:
            ran = track.threads.run(self.plan.slice_s)
        except BackendFault as error:
            self._refuse(track, error)
            return
        wall, spent = time.monotonic() - began, _joules(track.meter)
        after = cpu.read(self._root)
        used = spent - joules if spent is not None and joules is not None else None
        at_s = round(began - self._first_slice, 3)
        found.slices.append(_made(track, ran, used, at_s, before, after))
        promised.shares += [proof.record(index, share) for share in ran.shares]
        _count(found.counters, before, after, wall)
        _limit(found, track.threads.runners[0].backend)
        _add(found.counters, "cpu_s", ran.cpu_s)
        self._done_s += self.plan.slice_s
        self._say("slice", found)

    def _refuse(self, track: Track, error: BackendFault) -> None:
        """A backend that fails while it is timed loses its rate."""
        track.found.gate = replace(track.found.gate, passed=False, why=str(error))
        track.found.slices.clear()
        track.found.proof = None

    def _say(self, stage: str, case: CaseResult | None) -> None:
        left = max(self.plan.seconds(len(self._tracks)) - self._done_s, 0.0)
        self._tell(Progress(stage, case, time.monotonic() - self._begun, left))


def _settled(found: CaseResult) -> bool:
    """Are the last two minutes as fast as each other, after three?"""
    if not found.gate.passed:
        return True
    if found.seconds < STEADY_AFTER_S:
        return False
    rates = found.cpu_rates() or found.gpu_rates() or found.rates()
    half = max(1, round(len(rates) * WINDOW_S / found.seconds))
    first, last = (stats.centre(part) for part in (rates[-2 * half : -half], rates[-half:]))
    return abs(last / first - 1) < SETTLED


def _joules(meter: Meter | None) -> float | None:
    """None without a meter, and for one that fails: that costs the joules, never the run."""
    try:
        return meter.joules() if meter else None
    except Exception:  # noqa: BLE001  drivers raise what they like
        return None


def _made(
    track: Track, ran: Ran, joules: float | None, at_s: float, before: Reading, after: Reading
) -> Slice:
    """What is kept of a slice."""
    temperature_c = after.temperature_c
    if track.card is not None:
        temperature_c = track.card.last.temperature_c
        if track.card.last.held_back:
            _add(track.found.counters, f"card_{track.card.last.held_back.replace(' ', '_')}", 1)
    return Slice(
        hashes=ran.hashes,
        seconds=ran.seconds,
        joules=joules,
        clock_mhz=ran.clock_mhz,
        temperature_c=temperature_c,
        at_s=at_s,
        cpu_s=ran.cpu_s,
        device_s=ran.device_s,
        cycles=ran.counts.cycles if ran.counts else None,
        instructions=ran.counts.instructions if ran.counts else None,
        steal_s=_moved(before.steal_s, after.steal_s),
    )


class CardWatch:
    """What a graphics card tells of itself while it works; an idle card's clock says nothing."""

    def __init__(self, ask: Callable[[], Sensors | None]) -> None:
        self._ask, self.last = ask, Sensors()

    def __call__(self, threads: list[int]) -> float | None:
        self.last = self._ask() or Sensors()
        return self.last.clock_mhz


def _moved(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else max(last - first, 0.0)


def _invalid(case: cases.Case, why: str) -> CaseResult:
    family, _, variant = case.name.partition(":")
    return CaseResult(family, variant, "", case.threads, 1, ON_CPU, Gate(0, "", False, why))


def _limit(found: CaseResult, backend: Backend) -> None:
    """What one core could reach, at the best clock seen in any slice."""
    if isinstance(backend, NativeBackend) and (limit := backend.limit_hs(found.versions)):
        found.counters["limit_hs"] = max(limit, found.counters.get("limit_hs", 0.0))


def _count(counters: dict[str, float], before: Reading, after: Reading, wall: float) -> None:
    """Add what moved during a slice; a counter the machine lacks stays absent."""
    _add(counters, "seconds", wall)
    for name in ("throttles", "steal_s", "quota_stops"):
        moved = _moved(getattr(before, name), getattr(after, name))
        if moved is not None:
            _add(counters, name, moved)


def _add(counters: dict[str, float], name: str, value: float) -> None:
    counters[name] = counters.get(name, 0.0) + value


def _finish(track: Track) -> None:
    """Sum the joules; a counter that stood still measured nothing."""
    found = track.found
    found.overhead = track.threads.overhead
    metered = [one for one in found.slices if one.joules is not None]
    joules = sum(one.joules or 0.0 for one in metered)
    if track.meter is None or joules <= 0:
        return
    found.energy = Energy(
        joules=joules,
        hashes=sum(one.hashes for one in metered),
        seconds=sum(one.seconds for one in metered),
        boundary=track.meter.boundary,
        source=track.meter.source,
        idle_w=_idle_w(track),
    )


def _idle_w(track: Track) -> float | None:
    """Mean draw before and after; None unless the machine was idle both times."""
    if not track.idle_w or "idle_busy" in track.found.counters:
        return None
    return sum(track.idle_w) / len(track.idle_w)
