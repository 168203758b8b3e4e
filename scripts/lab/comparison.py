"""Is `miner bench compare` calibrated? Simulated pairs of builds, and how often each word is wrong.

    .venv/bin/python scripts/lab/comparison.py [--trials 1000] [--power 400] [--slices 16]
                                               [--runs 1,3,5] [--noise "run offset 3 %"]

A row is a kind of noise. "A/A": two builds that are alike; faster and slower are then wrong, beside
it how far chance may have carried that share (two standard deviations). "covers": the 95 % interval
holds the true ratio. "+5 %", "x2": a true difference of that size is called faster. The seed is
fixed, so the table repeats. Rows are shared out to all cores: the whole table takes minutes. A row
whose wrong words are too near its limit for chance to tell gets four times the trials. The last
lines are the verdict.
"""

import argparse
import math
import sys
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


MOST_WRONG = {3: 0.03, 5: 0.02}  # A/A, by runs a side
LEAST_FOUND = 0.9  # of +5 % at run offsets of 1 %
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


def is_wrong(word: str) -> bool:
    """Of two builds that are alike."""
    return word in (compare.FASTER, compare.SLOWER, compare.DIFFERS)


def within_chance(wrong: int, trials: int) -> float:
    """Two standard deviations of the share."""
    share = wrong / trials
    return 2 * math.sqrt(share * (1 - share) / trials)


def row(case: tuple[int, str], trials: int, power: int, n: int) -> tuple[list[str], list[str]]:
    """The cells, and which limits this row breaks."""
    runs, name = case
    rng = np.random.default_rng([n, runs, *name.encode()])
    noise, most = NOISES[name], MOST_WRONG.get(runs, 1.0)
    alike = [pair(noise, rng, n, runs, 1.0) for _ in range(trials)]
    wrong = sum(is_wrong(word) for word, _ in alike)
    if abs(wrong / trials - most) <= within_chance(wrong, trials):
        alike += [pair(noise, rng, n, runs, 1.0) for _ in range(3 * trials)]
        trials, wrong = len(alike), sum(is_wrong(word) for word, _ in alike)
    words = Counter(word for word, _ in alike)
    right = compare.FASTER if runs >= stats.MIN_RUNS else compare.DIFFERS
    found = [
        sum(pair(noise, rng, n, runs, factor)[0] == right for _ in range(power)) / max(power, 1)
        for factor in (1.05, 2.0)
    ]
    covered = sum(covers for _, covers in alike) / trials
    share = wrong / trials
    chance = f"{share:.2%} ±{within_chance(wrong, trials):.2%}"
    cells = (words[compare.SAME] / trials, covered, *found)
    broken = [f"{name}, {runs} runs: {share:.2%} wrong, want {most:.0%}"] if share > most else []
    if power and runs >= stats.MIN_RUNS and name == "run offset 1 %" and found[0] < LEAST_FOUND:
        broken.append(f"{name}, {runs} runs: +5 % found in {found[0]:.1%}")
    if power and found[1] < 1:
        broken.append(f"{name}, {runs} runs: x2 found in {found[1]:.1%}")
    return [name, str(runs), chance, *(f"{cell:.1%}" for cell in cells)], broken


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
    broken = []
    with ProcessPoolExecutor() as pool:
        for cells, limits in pool.map(made, cases):
            show(cells)
            broken += limits
    print("one run a side: the word is 'differs between these two runs', which is true of them")
    for limit in broken:
        print(f"broken: {limit}")
    print(
        f"{'FAILED' if broken else 'every limit holds'}: wrong words at most 3 % with 3 runs a "
        "side, 2 % with 5; +5 % found in 90 % at run offsets of 1 %; x2 always"
    )
    sys.exit(bool(broken))


def show(cells: Sequence[str]) -> None:
    words = (f"{cell:>{width}}" for cell, width in zip(cells[1:], WIDTHS, strict=True))
    print(f"{cells[0]:18}{''.join(words)}", flush=True)


if __name__ == "__main__":
    main()
