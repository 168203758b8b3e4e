"""A class split in two for an attack."""

from collections.abc import Mapping


def split(rates_hs: Mapping[int, float], part: float) -> dict[int, str]:
    """Who is on side "A", who on "B", so that B has nearly this part of all hashing.

    The strongest choose first: each goes to B while that does not take it past its part. Both
    sides get somebody. Raises ValueError for fewer than two members or no part of a whole.
    """
    if len(rates_hs) < 2:
        raise ValueError("two sides need two members who mine")
    if not 0 < part < 1:
        raise ValueError(f"side B's part is {part:g}, want more than 0 and less than 1")
    order = sorted(rates_hs, key=lambda number: (-rates_hs[number], number))
    want, have = part * sum(rates_hs.values()), 0.0
    sides = dict.fromkeys(order, "A")
    for number in order:
        if have + rates_hs[number] <= want or nearer(have, rates_hs[number], want):
            sides[number] = "B"
            have += rates_hs[number]
    if "B" not in sides.values():
        sides[order[-1]] = "B"
    if "A" not in sides.values():
        sides[order[-1]] = "A"
    return sides


def nearer(have: float, more: float, want: float) -> bool:
    """Is the whole nearer to what is wanted with this one than without?"""
    return abs(have + more - want) < abs(have - want)
