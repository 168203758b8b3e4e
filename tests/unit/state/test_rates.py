import pytest

from miner.state.rates import LONG_S, SAMPLE_S, Meter, Rates, Windows, total
from tests.faults import fault


@fault("B20")
def test_windows_follow_the_clock_and_never_divide_by_zero() -> None:
    meter = Meter(100.0, 900.0)
    assert meter.rate(100.0, 5, 10.0) == 0.0  # no time has passed
    for second in range(1, 2001):
        meter.sample(100.0 + second, 1000 * second)
    assert meter.rate(2100.0, 2_000_000, 10.0) == pytest.approx(1000)
    assert meter.rate(2100.0, 2_000_000, 900.0) == pytest.approx(1000)
    assert meter.rate(2110.0, 2_000_000, 10.0) == 0.0
    assert len(meter._times) == 900.0 / SAMPLE_S + 2  # as at the start: it never grows
    assert meter.rate(2100.5, 2_000_000, 900.0) == pytest.approx(1000, rel=1e-3)
    assert meter.rate(2100.0, 2_000_000, 5000.0) == pytest.approx(1000)  # no further back than kept


def test_a_short_meter_knows_its_longest_window_exactly() -> None:
    meter = Meter(0.0, 60.0)
    for second in range(1, 200):
        meter.sample(float(second), second * second)
        long_s = min(second, 60)
        expected = (second**2 - (second - long_s) ** 2) / long_s
        assert meter.rate(float(second), second * second, 60.0) == pytest.approx(expected)
        assert meter.rate(second + 0.25, second * second, 0.0) == 0.0


@fault("B20")
def test_a_counter_or_clock_that_steps_back_gives_no_negative_rate() -> None:
    meter = Meter(100.0)
    meter.sample(110.0, 1000)
    assert meter.rate(120.0, 10, 5.0) == 0.0
    assert meter.rate(50.0, 2000, 10.0) == 0.0


def test_every_window_is_its_own_and_true() -> None:
    """Ten minutes at 100 H/s, then ten at 300: each window sees its share of both."""
    windows, count = Windows(0.0), 0
    for second in range(1, 1201):
        count += 100 if second <= 600 else 300
        windows.sample(float(second), count)
    rates = windows.rates(1200.0, count)
    assert rates.rate_10s_hs == rates.rate_1min_hs == rates.rate_5min_hs == pytest.approx(300)
    assert rates.rate_10min_hs == pytest.approx(300)
    assert rates.rate_15min_hs == pytest.approx((300 * 100 + 600 * 300) / 900)
    assert rates.rate_1h_hs == pytest.approx(200)  # since the start, which is nearer
    for second in range(1201, 1201 + int(LONG_S) + 10):
        windows.sample(float(second), count)
    assert windows.rates(1210.0 + LONG_S, count) == Rates()


def test_a_whole_is_the_sum_of_its_parts_from_the_first_second() -> None:
    one, two = Windows(0.0), Windows(0.0)
    for tenth in range(1, 50):
        now = tenth / 10
        one.sample(now, 7 * tenth)
        two.sample(now, 3 * tenth)
        whole = total([one.rates(now, 7 * tenth), two.rates(now, 3 * tenth)])
        assert whole.rate_10s_hs == pytest.approx(100)
        assert whole.rate_1h_hs == pytest.approx(100)
    assert total([]) == Rates()
