"""Several computers side by side: best against best, per thread, per joule. No test, no p-value:
between two computers everything differs, so a difference needs no proof that it is one."""

import json
from dataclasses import dataclass

from miner import units
from miner.errors import ConfigError
from miner.measure import stats
from miner.measure.result import CaseResult, Result

FACTS = ("cpu", "cpu_id", "cores", "threads", "microcode", "governor", "turbo", "ram_gib", "os",
         "kernel", "virtual", "mains", "load_1min", "python", "compiler", "homehash", "commit",
         "code_sha256", "native_sha256")  # fmt: skip
COLUMNS = ("", "best case", "burst", "sustained", "of the fastest", "a thread", "J/TH")
LEAST = ("a thread", "J/TH")  # left out first on a narrow screen


@dataclass(frozen=True, slots=True)
class Machine:
    """The best case of a file, in figures that compare."""

    name: str  # of the file
    case: CaseResult
    summary: stats.Summary
    result: Result
    rate_hs: float  # sustained where every file has one, else of the first 16 s

    @property
    def device(self) -> str:
        cpu = str(self.result.environment.get("cpu") or "")
        return self.case.device if self.case.on_gpu else cpu

    @property
    def per_thread_hs(self) -> float | None:
        """None for a graphics card: its threads are not ours to count."""
        return None if self.case.on_gpu else self.rate_hs / self.case.fills


def machines(files: dict[str, Result]) -> list[Machine]:
    """The fastest first, bursts against bursts unless all were sustained.

    Raises ConfigError for a file without a valid measurement.
    """
    found = []
    for name, result in files.items():
        case = result.best()
        summary = case.summary(result.seed) if case else None
        if case is None or summary is None:
            raise ConfigError(f"{name} holds no valid measurement")
        found.append((name, case, summary, result))
    sustained = all(case.sustained_hs is not None for _, case, _, _ in found)
    made = [
        Machine(*one, (one[1].sustained_hs if sustained else one[1].burst_hs) or one[2].median)
        for one in found
    ]
    return sorted(made, key=lambda one: -one.rate_hs)


def rows(found: list[Machine]) -> list[list[str]]:
    """A line a machine; the ratio is to the fastest."""
    return [
        [
            str(number), one.case.label, units.rate(one.case.burst_hs),
            units.rate(one.case.sustained_hs), f"{one.rate_hs / found[0].rate_hs:.3f}",
            units.rate(one.per_thread_hs), _joules(one.case),
        ]
        for number, one in enumerate(found, 1)
    ]  # fmt: skip


def _joules(case: CaseResult) -> str:
    if case.energy is None:
        return "n/a"
    given = ", given" if case.energy.given else ""
    return f"{units.energy(case.energy.gross_j_per_th)} {case.energy.boundary}{given}"


def facts(found: list[Machine]) -> list[list[str]]:
    """The environments side by side: a line a fact, a column a machine."""
    lines = [
        ["measured", *(one.result.created[:16].replace("T", " ") for one in found)],
        ["device", *(one.device for one in found)],
        ["trust", *(one.case.trust().word for one in found)],
        ["rate by", *(f"{one.case.basis}, {one.case.length}" for one in found)],
        ["95 %", *(_interval(one) for one in found)],
    ]
    for key in FACTS:
        values = [one.result.environment.get(key) for one in found]
        if any(value is not None for value in values):
            lines.append([key, *("n/a" if value is None else str(value) for value in values)])
    return lines


def _interval(one: Machine) -> str:
    low_high = one.summary.ci95
    return units.interval(*low_high, one.summary.median) if low_high else "n/a (< 8 slices)"


def notes(found: list[Machine]) -> list[str]:
    """What keeps figures of the table from being compared."""
    said = []
    kinds = {one.case.energy.boundary for one in found if one.case.energy}
    if len(kinds) > 1:
        said.append(
            f"J/TH here covers {', '.join(sorted(kinds))}: a package leaves out board, memory and "
            "supply, so these figures do not compare"
        )
    if len({one.case.sustained_hs is None for one in found}) > 1:
        said.append(
            "bursts are set against bursts, since not every file has a sustained rate; how long a "
            "computer holds its burst differs: miner bench --soak steady"
        )
    return said


def to_json(found: list[Machine]) -> str:
    """The same as one JSON object."""
    listed = [
        {
            "file": one.name, "device": one.device, "case": one.case.label,
            "rate_hs": one.rate_hs, "burst_hs": one.case.burst_hs,
            "sustained_hs": one.case.sustained_hs,
            "ci95": list(one.summary.ci95) if one.summary.ci95 else None,
            "of_fastest": one.rate_hs / found[0].rate_hs, "per_thread_hs": one.per_thread_hs,
            "j_per_th": one.case.energy.gross_j_per_th if one.case.energy else None,
            "boundary": one.case.energy.boundary if one.case.energy else None,
            "trust": one.case.trust().word, "basis": one.case.basis,
            "environment": one.result.environment,
        }
        for one in found
    ]  # fmt: skip
    return json.dumps({"schema": 1, "machines": listed, "notes": notes(found)}, indent=1)
