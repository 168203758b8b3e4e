"""What keeping shares as proof costs a benchmark, by CPU time: exact on a busy machine too.

    .venv/bin/python scripts/lab/proof_cost.py [native:avx512 opencl:pocl:0 ...] [--pairs 24]

A benchmark keeps 400 shares in 16 s, far too few to see what they cost beside the noise of a rate.
So the shares are made TIMES as many, with an easier target and batches of one length; a run with
them and a run without take turns, and what they take of the rate is divided by TIMES. All that a
share costs, from the search that reports it to the list that keeps it, grows with their number, and
nothing else differs. Printed: that share of the rate, median and quartiles of the pairs, and the
time a share takes. CPU time of the whole process; on a graphics card wall time, since it waits
while a share is looked at.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from miner.backends import registry
from miner.backends.base import Kind, OpenOptions
from miner.bitcoin.target import DIFF1_TARGET
from miner.engine.worker import Sizer
from miner.measure import cases, proof, threads

SECONDS, BENCH_S = 0.5, 16
TIMES = 64


class Steady(Sizer):
    """Batches by time alone: easy targets would shorten those of mining, and cost by that."""

    def count(self, versions: int, target: int, left: int) -> int:
        return super().count(versions, 0, left)


def rate(made: threads.Threads, target: int, seed: str, gpu: bool) -> tuple[float, float, int]:
    """Hashes a second that count, those seconds, and the shares kept meanwhile."""
    made.work_on(cases.job(seed, True, target))
    began, used = time.perf_counter(), time.process_time()
    ran = made.run(SECONDS)
    spent = time.perf_counter() - began if gpu else time.process_time() - used
    return ran.hashes / spent, spent, len(ran.shares)


def measure(name: str, pairs: int) -> str:
    """The line of one backend."""
    with tempfile.TemporaryDirectory() as folder:
        backend = registry.open_named(name, OpenOptions(Path(folder)))
        gpu, wanted = backend.info.kind is Kind.GPU, backend.info.versions_wanted
        made = threads.Threads([backend], cases.job("warm-up", True), wanted)
        for runner in made.runners:
            runner.sizer = Steady(backend.info.scan_s, backend.info.lanes)
        for _ in range(3):  # the batch finds its length
            ran = made.run(SECONDS)
        usual = proof.choose_target(ran.hashes / ran.seconds * BENCH_S)
        easy = min(usual * TIMES, proof.EASIEST)
        lost, taken_s, kept = [], [], 0
        for pair in range(pairs):
            order = (DIFF1_TARGET, easy) if pair % 2 else (easy, DIFF1_TARGET)
            found = {target: rate(made, target, f"pair {pair}", gpu) for target in order}
            (with_hs, spent, shares), (bare_hs, *_) = found[easy], found[DIFF1_TARGET]
            lost.append(1 - with_hs / bare_hs)
            taken_s.append(lost[-1] * spent / max(shares, 1))
            kept += shares
        made.close()
    low, middle, high = (one * usual / easy for one in statistics.quantiles(lost, n=4))
    return (
        f"{backend.info.name}: shares as often as in a benchmark cost {middle:.4%} of the rate "
        f"[{low:.4%}, {high:.4%}], {1e6 * statistics.median(taken_s):.1f} µs each; {pairs} pairs, "
        f"{kept} shares, {easy / usual:.0f} times as often"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["native"])
    parser.add_argument("--pairs", type=int, default=24)
    given = parser.parse_args()
    for name in given.names:
        print(measure(name, given.pairs), flush=True)


if __name__ == "__main__":
    main()
