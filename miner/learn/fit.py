"""Does a sample follow the exponential law? The Kolmogorov-Smirnov test, in the open.

Source of the tail series: A. N. Kolmogorov (1933); see any text on nonparametric statistics.
"""

import math
from collections.abc import Sequence


def distance(samples: Sequence[float]) -> float:
    """Largest gap between the sample's distribution and 1 - exp(-x); samples in mean waits."""
    ordered = sorted(samples)
    size = len(ordered)
    gap = 0.0
    for place, value in enumerate(ordered):
        theory = -math.expm1(-value)
        gap = max(gap, theory - place / size, (place + 1) / size - theory)
    return gap


def p_value(gap: float, size: int) -> float:
    """Chance of a gap this large or larger if the law holds (asymptotic, good from 35 on)."""
    root = math.sqrt(size)
    x = (root + 0.12 + 0.11 / root) * gap
    if x < 0.2:
        return 1.0
    tail = sum((1 if k % 2 else -1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(max(2 * tail, 0.0), 1.0)


def histogram(samples: Sequence[float], width: float, bins: int) -> list[int]:
    """Counts in [0, width), [width, 2 width) ...; the last bin takes the rest."""
    counts = [0] * bins
    for value in samples:
        counts[min(int(value / width), bins - 1)] += 1
    return counts


def expected(size: int, width: float, bins: int) -> list[float]:
    """What the exponential law expects in each bin."""
    edges = [math.exp(-width * place) for place in range(bins)] + [0.0]
    return [size * (edges[place] - edges[place + 1]) for place in range(bins)]
