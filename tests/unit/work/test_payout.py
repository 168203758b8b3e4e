"""PPLNS to the satoshi, beside a counting by single hashes; scatter beside a simulation."""

import math
import random
from fractions import Fraction

import pytest

from miner.work import payout
from miner.work.payout import Outlook, Pplns, divided

REWARD = 5_000_000_000


def test_a_block_is_split_over_the_window() -> None:
    pool = Pplns(100)
    for member, work in ((1, 40), (2, 50), (1, 30), (3, 20)):
        pool.share(member, work)
    # The last 100 hashes: 20 of member 3, 30 of member 1, 50 of member 2, none of the first share.
    assert pool.split(1000) == {1: 300, 2: 500, 3: 200}


def test_the_oldest_share_counts_for_what_reaches_into_the_window() -> None:
    pool = Pplns(100)
    for member, work in ((1, 90), (2, 50), (3, 20)):
        pool.share(member, work)
    assert pool.split(1000) == {1: 300, 2: 500, 3: 200}


def test_it_is_what_counting_hash_by_hash_gives() -> None:
    rng = random.Random(5)
    pool, hashes = Pplns(500), []
    for _ in range(400):
        member, work = rng.randrange(7), rng.randint(1, 60)
        pool.share(member, work)
        hashes += [member] * work
        last = hashes[-500:]
        counted = {one: Fraction(last.count(one), len(last)) for one in set(last)}
        assert pool.parts() == counted
        paid = pool.split(REWARD)
        assert sum(paid.values()) == REWARD
        assert all(abs(paid[one] - REWARD * part) < 1 for one, part in counted.items())


def test_nobody_is_paid_before_the_first_share() -> None:
    assert Pplns(1).split(REWARD) == {}


def test_a_smaller_window_forgets() -> None:
    pool = Pplns(100)
    for member in range(10):
        pool.share(member, 10)
    pool.resize(20)
    assert pool.split(10) == {8: 5, 9: 5}
    pool.resize(1000)
    pool.share(9, 20)
    assert pool.split(10) == {8: 3, 9: 7}  # 2.5 and 7.5: the one over goes to the lower number


def test_a_window_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payout, "MOST_SHARES", 3)
    pool = Pplns(1000)
    for member in range(9):
        pool.share(member, Fraction(1, 3))
    assert pool.parts() == {6: Fraction(1, 3), 7: Fraction(1, 3), 8: Fraction(1, 3)}


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_that_holds_nothing_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"a window of {window} hashes"):
        Pplns(window)


def test_rounding_is_by_largest_remainder() -> None:
    third = Fraction(1, 3)
    assert divided(100, {5: third, 4: third, 9: third}) == {4: 34, 5: 33, 9: 33}
    assert divided(7, {1: Fraction(9, 10), 2: Fraction(1, 10)}) == {1: 6, 2: 1}
    assert divided(7, {}) == {}


def test_the_scatter_of_an_income_is_what_a_simulation_gives() -> None:
    """A pool whose every share has the same chance to be a block; a miner with a tenth of it."""
    rng, outlook, window = random.Random(11), Outlook(1.0, 10.0, 100.0), 40
    alone, pooled = [], []
    for _ in range(1500):
        own = [rng.random() < outlook.part for _ in range(1000 + window)]
        blocks = [at for at in range(window, len(own)) if rng.random() < 0.01]
        alone.append(sum(own[at] for at in blocks))
        pooled.append(sum(sum(own[at - window + 1 : at + 1]) for at in blocks) / window)

    def sd(values: list[float]) -> float:
        mean = sum(values) / len(values)
        return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))

    assert sd([float(one) for one in alone]) == pytest.approx(outlook.solo_sd, rel=0.1)
    assert sd(pooled) == pytest.approx(outlook.last_n_shares_sd(window), rel=0.1)
