"""What keeping shares as proof costs a benchmark, by the CPU time of the whole process.

    .venv/bin/python scripts/lab/proof_cost.py [native:avx512 opencl:pocl:0 ...] [--pairs 24]

A run with shares as often as `miner bench` keeps them (400 in 16 s) beside one with next to none,
taking turns; the ratio of their hashes a CPU second, median and quartiles. On a graphics card the
CPU does little: there the device's own time is the measure.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from miner.backends import registry
from miner.backends.base import Kind, OpenOptions
from miner.bitcoin.target import DIFF1_TARGET
from miner.measure import cases, proof, threads

SECONDS, SLICES = 0.5, 16


def rate(made: threads.Threads, target: int, seed: str, gpu: bool) -> tuple[float, int]:
    """Hashes a second that count, and the shares kept meanwhile."""
    made.work_on(cases.job(seed, True, target))
    used = time.process_time()
    ran = made.run(SECONDS)
    spent = ran.device_s if gpu and ran.device_s else time.process_time() - used
    return ran.hashes / spent, len(ran.shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["native"])
    parser.add_argument("--pairs", type=int, default=24)
    given = parser.parse_args()
    for name in given.names:
        with tempfile.TemporaryDirectory() as folder:
            backend = registry.open_named(name, OpenOptions(Path(folder)))
            gpu = backend.info.kind is Kind.GPU
            wanted = backend.info.versions_wanted
            made = threads.Threads([backend], cases.job("warm-up", True), wanted)
            ran = made.run(SECONDS)
            usual = proof.choose_target(ran.hashes / ran.seconds * SLICES)
            ratios, kept = [], 0
            for pair in range(given.pairs):
                order = (DIFF1_TARGET, usual) if pair % 2 else (usual, DIFF1_TARGET)
                found = {target: rate(made, target, f"pair {pair}", gpu) for target in order}
                ratios.append(found[usual][0] / found[DIFF1_TARGET][0])
                kept += found[usual][1]
            made.close()
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"{backend.info.name}: with shares {middle:.4f} [{low:.4f}, {high:.4f}] of the rate "
              f"without, {given.pairs} pairs, {kept} shares", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
