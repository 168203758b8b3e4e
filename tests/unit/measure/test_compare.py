from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from miner import baseline
from miner.errors import ConfigError
from miner.measure import compare, session
from miner.measure.result import Gate, Result, Slice

from .test_result import sample


def with_rates(mean: float, sd: float, seed: int, n: int = 30) -> Result:
    found = sample()
    rates = np.random.default_rng(seed).normal(mean, sd * mean, n)
    found.cases[0].slices = [Slice(int(rate), 1.0) for rate in rates]
    return found


@pytest.mark.parametrize(
    ("factor", "sd", "n", "word"),
    [
        (1.0, 0.004, 30, "same"),
        (1.10, 0.004, 30, "faster"),
        (0.90, 0.004, 30, "slower"),
        (1.03, 0.15, 30, "can't tell"),
        (1.5, 0.004, 5, "can't tell"),
    ],
)
def test_one_word(factor: float, sd: float, n: int, word: str) -> None:
    old, new = with_rates(1e6, sd, 1, n), with_rates(factor * 1e6, sd, 2, n)
    found = compare.compare(old, new)
    assert found.rows[0].word == word
    assert found.rows[0].ratio == pytest.approx(factor, rel=max(0.01, sd))
    assert found.geometric_mean == pytest.approx(found.rows[0].ratio)


def test_cases_pair_by_key_and_the_rest_is_named() -> None:
    old, new = sample(cases=2), sample(cases=2)
    new.cases[1] = replace(new.cases[1], threads=7)
    old.environment = {"cpu": "x", "governor": "powersave"}
    found = compare.compare(old, new)
    assert [row.label for row in found.rows] == ["native:avx2 x1 v8"]
    assert found.only_old == ["native:avx2 x2 v8"]
    assert found.only_new == ["native:avx2 x7 v8"]
    assert found.differences == ["governor: powersave -> None"]


def test_nothing_to_compare_is_an_error() -> None:
    old, new = sample(), sample()
    new.cases[0].gate = Gate(1, "", False, "wrong")
    with pytest.raises(ConfigError, match="share no measured case"):
        compare.compare(old, new)


def test_holm_is_applied_over_cases() -> None:
    old, new = sample(cases=2), sample(cases=2)
    for one, other in zip(old.cases, new.cases, strict=True):
        one.slices = with_rates(1e6, 0.02, one.threads).cases[0].slices
        other.slices = with_rates(1.1e6, 0.02, other.threads + 10).cases[0].slices
    both = compare.compare(old, new)
    old.cases.pop()
    alone = compare.compare(old, new)
    assert both.rows[0].p == pytest.approx(min(1, 2 * (alone.rows[0].p or 0)))


def test_baseline_round_trip(tmp_path: Path) -> None:
    home = tmp_path
    assert baseline.load(home) == []
    kept = session.baselines(sample(cases=2))
    baseline.save(kept, home)
    assert baseline.load(home) == kept
    one = baseline.expected(kept, {"native:avx2": 2})
    assert one is not None
    assert one.rate_hs == pytest.approx(1.002e6)
    assert one.low_hs == pytest.approx(1e6, rel=0.01)
    assert baseline.expected(kept, {"native:avx2": 3}) is None
    assert baseline.expected(kept, {"native:avx2": 1, "opencl:0:0": 1}) is None
    assert baseline.expected(kept, {}) is None
    for bad in ("", "{}", '{"schema": 2, "cases": []}', '{"schema": 1, "cases": [{"a": 1}]}', "["):
        (home / baseline.FILE).write_text(bad)
        assert baseline.load(home) == []


def test_a_partial_result_is_no_baseline() -> None:
    found = sample()
    found.partial = True
    with pytest.raises(ConfigError, match="partial"):
        session.baselines(found)


def test_cpu_time_sees_through_other_load() -> None:
    """The same program, once alone and once with 20 to 70 % of the CPU."""
    old, new = with_rates(1e6, 0.003, 1), with_rates(1e6, 0.003, 2)
    shares = np.random.default_rng(3).uniform(0.2, 0.7, 30)
    for found, got in ((old, np.ones(30)), (new, shares)):
        found.cases[0].slices = [
            Slice(int(one.hashes * share), 1.0, cpu_s=share)
            for one, share in zip(found.cases[0].slices, got, strict=True)
        ]
    assert compare.compare(old, new).rows[0].word == "slower"
    assert compare.compare(old, new, cpu_time=True).rows[0].word == "same"
    new.cases[0].batch = old.cases[0].batch = "gpu"
    with pytest.raises(ConfigError, match="share no measured case"):
        compare.compare(old, new, cpu_time=True)
