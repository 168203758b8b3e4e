"""Hash rates of the kernel's rungs on one OpenCL device, and how busy the host keeps it.

    python3 scripts/figures.py opencl_rates [NAME] [--samples 30]

The first rung is what the public kernels do: one nonce a lane in vectors of 4, each lane with its
own schedule. Rungs take turns, so that drift hits all alike; medians with MAD. On a CPU device the
rate is for each second of this process's CPU time: what other programs take is not the kernel's.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from miner.backends.gpu_scan import GpuBackend
from miner.backends.opencl.device import default_shape
from miner.backends.opencl.listing import find, is_cpu
from miner.backends.opencl.tune import open_with, words
from miner.backends.opencl.work import Shape
from miner.backends.selftest import GENESIS, Question, check

SETTLE = 4  # scans before anything counts


@dataclass
class Rung:
    """One way to lay out the work, with its samples."""

    name: str
    backend: GpuBackend
    versions: int
    rates_hs: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def sample(self, cpu: bool) -> None:
        numbers = tuple(1 + (step << 13) for step in range(self.versions))
        unit = Question(GENESIS[:76], numbers, 0, 0, 0)
        before, begun, used = self.backend.busy_s or 0.0, time.perf_counter(), time.process_time()
        hashes = self.backend.scan(unit, 0, 1 << 31).hashes
        elapsed, spent = time.perf_counter() - begun, time.process_time() - used
        self.rates_hs.append(hashes / (spent if cpu else elapsed))
        self.busy.append(((self.backend.busy_s or 0.0) - before) / elapsed)

    def line(self, first_hs: float, unit: str) -> str:
        median = statistics.median(self.rates_hs)
        mad = statistics.median(abs(rate - median) for rate in self.rates_hs)
        busy = statistics.quantiles(self.busy, n=10)
        return (
            f"{self.name:38} {median / 1e6:8.1f} {unit} ± {mad / 1e6:.1f} "
            f"({median / first_hs:.2f} x)  busy median {busy[4]:.1%}, p90 {busy[8]:.1%}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("name", nargs="?", default="opencl", help="as in `miner devices`")
    parser.add_argument("--samples", type=int, default=30, help="scans of about 50 ms for each")
    asked = parser.parse_args()
    found = find(asked.name)
    cpu, best = is_cpu(found.device), default_shape(found.device)
    unit = "MH/s a core" if cpu else "MH/s"
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        plain = open_with(found, Shape(32, 64, 4), cache)
        single, shared = (open_with(found, best, cache) for _ in range(2))  # each keeps its unit
        rungs = [
            Rung("one nonce a lane, vectors of 4", plain, 1),
            Rung(f"scan_single, {words(best)}", single, 1),
            Rung(f"scan_shared, {words(best)}", shared, best.wide),
        ]
        check(shared)
        for turn in range(SETTLE + asked.samples):
            for rung in rungs:
                rung.sample(cpu)
                if turn < SETTLE:
                    rung.rates_hs.clear()
                    rung.busy.clear()
        print(f"{found.name}: {found.device.name}, median ± MAD of {asked.samples} scans")
        for rung in rungs:
            print(rung.line(statistics.median(rungs[0].rates_hs), unit))
