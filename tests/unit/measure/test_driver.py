"""A driver that computes on the CPU, as PoCL and llvmpipe do, hashes in threads of its own."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from miner.backends.base import Scannable, ScanResult
from miner.backends.hashlib.scan import HashlibBackend
from miner.measure.bench import Plan
from miner.measure.cases import Case

from .test_bench import bench, use


def test_a_driver_on_the_cpu_is_timed_by_what_its_threads_took(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its own clock runs on while others have the CPU, and the caller's thread only waits."""
    took: list[float] = []

    class Driver(HashlibBackend):
        info = replace(HashlibBackend.info, in_caller=False, cores=2)

        def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
            found: list[ScanResult] = []

            def work() -> None:
                began = time.thread_time()
                found.append(super(Driver, self).scan(unit, start, count))
                took.append(time.thread_time() - began)

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            return found[0]

    use(monkeypatch, Driver)
    run = bench(Plan(samples=2, slice_s=0.1, warmup_s=0.1, seed=7))
    run.add(Case("hashlib", 1, False), tmp_path)
    took.clear()  # the gate's
    run.run()
    (found,) = run.result.cases
    timed = [*found.warmup, *found.slices]
    assert sum(one.cpu_s or 0 for one in timed) >= 0.99 * sum(took) > 0
    assert len(found.cpu_rates()) == 2
    assert found.fills == min(2, found.usable_cpus)
    assert not found.gpu_rates()
