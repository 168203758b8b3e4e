"""Terminal screens of bench, gap and hardware (rich): tables, a live view, text charts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from miner.bench import compare, export, stats, words
from miner.bench.measure import Progress
from miner.bench.result import CaseResult, Result
from miner.bench.session import Check
from miner.bench.sheets import Sheet

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_WIDTH = 120  # of a pipe or file: tables keep their columns
BARS = "▁▂▃▄▅▆▇█"
STYLES = {"steady": "green", "INVALID": "bold red", "faster": "green", "slower": "red"}


def console(stderr: bool = False) -> Console:
    """Results go to stdout, talk to stderr; a pipe gets plain text of a fixed width."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH, highlight=False)


def line(out: Console, text: str, style: str = "") -> None:
    """A sentence: folded at the edge of a terminal, whole in a pipe."""
    out.print(text, markup=False, style=style, soft_wrap=not out.is_terminal)


def table(
    title: str, columns: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1
) -> Table:
    """First `left` columns to the left, figures to the right."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        made.add_column(name, justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    return made


COLUMNS = ("case", "median", "95 %", "sd", "slices", "verdict", "J/TH gross", "net", "energy of")


def results(result: Result) -> Table:
    """One line a case; columns of energy only when there is any."""
    rows = [export.rate_cells(result, case) for case in result.cases]
    width = len(COLUMNS) if any(case.energy for case in result.cases) else 6
    return table("", COLUMNS[:width], [row[:width] for row in rows])


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
        if found and case.batch == "cpu":
            groups.setdefault((case.name, case.versions), {})[case.threads] = found.median
    rows = []
    for (name, versions), rates in groups.items():
        cores = result.environment.get("cores") or max(rates)
        whole = {n: rate for n, rate in rates.items() if n <= cores}  # hyper-threads: own line
        fit = stats.fit_scaling(list(whole), list(whole.values()))
        if fit is None:
            continue
        rows += [
            [f"{name} v{versions}", str(n), words.rate(rate), f"{rate / (n * rates[1]):.0%}"]
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
    return [[f"  hyper-threads add {gain:+.0%}", f"{cores}->{logical}", "", ""]]


def _fit_words(fit: stats.ScalingFit) -> str:
    error = f" ± {fit.serial_error:.1%}" if fit.serial_error is not None else ""
    text = f"serial share {fit.serial:.1%}{error}"
    if fit.contention:
        text += f", contention {fit.contention:.2%}"
    return text


def details(result: Result) -> list[str]:
    """Sentences under the table: verdict reasons, the shape of the run, overhead, soak."""
    said = []
    for case in result.cases:
        verdict = case.verdict()
        if verdict.reasons:
            said.append(f"{case.label}: {verdict.word}: {'; '.join(verdict.reasons)}")
        said += _alone(case, result.seed) if verdict.word == "shared machine" else []
        if len(case.slices) > 1:
            said.append(f"{case.label} over time  {spark(case.rates())}")
        if result.mode == "soak":
            said += _soak(case)
    if result.partial:
        said.append("interrupted: partial results")
    return said


def _alone(case: CaseResult, seed: int) -> list[str]:
    """A steadier figure for a busy machine; an estimate, and said to be one."""
    rates = case.cpu_rates()
    if not rates:
        return []
    found = stats.summarize(rates, seed)
    interval = words.interval(*found.ci95, found.median) + " 95 %" if found.ci95 else ""
    return [
        f"{case.label}: by CPU time {words.rate(found.median)} {interval}: an estimate of what it "
        "does with its CPUs to itself"
    ]


def _soak(case: CaseResult) -> list[str]:
    """First minute against last, and how far clock and temperature went."""
    if len(case.slices) < 16:
        return []
    edge = min(60, len(case.slices) // 4)
    first, last = (
        stats.summarize(part, 0).median for part in (case.rates()[:edge], case.rates()[-edge:])
    )
    change = f"{words.rate(first)} to {words.rate(last)} ({last / first - 1:+.1%})"
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
    """Results growing while they are measured. Redrawn between slices only: a refresh thread
    would compete with what is measured."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._result: Result | None = None
        self._stage = ""

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
            self._live.update(self._view(step), refresh=True)
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


def compared(found: compare.Report) -> Table:
    rows = [
        [
            row.label, words.rate(row.old_hs), words.rate(row.new_hs), f"{row.ratio:.4f}",
            f"[{row.ci95[0]:.4f}, {row.ci95[1]:.4f}]" if row.ci95 else "n/a",
            f"{row.p:.4f}" if row.p is not None else "n/a", row.word,
            f"{row.old_verdict} / {row.new_verdict}",
        ]
        for row in found.rows
    ]  # fmt: skip
    names = ("case", "old", "new", "new/old", "95 %", "p (Holm)", "word", "verdicts")
    return table("", names, rows)


def checked(found: list[Check]) -> Table:
    rows = [
        [one.label, one.digest, f"{one.ratio:.4f}" if one.ratio else "n/a", one.word or "n/a"]
        for one in found
    ]
    return table("", ("case", "digest", "rate here/file", "word"), rows, left=2)


def show_sheets(shown: list[Sheet], sentences: list[str]) -> None:
    """The gap report on stdout."""
    out = console()
    for sheet in shown:
        out.print(table(sheet.title, sheet.columns, sheet.rows, sheet.left))
        if sheet.note:
            line(out, sheet.note, "dim")
        out.print()
    for text in sentences:
        line(out, text)


def show_hardware(rows: list[list[str]]) -> None:
    names = ("date", "machine", "kind", "hashrate", "power", "energy", "confidence", "source")
    console().print(table("", names, rows, left=3))
