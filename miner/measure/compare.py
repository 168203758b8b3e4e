"""Two builds on one computer: ratio with interval and one word for each case.

A run is one process. Where a program, its alignment and its pages land differs from run to run by
a per cent or more, and no number of slices inside one run can see that: so three runs a side, or
the word is at most "differs between these two runs".
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from miner.errors import ConfigError
from miner.measure import environment, stats
from miner.measure.result import CPU_TIME, GPU_TIME, WALL, CaseResult, Result

BAND = 0.01  # a difference smaller than this is none worth a word
FASTER, SLOWER, SAME = "faster", "slower", "same within 1 %"
DIFFERS, CANNOT_TELL = "differs between these two runs", "can't tell"
TWO_COMPUTERS = "these are two computers: miner bench compare --machines sets them side by side"
UNKNOWN = "so it is not known what other programs took"

Rates = Callable[[CaseResult], list[float]]
Key = tuple[str, str, str, int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One case present on both sides."""

    label: str
    old_hs: float
    new_hs: float
    ratio: float
    ci95: tuple[float, float] | None
    p: float | None  # for information
    word: str
    basis: str  # what the hashes were divided by
    why: str  # why nothing can be told, or ""
    runs: tuple[int, int]
    trust: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    rows: list[Row]
    geometric_mean: float
    only_old: list[str]
    only_new: list[str]
    differences: list[str]  # of the environments

    @property
    def many_runs(self) -> bool:
        """Enough a side to tell how one run differs from the next?"""
        return all(min(row.runs) >= stats.MIN_RUNS for row in self.rows)

    @property
    def method(self) -> str:
        return stats.RUNS_METHOD if self.many_runs else stats.METHOD

    def below(self, ratio: float) -> list[Row]:
        """Cases whose whole interval lies below `ratio`; none of which nothing can be told."""
        told = [(row, row.ci95) for row in self.rows if row.ci95 is not None and not row.why]
        return [row for row, interval in told if interval[1] < ratio]


def compare(old: list[Result], new: list[Result], cpu_time: bool = False) -> Report:
    """Pair cases by backend, variant, device, threads and versions; each result is one run.

    `cpu_time`: hashes over CPU time even where the machine was quiet.

    Raises ConfigError: nothing pairs, a run stands there twice, or there are two computers.
    """
    for side in (old, new):
        _refuse_copies(side)
    mine, theirs = _measured(old), _measured(new)
    keys = [key for key in mine if key in theirs]
    if not keys:
        raise ConfigError(_no_pair(mine, theirs))
    if not all(mine[key][0].on_gpu for key in keys):
        _refuse_two_computers([*old, *new])
    level = 1 - 0.05 / len(keys)  # Bonferroni: a word is wrong in 5 % of reports, not of rows
    rows = [_row(mine[key], theirs[key], old[0].seed, cpu_time, level) for key in keys]
    return Report(
        rows,
        stats.geometric_mean([row.ratio for row in rows]),
        [mine[key][0].label for key in mine if key not in theirs],
        [theirs[key][0].label for key in theirs if key not in mine],
        _differences(old, new),
    )


def _refuse_copies(side: list[Result]) -> None:
    """One run twice would pass for two that agree. Raises ConfigError."""
    for index, one in enumerate(side):
        slices = [case.slices for case in one.cases]
        for number, other in enumerate(side[:index]):
            if any(slices) and slices == [case.slices for case in other.cases]:
                raise ConfigError(
                    f"files {number + 1} and {index + 1} of one side hold the same run: a copy "
                    "does not tell how the next run differs; measure again (--runs 3)"
                )


def _refuse_two_computers(results: list[Result]) -> None:
    """A backend's device may be called the same on both. Raises ConfigError."""
    names = {str(one.environment["cpu"]) for one in results if one.environment.get("cpu")}
    if len(names) > 1:
        raise ConfigError(f"measured on {' and on '.join(sorted(names))}: {TWO_COMPUTERS}")


def _measured(runs: list[Result]) -> dict[Key, list[CaseResult]]:
    """Cases that every run of a side has."""
    found: dict[Key, list[CaseResult]] = {}
    for result in runs:
        for case in result.cases:
            if case.gate.passed and case.slices:
                found.setdefault(case.key, []).append(case)
    return {key: cases for key, cases in found.items() if len(cases) == len(runs)}


