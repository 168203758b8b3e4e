"""Feed broken inputs to everything that reads what others write: `python3 scripts/lab/fuzz.py`.

Inputs start as real ones, from recordings and tests/corpus/, and are then broken; the targets are
in tests/fakes/broken/targets.py. Exit code 1 on an unhandled exception, a broken promise, a call
above a second or growing memory. `--keep` adds failures and new seeds to tests/corpus/, which the
test suite replays. `--guided S` lets atheris, where installed, guide each target by coverage for S
seconds.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bootstrap

bootstrap.enter(("test", "fuzz"))

from lab.campaign import Campaign, campaign, guided

from tests.fakes.broken.runner import keep
from tests.fakes.broken.targets import TABLE

GROWTH_KIB = 20 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--executions", type=int, default=1_200_000)
    parser.add_argument("--seconds", type=float, default=480.0, help="at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--targets", default="", help=", ".join(target.name for target in TABLE))
    parser.add_argument("--keep", action="store_true", help="grow tests/corpus/")
    parser.add_argument("--guided", type=int, default=0, metavar="S", help="seconds a target")
    parser.add_argument("--guide", default="", help=argparse.SUPPRESS)  # one target, this process
    options = parser.parse_args()
    names = [name for name in options.targets.split(",") if name]
    if options.guide:
        guided(next(t for t in TABLE if t.name == options.guide), options.guided, options.seed)
    if options.guided:
        return guide_all(names, options.guided, options.seed)
    total = campaign(options.executions, options.seed, options.seconds, options.jobs, names, print)
    report(total, options.seed)
    if options.keep:
        for outcome in total.outcomes.values():
            keep(outcome, 8, print)
    return 1 if total.failures or total.growth_kib > GROWTH_KIB else 0


def report(total: Campaign, seed: int) -> None:
    for name, outcome in total.outcomes.items():
        print(
            f"{name:18} {outcome.executions:8} executions {len(outcome.words):5} words "
            f"{len(outcome.failures):5} failures, slowest {1000 * outcome.slowest_s:.0f} ms"
        )
    print(
        f"seed {seed}: {total.executions} executions of {len(total.outcomes)} targets in "
        f"{total.seconds:.0f} s, {len(total.failures)} failures, memory +{total.growth_kib} KiB"
    )


def guide_all(names: list[str], seconds: int, seed: int) -> int:
    """Each target in a process of its own: libFuzzer ends the one it runs in."""
    failed = 0
    for target in TABLE:
        if names and target.name not in names:
            continue
        command = [sys.executable, __file__, "--guide", target.name, "--guided", str(seconds)]
        done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True)
        said = done.stderr + done.stdout
        runs = [line.split()[1] for line in said.splitlines() if "number_of_executed_units" in line]
        print(f"{target.name:18} guided {runs[-1] if runs else '?':>9} executions, exit "
              f"{done.returncode}", flush=True)  # fmt: skip
        if done.returncode:
            failed += 1
            print(said[-1500:])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
