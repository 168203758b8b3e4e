"""Compare hashlib on two cores with one: hashes a second by wall, in turns, through the pipe.

    python3 scripts/figures.py hashlib_cores [--workers N] [--pairs N]

A worker's process is kept for the run, as in mining, and scans as long as mining lets it. On idle
cores two do at least 1.8 times the hashes of one.
"""

import argparse
import statistics
import threading
import time

from miner.backends.base import NONCES
from miner.backends.hashlib import HashlibBackend, HashlibProcess
from miner.backends.selftest import GENESIS, real_block

SAMPLE_S = 1.0


def work(backend: HashlibProcess | HashlibBackend, until: float, done: list[int]) -> None:
    """Scan as a worker does, until the time is up."""
    unit, start, count, hashes = real_block(GENESIS, 0), 0, 4096, 0
    while (begun := time.perf_counter()) < until:
        hashes += backend.scan(unit, start, count).hashes
        took = time.perf_counter() - begun
        start = (start + count) % (NONCES // 2)
        count = max(1, int(count * backend.info.scan_s / took))
    done.append(hashes)


def rate(backends: list[HashlibProcess] | list[HashlibBackend]) -> float:
    """Hashes a second of all of them together."""
    done: list[int] = []
    begun = time.perf_counter()
    threads = [
        threading.Thread(target=work, args=(one, begun + SAMPLE_S, done)) for one in backends
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    processes = [HashlibProcess() for _ in range(options.workers)]
    rate(processes)  # warm-up
    rows = [
        (rate([HashlibBackend()]), rate(processes[:1]), rate(processes))
        for _ in range(options.pairs)
    ]
    for backend in processes:
        backend.close()
    names = ("in this process", "one process", f"{options.workers} processes")
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        print(f"{name:16} {statistics.median(column) / 1e6:6.3f} MH/s")
    ratios = sorted(all_ / one for one, _, all_ in rows)
    print(
        f"{options.workers} processes / in this process: {statistics.median(ratios):.2f}"
        f" ({ratios[0]:.2f} to {ratios[-1]:.2f}, {len(ratios)} pairs)"
    )


if __name__ == "__main__":
    main()
