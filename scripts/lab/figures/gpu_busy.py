"""How much of a scan a GPU's kernel does not run, by the device's own clock.

    python3 scripts/figures.py gpu_busy [NAME] [--scans 40]

NAME as in `miner devices`, OpenCL or wgpu. Each scan is one of about 50 ms, as in mining; what the
kernel does not run of it is queueing, copying, and hashing the candidates again. On a driver that
computes on the CPU the host has to wait for its turn whenever the kernel fills every core, so the
time this process had a CPU is printed beside.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from miner.backends import registry
from miner.backends.base import OpenOptions
from miner.backends.gpu_scan import GpuBackend
from miner.backends.selftest import GENESIS, Question

SETTLE = 5  # scans before anything counts


def outside(backend: GpuBackend, versions: int, scans: int) -> list[float]:
    """Share of each scan in which the kernel did not run. Raises SystemExit without a clock."""
    unit = Question(GENESIS[:76], tuple(1 + (step << 13) for step in range(versions)), 0, 0, 0)
    shares = []
    for turn in range(SETTLE + scans):
        before, begun = backend.busy_s, time.perf_counter()
        backend.scan(unit, 0, 1 << 31)
        elapsed, after = time.perf_counter() - begun, backend.busy_s
        if before is None or after is None:
            raise SystemExit(f"gpu_busy: {backend.info.name} has no clock of its own")
        if turn >= SETTLE:
            shares.append(1 - (after - before) / elapsed)
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("name", nargs="?", default="wgpu", help="as in `miner devices`")
    parser.add_argument("--scans", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        backend = registry.open_named(asked.name, OpenOptions(Path(folder)))
        if not isinstance(backend, GpuBackend):
            raise SystemExit(f"gpu_busy: {backend.info.name} is no GPU")
        print(f"{backend.info.name}: {backend.info.device}, {asked.scans} scans")
        for versions in (1, backend.info.lanes):
            shares = outside(backend, versions, asked.scans)
            tenths = statistics.quantiles(shares, n=10)
            print(f"{versions:4} version(s): kernel not running median {tenths[4]:.2%}, "
                  f"p90 {tenths[8]:.2%} of a scan")  # fmt: skip
        backend.close()


if __name__ == "__main__":
    main()
