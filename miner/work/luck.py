"""What shares say about a hashrate, and how long the next one takes.

Shares are a Poisson process: after n of them, 2 * expected hashes per share * rate * time follows
a chi-square law, so the true rate lies in an exact interval. Pure; no float comes near a target.
"""

import math
from dataclasses import dataclass

HASHES_AT_DIFFICULTY_1 = 2**48 / 0xFFFF  # mean number of hashes per share of difficulty 1
STEPS = 200  # bisection halves the interval to below one part in 10**15 well before


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """A hashrate told by shares, hashes per second, with its interval."""

    rate_hs: float
    low_hs: float
    high_hs: float
    shares: int


def rate_from_shares(
    shares: int, expected_hashes: float, elapsed_s: float, confidence: float = 0.95
) -> RateEstimate | None:
    """The rate that explains `shares` found in `elapsed_s`.

    `expected_hashes` is the sum over these shares of 2**256 / (target + 1) (`bitcoin.target`), so
    they may differ in difficulty. With no share there is no rate, hence None.
    """
    if shares < 1 or elapsed_s <= 0:
        return None
    mean = expected_hashes / shares
    tail = (1 - confidence) / 2
    low = chi_square_quantile(tail, 2 * shares) / 2
    high = chi_square_quantile(1 - tail, 2 * shares + 2) / 2
    scale = mean / elapsed_s
    return RateEstimate(shares * scale, low * scale, high * scale, shares)


def seconds_per_share(expected_hashes: float, rate_hs: float) -> float | None:
    """Mean time to the next share; None while the rate is unknown."""
    return expected_hashes / rate_hs if rate_hs > 0 else None


def suggested_difficulty(rate_hs: float, share_every_s: float = 10.0) -> float | None:
    """The difficulty at which this rate finds a share about that often; None without a rate."""
    if rate_hs <= 0:
        return None
    return rate_hs * share_every_s / HASHES_AT_DIFFICULTY_1


def chi_square_quantile(probability: float, degrees: int) -> float:
    """The x below which a chi-square variable lies with this probability, by bisection."""
    if not 0 < probability < 1 or degrees < 1:
        raise ValueError(f"quantile {probability} of {degrees} degrees of freedom")
    low, high = 0.0, degrees + 40.0 * math.sqrt(2.0 * degrees) + 100.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if lower_gamma(degrees / 2, middle / 2) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def lower_gamma(shape: float, x: float) -> float:
    """The regularized lower incomplete gamma function P(shape, x).

    Series below shape + 1, Lentz's continued fraction above (Abramowitz and Stegun 6.5.29 and
    6.5.31).
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    limit = 1000 + int(20 * math.sqrt(shape))
    if x < shape + 1:
        return _series(shape, x, limit) * front
    return 1.0 - _fraction(shape, x, limit) * front


def _series(shape: float, x: float, limit: int) -> float:
    term = total = 1.0 / shape
    for step in range(1, limit):
        term *= x / (shape + step)
        total += term
        if term < total * 1e-16:
            break
    return total


def _fraction(shape: float, x: float, limit: int) -> float:
    tiny = 1e-300
    b = x + 1.0 - shape
    c, d = 1.0 / tiny, 1.0 / b
    value = d
    for step in range(1, limit):
        a = -step * (step - shape)
        b += 2.0
        d = a * d + b
        c = b + a / c
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        value *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return value
