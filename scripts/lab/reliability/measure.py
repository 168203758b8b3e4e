"""What every reliability measure takes and gives: a run of some size, rows with bounds."""

import os
import platform
import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "scripts"
Choice = TypeVar("Choice")


class Size(IntEnum):
    """How much is run: inside the test suite, `--quick`, or the whole figure."""

    TEST = 0
    QUICK = 1
    FULL = 2


class NotRun(Exception):
    """The measure cannot be taken here; the text says why. Never counted as good."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a measure."""

    size: Size
    seed: int
    folder: Path  # empty, private to the measure
    say: Callable[[str], None] = lambda text: None

    def pick(self, test: Choice, quick: Choice, full: Choice) -> Choice:
        return (test, quick, full)[self.size]

    def dice(self, purpose: object = "") -> random.Random:
        """Random numbers that depend on seed and purpose alone."""
        return random.Random(f"{self.seed} {purpose}")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: n trials, of which `failures` failed."""

    measure: str
    figure: str
    value: str
    goal: str
    n: int
    failures: int = 0
    reached: bool = True  # the goal, when it is more than "no failures"
    notes: tuple[str, ...] = ()  # the first failures, what was left out

    @property
    def good(self) -> bool:
        return self.n > 0 and self.failures == 0 and self.reached

    @property
    def bound(self) -> float:
        """95 % upper bound of the failure rate: 3/n for none of n, else Clopper and Pearson's."""
        if self.n == 0:
            return 1.0
        return min(1.0, 3 / self.n) if self.failures == 0 else upper_bound(self.failures, self.n)


def upper_bound(failures: int, n: int) -> float:
    """The rate at which so few failures or fewer would be seen in 5 % of all runs."""
    low, high = failures / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if at_most(failures, n, middle) > 0.05:
            low = middle
        else:
            high = middle
    return high


def at_most(failures: int, n: int, rate: float) -> float:
    """Binomial distribution: the chance of at most so many failures in n trials."""
    if rate >= 1.0:
        return float(failures >= n)
    term = (1 - rate) ** n
    total = term
    for k in range(failures):
        term *= (n - k) / (k + 1) * rate / (1 - rate)
        total += term
    return total


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Least squares: how much y grows for each x."""
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    joint = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return joint / spread if spread else 0.0


def not_run(measure: str, figure: str, goal: str, why: str) -> Row:
    return Row(measure, figure, f"NOT RUN: {why}", goal, 0)


def machine() -> str:
    """Processor, cores and load, for the head of a table."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line for line in lines if line.startswith("model name")).split(": ")[1]
    except (OSError, StopIteration):
        pass
    load = (
        ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    )
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}"


def commit() -> str:
    """Short hash of the tree measured, with + when files differ from it."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "no git checkout"
    return done.stdout.strip()


def table(rows: Sequence[Row]) -> str:
    """Markdown, one line a row, then the notes."""
    lines = ["| id | figure | goal | n | failed | at most (95 %) | measured | |", "|" + "---|" * 8]
    for row in rows:
        bound = f"{100 * row.bound:.3g} %" if row.n else "-"
        verdict = "ok" if row.good else "MISSED" if row.n else "not run"
        cells = (row.measure, row.figure, row.goal, row.n, row.failures, bound, row.value, verdict)
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    lines += [f"{row.measure}: {note}" for row in rows for note in row.notes]
    return "\n".join(lines)
