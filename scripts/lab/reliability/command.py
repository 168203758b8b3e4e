"""Takes measures and prints their table."""

import argparse
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lab.reliability import measures
from lab.reliability.measure import NotRun, Row, Run, Size, commit, machine, not_run, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when something failed or missed its goal; what did not run is named."""
    parser = argparse.ArgumentParser(prog="scripts/lab/reliability", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small numbers, under 5 minutes in all"
    )
    parser.add_argument("--only", default="", help="measures by id, as in M3,M10")
    parser.add_argument("--seed", type=int, default=None, help="replays a run")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    options = parser.parse_args(arguments)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    wanted = {name for name in options.only.upper().split(",") if name}
    head = f"commit {commit()}, seed {seed}, {machine()}"
    print(head, flush=True)
    rows: list[Row] = []
    began = time.monotonic()
    for taken in measures.TABLE:
        if not wanted or taken.name.split()[0] in wanted:
            rows += take(taken, Size.QUICK if options.quick else Size.FULL, seed)
    print(table(rows))
    print(verdict(rows, time.monotonic() - began))
    if options.json:
        record = {"head": head, "rows": [{**asdict(row), "bound": row.bound} for row in rows]}
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    return 0 if all(row.good for row in rows if row.n) else 1


def verdict(rows: Sequence[Row], seconds: float) -> str:
    """One line: what was reached, what was not, and what nobody looked at."""
    missed = [f"{row.measure} {row.figure}" for row in rows if row.n and not row.good]
    absent = [f"{row.measure} {row.figure}" for row in rows if not row.n]
    parts = [f"{sum(row.good for row in rows)} of {len(rows)} figures reached in {seconds:.0f} s"]
    parts += [f"MISSED: {'; '.join(missed)}"] * bool(missed)
    parts += [f"NOT RUN: {'; '.join(absent)}"] * bool(absent)
    return ". ".join(parts)


def take(taken: measures.Measure, size: Size, seed: int) -> list[Row]:
    """One measure's rows; a crash of the measure itself is a row that did not run."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reliability-", ignore_cleanup_errors=True) as folder:
        try:
            rows = taken.load()(Run(size, seed, Path(folder), progress))
        except NotRun as why:
            rows = [not_run(taken.name.split()[0], taken.name, "", str(why))]
        except Exception as error:  # noqa: BLE001 - the other measures go on
            text = f"{type(error).__name__}: {error}"
            rows = [not_run(taken.name.split()[0], taken.name, "", text)]
    progress(f"{taken.name}: {time.monotonic() - began:.0f} s")
    for row in rows:
        progress(f"  {row.figure}: {row.value} (n {row.n}, failed {row.failures})")
        for note in row.notes if row.failures else ():
            progress(f"    {note}")
    return rows


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
