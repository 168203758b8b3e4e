"""The threads of a case: each runs the worker's loop of mining (same units, same batch rule).

All start together and stop at a common deadline. A slice counts every hash, and the time from the
first start to the last end, so that its rate never exceeds what was done, however many threads wait
for however few CPUs.
"""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from miner.backends.base import NONCES, Backend
from miner.engine.worker import Sizer
from miner.errors import BackendFault
from miner.measure import cases, perf
from miner.work.found import Share
from miner.work.job import Job
from miner.work.roll import Roller
from miner.work.unit import WorkUnit

LOOK_S = 0.2  # between two looks at the workers' clocks


@dataclass(frozen=True, slots=True)
class Ran:
    """What all threads did from the first start to the last end."""

    hashes: int
    seconds: float
    cpu_s: float  # CPU time of these threads, or of a driver's
    device_s: float | None  # time the devices worked, by their own clocks
    clock_mhz: float | None  # of the CPUs the threads ran on, while they ran
    counts: perf.Counts | None
    shares: list[Share]


@dataclass(slots=True)
class Runner:
    """One thread's backend with its place in the work, and what it did in this slice."""

    backend: Backend
    sizer: Sizer
    unit: WorkUnit | None = None
    position: int = 0  # next nonce of the unit
    hashes: int = 0
    began: float = 0.0
    ended: float = 0.0
    cpu_s: float = 0.0
    scanning_s: float = 0.0  # inside scan()
    thread_id: int | None = None  # while it runs
    counts: perf.Counts | None = None
    shares: list[Share] = field(default_factory=list)
    error: Exception | None = None

    def elsewhere_s(self) -> float:
        """CPU time of the backend's own process, 0.0 without one."""
        return float(getattr(self.backend, "elsewhere_s", 0.0))


