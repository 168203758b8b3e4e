"""M1: a fuzzing campaign over all targets, then, where atheris is installed, a guided minute."""

import importlib.util
import subprocess
import sys

from lab.campaign import campaign
from lab.reliability.measure import SCRIPTS, Row, Run, not_run

GROWTH_KIB = 20 * 1024
GUIDED = ("notify", "json-guard", "template", "block", "journal-records", "rpc-reply")


def measure(run: Run) -> list[Row]:
    total = campaign(run.pick(20_000, 60_000, 1_200_000), run.seed, run.pick(60, 20, 480), 2)
    slowest = max(outcome.slowest_s for outcome in total.outcomes.values())
    value = (
        f"{total.executions} on {len(total.outcomes)} targets in {total.seconds:.0f} s, slowest "
        f"{1000 * slowest:.0f} ms, memory +{total.growth_kib} KiB"
    )
    enough = total.executions >= run.pick(0, 0, 1_000_000)
    reached = enough and len(total.outcomes) >= 12 and total.growth_kib < GROWTH_KIB
    goal = ">= 1,000,000 on >= 12 targets, none fails, none > 1 s, memory < +20 MB"
    row = Row("M1", "fuzz executions", value, goal, total.executions, len(total.failures),
              reached, tuple(total.failures[:5]))  # fmt: skip
    return [row, guided(run)]


def guided(run: Run) -> Row:
    figure, goal = "coverage-guided targets that fail", "0"
    if importlib.util.find_spec("atheris") is None:
        return not_run("M1", figure, goal, "atheris is not installed (extra: fuzz)")
    seconds = run.pick(2, 2, 10)
    names = GUIDED[: run.pick(1, 3, 6)]
    command = [sys.executable, str(SCRIPTS / "lab" / "fuzz.py"), "--targets", ",".join(names)]
    command += ["--guided", str(seconds), "--seed", str(run.seed)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if " guided " in line]
    failed = sum(not line.endswith("exit 0") for line in lines)
    executions = sum(int(line.split()[2]) for line in lines if line.split()[2].isdigit())
    value = f"{executions} executions on {len(lines)} targets, {seconds} s each"
    return Row("M1", figure, value, goal, len(lines), failed, notes=tuple(lines[:failed]))
