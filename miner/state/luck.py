"""Luck: shares found against the shares that the hashes done were worth.

Shares are a Poisson process. What was to be expected is summed up as the hashes are done, each at
the difficulty in force then, so a pool that changes its difficulty does not spoil the sum.
"""

import math
from dataclasses import dataclass

from miner.bitcoin.target import expected_hashes
from miner.work.luck import lower_gamma

SIGMAS_TAIL = 0.02275  # one tail beyond two standard deviations
EXACT_BELOW = 1000.0  # shares; above it the normal law is as good


@dataclass(frozen=True, slots=True)
class Luck:
    """Shares found and expected; the band holds 95 % of honest miners with as many hashes."""

    expected_shares: float
    found_shares: int
    ratio: float | None  # found / expected; None before anything could be expected
    low: float | None  # the band of the ratio
    high: float | None


class LuckMeter:
    """Sums up what the hashes were worth. One writer."""

    def __init__(self) -> None:
        self.expected = 0.0  # shares
        self._hashes = 0
        self._each = 0.0  # mean hashes for one share; 0 before the first job

    def see(self, hashes: int) -> None:
        """So many hashes were done until now, at the target in force."""
        if self._each:
            self.expected += (hashes - self._hashes) / self._each
        self._hashes = hashes

    def target(self, target: int, hashes: int) -> None:
        """From now on a share is a hash at or below this."""
        self.see(hashes)
        self._each = float(expected_hashes(target))

    def luck(self, found: int) -> Luck:
        expected = self.expected
        if expected <= 0.0:
            return Luck(expected, found, None, None, None)
        low, high = band(expected)
        return Luck(expected, found, found / expected, low / expected, high / expected)


def band(expected: float) -> tuple[float, float]:
    """Counts between which a Poisson variable of this mean lies 95 times in 100."""
    if expected >= EXACT_BELOW:
        spread = 2 * math.sqrt(expected)
        return expected - spread, expected + spread
    return float(quantile(SIGMAS_TAIL, expected)), float(quantile(1 - SIGMAS_TAIL, expected))


def quantile(probability: float, mean: float) -> int:
    """The least count whose cumulative probability reaches `probability`, by bisection."""
    low, high = 0, int(mean + 12 * math.sqrt(mean) + 20)
    while low < high:
        middle = (low + high) // 2
        if 1.0 - lower_gamma(middle + 1.0, mean) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def sigmas(share_work: float, hashes: int, shares: int) -> float | None:
    """How far found shares are from what the counted hashes promise; None below 50 shares.

    A backend that loses hits shows here as a large negative number.
    """
    if shares < 50 or not hashes:
        return None
    return (share_work / hashes - 1) * math.sqrt(shares)
