"""One worker: a thread that scans batches with one backend, and what its supervisor sees of it."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from miner.backends.audit import AUDIT_S, audit
from miner.backends.base import Backend, Hit
from miner.engine.floor import Floor, Generation
from miner.engine.priority import become_idle
from miner.errors import BackendFault
from miner.status import BackendMeter
from miner.work.unit import WorkUnit

FIRST_HASHES = 1024  # of a worker whose rate is not known yet
MOST_HITS = 8  # expected in one batch at most
WAIT_S = 1.0  # longest sleep without work; a new job wakes at once
STRIKES = 3  # faults after which a device is quarantined; hung scans, however far apart
FORGIVE_S = 600.0  # without a fault, and earlier ones no longer count
SICK_BATCHES, SICK_S = 3, 1.0  # a scan this late is sick: a busy machine is not
HUNG_S = 60.0  # a scan this late never comes back
SLOW_S = 300.0  # nor does an opening, or an audit of many scans


class Finding(NamedTuple):
    """Hits of one scan, on their way to the desk."""

    worker: "Worker"
    generation: Generation
    unit: WorkUnit
    hits: tuple[Hit, ...]
    found_at: float  # monotonic


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    throttle: int = 100  # percent of the time spent hashing
    idle: bool = False
    audit_s: float = AUDIT_S


class Sizer:
    """How many nonces to scan: the measured rate times the batch time, few hits expected.

    Never less than fills the backend's lanes: numpy's step of 16,384 costs the same for one hash,
    and a shorter batch would look slower, call for a shorter one still, and so on down.
    """

    def __init__(self, batch_s: float, lanes: int = 1) -> None:
        self.batch_s, self.lanes = batch_s, lanes
        self.rate_hs = FIRST_HASHES / batch_s

    def count(self, versions: int, target: int, left: int) -> int:
        by_time = max(int(self.rate_hs * self.batch_s) // versions, -(-self.lanes // versions))
        by_hits = (MOST_HITS << 256) // ((target + 1) * versions)
        count = min(by_time, by_hits)
        return max(1, min(count & ~255 if count > 4096 else count, left))

    def learn(self, hashes: int, elapsed_s: float) -> None:
        """Follow the rate, at most fourfold at a time; a batch cut short by hits teaches little."""
        if elapsed_s < self.batch_s / 4 and hashes < self.rate_hs * self.batch_s / 2:
            return
        sample = hashes / max(elapsed_s, 1e-6)
        sample = min(max(sample, self.rate_hs / 4), self.rate_hs * 4)
        weight = 1.0 if sample > 2 * self.rate_hs else 0.25
        self.rate_hs += weight * (sample - self.rate_hs)


class Worker:
    """A backend, its thread and its record. The thread ends by a stop or a failure.

    A thread whose scan hangs cannot be ended: its worker is abandoned, and a successor with a
    thread and an instance of its own takes its place. Should the scan come back after all, its
    hits still go to the desk, and the thread ends.
    """

    def __init__(
        self,
        backend: Backend,
        meter: BackendMeter,
        floor: Floor,
        deliver: Callable[[Finding], None],
        options: WorkerOptions,
        reopen: Callable[[str], Backend],
    ) -> None:
        self.backend, self.meter, self.floor, self.deliver = backend, meter, floor, deliver
        self.options, self.reopen = options, reopen
        self.name = backend.info.name
        self.failure: BaseException | None = None  # why the thread ended
        self.accusation = ""  # set by the desk: a false hit
        self.strikes, self.last_fault = 0, float("-inf")
        self.hangs = 0
        self.quarantined = self.abandoned = False
        self.scan_began: float | None = None  # monotonic, while a scan runs
        self._slow_began: float | None = None  # the same for an opening or an audit
        self.excused = float("-inf")  # until then the whole process stood still
        self.sizer = Sizer(backend.info.scan_s, backend.info.lanes)
        self._resume: tuple[Generation, WorkUnit, int] | None = None
        self._dice = random.Random()
        self._napping = threading.Event()
        self._idle = not options.idle  # nothing to do for it
        self._borrowed = False  # the backend is that of an abandoned thread: never closed
        self.thread: threading.Thread | None = None

    def start(self, afresh: bool = False) -> None:
        """`afresh`: with a new instance, which the thread opens: a driver may hang in that, too."""
        self.failure, self.accusation = None, ""
        self.meter.state = "starting"
        name = f"worker {self.name}"
        thread = threading.Thread(target=self._run, args=(afresh,), name=name, daemon=True)
        thread.start()
        self.thread = thread  # started: a stop may join it

    @property
    def sick_s(self) -> float | None:
        """How long the running scan is overdue; None while all is well."""
        began = self.scan_began
        taken = self.floor.clock() - max(began, self.excused) if began is not None else 0.0
        return taken if taken > max(SICK_S, SICK_BATCHES * self.sizer.batch_s) else None

    @property
    def hung(self) -> str | None:
        """What has not come back, and for how long, when it is too long to hope."""
        calls = ("a scan", self.scan_began, HUNG_S), ("its driver", self._slow_began, SLOW_S)
        for what, began, most_s in calls:
            taken = self.floor.clock() - max(began, self.excused) if began is not None else 0.0
            if taken > most_s:
                return f"{what} has not come back for {taken:.0f} s"
        return None

    def successor(self) -> "Worker":
        """Takes the place of this worker, which is abandoned; not started."""
        self.abandoned = True
        fresh = Worker(
            self.backend, self.meter, self.floor, self.deliver, self.options, self.reopen
        )
        fresh.hangs, fresh.strikes, fresh.last_fault = self.hangs, self.strikes, self.last_fault
        fresh._resume, fresh._borrowed = self._resume, True
        return fresh

    def close(self) -> None:
        """Give the device back, unless a thread may still be inside it."""
        if not self._borrowed and (self.thread is None or not self.thread.is_alive()):
            self.backend.close()

    def _run(self, afresh: bool) -> None:
        try:
            if afresh:
                self._slow_began = self.floor.clock()
                self.backend = self.reopen(self.name)
                self._borrowed, self._slow_began = False, None
            self._mine()
        except BaseException as error:  # noqa: BLE001 - the supervisor reports and restarts
            self.failure = error
        finally:
            self.scan_began = self._slow_began = None

    def _mine(self) -> None:
        audited = self._audit()
        wants = self.backend.info.versions_wanted
        while not (self.floor.stopping or self.abandoned):
            if self.floor.clock() - audited > self.options.audit_s:
                audited = self._audit()
            generation = self.floor.current
            if generation is None:
                self.floor.wait(None, WAIT_S)
                continue
            now = self.floor.clock()
            if generation.opens > now:
                self.floor.wait(generation, min(generation.opens - now, WAIT_S))
                continue
            unit, start = self._next(generation, wants, now)
            if unit is None:
                self.floor.wait(generation, WAIT_S)  # used up until time moves on
                continue
            self._scan_unit(generation, unit, start, audited + self.options.audit_s)

    def _next(self, generation: Generation, wants: int, now: float) -> tuple[WorkUnit | None, int]:
        """A fresh unit, or the rest of the one that was cut off by a fault or an audit."""
        resume, self._resume = self._resume, None
        if resume is not None and resume[0] is generation:
            return resume[1], resume[2]
        return generation.next_unit(wants, now), generation.job.nonces.start

    def _scan_unit(
        self, generation: Generation, unit: WorkUnit, start: int, audit_at: float
    ) -> None:
        floor, meter, sizer, scan = self.floor, self.meter, self.sizer, self.backend.scan
        versions = meter.versions = len(unit.versions)
        if not generation.hashed:
            generation.hashed = True
            floor.switch_s.append(floor.clock() - max(generation.born, generation.opens))
        if not self._idle and not generation.flood:
            self._idle = True
            become_idle()  # for good: most systems let nobody climb back
        end = unit.job.nonces.stop
        while start < end and floor.current is generation:
            self._resume = (generation, unit, start)
            count = sizer.count(versions, unit.target, end - start)
            self.scan_began = began = floor.clock()
            result = scan(unit, start, count)
            ended = floor.clock()
            self.scan_began = None
            if result.hits:  # first: whatever else is wrong, the desk judges them alone
                self.deliver(Finding(self, generation, unit, result.hits, ended))
            if self.abandoned:
                return
            if not is_count(result.hashes, count, versions):
                raise BackendFault(self.name, f"counted {result.hashes!r} hashes, impossible")
            meter.hashes += result.hashes
            start += result.hashes // versions
            sizer.learn(result.hashes, ended - began)
            if self.accusation:
                self._resume = (generation, unit, start)
                raise BackendFault(self.name, self.accusation)
            if ended > audit_at:
                self._resume = (generation, unit, start)
                return
            if self.options.throttle < 100:
                self._rest(ended - began)
        self._resume = None

    def _rest(self, busy_s: float) -> None:
        pause_s = busy_s * (100 - self.options.throttle) / self.options.throttle
        self._napping.wait(min(pause_s, 0.5))  # never set: a sleep that stays short of a stop

    def _audit(self) -> float:
        """Put the planted answers; the monotonic time it was done."""
        self.meter.state = "auditing"
        self._slow_began = self.floor.clock()
        audit(self.backend, self._dice)
        self._slow_began = None
        if not self.abandoned:
            self.meter.state = "ok"
        return self.floor.clock()

    def fault(self, now: float) -> None:
        """Count a failure; the third within FORGIVE_S quarantines."""
        self.strikes = self.strikes + 1 if now - self.last_fault < FORGIVE_S else 1
        self.last_fault = now
        self.meter.faults += 1
        self.quarantined = self.strikes >= STRIKES


def is_count(hashes: object, nonces: int, versions: int) -> bool:
    """May a scan of so many nonces have tested so many hashes?"""
    return type(hashes) is int and 0 < hashes <= nonces * versions and hashes % versions == 0
