"""M11: which lines and branches of wire, consensus and journal code their own tests reach."""

import importlib.util
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from lab.reliability.measure import ROOT, SCRIPTS, NotRun, Row, Run
from lab.reliability.mutants import TESTS, source_of

LINES, BRANCHES = 0.95, 0.90
CODE = """
import sys
sys.path = [*sys.path[1:], *{places!r}]
import coverage
watch = coverage.Coverage(branch=True, include={files!r}, data_file=None)
watch.start()
from lab.reliability.mutant_server import run_tests
code = run_tests({paths!r}, {folder!r})
watch.stop()
watch.json_report(outfile={out!r})
sys.exit(code)
"""


class Reached(NamedTuple):
    """Of one module."""

    module: str
    lines: int
    all_lines: int
    branches: int
    all_branches: int


def measure(run: Run) -> list[Row]:
    if importlib.util.find_spec("coverage") is None:
        raise NotRun("the package coverage is missing: pip install coverage")
    groups: dict[tuple[str, ...], list[str]] = {}
    for module, paths in TESTS.items():
        groups.setdefault(paths, []).append(module)
    order = list(groups)
    run.dice("coverage").shuffle(order)
    deadline = time.monotonic() + run.pick(0.0, 0.0, 500.0)
    folders = [run.folder / str(n) for n in range(len(order))]

    def one(paths: tuple[str, ...], folder: Path) -> list[Reached] | None:
        late = time.monotonic() > deadline and folder not in folders[: run.pick(1, 2, 2)]
        return None if late else reached(groups[paths], paths, folder)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, order, folders))
    modules = sorted(module for result in results if result for module in result)
    left = [m for p, result in zip(order, results, strict=True) if not result for m in groups[p]]
    notes = (f"not measured: {', '.join(sorted(left))}",) if left else ()
    return [
        row("lines", LINES, [(m.module, m.lines, m.all_lines) for m in modules], notes),
        row("branches", BRANCHES, [(m.module, m.branches, m.all_branches) for m in modules], ()),
    ]


def row(what: str, goal: float, parts: list[tuple[str, int, int]], notes: tuple[str, ...]) -> Row:
    found, every = sum(part[1] for part in parts), sum(part[2] for part in parts)
    share = found / max(every, 1)
    below = [f"{m} {100 * n / of:.0f} % of {of}" for m, n, of in parts if n < goal * of]
    if below:
        notes += (f"{what} below the goal: {', '.join(below)}",)
    value = f"{100 * share:.1f} % of {every} in {len(parts)} modules"
    figure = f"{what} of wire, consensus and journal code reached by their own tests"
    return Row("M11", figure, value, f"{what} >= {100 * goal:.0f} %", every,
               reached=share >= goal, notes=notes)  # fmt: skip


def reached(modules: list[str], paths: tuple[str, ...], folder: Path) -> list[Reached]:
    """Run the tests of these modules in a process of their own."""
    files, out = {str(source_of(module)): module for module in modules}, folder.with_suffix(".json")
    code = CODE.format(
        places=[str(ROOT), str(SCRIPTS)],
        files=list(files),
        paths=paths,
        folder=str(folder),
        out=str(out),
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{', '.join(paths)} failed: {done.stdout[-400:]}{done.stderr[-400:]}")
    told = json.loads(out.read_text())["files"]
    found = []
    for path, module in files.items():
        sums = next(entry["summary"] for name, entry in told.items() if (ROOT / name) == Path(path))
        found.append(Reached(module, sums["covered_lines"], sums["num_statements"],
                             sums["covered_branches"], sums["num_branches"]))  # fmt: skip
    return found
