from collections.abc import Callable

import numpy as np
import pytest

from miner.measure import compare, exact, stats


def ar1(rng: np.random.Generator, n: int, rho: float, sd: float = 1.0) -> list[float]:
    """A correlated series around 100."""
    noise, value, out = rng.normal(0, sd, n), 0.0, []
    for step in noise:
        value = rho * value + step
        out.append(100 + value)
    return out


def interval(values: object, seed: int) -> tuple[float, float]:
    found = stats.summarize(list(np.asarray(values)), seed).ci95
    assert found is not None
    return found


def test_summary_by_hand() -> None:
    found = stats.summarize([1.0, 2.0, 3.0, 4.0, 100.0], 1)
    assert (found.median, found.mean, found.mad, found.low, found.high) == (3, 22, 1, 1, 100)
    assert found.sd == pytest.approx(43.617657)
    assert found.ci95 is None  # fewer than 8
    with pytest.raises(ValueError, match="no slice"):
        stats.summarize([], 1)


@pytest.mark.parametrize(("rho", "least"), [(0.0, 108), (0.5, 98)])
@pytest.mark.parametrize("n", [16, 60])
def test_interval_covers_the_truth(n: int, rho: float, least: int) -> None:
    rng = np.random.default_rng(7)
    inside = 0
    for trial in range(120):
        low, high = interval(np.asarray(ar1(rng, n, rho)), trial)
        inside += low <= 100 <= high
    # 95 % on paper; what short correlated series reach is told in bootstrap_medians
    assert least <= inside <= 120


def test_blocks_grow_with_correlation() -> None:
    rng = np.random.default_rng(3)
    white, red = (np.asarray(ar1(rng, 300, rho)) for rho in (0.0, 0.9))
    assert stats.block_length(white) == 7  # ceil(300 ** (1/3))
    assert stats.block_length(red) > 15
    assert stats.block_length(np.ones(16)) == 3
    assert stats.block_length(np.ones(1)) == 1
    # and with them the interval: a block-free bootstrap would call this drift precise
    wide = np.diff(interval(red, 1))[0]
    shuffled = np.diff(interval(rng.permutation(red), 1))[0]
    assert wide > 1.5 * shuffled


def test_widening_is_students_t() -> None:
    for freedom, quantile in ((3, 3.1824), (5, 2.5706), (10, 2.2281), (30, 2.0423)):
        assert stats.t_widening(freedom) * 1.959964 == pytest.approx(quantile, rel=1e-4)


def test_interval_repeats_with_its_seed() -> None:
    values = np.asarray(ar1(np.random.default_rng(1), 30, 0.3))
    assert interval(values, 5) == interval(values, 5)
    assert interval(values, 5) != interval(values, 6)


def test_no_interval_leaves_the_range_of_its_slices() -> None:
    rng = np.random.default_rng(8)
    for trial in range(40):
        drift = np.linspace(105, 95, 16) + rng.normal(0, 0.3, 16)
        low, high = interval(drift, trial)
        assert drift.min() <= low < high <= drift.max()


def test_students_t_is_exact() -> None:
    """Against the closed forms of 1, 2 and 4 degrees of freedom, and a printed table."""
    assert exact.t_cdf(1.0, 1) == pytest.approx(0.75, abs=1e-14)
    assert exact.t_cdf(-2.0, 2) == pytest.approx(0.5 - 2 / (2 * 6**0.5), abs=1e-14)
    printed = ((1, 12.7062047361747), (4, 2.77644510519779), (8, 2.30600413520417),
               (30, 2.04227245630124))  # fmt: skip
    for freedom, quantile in printed:
        assert exact.t_quantile(0.975, freedom) == pytest.approx(quantile, rel=1e-12)
        assert exact.t_quantile(0.025, freedom) == pytest.approx(-quantile, rel=1e-12)
        assert exact.t_two_sided(quantile, freedom) == pytest.approx(0.05, rel=1e-10)
    assert exact.t_quantile(0.975, np.inf) == pytest.approx(1.959963984540054, rel=1e-14)


def test_poisson_bounds_are_exact() -> None:
    """Garwood's bounds as printed: 0.0513 for 1 event, 5.425 for 10; 400 prove 92 %."""
    assert exact.poisson_lower(0) == 0.0
    assert exact.poisson_lower(1) == pytest.approx(0.0512932943875505, rel=1e-12)
    assert exact.poisson_lower(10) == pytest.approx(5.42540, abs=1e-5)
    assert exact.poisson_lower(400) / 400 == pytest.approx(0.9192, abs=1e-4)
    assert exact.poisson_at_most(0, 3.0) == pytest.approx(np.exp(-3))
    assert exact.poisson_at_most(400, 504) < 1e-6 < exact.poisson_at_most(400, 503)
    assert exact.poisson_at_most(-1, 3.0) == 0.0


Kind = Callable[[np.random.Generator], np.ndarray[tuple[int], np.dtype[np.float64]]]


