import math

import pytest

from miner.bitcoin.target import expected_hashes
from miner.state.luck import LuckMeter, band, quantile, sigmas
from tests.faults import fault


def poisson_cdf(count: int, mean: float) -> float:
    terms = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))
    return math.fsum(terms)


@pytest.mark.parametrize("mean", [0.01, 0.7, 3.0, 55.5, 400.0])
@pytest.mark.parametrize("probability", [0.02275, 0.5, 0.97725])
def test_quantiles_are_those_of_the_law(mean: float, probability: float) -> None:
    count = quantile(probability, mean)
    assert poisson_cdf(count, mean) >= probability
    assert count == 0 or poisson_cdf(count - 1, mean) < probability


def test_the_band_narrows_and_goes_over_into_the_normal_law() -> None:
    low, high = band(100.0)
    assert (low, high) == pytest.approx((80, 120), abs=2)
    assert band(999.9) == pytest.approx(band(1000.0), abs=3)
    assert band(1000.0) == pytest.approx((1000 - 2 * math.sqrt(1000), 1000 + 2 * math.sqrt(1000)))


def test_what_hashes_are_worth_follows_the_difficulty_of_their_time() -> None:
    meter = LuckMeter()
    easy, hard = 2**250, 2**240
    meter.see(10_000)  # before any job: an audit
    meter.target(easy, 10_000)
    meter.see(10_640)
    meter.target(hard, 10_640)
    meter.see(10_640 + 65_536 * 5)
    each = [float(expected_hashes(easy)), float(expected_hashes(hard))]
    assert meter.expected == pytest.approx(640 / each[0] + 65_536 * 5 / each[1])
    luck = meter.luck(12)
    assert luck.ratio == pytest.approx(12 / meter.expected)
    assert luck.low is not None
    assert luck.high is not None
    assert luck.low < 1 < luck.high


def test_without_a_job_there_is_no_luck() -> None:
    assert LuckMeter().luck(0).ratio is None


@fault("B04")
def test_lost_shares_show_in_the_statistic() -> None:
    assert sigmas(2 * 49, 100, 49) is None
    assert sigmas(1800.0, 1800, 900) == pytest.approx(0)
    halved = sigmas(1800.0, 3600, 900)
    assert halved is not None
    assert halved < -10
