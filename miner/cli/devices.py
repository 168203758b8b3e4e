"""`miner devices`: every backend, and why it can or cannot be used here."""

import json
import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from miner.backends import conformance, registry
from miner.backends.base import Candidate, OpenOptions
from miner.backends.choice import BY_NAME, Choice, choose
from miner.errors import BackendFault
from miner.paths import cache_dir
from miner.text import scrub

COLUMNS = ("backend", "use", "details, or what is missing")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--check", "checked", metavar="NAME",
              help="Put the whole conformance suite to this backend instead.")  # fmt: skip
def devices(as_json: bool, checked: str | None) -> None:
    """List every hashing backend and why it can or cannot run.

    "auto" in the second column: `--backend auto` uses it; "by name": only when asked for.
    """
    if checked is not None:
        check(checked, as_json)
        return
    rows = registry.probe_all()
    choice = choose(rows)
    if as_json:
        for row in rows:
            click.echo(json.dumps(described(row, choice)))
    elif sys.stdout.isatty():
        Console().print(table(rows, choice))
    else:
        for line in lines(rows, choice):
            click.echo(line)


def check(name: str, as_json: bool) -> None:
    """Open a backend, put every check to it, one line each. Raises BackendFault when one fails."""
    failed = []
    with conformance.opened(name, OpenOptions(cache_dir(), say)) as subject:
        for result in conformance.run(subject):
            if result.why:
                failed.append(result.check)
            if as_json:
                click.echo(json.dumps(asdict(result)))
            else:
                words = f"FAILED  {result.check}: {scrub(result.why)}"
                click.echo(words if result.why else f"ok      {result.check}")
    if failed:
        raise BackendFault(name, f"{len(failed)} of its checks: {', '.join(failed)}")
    say(f"{name} passed every check")


def say(text: str) -> None:
    click.echo(text, err=True)


def described(row: Candidate, choice: Choice) -> dict[str, object]:
    """The row as JSON: with what `auto` does, and why it passes over the row."""
    passed = choice.passed.get(row.name, "") if row.usable else ""
    return asdict(row) | {"auto": choice.takes(row), "passed_over": passed}


def cells(row: Candidate, choice: Choice) -> tuple[str, str, str]:
    """The three columns of one row; a driver's own words are made safe to show."""
    use = "no" if not row.usable else "auto" if choice.takes(row) else "by name"
    words = [row.detail if row.usable else row.why_not]
    why = choice.passed.get(row.name, BY_NAME)
    if row.usable and why != BY_NAME:
        words.append(f"passed over: {why}")
    rivals = next((group for group in choice.rivals if len(group) > 1 and row.name in group), ())
    if rivals:
        words.append(f"auto takes the fastest of {', '.join(rivals)}")
    if row.external:
        words.insert(0, "external")
    return scrub(row.name), use, scrub("; ".join(word for word in words if word))


def table(rows: list[Candidate], choice: Choice) -> Table:
    """For a terminal: what is usable stands out."""
    shown = Table(*COLUMNS, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        style = "green" if row.usable else "dim"
        name, use, words = cells(row, choice)
        shown.add_row(Text(name, style=style), Text(use, style=style), Text(words))
    return shown


def lines(rows: list[Candidate], choice: Choice) -> list[str]:
    """For a pipe: aligned text, one line a backend."""
    texts = [COLUMNS, *(cells(row, choice) for row in rows)]
    name, use = (max(len(text[column]) for text in texts) for column in (0, 1))
    return [f"{text[0]:{name}}  {text[1]:{use}}  {text[2]}".rstrip() for text in texts]
