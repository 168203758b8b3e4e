import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from miner import baseline
from miner.errors import ConfigError
from miner.measure import compare, machines, session, stats
from miner.measure.result import Gate, Result, Slice

from .test_result import sample


def with_rates(mean: float, sd: float, seed: int, n: int = 30) -> Result:
    found = sample()
    rates = np.random.default_rng(seed).normal(mean, sd * mean, n)
    found.cases[0].slices = [Slice(int(rate), 1.0, cpu_s=1.0) for rate in rates]
    return found


def runs(mean: float, sd: float, seed: int, n: int = 16, count: int = 3) -> list[Result]:
    return [with_rates(mean, sd, 10 * seed + index, n) for index in range(count)]


@pytest.mark.parametrize(
    ("factor", "sd", "n", "count", "word"),
    [
        (1.0, 0.004, 30, 3, "same within 1 %"),
        (1.10, 0.004, 30, 3, "faster"),
        (0.90, 0.004, 30, 3, "slower"),
        (1.03, 0.15, 30, 3, "can't tell"),
        (1.0, 0.004, 30, 1, "can't tell"),
        (1.10, 0.004, 30, 1, "differs between these two runs"),
        (1.10, 0.004, 30, 2, "differs between these two runs"),
        (1.5, 0.004, 5, 1, "can't tell"),
    ],
)
def test_one_word(factor: float, sd: float, n: int, count: int, word: str) -> None:
    old, new = runs(1e6, sd, 1, n, count), runs(factor * 1e6, sd, 2, n, count)
    found = compare.compare(old, new)
    assert found.rows[0].word == word
    assert found.rows[0].runs == (count, count)
    assert found.rows[0].ratio == pytest.approx(factor, rel=max(0.01, sd))
    assert found.geometric_mean == pytest.approx(found.rows[0].ratio)
    assert json.loads(compare.to_json(found))["rows"][0]["word"] == word


def test_only_what_is_surely_slower_fails() -> None:
    old = runs(1e6, 0.004, 1)
    assert not compare.compare(old, runs(0.965e6, 0.02, 2)).below(0.97)  # may be above
    assert compare.compare(old, runs(0.90e6, 0.004, 2)).below(0.97)


def test_two_computers_are_sent_to_machines() -> None:
    new = sample()
    new.cases[0] = replace(new.cases[0], device="Other CPU")
    with pytest.raises(ConfigError, match=r"on CPU against .* on Other CPU.*--machines"):
        compare.compare([sample()], [new])
    found = machines.machines({"a": sample(), "b": sample(2e6)})
    assert [one.name for one in found] == ["b", "a"]
    assert machines.rows(found)[1][4] == "0.500"
    assert ["cpu", "x", "x"] in machines.facts(found)
    assert machines.notes(found) == []
    told = json.loads(machines.to_json(found))["machines"]
    assert [one["of_fastest"] for one in told] == [1.0, pytest.approx(0.5, rel=1e-3)]
    empty = sample()
    empty.cases[0].gate = Gate(1, "", False, "wrong")
    with pytest.raises(ConfigError, match="b holds no valid"):
        machines.machines({"a": sample(), "b": empty})


def test_a_backend_of_the_same_name_does_not_make_two_computers_one() -> None:
    """hashlib's device is called the same everywhere."""
    old, new = sample(), sample(2e6)
    new.environment = {"cpu": "another"}
    with pytest.raises(ConfigError, match=r"measured on another and on x: .*--machines"):
        compare.compare([old], [new])
    for one in (old, new):  # a card that moved from one computer to another is the same card
        one.cases[0].batch = "gpu"
    assert compare.compare([old], [new]).differences[0] == "cpu: x -> another"


def test_bursts_are_set_against_bursts() -> None:
    """A laptop's 16 s against a run of four minutes that began as fast and then cooled down."""
    short, long = sample(1e6), sample(1e6)
    long.cases[0].slices = [
        Slice(rate, 1.0, cpu_s=1.0) for rate in [1_000_000] * 30 + [700_000] * 210
    ]
    found = machines.machines({"short": short, "long": long})
    assert [one.case.sustained_hs for one in found] == [None, 700_000]
    assert [round(one.rate_hs / 1e6, 2) for one in found] == [1.0, 1.0]
    assert "bursts are set against bursts" in machines.notes(found)[0]
    both = machines.machines({"a": long, "b": with_rates(0.6e6, 0.001, 1, 240)})
    assert [round(one.rate_hs / 1e6, 1) for one in both] == [0.7, 0.6]
    assert "length: burst -> sustained" in compare.compare([short], [long]).differences


def test_a_copy_of_a_run_is_no_second_run() -> None:
    old, new = runs(1e6, 0.004, 1), runs(1.1e6, 0.004, 2)
    assert compare.compare(old, new).rows[0].word == "faster"
    with pytest.raises(ConfigError, match="files 1 and 3 of one side hold the same run"):
        compare.compare([*old[:2], old[0]], new)
    copied = replace(new[0], created="2026-11-22T12:00:07+00:00")
    with pytest.raises(ConfigError, match="the same run"):
        compare.compare(old, [new[0], new[1], copied])


