"""The threads of a case: each runs the worker's loop of mining (same units, same batch rule)."""

import threading
import time
from dataclasses import dataclass

from miner.backends.base import NONCES, Backend
from miner.engine.worker import BATCH_S, Sizer
from miner.errors import BackendFault
from miner.measure import cases
from miner.work.roll import Roller
from miner.work.values import Share, WorkUnit


@dataclass(slots=True)
class Runner:
    """One thread's backend with its place in the work."""

    backend: Backend
    sizer: Sizer
    unit: WorkUnit | None = None
    position: int = 0  # next nonce of the unit
    hashes: int = 0
    running_s: float = 0.0
    scanning_s: float = 0.0  # of running_s, inside scan()
    error: Exception | None = None


class Threads:
    """The threads of one case. Units come from one Roller, as in mining."""

    def __init__(self, backends: list[Backend], seed: int, wants: int) -> None:
        self._roller = Roller(cases.job(seed, rolling=wants > 1))
        self._lock = threading.Lock()
        self.runners = [
            Runner(one, Sizer(BATCH_S[one.info.batch], one.info.lanes)) for one in backends
        ]
        self.wants = wants
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ran_s = self._scanned_s = 0.0

    def close(self) -> None:
        """Give the backends back; a thread still at work ends after its batch."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        cases.close_all([runner.backend for runner in self.runners])

    def forget(self) -> None:
        """Leave the warm-up out of `overhead`."""
        self._ran_s = self._scanned_s = 0.0

    @property
    def overhead(self) -> float | None:
        """Share of the threads' time spent outside scan()."""
        return 1 - self._scanned_s / self._ran_s if self._ran_s else None

    def run(self, seconds: float) -> tuple[int, float]:
        """Scan for about `seconds` on all threads: (hashes, seconds) as a Slice has them.

        Raises BackendFault when a backend fails or claims a hit that hashlib refuses.
        """
        barrier = threading.Barrier(len(self.runners))
        self._threads = [
            threading.Thread(target=self._work, args=(runner, barrier, seconds), daemon=True)
            for runner in self.runners
        ]
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        for runner in self.runners:
            if runner.error is not None:
                raise runner.error
            self._ran_s += runner.running_s
            self._scanned_s += runner.scanning_s
        hashes = sum(runner.hashes for runner in self.runners)
        return hashes, hashes / sum(runner.hashes / runner.running_s for runner in self.runners)

    def _work(self, runner: Runner, barrier: threading.Barrier, seconds: float) -> None:
        runner.hashes, runner.scanning_s = 0, 0.0
        barrier.wait()
        begun = time.perf_counter()
        try:
            while True:
                runner.hashes += self._step(runner)
                runner.running_s = time.perf_counter() - begun
                if runner.running_s >= seconds or self._stop.is_set():
                    return
        except (BackendFault, ValueError) as error:
            fault = isinstance(error, BackendFault)
            runner.error = error if fault else BackendFault(runner.backend.info.name, str(error))

    def _step(self, runner: Runner) -> int:
        """One batch of the runner's unit, hits checked by hashlib; returns the hashes tested."""
        unit = runner.unit
        if unit is None or runner.position >= NONCES:
            with self._lock:
                unit = runner.unit = self._roller.next(self.wants, 0.0)
            assert unit is not None  # 2**64 extranonces outlast any bench
            runner.position = 0
        left = NONCES - runner.position
        count = runner.sizer.count(len(unit.versions), unit.target, left)
        began = time.perf_counter()
        result = runner.backend.scan(unit, runner.position, count)
        elapsed = time.perf_counter() - began
        runner.sizer.learn(result.hashes, elapsed)
        for hit in result.hits:
            if Share.from_hit(unit, hit.version, hit.nonce) is None:
                raise BackendFault(runner.backend.info.name, f"false hit, nonce {hit.nonce}")
        runner.position += result.hashes // len(unit.versions)
        runner.scanning_s += elapsed
        return result.hashes
