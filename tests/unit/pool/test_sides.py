"""A class split in two for an attack."""

import itertools
import random

import pytest

from miner.pool.sides import split


@pytest.mark.parametrize("part", [0.05, 1 / 3, 0.4, 0.5, 0.6, 0.95])
@pytest.mark.parametrize("people", [2, 3, 7, 12])
def test_side_b_has_nearly_its_part(people: int, part: float) -> None:
    rng = random.Random(people)
    rates = {number: rng.lognormvariate(0, 0.8) for number in range(people)}
    taken = split(rates, part)
    assert set(taken) == set(rates) and set(taken.values()) == {"A", "B"}
    total = sum(rates.values())
    have = sum(rates[number] for number, side in taken.items() if side == "B")
    best = min(
        abs(sum(rates[one] for one in group) - part * total)
        for size in range(1, people)
        for group in itertools.combinations(rates, size)
    )
    assert abs(have - part * total) <= best + sorted(rates.values())[people // 2] / 2


@pytest.mark.parametrize(("part", "side_b"), [(0.4, "AB"), (0.6, "C"), (0.9, "BC"), (0.05, "A")])
def test_one_who_has_most_of_it(part: float, side_b: str) -> None:
    rates = {"A": 3.0, "B": 27.0, "C": 70.0}
    taken = split({ord(name): rate for name, rate in rates.items()}, part)
    assert "".join(chr(n) for n, side in sorted(taken.items()) if side == "B") == side_b


def test_everybody_without_a_rate_is_split_too() -> None:
    assert sorted(split({1: 0.0, 2: 0.0, 3: 0.0}, 0.4).values()) in (
        ["A", "A", "B"],
        ["A", "B", "B"],
    )


@pytest.mark.parametrize(("rates", "part"), [({}, 0.5), ({1: 1.0}, 0.5), ({1: 1.0, 2: 1.0}, 1.0)])
def test_what_cannot_be_split(rates: dict[int, float], part: float) -> None:
    with pytest.raises(ValueError, match=r"two sides need two|side B's part is 1, want"):
        split(rates, part)
