"""Is `miner bench compare` calibrated? Simulated pairs of builds, and how often each word is wrong.

    .venv/bin/python scripts/lab/comparison.py [--trials 1000] [--power 400] [--slices 16]
                                               [--runs 1,3,5] [--noise "run offset 3 %"]

A row is a kind of noise. "A/A": two builds that are alike; faster and slower are then wrong, beside
it how far chance may have carried that share (two standard deviations). "covers": the 95 % interval
holds the true ratio. "+5 %", "x2": a true difference of that size is called faster. The seed is
fixed, so the table repeats. Rows are shared out to all cores: the whole table takes minutes.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from miner.measure import compare, stats

Series = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Series]  # relative deviations of a run's slices


def autoregressive(rng: np.random.Generator, n: int, rho: float, sd: float) -> Series:
    steps = rng.standard_normal(n)
    steps[0] /= math.sqrt(1 - rho * rho)
    for i in range(1, n):
        steps[i] += rho * steps[i - 1]
    return np.asarray(steps * sd * math.sqrt(1 - rho * rho))


def sticky_clocks(rng: np.random.Generator, n: int) -> Series:
    """Two clocks 7 % apart, left for the other once in ten slices."""
    turns = np.cumsum(rng.random(n) < 0.1) + rng.integers(2)
    return np.asarray(np.where(turns % 2, -0.035, 0.035) + rng.normal(0, 0.003, n))


def spikes(rng: np.random.Generator, n: int) -> Series:
    hit = rng.random(n) < 0.15
    return np.asarray(rng.normal(0, 0.005, n) - hit * rng.uniform(0.05, 0.4, n))


def offset(sd: float) -> Noise:
    """A run is off by this much as a whole; inside it varies by 0.3 %."""
    return lambda rng, n: np.asarray(rng.normal(0, sd) + rng.normal(0, 0.003, n))


WIDTHS = (6, 16, 10, 9, 9, 9)
NOISES: dict[str, Noise] = {
    "iid 0.3 %": lambda rng, n: rng.normal(0, 0.003, n),
    "iid 1 %": lambda rng, n: rng.normal(0, 0.01, n),
    "iid 3 %": lambda rng, n: rng.normal(0, 0.03, n),
    "AR 0.3, 1 %": lambda rng, n: autoregressive(rng, n, 0.3, 0.01),
    "AR 0.5, 1 %": lambda rng, n: autoregressive(rng, n, 0.5, 0.01),
    "AR 0.8, 1 %": lambda rng, n: autoregressive(rng, n, 0.8, 0.01),
    "AR 0.9, 1 %": lambda rng, n: autoregressive(rng, n, 0.9, 0.01),
    "AR 0.9, 3 %": lambda rng, n: autoregressive(rng, n, 0.9, 0.03),
    "drift 5 %": lambda rng, n: np.linspace(0.025, -0.025, n) + rng.normal(0, 0.003, n),
    "two clocks": sticky_clocks,
    "spikes": spikes,
    "run offset 0.5 %": offset(0.005),
    "run offset 1 %": offset(0.01),
    "run offset 2 %": offset(0.02),
    "run offset 3 %": offset(0.03),
}


def pair(
    noise: Noise, rng: np.random.Generator, n: int, runs: int, factor: float
) -> tuple[str, bool]:
    """The word about two builds that differ by `factor`, and whether the interval holds it."""
    sides = [[list(level * np.exp(noise(rng, n))) for _ in range(runs)] for level in (1.0, factor)]
    found = stats.compare(sides[0], sides[1], int(rng.integers(2**31)))
    interval = found.interval()
    covers = interval is not None and interval[0] <= factor <= interval[1]
    return compare.word(interval, (runs, runs)), covers


def row(case: tuple[int, str], trials: int, power: int, n: int) -> list[str]:
    runs, name = case
    rng = np.random.default_rng([n, runs, *name.encode()])
    noise = NOISES[name]
    alike = [pair(noise, rng, n, runs, 1.0) for _ in range(trials)]
    words = Counter(word for word, _ in alike)
    wrong = words[compare.FASTER] + words[compare.SLOWER] + words[compare.DIFFERS]
    right = compare.FASTER if runs >= stats.MIN_RUNS else compare.DIFFERS
    found = [
        sum(pair(noise, rng, n, runs, factor)[0] == right for _ in range(power)) / max(power, 1)
        for factor in (1.05, 2.0)
    ]
    covered = sum(covers for _, covers in alike) / trials
    share = wrong / trials
    chance = f"{share:.2%} ±{2 * math.sqrt(share * (1 - share) / trials):.2%}"
    cells = (words[compare.SAME] / trials, covered, *found)
    return [name, str(runs), chance, *(f"{cell:.1%}" for cell in cells)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--power", type=int, default=400, help="trials of a true difference")
    parser.add_argument("--slices", type=int, default=16)
    parser.add_argument("--runs", default="1,3,5", help="a side")
    parser.add_argument("--noise", choices=list(NOISES), action="append", help="rows [all]")
    given = parser.parse_args()
    show(("noise", "runs", "A/A wrong", "A/A same", "covers", "+5 %", "x2"))
    counts = [int(count) for count in given.runs.split(",")]
    cases = [(count, name) for count in counts for name in given.noise or NOISES]
    made = partial(row, trials=given.trials, power=given.power, n=given.slices)
    with ProcessPoolExecutor() as pool:
        for cells in pool.map(made, cases):
            show(cells)
    print("one run a side: the word is 'differs between these two runs', which is true of them")


def show(cells: Sequence[str]) -> None:
    words = (f"{cell:>{width}}" for cell, width in zip(cells[1:], WIDTHS, strict=True))
    print(f"{cells[0]:18}{''.join(words)}", flush=True)


if __name__ == "__main__":
    main()
