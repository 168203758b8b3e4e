"""Is `miner bench compare` calibrated? Simulated pairs of builds, and how often each word is wrong.

    .venv/bin/python scripts/lab/comparison.py [--trials 1000] [--slices 16]

A row is a kind of noise. "A/A": two builds that are alike; faster and slower are then wrong.
"covers": the 95 % interval holds the true ratio. "+5 %", "x2": a true difference of that size is
called faster. The seed is fixed, so the table repeats.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable, Sequence

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


def row(name: str, trials: int, n: int, runs: int) -> list[str]:
    rng = np.random.default_rng([n, runs, *name.encode()])
    noise = NOISES[name]
    alike = [pair(noise, rng, n, runs, 1.0) for _ in range(trials)]
    words = Counter(word for word, _ in alike)
    wrong = words[compare.FASTER] + words[compare.SLOWER] + words[compare.DIFFERS]
    right = compare.FASTER if runs >= stats.MIN_RUNS else compare.DIFFERS
    found = [
        sum(pair(noise, rng, n, runs, factor)[0] == right for _ in range(trials)) / trials
        for factor in (1.05, 2.0)
    ]
    covered = sum(covers for _, covers in alike) / trials
    cells = (wrong / trials, words[compare.SAME] / trials, covered, *found)
    return [name, str(runs), *(f"{cell:.1%}" for cell in cells)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--slices", type=int, default=16)
    given = parser.parse_args()
    show(("noise", "runs", "A/A wrong", "A/A same", "covers", "+5 %", "x2"))
    for runs in (1, 3, 5):
        for name in NOISES:
            show(row(name, given.trials, given.slices, runs))
    print("one run a side: the word is 'differs between these two runs', which is true of them")


def show(cells: Sequence[str]) -> None:
    print(f"{cells[0]:18}" + "".join(f"{cell:>11}" for cell in cells[1:]), flush=True)


if __name__ == "__main__":
    main()