def sides(make: Kind, factor: float, runs: int, seed: int) -> tuple[list[list[float]], ...]:
    rng = np.random.default_rng(seed)
    return tuple(
        [list(level * (1 + make(rng))) for _ in range(runs)] for level in (1e6, 1e6 * factor)
    )


DRIFT: Kind = lambda rng: np.linspace(0.025, -0.025, 16) + rng.normal(0, 0.003, 16)  # noqa: E731
OFFSET: Kind = lambda rng: rng.normal(0, 0.02) + rng.normal(0, 0.003, 16)  # noqa: E731


def test_a_doubling_is_found_however_the_runs_drift() -> None:
    for seed in range(20):
        for runs, word in ((1, compare.DIFFERS), (3, compare.FASTER)):
            old, new = sides(DRIFT, 2.0, runs, seed)
            found = stats.compare(old, new, seed)
            assert compare.word(found.interval(), (runs, runs)) == word
            assert found.ratio == pytest.approx(2.0, rel=0.01)


def test_builds_alike_are_not_called_faster() -> None:
    """Run-to-run offsets of 2 %: 57 % of such pairs were called faster or slower once."""
    wrong = 0
    for seed in range(200):
        old, new = sides(OFFSET, 1.0, 3, seed)
        said = compare.word(stats.compare(old, new, seed).interval(), (3, 3))
        wrong += said in (compare.FASTER, compare.SLOWER)
    assert wrong <= 9  # 1.5 % expected, so 3; more than 9 would come once in 900


def test_one_run_a_side_stays_inside_its_slices_and_says_little() -> None:
    old, new = sides(OFFSET, 1.2, 1, 3)
    found = stats.compare(old, new, 1).interval(0.9999)
    assert found is not None
    assert found[0] >= min(new[0]) / max(old[0])
    assert found[1] <= max(new[0]) / min(old[0])
    assert stats.compare([old[0][:5]], new, 1).interval() is None


def test_runs_that_agree_by_luck_leave_the_slices_noise() -> None:
    rng = np.random.default_rng(2)
    noisy = [list(rng.permutation(np.linspace(95, 105, 16))) for _ in range(6)]  # equal medians
    found = stats.compare(noisy[:3], noisy[3:], 1).interval()
    assert found is not None
    assert found[1] - found[0] > 0.01


def test_change_tells_a_trend_and_a_step_from_wandering() -> None:
    rng = np.random.default_rng(6)
    trend = stats.change(list(np.linspace(100, 95, 16) + rng.normal(0, 0.2, 16)))
    assert (trend.p < 0.02, trend.step) == (True, None)
    assert trend.size == pytest.approx(-0.05, abs=0.01)
    step = stats.change([100.0 + 0.1 * (i % 3) for i in range(12)] + [80.0, 80.1, 80.0, 79.9])
    assert (step.p < 0.001, step.step) == (True, 12)
    assert step.size == pytest.approx(-0.2, abs=0.01)
    assert step.of([3000.0] * 12 + [2400.0] * 4) == pytest.approx(-0.2)
    assert stats.change([5.0] * 16).p == 1.0
    false = sum(stats.change(ar1(rng, 16, 0.8)).p < 0.02 for _ in range(300))
    assert false <= 14  # below 2 % expected
    soak = stats.change(list(np.linspace(100, 90, 5000) + rng.normal(0, 1, 5000)))
    assert soak.size == pytest.approx(-0.1, abs=0.01)


def test_scaling_fit_recovers_the_law() -> None:
    threads = [1, 2, 4, 8, 16]
    rates = [10 * n / (1 + 0.02 * (n - 1) + 0.001 * n * (n - 1)) for n in threads]
    found = stats.fit_scaling(threads, rates)
    assert found is not None
    assert found.serial == pytest.approx(0.02, abs=1e-9)
    assert found.contention == pytest.approx(0.001, abs=1e-9)
    assert found.serial_error == pytest.approx(0, abs=1e-9)
    amdahl = stats.fit_scaling([1, 2], [10.0, 10 * 2 / 1.1])
    assert amdahl is not None
    assert amdahl.serial == pytest.approx(0.1)
    assert amdahl.serial_error is None
    kinked = stats.fit_scaling([1, 2, 4, 8, 16], [10.0, 20.0, 40.0, 80.0, 95.0])
    assert kinked is not None
    assert kinked.serial == 0  # a plain fit has it negative
    assert kinked.contention > 0
    assert stats.fit_scaling([2, 4], [1.0, 2.0]) is None
    assert stats.fit_scaling([1], [1.0]) is None


def test_many_slices_are_resampled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval is the same, and memory stays bounded: it took 549 MiB for 10,000 slices."""
    rates = [float(one) for one in np.random.default_rng(5).normal(1e6, 1e4, 300)]
    whole = stats.summarize(rates, 1)
    monkeypatch.setattr(stats, "MOST_NUMBERS", 1000)
    assert stats.summarize(rates, 1) == whole
    monkeypatch.setattr(stats, "MOST_NUMBERS", 1)
    assert stats.summarize(rates, 1) == whole