class Threads:
    """The threads of one case. Units come from one Roller, as in mining."""

    def __init__(
        self,
        backends: list[Backend],
        job: Job,
        wants: int,
        clock: Callable[[list[int]], float | None] | None = None,
        driver: bool = False,
    ) -> None:
        """`clock`: MHz of the CPUs on which these kernel threads run. `driver`: the backend hashes
        on the CPU in threads of its own, so that the CPU time of the whole process is its."""
        self._lock = threading.Lock()
        self.runners = [Runner(one, Sizer(one.info.scan_s, one.info.lanes)) for one in backends]
        self.wants, self._clock, self._driver = wants, clock, driver
        self._stop = threading.Event()
        self._barrier = threading.Barrier(1)  # of this run
        self._threads: list[threading.Thread] = []
        self._ran_s = self._scanned_s = 0.0
        self.work_on(job)

    def work_on(self, job: Job) -> None:
        """Take this job's units from the next run on; not while one runs."""
        self._roller = Roller(job)
        for runner in self.runners:
            runner.unit = None

    def close(self) -> None:
        """Give the backends back; a thread still at work ends after its batch.

        An interrupt may have come while they were being started: then some wait for the others.
        """
        self._stop.set()
        self._barrier.abort()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        cases.close_all([runner.backend for runner in self.runners])

    def forget(self) -> None:
        """Leave the warm-up out of `overhead`."""
        self._ran_s = self._scanned_s = 0.0

    @property
    def overhead(self) -> float | None:
        """Share of the threads' time spent outside scan()."""
        return 1 - self._scanned_s / self._ran_s if self._ran_s else None

    def run(self, seconds: float) -> Ran:
        """Scan until `seconds` after the common start.

        Raises BackendFault when a backend fails or claims a hit that hashlib refuses.
        """
        until: list[float] = []
        barrier = self._barrier = threading.Barrier(
            len(self.runners), lambda: until.append(time.perf_counter() + seconds)
        )
        busy, process_s = self._device_s(), time.process_time()
        self._threads = [
            threading.Thread(target=self._work, args=(runner, barrier, until), daemon=True)
            for runner in self.runners
        ]
        for thread in self._threads:
            thread.start()
        clock_mhz = self._watch()
        for runner in self.runners:
            if runner.error is not None:
                raise runner.error
            self._ran_s += runner.ended - runner.began
            self._scanned_s += runner.scanning_s
        worked, process_s = self._device_s(), time.process_time() - process_s
        counts = [runner.counts for runner in self.runners if runner.counts]
        return Ran(
            hashes=sum(runner.hashes for runner in self.runners),
            seconds=max(one.ended for one in self.runners) - min(one.began for one in self.runners),
            cpu_s=process_s if self._driver else sum(runner.cpu_s for runner in self.runners),
            device_s=worked - busy if worked is not None and busy is not None else None,
            clock_mhz=clock_mhz,
            counts=None if self._driver or len(counts) < len(self.runners) else perf.total(counts),
            shares=[share for runner in self.runners for share in runner.shares],
        )

    def _watch(self) -> float | None:
        """Wait for the threads; median of the clocks seen meanwhile."""
        seen = []
        for thread in self._threads:
            while thread.is_alive():
                thread.join(LOOK_S)
                running = [one.thread_id for one in self.runners if one.thread_id is not None]
                if running and self._clock and (found := self._clock(running)):
                    seen.append(found)
        return statistics.median(seen) if seen else None

    def _device_s(self) -> float | None:
        """Time all devices have worked so far; None where one does not tell."""
        told = [getattr(runner.backend, "busy_s", None) for runner in self.runners]
        known = [one for one in told if isinstance(one, float)]
        return sum(known) if len(known) == len(told) else None

    def _work(self, runner: Runner, barrier: threading.Barrier, until: list[float]) -> None:
        runner.hashes, runner.scanning_s, runner.shares = 0, 0.0, []
        counters = perf.ThreadCounters()
        try:
            barrier.wait()
        except threading.BrokenBarrierError:  # closed before all had begun
            counters.close()
            return
        runner.thread_id = threading.get_native_id()
        elsewhere = runner.elsewhere_s()
        runner.began, cpu, before = time.perf_counter(), time.thread_time(), counters.read()
        try:
            while True:
                runner.hashes += self._step(runner, until[0])
                runner.ended = time.perf_counter()
                if runner.ended >= until[0] or self._stop.is_set():
                    break
        except (BackendFault, ValueError) as error:
            fault = isinstance(error, BackendFault)
            runner.error = error if fault else BackendFault(runner.backend.info.name, str(error))
        finally:
            runner.cpu_s = time.thread_time() - cpu + runner.elsewhere_s() - elsewhere
            runner.counts = None if elsewhere else perf.between(before, counters.read())
            runner.thread_id = None
            counters.close()

    def _step(self, runner: Runner, until: float) -> int:
        """One batch of the unit, no longer than till the deadline; hits checked by hashlib."""
        unit = runner.unit
        if unit is None or runner.position >= NONCES:
            with self._lock:
                unit = runner.unit = self._roller.next(self.wants, 0.0)
            assert unit is not None  # 2**64 extranonces outlast any bench
            runner.position = 0
        began = time.perf_counter()
        left = min(NONCES - runner.position, self._fitting(runner, unit, until - began))
        count = runner.sizer.count(len(unit.versions), unit.target, left)
        result = runner.backend.scan(unit, runner.position, count)
        elapsed = time.perf_counter() - began
        runner.sizer.learn(result.hashes, elapsed)
        for hit in result.hits:
            share = Share.from_hit(unit, hit.version, hit.nonce)
            if share is None:
                raise BackendFault(runner.backend.info.name, f"false hit, nonce {hit.nonce}")
            runner.shares.append(share)
        runner.position += result.hashes // len(unit.versions)
        runner.scanning_s += elapsed
        return result.hashes

    @staticmethod
    def _fitting(runner: Runner, unit: WorkUnit, left_s: float) -> int:
        """Nonces that fit into what is left of the slice; a tenth of a batch or one step at least,
        since shorter ones cost as much."""
        sizer = runner.sizer
        hashes = max(sizer.rate_hs * max(left_s, sizer.batch_s / 10), sizer.lanes)
        return -(-int(hashes) // len(unit.versions))