def test_cases_pair_by_key_and_the_rest_is_named() -> None:
    old, new = sample(cases=2), sample(cases=2)
    new.cases[1] = replace(new.cases[1], threads=7)
    old.environment = {"cpu": "x", "governor": "powersave"}
    found = compare.compare([old], [new])
    assert [row.label for row in found.rows] == ["native:avx2 x1 v8"]
    assert found.only_old == ["native:avx2 x2 v8"]
    assert found.only_new == ["native:avx2 x7 v8"]
    assert found.differences == ["governor: powersave -> None"]


def test_nothing_to_compare_is_an_error() -> None:
    old, new = sample(), sample()
    new.cases[0].gate = Gate(1, "", False, "wrong")
    with pytest.raises(ConfigError, match="share no measured case"):
        compare.compare([old], [new])


def test_many_cases_need_more_for_a_word() -> None:
    """Bonferroni: the interval of a word widens with the number of cases, the printed one not."""
    old, new = sample(cases=1), sample(cases=1)
    found = stats.compare([old.cases[0].rates()], [new.cases[0].rates()], 1)
    narrow, wide = found.interval(0.95), found.interval(0.995)
    assert narrow is not None
    assert wide is not None
    assert wide[1] - wide[0] >= narrow[1] - narrow[0]


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
    other = replace(kept[0], backend="native:sha")
    baseline.save([other], home)  # another case is added, none is lost
    assert baseline.load(home) == [*kept, other]
    for bad in ("", "{}", '{"schema": 2, "cases": []}', '{"schema": 1, "cases": [{"a": 1}]}', "["):
        (home / baseline.FILE).write_text(bad)
        assert baseline.load(home) == []


def test_a_long_run_saves_what_it_sustained() -> None:
    """Half a minute of burst would keep the live miner amber for good; a soak knows better."""
    long = sample()
    long.cases[0].slices = [
        Slice(rate, 1.0, cpu_s=1.0) for rate in [1_010_000] * 30 + [1_000_000] * 210
    ]
    (kept,) = session.baselines(long)
    assert (kept.rate_hs, kept.low_hs, kept.high_hs) == (1e6, 1e6, 1e6)


def test_a_partial_result_is_no_baseline() -> None:
    found = sample()
    found.partial = True
    with pytest.raises(ConfigError, match="partial"):
        session.baselines(found)


def test_a_rate_that_fell_is_no_baseline() -> None:
    found = sample()
    rates = [1e6] * 7 + [0.8e6] * 3
    found.cases[0].slices = [Slice(int(one), 1.0, cpu_s=1.0) for one in rates]
    with pytest.raises(ConfigError, match=r"not saved: hashes a CPU second fell .*--soak"):
        session.baselines(found)


def shared(found: Result, shares: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Result:
    found.cases[0].slices = [
        Slice(int(one.hashes * share), 1.0, cpu_s=share)
        for one, share in zip(found.cases[0].slices, shares, strict=True)
    ]
    return found


def test_a_shared_side_is_compared_by_cpu_time() -> None:
    """The same program, three times alone and three times with 20 to 70 % of the CPU."""
    rng = np.random.default_rng(3)
    old = [shared(one, np.ones(16)) for one in runs(1e6, 0.003, 1)]
    new = [shared(one, rng.uniform(0.2, 0.7, 16)) for one in runs(1e6, 0.003, 2)]
    row = compare.compare(old, new).rows[0]
    assert (row.word, row.basis) == ("same within 1 %", "CPU time")
    assert compare.compare(old, old).rows[0].basis == "wall time"
    assert compare.compare(old, old, cpu_time=True).rows[0].basis == "CPU time"
    for one in new:
        one.cases[0].counters["quota_stops"] = 1.0
        one.cases[0].slices = [replace(each, cpu_s=None) for each in one.cases[0].slices]
    row = compare.compare(old, new).rows[0]
    assert (row.word, row.basis) == ("can't tell", "wall time")
    assert "CPU time was not counted" in row.why


def test_a_graphics_card_is_compared_by_its_own_clock() -> None:
    old, new = runs(1e6, 0.003, 1), runs(1e6, 0.003, 2)
    for one in [*old, *new]:
        case = one.cases[0]
        case.batch = "gpu"
        case.slices = [replace(each, device_s=0.5) for each in case.slices]
    row = compare.compare(old, new).rows[0]
    assert (row.word, row.basis) == ("same within 1 %", "GPU time")
    assert row.old_hs == pytest.approx(2e6, rel=0.01)
    slow = runs(0.5e6, 0.003, 3)
    for one in slow:
        one.cases[0].batch = "gpu"
    found = compare.compare(old, slow)
    assert found.rows[0].word == "can't tell"  # nobody knows who else used the card
    assert "own clock was not read" in found.rows[0].why
    assert found.below(0.97) == []
