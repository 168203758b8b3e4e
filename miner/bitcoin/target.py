"""Targets are 256-bit integers; nbits and difficulty are ways to write them.

Compact form as in Bitcoin Core's arith_uint256::SetCompact; difficulty 1 is 0xffff << 208. Floats
appear in `difficulty` alone, for display.
"""

from fractions import Fraction

DIFF1_TARGET = 0xFFFF << 208
UINT256_MAX = 2**256 - 1
EASIEST_NBITS = {
    "main": 0x1D00FFFF,
    "test": 0x1D00FFFF,
    "testnet4": 0x1D00FFFF,
    "signet": 0x1E0377AE,
    "regtest": 0x207FFFFF,
}
PERIOD = 2016  # blocks between retargets
PERIOD_S = 14 * 24 * 3600  # what they should take, seconds


def target_from_nbits(nbits: int) -> int:
    """The target a 32-bit compact form encodes.

    Raises ValueError where consensus refuses it: sign bit, zero, above 256 bits.
    """
    exponent, mantissa = nbits >> 24, nbits & 0x007FFFFF
    target = mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)
    if not 0 <= nbits < 2**32:
        raise ValueError(f"nbits {nbits} is not an unsigned 32-bit number")
    if nbits & 0x00800000 and mantissa:
        raise ValueError(f"nbits {nbits:#010x}: sign bit set")
    if target == 0:
        raise ValueError(f"nbits {nbits:#010x}: target is zero")
    if target > UINT256_MAX:
        raise ValueError(f"nbits {nbits:#010x}: target overflows 256 bits")
    return target


def nbits_from_target(target: int) -> int:
    """The compact form, rounding the target down to 3 significant bytes."""
    if not 0 < target <= UINT256_MAX:
        raise ValueError(f"target {target:#x} is not in 1 .. 2**256 - 1")
    exponent = target.bit_length() // 8 + 1  # so that the mantissa's top bit, a sign, is 0
    mantissa = target << 8 * (3 - exponent) if exponent <= 3 else target >> 8 * (exponent - 3)
    return exponent << 24 | mantissa


def target_from_difficulty(difficulty: Fraction | int) -> int:
    """floor(difficulty-1 target / difficulty), clamped to 1 .. 2**256 - 1; exact."""
    if difficulty <= 0:
        raise ValueError(f"difficulty {difficulty} is not above 0")
    return min(max(int(DIFF1_TARGET / Fraction(difficulty)), 1), UINT256_MAX)


def difficulty(target: int) -> float:
    """For display only."""
    return DIFF1_TARGET / target


def exact_difficulty(target: int) -> Fraction:
    """Difficulty-1 target divided by target, exactly."""
    return Fraction(DIFF1_TARGET, target)


def expected_hashes(target: int) -> Fraction:
    """Mean number of hashes until one meets the target, exactly: 2**256 / (target + 1)."""
    return Fraction(2**256, target + 1)


def next_target(previous: int, timespan_s: int, limit: int) -> int:
    """The target of the next period from the previous one and the seconds between the first and
    last block of the period: 2015 intervals, Bitcoin's off-by-one. Clamped to a factor of 4."""
    span = min(max(timespan_s, PERIOD_S // 4), PERIOD_S * 4)
    return target_from_nbits(nbits_from_target(min(previous * span // PERIOD_S, limit)))