def _no_pair(mine: dict[Key, list[CaseResult]], theirs: dict[Key, list[CaseResult]]) -> str:
    def names(cases: dict[Key, list[CaseResult]]) -> str:
        found = {
            f"{one[0].label} on {one[0].device or 'an unknown device'}" for one in cases.values()
        }
        return ", ".join(sorted(found)) or "nothing"

    advice = "measure the same --backend and --threads"
    if {key[2] for key in mine} != {key[2] for key in theirs}:
        advice = TWO_COMPUTERS
    return f"the results share no measured case: {names(mine)} against {names(theirs)}; {advice}"


def _differences(old: list[Result], new: list[Result]) -> list[str]:
    found: list[str] = []
    for before, after in zip(old, new, strict=False):
        found += environment.differences(before.environment, after.environment)
        lengths = [{_kind(case) for case in one.cases if case.slices} for one in (before, after)]
        if lengths[0] != lengths[1]:
            found.append("length: " + " -> ".join(" and ".join(sorted(one)) for one in lengths))
    return list(dict.fromkeys(found))


def _kind(case: CaseResult) -> str:
    return "burst" if case.sustained_hs is None else "sustained"


def _row(
    old: list[CaseResult], new: list[CaseResult], seed: int, cpu_time: bool, level: float
) -> Row:
    basis, rates, why = choose_basis([*old, *new], cpu_time)
    before, after = [rates(case) for case in old], [rates(case) for case in new]
    found = stats.compare(before, after, seed)
    runs = len(old), len(new)
    said = CANNOT_TELL if why else word(found.interval(level), runs)
    old_hs = stats.geometric_mean([stats.centre(run) for run in before])
    return Row(
        old[0].label, old_hs, old_hs * found.ratio, found.ratio, found.interval(), found.p,
        said, basis, why, runs, (_trust(old), _trust(new)),
    )  # fmt: skip


def _trust(cases: list[CaseResult]) -> str:
    """The words of a side's runs, each once."""
    return ", ".join(dict.fromkeys(case.trust().word for case in cases))


def choose_basis(cases: list[CaseResult], cpu_time: bool = False) -> tuple[str, Rates, str]:
    """What to divide the hashes by, and why that is not good enough, or "".

    Wall time counts what other programs took; it is used only when no run was disturbed.
    """
    if cases[0].on_gpu:
        if all(case.gpu_rates() for case in cases):
            return GPU_TIME, CaseResult.gpu_rates, ""
        return WALL, CaseResult.rates, f"the device's own clock was not read, {UNKNOWN}"
    if not all(case.cpu_rates() for case in cases):
        return WALL, CaseResult.rates, f"CPU time was not counted, {UNKNOWN}"
    if cpu_time or any(case.trust().disturbed for case in cases):
        return CPU_TIME, CaseResult.cpu_rates, ""
    return WALL, CaseResult.rates, ""


def word(interval: tuple[float, float] | None, runs: tuple[int, int]) -> str:
    """Faster, slower: the whole interval beyond 1 %. Same: the whole interval within."""
    if interval is None:
        return CANNOT_TELL
    low, high = interval
    apart = low > 1 + BAND or high < 1 / (1 + BAND)
    if min(runs) < stats.MIN_RUNS:
        return DIFFERS if apart else CANNOT_TELL
    if apart:
        return FASTER if low > 1 else SLOWER
    return SAME if 1 / (1 + BAND) <= low and high <= 1 + BAND else CANNOT_TELL


def to_json(found: Report) -> str:
    """The report as one JSON object."""
    rows = [
        {
            "case": row.label, "old_hs": row.old_hs, "new_hs": row.new_hs, "ratio": row.ratio,
            "ci95": list(row.ci95) if row.ci95 else None, "p": row.p, "word": row.word,
            "basis": row.basis, "why": row.why or None, "runs": list(row.runs),
            "trust": list(row.trust),
        }
        for row in found.rows
    ]  # fmt: skip
    return json.dumps(
        {
            "schema": 1, "rows": rows, "geometric_mean": found.geometric_mean,
            "only_old": found.only_old, "only_new": found.only_new,
            "differences": found.differences, "method": found.method,
        },
        indent=1,
    )  # fmt: skip
