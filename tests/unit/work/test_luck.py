"""The hashrate that shares tell, with its interval."""

import random

import pytest

from miner.work.luck import (
    chi_square_quantile,
    lower_gamma,
    rate_from_shares,
    seconds_per_share,
    suggested_difficulty,
)


@pytest.mark.parametrize(
    ("probability", "degrees", "value"),
    [  # Source: NIST/SEMATECH e-Handbook, 1.3.6.7.4, and R's qchisq to more digits
        (0.95, 1, 3.841459),
        (0.95, 10, 18.307038),
        (0.99, 100, 135.806723),
        (0.975, 2, 7.377759),
        (0.025, 2, 0.0506356),
        (0.025, 200, 162.727983),
    ],
)
def test_chi_square_quantiles(probability: float, degrees: int, value: float) -> None:
    assert chi_square_quantile(probability, degrees) == pytest.approx(value, rel=2e-6)


def test_gamma_joins_where_series_and_fraction_meet() -> None:
    for shape in (0.5, 1.0, 7.5, 300.0, 50_000.0):
        below, above = lower_gamma(shape, shape + 1 - 1e-9), lower_gamma(shape, shape + 1 + 1e-9)
        assert below == pytest.approx(above, abs=1e-8)
    assert lower_gamma(3, 0) == 0.0


def test_the_interval_holds_the_true_rate_about_as_often_as_it_says() -> None:
    dice, rate, held = random.Random(4), 1000.0, 0
    for _ in range(400):
        waited, shares = dice.expovariate(rate / 5000.0), 0
        while waited < 60.0:
            shares, waited = shares + 1, waited + dice.expovariate(rate / 5000.0)
        told = rate_from_shares(shares, shares * 5000.0, 60.0)
        held += told is not None and told.low_hs <= rate <= told.high_hs
    assert 368 <= held <= 400  # 95 % or a little more: counts are discrete


def test_no_share_tells_no_rate() -> None:
    assert rate_from_shares(0, 0.0, 60.0) is None
    assert rate_from_shares(3, 3e9, 0.0) is None
    assert seconds_per_share(1e9, 0.0) is None
    assert suggested_difficulty(0.0) is None


def test_time_per_share_and_the_difficulty_for_it() -> None:
    assert seconds_per_share(4.29e9, 1e6) == pytest.approx(4290.0)
    difficulty = suggested_difficulty(4295032833.0, 10.0)
    assert difficulty == pytest.approx(10.0)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 1), (1.0, 1), (0.5, 0)])
def test_nonsense_is_refused(probability: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="quantile"):
        chi_square_quantile(probability, degrees)
