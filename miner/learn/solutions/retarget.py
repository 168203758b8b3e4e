"""One way to solve exercise retarget."""

from miner.bitcoin.target import nbits_from_target, target_from_nbits

TWO_WEEKS = 14 * 24 * 3600
EASIEST = 0x1D00FFFF


def retarget(nbits: int, first: int, last: int) -> int:
    span = min(max(last - first, TWO_WEEKS // 4), TWO_WEEKS * 4)
    target = target_from_nbits(nbits) * span // TWO_WEEKS
    return nbits_from_target(min(target, target_from_nbits(EASIEST)))
