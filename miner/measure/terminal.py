"""What every terminal table here is printed with (rich): consoles, sentences, tables, bars."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 120  # of a pipe or file: tables keep their columns
STYLES = {"steady": "green", "INVALID": "bold red", "faster": "green", "slower": "red"}


def console(stderr: bool = False) -> Console:
    """Results go to stdout, talk to stderr; a pipe gets plain text of a fixed width."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH, highlight=False)


def line(out: Console, text: str, style: str = "") -> None:
    """A sentence: folded at the edge of a terminal, whole in a pipe."""
    out.print(text, markup=False, style=style, soft_wrap=not out.is_terminal)


def table(
    title: str, columns: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1
) -> Table:
    """First `left` columns to the left, figures to the right."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        made.add_column(name, justify="left" if index < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    return made
