"""The terminal screens of `miner bench` (rich): tables, a live view, text charts."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from miner import units
from miner.measure import compare, export, stats
from miner.measure.bench import Progress
from miner.measure.result import CPU_TIME, ON_CPU, WALL, CaseResult, Result
from miner.measure.session import Check
from miner.measure.terminal import Pace, console, line, table

if TYPE_CHECKING:
    from rich.console import RenderableType

SHA = ("shani", "armv8")  # variants bound by the CPU's unit for it
BETWEEN_RUNS = (
    "95 %: where the true ratio of the two builds lies, by how much the runs of a build differ "
    "(Student's t); it may reach beyond every slice"
)
INSIDE_RUNS = (
    "95 %: of these runs alone, by how much their slices vary, never beyond the slices; it says "
    "nothing of the next run"
)
LABELS = "xN: threads; vN: header versions that a piece of work carries"
BARS = "▁▂▃▄▅▆▇█"


LEAST = ("slices", "sd", "95 %", "net J/TH", "covers")  # left out first on a narrow screen
COLUMNS = ("case", "median", "95 %", "sd", "slices", "trust", "J/TH gross", "net J/TH",
           "covers")  # fmt: skip


def results(result: Result) -> Table:
    """One line a case; columns of energy only when there is any."""
    rows = [export.rate_cells(result, case) for case in result.cases]
    width = len(COLUMNS) if any(case.energy for case in result.cases) else 6
    return table("", COLUMNS[:width], [row[:width] for row in rows], 1, LEAST[: width - 3])


def spark(values: list[float], width: int = 40) -> str:
    """Rates over time as a row of blocks, from 90 % to 110 % of the median or wider."""
    if not values:
        return ""
    step = max(1, -(-len(values) // width))
    shown = [
        sum(values[i : i + step]) / len(values[i : i + step]) for i in range(0, len(values), step)
    ]
    middle = sorted(values)[len(values) // 2]
    low, high = min(min(shown), 0.9 * middle), max(max(shown), 1.1 * middle)
    return "".join(BARS[round((one - low) / (high - low) * (len(BARS) - 1))] for one in shown)


def scaling(result: Result) -> Table | None:
    """Efficiency by threads with the fitted law; None unless a backend ran with 1 and more."""
    groups: dict[tuple[str, int], dict[int, float]] = {}
    for case in result.cases:
        found = case.summary(result.seed)
        if found and case.batch == ON_CPU:
            groups.setdefault((case.name, case.versions), {})[case.threads] = found.median
    rows = []
    for (name, versions), rates in groups.items():
        cores = result.environment.get("cores") or max(rates)
        whole = {n: rate for n, rate in rates.items() if n <= cores}  # hyper-threads: own line
        fit = stats.fit_scaling(list(whole), list(whole.values()))
        if fit is None:
            continue
        rows += [
            [f"{name} v{versions}", str(n), units.rate(rate), units.percent(rate / n / rates[1])]
            for n, rate in sorted(rates.items())
        ]
        if 0 <= fit.serial <= 1:  # outside, the noise of the runs has won
            rows.append([f"  {_fit_words(fit)}", "", "", ""])
        rows += _smt_row(rates, result)
    return table("Threads", ("case", "threads", "rate", "efficiency"), rows) if rows else None


def _smt_row(rates: dict[int, float], result: Result) -> list[list[str]]:
    """What hyper-threads add: all logical against all physical cores."""
    cores, logical = result.environment.get("cores"), result.environment.get("threads")
    if not cores or cores == logical or cores not in rates or logical not in rates:
        return []
    gain = rates[logical] / rates[cores] - 1
    return [[f"  hyper-threads add {units.percent(gain, sign='+')}", f"{cores}->{logical}", "", ""]]


def _fit_words(fit: stats.ScalingFit) -> str:
    error = f" ± {units.percent(fit.serial_error, 1)}" if fit.serial_error is not None else ""
    text = f"serial share {units.percent(fit.serial, 1)}{error}"
    if fit.contention:
        text += f", contention {units.percent(fit.contention, 2)}"
    return text


def details(result: Result) -> list[str]:
    """Sentences under the table: reasons to doubt, the shape of the run, overhead, soak."""
    said = []
    for case in result.cases:
        trust = case.trust()
        if trust.reasons:
            said.append(f"{case.label}: {trust.word}: {'; '.join(trust.reasons)}")
        said += _beside(case)
        said += export.burst_and_sustained(case)
        said += _shape(case)
        said += _energy(case, result.seed)
        if len(case.slices) > 1:
            said.append(f"{case.label} over time  {spark(case.rates())}")
        if result.mode == "soak":
            said += _soak(case)
    if result.cases:
        said.append(LABELS)
    if result.partial:
        said.append("interrupted: partial results")
    return said


def _energy(case: CaseResult, seed: int) -> list[str]:
    """How well the joules are known, and what is in them that is not ours."""
    said = []
    interval = case.energy_interval(seed)
    if interval is not None:
        low, high = (units.significant(one, 3) for one in interval)
        said.append(f"{case.label}: J/TH gross 95 % [{low}, {high}]")
    if case.energy and not case.energy.given and case.trust().disturbed:
        said.append(f"{case.label}: the joules hold other programs' work too: quiet the machine")
    if "idle_busy" in case.counters:
        said.append(
            f"{case.label}: no net J/TH: the machine was not idle before and after, its CPUs were "
            f"{units.percent(case.counters['idle_busy'])} busy"
        )
    return said


def _shape(case: CaseResult) -> list[str]:
    """How a native variant was compiled, and how near it comes to what its cores can do."""
    share = case.share_of_limit
    unit = "SHA" if case.variant.startswith(SHA) else "vector"
    whose = "this core's" if case.cpus == 1 else "these cores'"
    limit = f"; {units.percent(share)} of what {whose} {unit} units can do at most" if share else ""
    return [f"{case.label}: compiled as {case.shape}{limit}"] if case.shape else []


def _beside(case: CaseResult) -> list[str]:
    """The headline is not what the clock on the wall saw: say both."""
    if case.basis == WALL:
        return []
    wall = units.rate(stats.centre(case.rates()))
    what = "with its CPUs to itself" if case.basis == CPU_TIME else "with the device to itself"
    return [
        f"{case.label}: the rate is by {case.basis}, an estimate of what it does {what}; beside "
        f"the others it did {wall} by the clock on the wall"
    ]


def _soak(case: CaseResult) -> list[str]:
    """First minute against last, and how far clock and temperature went."""
    if len(case.slices) < 16:
        return []
    edge = min(60, len(case.slices) // 4)
    first, last = (stats.centre(part) for part in (case.headline()[:edge], case.headline()[-edge:]))
    moved = units.percent(last / first - 1, 1, sign="+")
    change = f"{units.rate(first)} to {units.rate(last)} ({moved})"
    said = [f"{case.label}: first to last {edge} slices: {change}"]
    for name, unit in (("clock_mhz", "MHz"), ("temperature_c", "°C")):
        seen = [value for one in case.slices if (value := getattr(one, name))]
        if seen:
            said.append(
                f"{case.label}: {min(seen):.0f} to {max(seen):.0f} {unit}, last {seen[-1]:.0f}"
            )
    throttles = case.counters.get("throttles")
    if throttles is not None:
        said.append(f"{case.label}: {throttles:.0f} thermal throttle events")
    return said


class Screen:
    """Results growing while they are measured. Redrawn between slices only, since a refresh thread
    would compete with what is measured, and rarely in a long soak: the intervals of hours of slices
    take a second, in which the computer would cool down."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._result: Result | None = None
        self._stage = ""
        self._pace = Pace()

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def started(self, result: Result) -> None:
        self._result = result

    def say(self, text: str) -> None:
        line(self._console, text, "dim")

    def tell(self, step: Progress) -> None:
        """Called between slices, outside the timed part."""
        if self._console.is_terminal:
            self._pace.run(lambda: self._live.update(self._view(step), refresh=True))
        elif step.stage != self._stage:  # a log gets one line a stage
            self.say(f"{step.stage}: {step.case.label if step.case else 'machine'} ...")
        self._stage = step.stage

    def _view(self, step: Progress) -> "RenderableType":
        total = step.elapsed_s + step.left_s
        label = step.case.label if step.case else "machine"
        bar = ProgressBar(total=max(total, 0.1), completed=step.elapsed_s, width=40)
        line = f"{step.stage} {label}, {step.left_s:.0f} s left"
        shown: list[RenderableType] = [results(self._result)] if self._result else []
        return Group(*shown, bar, Text(line, style="dim"))


