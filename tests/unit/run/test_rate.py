"""The rate a pool is told: never one that was hardly counted yet."""

from dataclasses import replace

import pytest

from miner.run.wiring import rate_to_tell
from miner.state.rates import Rates
from miner.state.status import Status


@pytest.mark.parametrize(
    ("elapsed_s", "minute_hs", "quarter_hs", "guess_hs", "told"),
    [
        (0.2, 17e3, 17e3, 15e6, 15e6),  # counting has only begun
        (0.2, 17e3, 17e3, 0.0, None),
        (300.0, 14e6, 13e6, 15e6, 14e6),
        (300.0, 1e6, 13e6, 15e6, 13e6),  # after a pause
        (300.0, 0.0, 0.0, 15e6, None),
    ],
)
def test_the_guess_serves_until_counting_has_settled(
    elapsed_s: float, minute_hs: float, quarter_hs: float, guess_hs: float, told: float | None
) -> None:
    now = Status(0.0).snapshot(elapsed_s)
    rates = Rates(rate_1min_hs=minute_hs, rate_15min_hs=quarter_hs)
    now = replace(now, run=replace(now.run, rates=rates))
    assert rate_to_tell(now, guess_hs) == told
