"""Figures that other scripts take: run, read, and put into the table."""

import re
import subprocess
import sys

from lab.reliability.measure import SCRIPTS, NotRun, Row, Run

NUMBER = r"([0-9.]+)"


def script(name: str, *arguments: object, timeout_s: float = 590.0) -> str:
    """Its output; NotRun with the last line when it fails."""
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise NotRun(f"{name} ended with {done.returncode}: {said[-1][:200]}")
    return done.stdout


def numbers(pattern: str, text: str) -> tuple[float, ...]:
    found = re.search(pattern, text)
    if found is None:
        raise NotRun(f"not understood: {text.strip()[-200:]}")
    return tuple(float(value) for value in found.groups())


def storm(run: Run) -> list[Row]:
    """M4: two pools that drop the miner every 0.5 to 2 s."""
    seconds = run.pick(4, 12, 180)
    backend = native_or_hashlib()
    text = script("figures.py", "stratum", "--only", "storm", "--seconds", seconds, "--seed",
                  run.seed % 1000, "--backend", backend)  # fmt: skip
    drops, share, gap_ms = numbers(
        rf"{NUMBER} drops in .*hashed {NUMBER} % of .*gap p99 {NUMBER} ms", text
    )
    value = f"{share:.1f} % of the time with a job, idle gap p99 {gap_ms:.0f} ms, {seconds} s"
    rejected = "rejected []" not in text
    return [
        Row("M4", "hashing through a storm of reconnects", value, ">= 95 %, gap p99 <= 250 ms",
            int(drops), int(rejected), share >= 95 and gap_ms <= 250)
    ]  # fmt: skip


def switch(run: Run) -> list[Row]:
    """M6: from the last byte of a notify to the first hash of its job."""
    rows = []
    for backend, p50_goal, p99_goal in ((native_or_hashlib(), 5, 25), ("python", 250, 250)):
        jobs = run.pick(50, 100, 2000)
        text = script("figures.py", "stratum", "--only", "switch", "--jobs", jobs, "--backend",
                      backend)  # fmt: skip
        p50, p99, n = numbers(rf"p50 {NUMBER} ms, p99 {NUMBER} ms, n {NUMBER} of", text)
        rows.append(
            Row("M6", f"job switch, {backend}", f"p50 {p50:.2f} ms, p99 {p99:.2f} ms",
                f"p50 <= {p50_goal} ms, p99 <= {p99_goal} ms", int(n),
                reached=p50 <= p50_goal and p99 <= p99_goal)
        )  # fmt: skip
    return rows


def triples(run: Run) -> list[Row]:
    """M8: every native variant equals the portable one, all in C."""
    if native_or_hashlib() != "native":
        raise NotRun("the C library is not built")
    wanted = run.pick(20_000, 300_000, 10_000_000)
    text = script("lab/triples.py", "--triples", wanted, "--seed", run.seed)
    names = text.strip().splitlines()[-1].partition(":")[0]
    return [
        Row("M8", "random headers, each variant against portable", f"{names}: equal", "0 differ",
            wanted)
    ]  # fmt: skip


def catalogue(run: Run) -> list[Row]:
    """M2: every case of the fault catalogue has tests named by its id."""
    text = script("check_faults.py")
    covered, cases = numbers(rf"{NUMBER} of {NUMBER} cases have tests", text)
    waiting = re.findall(r"^(\w+)  no such listener yet", text, re.MULTILINE)
    note = f"for listeners that do not exist yet, not run: {', '.join(waiting)}"
    return [
        Row("M2", "cases of the fault catalogue with tests", f"{covered:.0f} of {cases:.0f}",
            "all", int(cases), int(cases - covered), notes=(note,))
    ]  # fmt: skip


def native_or_hashlib() -> str:
    from miner.backends import native

    usable = any(row.usable for row in native.PROVIDER.probe())
    return "native" if usable else "hashlib"
