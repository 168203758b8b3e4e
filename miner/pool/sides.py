"""A class split in two for an attack."""

from collections.abc import Mapping


def split(rates_hs: Mapping[int, float], part: float) -> dict[int, str]:
    """Who is on side "A", who on "B", so that B has nearly this part of all hashing.

    Both sides get somebody. Raises ValueError for fewer than two members or no part of a whole.
    """
    if len(rates_hs) < 2:
        raise ValueError("two sides need two members who mine")
    if not 0 < part < 1:
        raise ValueError(f"side B's part is {part:g}, want more than 0 and less than 1")
    total = sum(rates_hs.values())
    want = part * total
    some, others = gathered(rates_hs, want), gathered(rates_hs, total - want)
    rest = set(rates_hs) - others
    best = min((some, rest), key=lambda group: abs(sum(rates_hs[n] for n in group) - want))
    return {number: "B" if number in best else "A" for number in rates_hs}


def gathered(rates_hs: Mapping[int, float], want: float) -> set[int]:
    """Some members, not all, who together have nearly so much: the strongest first, while that is
    not too much; then the one who brings it nearest."""
    order = sorted(rates_hs, key=lambda number: (-rates_hs[number], number))
    taken: set[int] = set()
    have = 0.0
    for number in order[:-1]:
        if have + rates_hs[number] <= want:
            taken.add(number)
            have += rates_hs[number]
    left = [number for number in order if number not in taken]
    nearest = min(left, key=lambda number: abs(have + rates_hs[number] - want))
    better = abs(have + rates_hs[nearest] - want) < abs(have - want)
    if len(left) > 1 and (better or not taken):
        taken.add(nearest)
    return taken
