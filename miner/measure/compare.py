"""Two results side by side: ratio of medians with its interval, a test, one word for each case."""

from collections.abc import Callable
from dataclasses import dataclass

from miner.errors import ConfigError
from miner.measure import environment, stats
from miner.measure.result import CaseResult, Result

SAME = 0.02  # an interval inside this band is no difference worth a word
LEVEL = 0.05  # of the permutation test, after Holm


@dataclass(frozen=True, slots=True)
class Row:
    """One case present in both results."""

    label: str
    old_hs: float
    new_hs: float
    ratio: float
    ci95: tuple[float, float] | None
    p: float | None  # adjusted for the number of cases
    word: str  # faster, slower, same, can't tell
    old_trust: str
    new_trust: str


@dataclass(frozen=True, slots=True)
class Report:
    rows: list[Row]
    geometric_mean: float
    only_old: list[str]
    only_new: list[str]
    differences: list[str]  # of the environments


def compare(old: Result, new: Result, cpu_time: bool = False) -> Report:
    """Pair cases by backend, variant, device, threads and versions.

    `cpu_time`: compare hashes over CPU time instead of real time, for busy machines.

    Raises ConfigError when none pairs.
    """
    rates = CaseResult.cpu_rates if cpu_time else CaseResult.rates
    mine, theirs = _measured(old, rates), _measured(new, rates)
    keys = [key for key in mine if key in theirs]
    if not keys:
        raise ConfigError(
            "the two results share no measured case: "
            f"{_names(mine)} against {_names(theirs)}; measure the same --backend and --threads"
        )
    found = [stats.compare(rates(mine[key]), rates(theirs[key]), old.seed) for key in keys]
    tested = [one.p for one in found if one.p is not None]
    adjusted = iter(stats.holm(tested))
    rows = [
        _row(rates(mine[key]), mine[key], theirs[key], one, one.p and next(adjusted))
        for key, one in zip(keys, found, strict=True)
    ]
    return Report(
        rows,
        stats.geometric_mean([row.ratio for row in rows]),
        [mine[key].label for key in mine if key not in theirs],
        [theirs[key].label for key in theirs if key not in mine],
        environment.differences(old.environment, new.environment),
    )


Key = tuple[str, str, str, int, int]


def _measured(result: Result, rates: Callable[[CaseResult], list[float]]) -> dict[Key, CaseResult]:
    return {case.key: case for case in result.cases if case.gate.passed and rates(case)}


def _names(cases: dict[Key, CaseResult]) -> str:
    return ", ".join(case.label for case in cases.values()) or "nothing"


def _row(
    rates: list[float], old: CaseResult, new: CaseResult, found: stats.Comparison, p: float | None
) -> Row:
    before = stats.summarize(rates, 0).median
    return Row(
        old.label, before, before * found.ratio, found.ratio, found.ci95, p,
        word(found.ci95, p), old.trust().word, new.trust().word,
    )  # fmt: skip


def word(ci95: tuple[float, float] | None, p: float | None) -> str:
    """Same: the whole interval within 2 %. Faster or slower: interval and test agree."""
    if ci95 is None or p is None:
        return "can't tell"
    low, high = ci95
    if 1 - SAME <= low and high <= 1 + SAME:
        return "same"
    if p < LEVEL and low > 1:
        return "faster"
    if p < LEVEL and high < 1:
        return "slower"
    return "can't tell"
