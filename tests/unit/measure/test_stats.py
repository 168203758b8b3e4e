import numpy as np
import pytest

from miner.measure import stats


def ar1(rng: np.random.Generator, n: int, rho: float, sd: float = 1.0) -> list[float]:
    """A correlated series around 100."""
    noise, value, out = rng.normal(0, sd, n), 0.0, []
    for step in noise:
        value = rho * value + step
        out.append(100 + value)
    return out


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
        low, high = stats.interval(np.asarray(ar1(rng, n, rho)), trial)
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
    wide = np.diff(stats.interval(red, 1))[0]
    shuffled = np.diff(stats.interval(rng.permutation(red), 1))[0]
    assert wide > 1.5 * shuffled


def test_widening_is_students_t() -> None:
    for freedom, quantile in ((3, 3.1824), (5, 2.5706), (10, 2.2281), (30, 2.0423)):
        assert stats.t_widening(freedom) * 1.959964 == pytest.approx(quantile, rel=0.01)


def test_interval_repeats_with_its_seed() -> None:
    values = np.asarray(ar1(np.random.default_rng(1), 30, 0.3))
    assert stats.interval(values, 5) == stats.interval(values, 5)
    assert stats.interval(values, 5) != stats.interval(values, 6)


def test_theil_sen_ignores_outliers() -> None:
    line = [10 + 0.5 * i for i in range(20)]
    line[3], line[11] = 900.0, -900.0
    assert stats.theil_sen(line) == pytest.approx(0.5)
    assert stats.theil_sen([4.0]) == 0.0
    assert stats.theil_sen([0.25 * i for i in range(5000)]) == pytest.approx(0.25)


def test_outliers_need_distance_in_mads_and_in_per_cent() -> None:
    quiet = [100.0, 100.001, 100.0, 99.999, 100.0, 100.2]
    assert not any(stats.outliers(quiet))
    assert stats.outliers([*quiet[:5], 90.0]) == [False] * 5 + [True]


def test_compare_finds_a_difference_and_no_difference() -> None:
    rng = np.random.default_rng(11)
    old, same, faster = (
        [mean * (1 + 0.004 * x) for x in rng.normal(size=30)] for mean in (100, 100.2, 106)
    )
    none, some = stats.compare(old, same, 1), stats.compare(old, faster, 1)
    assert none.ci95 is not None
    assert none.ci95[0] > 0.98
    assert none.ci95[1] < 1.02
    assert some.ratio == pytest.approx(1.06, abs=0.004)
    assert some.p is not None
    assert some.p < 0.01
    assert stats.compare(old[:5], faster, 1).p is None


def test_permutation_test_keeps_its_level() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(20):
        a, b = (np.asarray(ar1(rng, 30, 0.3)) for _ in range(2))
        hits += stats.permutation_p(a, b, rng) < 0.05
    assert hits <= 4  # expected 1; more would come once in 400 runs


def test_holm_by_hand() -> None:
    assert stats.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert stats.holm([0.6, 0.9]) == [1.0, 1.0]
    assert stats.geometric_mean([2.0, 0.5, 1.0]) == pytest.approx(1.0)


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
