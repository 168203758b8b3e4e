"""One worker: a thread that scans batches with one backend, and what its supervisor sees of it."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from miner.backends.audit import AUDIT_S, audit
from miner.backends.base import Backend, Hit
from miner.engine.current import CurrentWork, Generation
from miner.engine.priority import become_idle
from miner.engine.trial import Trial
from miner.errors import BackendFault
from miner.state.workers import WorkerMeter
from miner.work.unit import WorkUnit

FIRST_HASHES = 1024  # of a worker whose rate is not known yet
MOST_HITS = 8  # expected in one batch at most
WAIT_S = 1.0  # longest sleep without work; a new job wakes at once
SICK_BATCHES, SICK_S = 3, 1.0  # a scan this late is sick: a busy machine is not
HUNG_S = 60.0  # a scan this late never comes back
SLOW_S = 300.0  # nor does an opening, or an audit of many scans


class Finding(NamedTuple):
    """Hits of one scan, on their way to the pipeline."""

    worker: "Worker"
    generation: Generation
    unit: WorkUnit
    hits: tuple[Hit, ...]
    found_at: float  # monotonic


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    throttle: int = 100  # percent of the time spent hashing
    idle: bool = False
    paced: bool = False  # blocks are kept apart: speed is measured while waiting
    audit_s: float = AUDIT_S


class Doing(Enum):
    """What a thread is inside of its backend."""

    SCAN = "a scan"
    AUDIT = "an audit"
    OPENING = "its driver"


class Call(NamedTuple):
    """A call of the backend that has not come back yet."""

    doing: Doing
    began: float  # monotonic


class Around(NamedTuple):
    """What all workers of a run share."""

    current: CurrentWork
    deliver: Callable[[Finding], None]
    options: WorkerOptions
    reopen: Callable[[str], Backend]  # a new, self-tested instance of the backend of this name


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
    """A backend and its thread, which ends by a stop or a failure.

    A thread whose scan hangs cannot be ended: its worker is abandoned, and a successor with a
    thread and an instance of its own takes its place. Should the scan come back after all, its
    hits are still judged, and the thread ends.

    `accusation`, `abandoned` and `excused` are written by the engine's thread, the rest by the
    worker's own while it runs.
    """

    def __init__(self, backend: Backend, meter: WorkerMeter, around: Around) -> None:
        self.backend, self.meter, self.around = backend, meter, around
        self.failure: BaseException | None = None  # why the thread ended
        self.accusation = ""  # a false hit
        self.abandoned = False
        self.call: Call | None = None  # while the thread is inside the backend
        self.excused = float("-inf")  # until then the whole process stood still
        self.sizer = Sizer(backend.info.scan_s, backend.info.lanes)
        self.thread: threading.Thread | None = None
        self._resume: tuple[Generation, WorkUnit, int] | None = None
        self._borrowed = False  # the backend is that of an abandoned thread: never closed

    @property
    def name(self) -> str:
        return self.backend.info.name

    @property
    def alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def start(self, afresh: bool = False) -> None:
        """`afresh`: with a new instance, which the thread opens: a driver may hang in that, too.

        Raises RuntimeError when the system has no thread left.
        """
        self.failure, self.accusation = None, ""
        doing = Doing.OPENING if afresh else Doing.AUDIT
        self.call = Call(doing, self.around.current.clock())
        name = f"worker {self.name}"
        thread = threading.Thread(target=self._run, args=(afresh,), name=name, daemon=True)
        thread.start()
        self.thread = thread  # started: a stop may join it

    def inside_s(self, doing: Doing) -> float:
        """For how long the thread has been inside this call; 0 when it is not."""
        call = self.call
        if call is None or call.doing is not doing:
            return 0.0
        return self.around.current.clock() - max(call.began, self.excused)

    def successor(self) -> "Worker":
        """Takes the place of this worker, which is abandoned; not started."""
        self.abandoned = True
        fresh = Worker(self.backend, self.meter, self.around)
        fresh._resume, fresh._borrowed = self._resume, True
        return fresh

    def close(self) -> None:
        """Give the device back, unless a thread may still be inside it."""
        if not (self._borrowed or self.alive):
            self.backend.close()

    def _run(self, afresh: bool) -> None:
        try:
            if afresh:
                self.backend = self.around.reopen(self.name)
                self._borrowed = False
            self._mine()
        except BaseException as error:  # noqa: BLE001 - the supervisor reports and restarts
            self.failure = error
        finally:
            self.call = None

    def _mine(self) -> None:
        current, options = self.around.current, self.around.options
        audited, idle = self._audit(), not options.idle
        trial = Trial() if options.paced else None
        while not (current.stopping or self.abandoned):
            if current.clock() - audited > options.audit_s:
                audited = self._audit()
            generation, now = current.current, current.clock()
            if trial is not None and (generation is None or generation.opens > now):
                self._try_speed(trial, now)
            if generation is None:
                current.wait(None, WAIT_S)
                continue
            if generation.opens > now:
                current.wait(generation, min(generation.opens - now, WAIT_S))
                continue
            unit: WorkUnit | None
            resume, self._resume = self._resume, None
            if resume is not None and resume[0] is generation:  # cut off by a fault or an audit
                _, unit, start = resume
            else:
                unit = generation.next_unit(self.backend.info.versions_wanted, now)
                start = generation.job.nonces.start
            if unit is None:
                current.wait(generation, WAIT_S)  # used up until time moves on
                continue
            if not idle and not generation.flood:
                idle = True
                become_idle()  # for good: most systems let nobody climb back
            self._scan_unit(generation, unit, start, audited + options.audit_s)

    def _try_speed(self, trial: Trial, now: float) -> None:
        """Between paced blocks: measure what this worker can do, when that is due."""
        if trial.due(now):
            self.call = Call(Doing.SCAN, now)
            self.meter.trial_hs = trial.run(self.backend, now)
            self.call = None

    def _scan_unit(
        self, generation: Generation, unit: WorkUnit, start: int, audit_at: float
    ) -> None:
        current, deliver, options, _ = self.around
        meter, sizer, scan, clock = self.meter, self.sizer, self.backend.scan, current.clock
        versions = meter.versions = len(unit.versions)
        meter.unit = unit
        if not generation.hashed:
            generation.hashed = True
            current.switch_s.append(clock() - max(generation.born, generation.opens))
        end = unit.job.nonces.stop
        while start < end and current.current is generation:
            self._resume = (generation, unit, start)
            count = sizer.count(versions, unit.target, end - start)
            began = clock()
            meter.nonce = start
            self.call = Call(Doing.SCAN, began)
            result = scan(unit, start, count)
            self.call, ended = None, clock()
            if result.hits:  # first: whatever else is wrong, they are judged alone
                deliver(Finding(self, generation, unit, result.hits, ended))
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
            if options.throttle < 100:
                rest_s = (ended - began) * (100 - options.throttle) / options.throttle
                time.sleep(min(rest_s, 0.5))  # stays short of a stop
        self._resume = None

    def _audit(self) -> float:
        """Put the planted answers; the monotonic time it was done."""
        clock = self.around.current.clock
        self.call = Call(Doing.AUDIT, clock())
        audit(self.backend, random.Random())
        self.call = None
        return clock()


def is_count(hashes: object, nonces: int, versions: int) -> bool:
    """May a scan of so many nonces have tested so many hashes?"""
    return type(hashes) is int and 0 < hashes <= nonces * versions and hashes % versions == 0
