"""How often does a benchmark name a wrong cause? Simulated runs of a known cause, and the words.

    .venv/bin/python scripts/lab/causes_named.py [--trials 1000]

Each row is a cause: what happens to the speed (hashes a CPU second), to our share of the CPU and to
the clock. The last column is the share of trials whose word belongs to another cause.
"""

import argparse
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from miner.measure.trust import Observed, judge

Series = NDArray[np.float64]
RNG = np.random.default_rng(18)


def wandering(n: int, rho: float, sd: float) -> Series:
    steps = RNG.standard_normal(n)
    steps[0] /= math.sqrt(1 - rho * rho)
    for i in range(1, n):
        steps[i] += rho * steps[i - 1]
    return np.asarray(1 + steps * sd * math.sqrt(1 - rho * rho))


def seen(speed: Series, share: Series | None = None, clock: Series | None = None) -> Observed:
    share = np.ones(len(speed)) if share is None else share
    return Observed(
        rates=list(speed * share),
        speeds=list(speed),
        shares=list(share),
        clocks=[] if clock is None else list(3000 * clock),
        counted=clock is not None,
        seconds=float(len(speed)),
    )


def quiet(n: int) -> Series:
    return np.asarray(RNG.normal(1, 0.004, n))


def step(n: int, size: float) -> Series:
    return np.asarray(np.where(np.arange(n) < 0.75 * n, 1.0, 1.0 - size))


Cause = tuple[Callable[[int], Observed], frozenset[str]]
CAUSES: dict[str, Cause] = {
    "nothing": (lambda n: seen(quiet(n)), frozenset({"steady"})),
    "white noise 4 %": (lambda n: seen(RNG.normal(1, 0.04, n)), frozenset({"noisy"})),
    "white noise 6 %": (lambda n: seen(RNG.normal(1, 0.06, n)), frozenset({"noisy"})),
    "wandering, AR 0.8, 2 %": (
        lambda n: seen(wandering(n, 0.8, 0.02)), frozenset({"noisy", "steady"}),
    ),
    "100/95 in turn": (
        lambda n: seen(quiet(n) * np.where(np.arange(n) % 2, 0.95, 1)), frozenset({"noisy"}),
    ),
    "others took 38 %": (
        lambda n: seen(quiet(n), RNG.normal(0.62, 0.05, n).clip(0.3, 1)),
        frozenset({"shared machine"}),
    ),
    "others came in the end": (
        lambda n: seen(quiet(n), np.where(np.arange(n) < 0.6 * n, 1.0, 0.4)),
        frozenset({"shared machine"}),
    ),
    "others in 2 of 16 slices": (
        lambda n: seen(quiet(n), np.where(np.arange(n) % 8 == 3, 0.8, 1.0)),
        frozenset({"shared machine", "interrupted"}),
    ),
    "clock -12 %, counted": (
        lambda n: seen(quiet(n) * step(n, 0.12), clock=step(n, 0.12)), frozenset({"clock fell"}),
    ),
    "speed -20 %, clock unknown": (
        lambda n: seen(quiet(n) * step(n, 0.2)), frozenset({"drifting"}),
    ),
    "speed -20 %, clock constant": (
        lambda n: seen(quiet(n) * step(n, 0.2), clock=np.ones(n)), frozenset({"drifting"}),
    ),
    "drift 5 %": (
        lambda n: seen(quiet(n) * np.linspace(1, 0.95, n)), frozenset({"drifting"}),
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    for slices in (16, 30):
        for name, (make, right) in CAUSES.items():
            words = Counter(judge(make(slices)).word for _ in range(trials))
            wrong = sum(count for word, count in words.items() if word not in right) / trials
            said = ", ".join(f"{word} {count / trials:.1%}" for word, count in words.most_common())
            print(f"{slices:3} slices  {name:28} wrong {wrong:6.1%}   {said}")


if __name__ == "__main__":
    main()
