"""What shares and waits say, beside counting, integrals and simulations of our own."""

import math
import random
from fractions import Fraction
from statistics import fmean, pstdev

import pytest

from miner.bitcoin.target import DIFF1_TARGET, expected_hashes, target_from_difficulty
from miner.learn.attack import exact_success, race
from miner.pool import stats
from miner.work.payout import Pplns


def test_work_of_a_share_is_what_its_target_takes() -> None:
    assert stats.hashes(Fraction(1)) == 4295032833 == round(expected_hashes(DIFF1_TARGET))
    for difficulty in (Fraction(1, 1000), Fraction(7, 3), Fraction(10**6)):
        exact = expected_hashes(target_from_difficulty(difficulty))
        assert abs(stats.hashes(difficulty) - exact) <= 1


def test_a_rate_is_work_over_time_and_sigma_the_root_of_the_squares() -> None:
    told = stats.rate([3_000_000, 4_000_000], 10.0)
    assert told == stats.Rate(700_000.0, 500_000.0)
    assert stats.rate([], 10.0) is None and stats.rate([1], 0.0) is None


def test_sixty_eight_of_a_hundred_true_rates_lie_within_sigma() -> None:
    rng, true_hs, within = random.Random(3), 5e6, 0
    for _ in range(600):
        works, at_s = [], 0.0
        while True:
            work = rng.choice((2_000_000, 8_000_000))
            at_s += rng.expovariate(true_hs / work)
            if at_s > 100.0:
                break
            works.append(work)
        told = stats.rate(works, 100.0)
        assert told is not None
        within += abs(told.rate_hs - true_hs) <= told.sigma_hs
    assert 0.62 <= within / 600 <= 0.74


def test_rates_of_many_are_one() -> None:
    told = stats.together([stats.Rate(10.0, 3.0), None, stats.Rate(5.0, 4.0)])
    assert told == stats.Rate(15.0, 5.0)
    assert stats.together([None]) is None


def test_the_histogram_counts_and_its_curve_is_the_exponential() -> None:
    rng = random.Random(8)
    waits = [rng.expovariate(1 / 14.0) for _ in range(500)]
    told = stats.histogram(waits)
    assert told is not None and told.mean_s == pytest.approx(fmean(waits))
    bins, width = len(told.counts), told.width_s
    for place in range(bins):
        low, high = place * width, (place + 1) * width if place < bins - 1 else math.inf
        assert told.counts[place] == sum(low <= one < high for one in waits)
        # The area under the density, by trapezoids.
        top = min(high, low + 60 * told.mean_s)
        steps = [low + (top - low) * n / 4000 for n in range(4001)]
        heights = [math.exp(-x / told.mean_s) / told.mean_s for x in steps]
        area = (sum(heights) - (heights[0] + heights[-1]) / 2) * (top - low) / 4000
        assert told.expected[place] == pytest.approx(500 * area, rel=1e-3)
    assert sum(told.counts) == 500 == pytest.approx(sum(told.expected))
    off = sum((a - b) ** 2 / b for a, b in zip(told.counts, told.expected, strict=True))
    assert off < 26.2  # chi square, 11 degrees: once in 160


@pytest.mark.parametrize("waits", [[5.0], [0.0], [0.0, 0.0, 3.0], [1e-9], [1e9, 2e9]])
def test_any_waits_can_be_drawn(waits: list[float]) -> None:
    told = stats.histogram(waits)
    assert told is not None and sum(told.counts) == len(waits)
    assert sum(told.expected) == pytest.approx(len(waits)) or told.mean_s == 0
    assert stats.histogram([]) is None


def test_bins_are_round_numbers() -> None:
    assert [stats.nice(one) for one in (0.0, 0.9, 1.0, 1.2, 4.77, 31.0, 999.0)] == [
        1.0, 1.0, 1.0, 1.5, 5.0, 40.0, 1000.0,
    ]  # fmt: skip


def test_blocks_scatter_as_a_binomial() -> None:
    part, blocks = 0.3, 12
    chances = [math.comb(blocks, k) * part**k * (1 - part) ** (blocks - k) for k in range(13)]
    mean = sum(k * chance for k, chance in enumerate(chances))
    variance = sum((k - mean) ** 2 * chance for k, chance in enumerate(chances))
    assert stats.scatter_alone(part, blocks) == pytest.approx(math.sqrt(variance))


@pytest.mark.parametrize("per_block", [1, 3, 20])
def test_a_pools_income_scatters_as_told(per_block: int) -> None:
    """Shares of equal work, every one a block with the same chance, paid by the pool's own books
    until so many blocks are found."""
    rng, part, blocks = random.Random(21), 0.25, 30
    window = stats.WINDOW_BLOCKS * per_block
    incomes = []
    for _ in range(500):
        pool, income, found = Pplns(window), 0.0, 0
        for _ in range(window):
            pool.share(rng.random() < part, 1)
        while found < blocks:
            pool.share(rng.random() < part, 1)
            if rng.random() < 1 / per_block:
                found += 1
                income += float(pool.parts().get(True, 0))
        incomes.append(income)
    told = stats.scatter_in_pool(part, blocks, per_block)
    assert fmean(incomes) == pytest.approx(part * blocks, rel=0.03)
    assert pstdev(incomes) == pytest.approx(told, rel=0.12)
    alone = stats.scatter_alone(part, blocks)
    assert told == pytest.approx(alone) if per_block == 1 else told < 0.7 * alone


def test_places_on_the_number_line() -> None:
    assert stats.zero_bits(2**256 - 1) == 0
    assert stats.zero_bits(2**224 - 1) == 32
    assert stats.place(2**256 - 1) == 0.0 and stats.place(2**160 - 1) == 1.0
    assert stats.place(0) == 1.0
    value = 3**120
    assert stats.bits_at(stats.place(value)) == pytest.approx(256 - 120 * math.log2(3))
    assert stats.bits_of_difficulty(1.0) == pytest.approx(stats.zero_bits(DIFF1_TARGET), abs=1e-4)


@pytest.mark.parametrize(("part", "behind"), [(0.1, 0), (0.4, 0), (0.4, 2), (0.3, 1), (0.45, -1)])
def test_the_chance_to_get_ahead(part: float, behind: int) -> None:
    """One step at a time, from where it stands until it is ahead or hopeless."""
    rng, won = random.Random(4), 0
    for _ in range(4000):
        gap = behind
        while -1 < gap < 40:
            gap += -1 if rng.random() < part else 1
        won += gap == -1
    assert stats.catch_up(part, behind) == pytest.approx(won / 4000, abs=0.025)


def test_more_than_half_gets_ahead_from_anywhere() -> None:
    assert stats.catch_up(0.5, 100) == stats.catch_up(0.6, 7) == 1.0
    assert stats.catch_up(0.0, 0) == 0.0
    # Drawing level with no confirmation is what the lessons' formulas call a success.
    assert exact_success(0.4, 0) == race(0.4, 0, 10, 1) == stats.catch_up(0.4, -1) == 1.0
    with pytest.raises(ValueError, match=r"a part of 1\.2"):
        stats.catch_up(1.2, 0)
