"""`miner bench compare`: two builds on one computer, or several computers side by side."""

import sys
from pathlib import Path

import click

from miner.errors import ConfigError
from miner.measure import compare as comparing
from miner.measure import machines as computers
from miner.measure import proof, screen, store, terminal
from miner.measure.compare import Report
from miner.measure.result import Result

AGAINST = "vs"
SLOWER = 1  # exit code of --fail-below


@click.command()
@click.argument("files", nargs=-1, type=Path, metavar="OLD... [vs] NEW...")
@click.option("--machines", is_flag=True, help="Different computers: best against best.")
@click.option("--cpu-time", is_flag=True, help="Hashes over CPU time, on a quiet machine too.")
@click.option("--fail-below", type=float, metavar="R", help="Exit 1 if new/old is surely below R.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def compare(
    files: tuple[Path, ...], machines: bool, cpu_time: bool, fail_below: float | None, as_json: bool
) -> None:
    """Compare results: ratio, interval and one word a case.

    Each file is one run. The first half is OLD, the second NEW; `vs` between them allows unequal
    numbers. Three runs a side are needed to call anything faster, slower or same.
    """
    check_ratio(fail_below)
    if machines:
        if cpu_time or fail_below is not None:
            raise ConfigError("--machines judges nothing: leave out --cpu-time and --fail-below")
        _machines(files, as_json)
        return
    old, new = split(files)
    found = comparing.compare(list(map(_honest, old)), list(map(_honest, new)), cpu_time)
    show(found, as_json)
    fail(found, fail_below)


def _honest(path: Path) -> Result:
    """A result that its own shares do not contradict. Raises ConfigError."""
    found = store.load(path)
    proof.refuse_forged(found, str(path))
    return found


def check_ratio(fail_below: float | None) -> None:
    """Raises ConfigError before anything is measured."""
    if fail_below is not None and not 0 < fail_below < 10:
        raise ConfigError(f"--fail-below {fail_below:g} is not a ratio like 0.97")


def split(files: tuple[Path, ...]) -> tuple[list[Path], list[Path]]:
    """Old and new. Raises ConfigError when they cannot be told apart."""
    names = [str(path) for path in files]
    if AGAINST in names:
        cut = names.index(AGAINST)
        old, new = list(files[:cut]), list(files[cut + 1 :])
    else:
        if len(files) % 2:
            raise ConfigError(
                f"{len(files)} files are no two halves: miner bench compare OLD... vs NEW..."
            )
        old, new = list(files[: len(files) // 2]), list(files[len(files) // 2 :])
    if not old or not new:
        raise ConfigError("nothing to compare: miner bench compare OLD... vs NEW...")
    return old, new


def show(found: Report, as_json: bool = False) -> None:
    """The report on stdout."""
    if as_json:
        click.echo(comparing.to_json(found))
        return
    out = terminal.console()
    out.print(screen.compared(found))
    if len(found.rows) > 1:
        out.print(f"geometric mean of new/old: {found.geometric_mean:.4f}")
    for name, labels in (("old", found.only_old), ("new", found.only_new)):
        if labels:
            terminal.line(out, f"only in the {name} result: {', '.join(labels)}")
    for text in screen.compared_details(found):
        terminal.line(out, text)


def fail(found: Report, fail_below: float | None) -> None:
    """Exit 1 when a case is surely slower than allowed."""
    worse = found.below(fail_below) if fail_below is not None else []
    for row in worse:
        assert row.ci95 is not None  # below() asks for it
        click.echo(
            f"{row.label}: new/old at most {row.ci95[1]:.4f}, below {fail_below:g}", err=True
        )
    if worse:
        sys.exit(SLOWER)


def _machines(files: tuple[Path, ...], as_json: bool) -> None:
    if len(files) < 2:
        raise ConfigError("--machines sets two result files or more side by side")
    if len(set(files)) < len(files):
        raise ConfigError("--machines wants each file once")
    found = computers.machines({str(path): _honest(path) for path in files})
    if as_json:
        click.echo(computers.to_json(found))
        return
    out = terminal.console()
    for number, one in enumerate(found, 1):
        terminal.line(out, f"{number}: {one.name}")
    rows = computers.rows(found)
    out.print(terminal.table("", computers.COLUMNS, rows, left=2, least=computers.LEAST))
    for text in (*computers.notes(found), screen.LABELS):
        terminal.line(out, text)
    names = [str(number) for number in range(1, len(found) + 1)]
    for made in terminal.side_by_side("Environments", names, computers.facts(found)):
        out.print(made)
