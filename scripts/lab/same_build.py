"""Real A/A pairs: one build against itself, as often as asked, and the words that come out.

    .venv/bin/python scripts/lab/same_build.py [--pairs 15] [--runs 3] [--samples 8]
                                               [--slice 0.3] [--threads 1]

Every word but "same within 1 %" and "can't tell" is wrong. Run it quiet and beside other work. A
run is a process of its own, as in `miner bench --runs`, with shorter slices: 15 pairs of 3 runs a
side take about 8 minutes.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from miner.measure import compare, export, runs, session
from miner.measure.bench import Plan
from miner.paths import cache_dir

WARMUP_S = 1.0


def one_run(words: list[str]) -> None:
    """What `miner bench` does, with the plan of this script; started by `runs.measure`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int)
    parser.add_argument("--slice", type=float)
    parser.add_argument("--threads")
    parser.add_argument("--export", type=Path)
    given = parser.parse_args(words)
    plan = Plan(samples=given.samples, slice_s=given.slice, warmup_s=WARMUP_S)
    order = session.Order(plan, "quick", threads=session.threads(given.threads))
    found = session.run(order, cache_dir(), lambda progress: None, lambda text: None)
    export.write(found, given.export)


def pair(number: int, given: argparse.Namespace, words: Counter[str]) -> None:
    """Measure one build twice, taking turns, and compare it with itself."""
    options = ["--samples", str(given.samples), "--slice", str(given.slice)]
    options += ["--threads", given.threads]
    this = (sys.executable, str(Path(__file__).resolve()))
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "run.json"
        sides = [runs.Side(name, this, runs.files(base, name, given.runs)) for name in "ab"]
        runs.measure(sides, options, lambda text: None)
        report = compare.compare(runs.load(sides[0]), runs.load(sides[1]))
    for row in report.rows:
        words[row.word] += 1
        interval = "n/a" if row.ci95 is None else f"[{row.ci95[0]:.4f}, {row.ci95[1]:.4f}]"
        print(f"{number:3} load {os.getloadavg()[0]:5.2f}  {row.label}  {row.ratio:.4f} "
              f"{interval}  by {row.basis}  {row.word}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--slice", type=float, default=0.3, help="seconds")
    parser.add_argument("--threads", default="1")
    given = parser.parse_args()
    words: Counter[str] = Counter()
    for number in range(1, given.pairs + 1):
        pair(number, given, words)
    print(", ".join(f"{word} {count}" for word, count in words.most_common()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["bench"]:
        one_run(sys.argv[2:])
    else:
        main()
