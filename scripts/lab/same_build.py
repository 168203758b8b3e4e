"""Real A/A pairs: one build against itself, as often as asked, and the words that come out.

    .venv/bin/python scripts/lab/same_build.py [--pairs 15] [--runs 3] [--samples 16] [--threads 1]

Every word but "same within 1 %" and "can't tell" is wrong. Run it quiet and beside other work.
"""

import argparse
import os
import tempfile
from collections import Counter
from pathlib import Path

from miner.measure import compare, runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--threads", default="1")
    given = parser.parse_args()
    options = ["--samples", str(given.samples), "--threads", given.threads]
    words: Counter[str] = Counter()
    for pair in range(given.pairs):
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder) / "run.json"
            sides = [
                runs.Side(name, runs.THIS, runs.files(base, name, given.runs))
                for name in ("old", "new")
            ]
            runs.measure(sides, options, lambda text: None)
            report = compare.compare(runs.load(sides[0]), runs.load(sides[1]))
        for row in report.rows:
            words[row.word] += 1
            interval = "n/a" if row.ci95 is None else f"[{row.ci95[0]:.4f}, {row.ci95[1]:.4f}]"
            print(f"{pair + 1:3} load {os.getloadavg()[0]:5.2f}  {row.label}  {row.ratio:.4f} "
                  f"{interval}  by {row.basis}  {row.word}", flush=True)  # fmt: skip
    print(", ".join(f"{word} {count}" for word, count in words.most_common()))


if __name__ == "__main__":
    main()
