"""Several computers side by side: best against best, per thread, per joule. No test, no p-value:
between two computers everything differs, so a difference needs no proof that it is one."""

from dataclasses import dataclass

from miner import units
from miner.errors import ConfigError
from miner.measure import stats
from miner.measure.result import CaseResult, Result

FACTS = ("cpu", "cores", "threads", "microcode", "governor", "turbo", "ram_gib", "os", "kernel",
         "virtual", "mains", "python", "compiler", "homehash", "commit")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Machine:
    """The best case of a file, in figures that compare."""

    name: str  # of the file
    case: CaseResult
    summary: stats.Summary
    result: Result

    @property
    def device(self) -> str:
        cpu = self.case.batch == "cpu"
        return str(self.result.environment.get("cpu") or "") if cpu else self.case.device

    @property
    def per_thread_hs(self) -> float | None:
        """None for a graphics card: its threads are not ours to count."""
        return self.summary.median / self.case.threads if self.case.batch == "cpu" else None


def machines(files: dict[str, Result]) -> list[Machine]:
    """The fastest first. Raises ConfigError for a file without a valid measurement."""
    found = []
    for name, result in files.items():
        case = result.best()
        summary = case.summary(result.seed) if case else None
        if case is None or summary is None:
            raise ConfigError(f"{name} holds no valid measurement")
        found.append(Machine(name, case, summary, result))
    return sorted(found, key=lambda one: -one.summary.median)


def rows(found: list[Machine]) -> list[list[str]]:
    """A line a machine; the ratio is to the fastest."""
    best = found[0].summary.median
    return [
        [
            one.name, one.case.label, units.rate(one.summary.median),
            units.interval(*one.summary.ci95, one.summary.median) if one.summary.ci95 else "n/a",
            f"{one.summary.median / best:.3f}",
            units.rate(one.per_thread_hs), _joules(one.case),
        ]
        for one in found
    ]  # fmt: skip


COLUMNS = ("file", "best case", "rate", "95 %", "of best", "a thread", "J/TH")


def _joules(case: CaseResult) -> str:
    if case.energy is None:
        return "n/a"
    return f"{units.energy(case.energy.gross_j_per_th)} {case.energy.boundary}"


def facts(found: list[Machine]) -> list[list[str]]:
    """The environments side by side: a line a fact, a column a machine."""
    lines = [["trust", *(one.case.trust().word for one in found)]]
    lines += [["rate by", *(f"{one.case.basis}, {one.case.length}" for one in found)]]
    for key in FACTS:
        values = [one.result.environment.get(key) for one in found]
        if any(value is not None for value in values):
            lines.append([key, *("n/a" if value is None else str(value) for value in values)])
    return lines


def boundaries(found: list[Machine]) -> str:
    """A warning where joules of different boundaries stand in one column; "" otherwise."""
    kinds = {one.case.energy.boundary for one in found if one.case.energy}
    if len(kinds) < 2:
        return ""
    return (
        f"J/TH here covers {', '.join(sorted(kinds))}: a package leaves out board, memory and "
        "supply, so these figures do not compare"
    )
