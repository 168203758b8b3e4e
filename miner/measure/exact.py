"""Exact distributions: Student's t for real degrees of freedom, and Poisson counts.

No approximation by a normal curve anywhere: the incomplete beta function by its continued fraction
(Numerical Recipes, 3rd edition, 6.4), Poisson sums term by term, quantiles by bisection.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

NORMAL = NormalDist()
ITERATIONS = 300  # the fraction converges in some tens
TINY = 1e-300


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularized I_x(a, b) for 0 <= x <= 1."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's method for the continued fraction of the incomplete beta function."""
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, ITERATIONS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _off_zero(1 + term * d)
            c = _off_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def t_cdf(t: float, freedom: float) -> float:
    """P(T <= t) of Student's t; infinite freedom is the normal distribution."""
    if math.isinf(freedom):
        return NORMAL.cdf(t)
    tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return 1 - tail if t > 0 else tail


def t_quantile(p: float, freedom: float) -> float:
    """The t with P(T <= t) = p."""
    if math.isinf(freedom):
        return NORMAL.inv_cdf(p)
    if p < 0.5:
        return -t_quantile(1 - p, freedom)
    high = 1.0
    while t_cdf(high, freedom) < p:
        high *= 2
    return _bisect(lambda t: t_cdf(t, freedom) - p, 0.0, high)


def t_two_sided(t: float, freedom: float) -> float:
    """P(|T| >= |t|)."""
    if math.isinf(freedom):
        return 2 * NORMAL.cdf(-abs(t))
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def poisson_at_most(count: int, mean: float) -> float:
    """P(X <= count) of a Poisson count, summed from its largest term."""
    if count < 0 or mean <= 0:
        return 0.0 if count < 0 else 1.0
    logs = [i * math.log(mean) - math.lgamma(i + 1) - mean for i in range(count + 1)]
    top = max(logs)
    return min(1.0, math.exp(top) * math.fsum(math.exp(one - top) for one in logs))


def poisson_at_least(count: int, mean: float) -> float:
    """P(X >= count) of a Poisson count, summed from its largest term, so that a small one keeps
    its digits."""
    if count <= 0 or mean <= 0:
        return 1.0 if count <= 0 else 0.0
    if count <= mean:
        return 1 - poisson_at_most(count - 1, mean)
    term, total, index = 1.0, 1.0, count
    while term > 1e-17 * total:
        index += 1
        term *= mean / index
        total += term
    log_first = count * math.log(mean) - math.lgamma(count + 1) - mean
    return min(1.0, math.exp(log_first) * total)


def poisson_lower(count: int, confidence: float = 0.95) -> float:
    """The mean that is exceeded with this confidence, one-sided, when `count` events were seen.

    The exact bound of Garwood (1936): the mean at which as many events or more would still come
    up with probability 1 - confidence. 0 for no event.
    """
    if count == 0:
        return 0.0
    wanted = 1 - confidence
    return _bisect(lambda mean: poisson_at_least(count, mean) - wanted, 0.0, float(count))


def _bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of a rising function to the last digits."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
