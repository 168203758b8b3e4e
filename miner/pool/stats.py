"""What shares and waits say: a rate with its sigma, a histogram beside chance's own curve.

Pure. Work is in expected hashes; shares and blocks come as a Poisson process does.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

HASHES_AT_DIFFICULTY_1 = Fraction(2**256, 0xFFFF << 208)
BINS = 12  # of the histogram; the last one is open
EASIEST_BITS, HARDEST_BITS = 0, 96  # of the number line: 2**256 and 2**160
WINDOW_BLOCKS = 2  # of PPLNS: the shares of so many blocks' work
STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # of a bin's width, times a power of ten


def hashes(difficulty: Fraction) -> int:
    """How many hashes a share of this difficulty takes on average, to the nearest whole one."""
    return round(difficulty * HASHES_AT_DIFFICULTY_1)


@dataclass(frozen=True, slots=True)
class Rate:
    """A hashrate told by shares, hashes per second."""

    rate_hs: float
    sigma_hs: float  # the standard deviation of that estimate


def rate(works: Iterable[int], span_s: float) -> Rate | None:
    """The rate that shares of these works tell, found within `span_s`; None without a share.

    Each share is a Poisson event that counts its work, so the variance is the sum of squares:
    with equal shares sigma is the rate over the root of their number.
    """
    taken = list(works)
    if not taken or span_s <= 0:
        return None
    squares = sum(work * work for work in taken)
    return Rate(sum(taken) / span_s, math.sqrt(squares) / span_s)


def together(rates: Iterable[Rate | None]) -> Rate | None:
    """Independent rates in one: rates add up, and so do their variances."""
    known = [one for one in rates if one is not None]
    if not known:
        return None
    variance = sum(one.sigma_hs**2 for one in known)
    return Rate(sum(one.rate_hs for one in known), math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class Histogram:
    """Waits by length; bin i holds those from i * width_s on, the last one all longer ones."""

    width_s: float
    counts: tuple[int, ...]
    expected: tuple[float, ...]  # what the exponential of the same mean gives
    mean_s: float


def histogram(waits_s: Sequence[float], bins: int = BINS) -> Histogram | None:
    """Of the waits between blocks; None without one. The bins reach to about four means."""
    if not waits_s:
        return None
    mean = math.fsum(waits_s) / len(waits_s)
    width = nice(4 * mean / bins)
    counts = [0] * bins
    for wait in waits_s:
        counts[min(int(wait / width), bins - 1)] += 1
    beyond = [math.exp(-place * width / mean) if mean else 0.0 for place in range(bins)] + [0.0]
    expected = tuple(len(waits_s) * (beyond[place] - beyond[place + 1]) for place in range(bins))
    return Histogram(width, tuple(counts), expected, mean)


def nice(width: float) -> float:
    """The least round number that is not below this one."""
    if width <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    return next((step * power for step in STEPS if step * power >= width), 10 * power)


def scatter_alone(part: float, blocks: int) -> float:
    """Sigma of how many of these blocks a member finds who does this part of the work: binomial."""
    return math.sqrt(blocks * part * (1 - part))


def scatter_in_pool(part: float, blocks: int, shares_per_block: float) -> float:
    """Sigma of the same member's income by PPLNS, in blocks.

    A share is paid once for each block among the W * S shares from it on (W blocks' work in the
    window, S shares a block): their number is binomial with mean W, its square W**2 + W * (1 - 1/S)
    on average, and each payment is one part in W * S.
    """
    window, shares = float(WINDOW_BLOCKS), max(shares_per_block, 1.0)
    each = (1 + (1 - 1 / shares) / window) / shares
    return math.sqrt(blocks * part * (1 - part) * each)


def zero_bits(value: int) -> float:
    """How many zero bits a hash begins with, and the fraction of the next: 256 - log2."""
    return 256 - math.log2(value + 1)


def place(value: int) -> float:
    """Where a hash lies on the number line: 0 at 2**256, 1 at 2**160, by its logarithm."""
    bits = (zero_bits(value) - EASIEST_BITS) / (HARDEST_BITS - EASIEST_BITS)
    return min(max(bits, 0.0), 1.0)


def bits_at(place: float) -> float:
    """The zero bits at a place of the number line."""
    return EASIEST_BITS + place * (HARDEST_BITS - EASIEST_BITS)


def bits_of_difficulty(difficulty: float) -> float:
    """The zero bits of a target, for drawing; none before it is known."""
    return max(math.log2(difficulty * float(HASHES_AT_DIFFICULTY_1)), 0.0) if difficulty else 0.0


def catch_up(part: float, behind: int) -> float:
    """The chance that a side with this part of the hashing ever gets ahead when `behind` blocks
    behind: gambler's ruin over one block more than the gap (Nakamoto, section 11)."""
    if not 0 <= part <= 1:
        raise ValueError(f"a part of {part} of the hashing")
    need = behind + 1
    if need <= 0 or part >= 0.5:
        return 1.0
    return (part / (1 - part)) ** need
