"""Difficulty over many periods, simulated block by block in sums of exponential waits.

The targets come from `next_target`, the rule the chain itself follows.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from miner.bitcoin.target import (
    DIFF1_TARGET,
    PERIOD,
    PERIOD_S,
    difficulty,
    expected_hashes,
    next_target,
)  # fmt: skip

# A period's new target is old * span / 1,209,600 s, and the span holds only 2,015 waits. The mean
# wait of the next period is 1,209,600 / (sum of 2,015 waits of mean 1), whose mean is exact:
MEAN_INTERVAL_S = PERIOD_S / (PERIOD - 2)


@dataclass(frozen=True, slots=True)
class Period:
    """2016 blocks at one target."""

    number: int
    hashrate_hs: float
    target: int
    span_s: float  # first to last block: 2015 waits
    whole_s: float  # 2016 waits

    @property
    def difficulty(self) -> float:
        return difficulty(self.target)

    @property
    def interval_s(self) -> float:
        """Mean wait for a block."""
        return self.whole_s / PERIOD


def simulate(
    periods: int, hashrate_hs: Callable[[int], float], seed: int, start_target: int
) -> list[Period]:
    """Periods in a row; `hashrate_hs` gives the hashrate of a period's number.

    A wait is exponential with mean expected hashes / hashrate; 2015 of them sum to a gamma.
    """
    rng = random.Random(seed)
    target, done = start_target, []
    for number in range(periods):
        rate = hashrate_hs(number)
        mean_s = float(expected_hashes(target)) / rate
        span_s = rng.gammavariate(PERIOD - 1, mean_s)
        done.append(Period(number, rate, target, span_s, span_s + rng.expovariate(1 / mean_s)))
        target = next_target(target, round(span_s), DIFF1_TARGET)
    return done


def steady_target(hashrate_hs: float) -> int:
    """The target at which this hashrate finds a block every 600 s."""
    return min(int(2**256 / (hashrate_hs * PERIOD_S / PERIOD)), DIFF1_TARGET)
