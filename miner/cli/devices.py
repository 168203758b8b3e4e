"""`miner devices`: every backend, and why it can or cannot be used here."""

import json
import sys
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from miner.backends import registry
from miner.backends.base import Candidate
from miner.text import scrub

COLUMNS = ("backend", "use", "details, or what is missing")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def devices(as_json: bool) -> None:
    """List every hashing backend and why it can or cannot run.

    "auto" in the second column: `--backend auto` may choose it; "by name": only when asked for.
    """
    rows = registry.probe_all()
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row)))
    elif sys.stdout.isatty():
        Console().print(table(rows))
    else:
        for line in lines(rows):
            click.echo(line)


def cells(row: Candidate) -> tuple[str, str, str]:
    """The three columns of one row; a driver's own words are made safe to show."""
    use = "auto" if row.auto else "by name"
    words = scrub(row.detail if row.usable else row.why_not)
    origin = "external; " if row.external else ""
    return scrub(row.name), use if row.usable else "no", f"{origin}{words}"


def table(rows: list[Candidate]) -> Table:
    """For a terminal: what is usable stands out."""
    shown = Table(*COLUMNS, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        style = "green" if row.usable else "dim"
        shown.add_row(*(Text(cell, style=style) for cell in cells(row)[:2]), Text(cells(row)[2]))
    return shown


def lines(rows: list[Candidate]) -> list[str]:
    """For a pipe: aligned text, one line a backend."""
    texts = [COLUMNS, *(cells(row) for row in rows)]
    name, use = (max(len(text[column]) for text in texts) for column in (0, 1))
    return [f"{text[0]:{name}}  {text[1]:{use}}  {text[2]}".rstrip() for text in texts]