def several(found: list[Result]) -> Table:
    """Runs of one program: the mean of the runs' medians and how far runs lie apart."""
    rows = []
    for case in found[0].cases:
        runs = [one for result in found for one in result.cases if one.key == case.key]
        if len(runs) != len(found) or not all(run.gate.passed and run.slices for run in runs):
            rows.append([case.label, "INVALID", "", "", "", ""])
            continue
        basis, rates, _ = compare.choose_basis(runs)
        medians = [stats.centre(rates(run)) for run in runs]
        mean, half = stats.mean_of_runs(medians)
        rows.append([
            case.label, units.rate(mean),
            units.interval(mean / half, mean * half, mean) if half else "n/a (< 3 runs)",
            units.percent(stats.relative_sd(medians), 1), str(len(medians)), basis,
        ])  # fmt: skip
    columns = ("case", "mean of runs", "95 % of runs", "sd of runs", "runs", "by")
    return table("", columns, rows, least=("sd of runs", "by"))


def compared(found: compare.Report) -> Table:
    rows = [
        [
            row.label, units.rate(row.old_hs), units.rate(row.new_hs), f"{row.ratio:.4f}",
            f"[{row.ci95[0]:.4f}, {row.ci95[1]:.4f}]" if row.ci95 else "n/a",
            row.word,
        ]
        for row in found.rows
    ]  # fmt: skip
    return table("", ("case", "old", "new", "new/old", "95 %", "word"), rows, least=("old", "new"))


def compared_details(found: compare.Report) -> list[str]:
    """What stands behind the words, one sentence each."""
    said = []
    for row in found.rows:
        p = "" if row.p is None else f"; p {units.significant(row.p, 2)}, for information"
        sides = " against ".join(
            f"{count} {name} run{'' if count == 1 else 's'} ({trust})"
            for count, name, trust in zip(row.runs, ("old", "new"), row.trust, strict=True)
        )
        said.append(f"{row.label}: rates by {row.basis}, {sides}{p}")
        if row.why:
            said.append(f"{row.label}: nothing can be told: {row.why}")
    said.append(BETWEEN_RUNS if found.many_runs else INSIDE_RUNS)
    if not found.many_runs:
        said.append(
            "fewer than 3 runs a side: how one run differs from the next is not known, so nothing "
            "is called faster, slower or same; measure with --runs 3"
        )
    if found.differences:
        said.append("the environments differ, so a difference may not be the program's:")
        said += [f"  {text}" for text in found.differences]
    return [*said, LABELS]


def checked(found: list[Check]) -> Table:
    rows = [
        [one.label, one.digest, units.significant(one.ratio) if one.ratio else "n/a",
         one.word or "n/a"]
        for one in found
    ]  # fmt: skip
    return table("", ("case", "digest", "rate here/file", "word"), rows, left=2)
