"""Measure cases: gate, warm-up, interleaved slices of about a second, each with its joules.

A slice runs the worker's loop of mining (same units, same batch rule) on every thread of a case;
each thread times itself, and the slice's rate is the sum of the threads' own rates.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from miner.backends.base import Backend
from miner.devices import cpu
from miner.devices.cpu import Reading
from miner.devices.energy import Given, Meter
from miner.errors import BackendFault
from miner.measure import cases
from miner.measure.result import CaseResult, Energy, Gate, Result, Slice
from miner.measure.threads import Threads

WARM_SLICE_S = 0.5
WARM_SPREAD = 0.02  # three successive slices this close: warm


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often; seconds."""

    samples: int = 16
    slice_s: float = 1.0
    warmup_s: float = 3.0
    idle_s: float = 0.0  # before and after, for net energy
    seed: int = 1

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
        family, _, variant = info.name.partition(":")
        found = CaseResult(
            family, variant, info.device, case.threads, wants, info.batch, Gate(0, "", False)
        )
        found.usable_cpus = cpu.usable_threads(self._root)
        if any(found.key == other.key for other in self.result.cases):
            cases.close_all(backends)
            return
        self._say("gate", found)
        found.gate = cases.gate(backends[0], self.plan.seed)
        self.result.cases.append(found)
        if not found.gate.passed:
            cases.close_all(backends)
            return
        threads = Threads(backends, self.plan.seed, wants)
        self._tracks.append(Track(found, threads, self.meter_for(backends[0])))

    def run(self) -> None:
        """Idle, warm-up, interleaved slices, idle. Ctrl-C ends early and marks it partial."""
        try:
            self._idle()
            for track in self._tracks:
                self._warm(track)
            for _ in range(self.plan.samples):
                for track in self._tracks:
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
        began = time.monotonic()
        time.sleep(self.plan.idle_s)
        elapsed = time.monotonic() - began
        self._done_s += self.plan.idle_s
        for track in self._tracks:
            if track.meter and track.meter.source != Given.source:
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
                warm.append(Slice(*track.threads.run(length)))
            except BackendFault as error:
                self._refuse(track, error)
                break
            last = [one.rate_hs for one in warm[-3:]]
            if len(last) == 3 and max(last) - min(last) < WARM_SPREAD * max(last):
                break
        track.threads.forget()
        self._done_s += self.plan.warmup_s

    def _slice(self, track: Track) -> None:
        if not track.found.gate.passed:
            return
        before, joules = cpu.read(self._root), _joules(track.meter)
        began, cpu_began = time.monotonic(), time.process_time()
        if self._first_slice is None:
            self._first_slice = began
        try:
            hashes, seconds = track.threads.run(self.plan.slice_s)
        except BackendFault as error:
            self._refuse(track, error)
            return
        wall, spent = time.monotonic() - began, _joules(track.meter)
        cpu_s = time.process_time() - cpu_began
        after = cpu.read(self._root)
        used = spent - joules if spent is not None and joules is not None else None
        track.found.slices.append(
            Slice(
                hashes, seconds, used, after.clock_mhz, after.temperature_c,
                round(began - self._first_slice, 3), cpu_s,
            )
        )  # fmt: skip
        _count(track.found.counters, before, after, wall)
        _add(track.found.counters, "cpu_s", cpu_s)
        self._done_s += self.plan.slice_s
        self._say("slice", track.found)

    def _refuse(self, track: Track, error: BackendFault) -> None:
        """A backend that fails while it is timed loses its rate."""
        track.found.gate = replace(track.found.gate, passed=False, why=str(error))
        track.found.slices.clear()

    def _say(self, stage: str, case: CaseResult | None) -> None:
        left = max(self.plan.seconds(len(self._tracks)) - self._done_s, 0.0)
        self._tell(Progress(stage, case, time.monotonic() - self._begun, left))


def _joules(meter: Meter | None) -> float | None:
    """None without a meter, and for one that fails: that costs the joules, never the run."""
    try:
        return meter.joules() if meter else None
    except Exception:  # noqa: BLE001  drivers raise what they like
        return None


def _invalid(case: cases.Case, why: str) -> CaseResult:
    family, _, variant = case.name.partition(":")
    return CaseResult(family, variant, "", case.threads, 1, "cpu", Gate(0, "", False, why))


def _count(counters: dict[str, float], before: Reading, after: Reading, wall: float) -> None:
    """Add what moved during a slice; a counter the machine lacks stays absent."""
    _add(counters, "seconds", wall)
    for name in ("throttles", "steal_s", "quota_stops"):
        first, last = getattr(before, name), getattr(after, name)
        if first is not None and last is not None:
            _add(counters, name, max(last - first, 0))


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
        idle_w=sum(track.idle_w) / len(track.idle_w) if track.idle_w else None,
    )
