"""What every terminal table here is printed with (rich): consoles, sentences, tables, bars."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

Justify = Literal["left", "right"]
REST = 49  # times as long as a thing took
GAP = 2  # between columns
PHRASE = 16  # letters that stand on one line at least
PLAIN_WIDTH = 120  # of a pipe or file: tables keep their columns
STYLES = {"steady": "green", "INVALID": "bold red", "faster": "green", "slower": "red"}


class Pace:
    """Lets a thing that grows dear be done so rarely that it takes 2 % of the time at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._next = clock, -math.inf

    def run(self, thing: Callable[[], None]) -> None:
        """Do it, unless it is too soon."""
        began = self._clock()
        if began >= self._next:
            thing()
            ended = self._clock()
            self._next = ended + REST * (ended - began)


def console(stderr: bool = False) -> Console:
    """Results go to stdout, talk to stderr; a pipe gets plain text of a fixed width."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH, highlight=False)


def line(out: Console, text: str, style: str = "") -> None:
    """A sentence: folded at the edge of a terminal, whole in a pipe."""
    out.print(text, markup=False, style=style, soft_wrap=not out.is_terminal)


def table(
    title: str,
    columns: Iterable[str],
    rows: Iterable[Iterable[str]],
    left: int = 1,
    least: Sequence[str] = (),
    width: int | None = None,
) -> Table:
    """First `left` columns to the left, figures to the right. No word, figure or bar is folded.

    Where the screen is too narrow, the columns named in `least` are left out, the first one first,
    and the title says which.
    """
    names, cells = list(columns), [list(row) for row in rows]
    room = width if width is not None else console().width
    needed = [_least_width(index, names, cells, left) for index in range(len(names))]
    shown, gone = list(range(len(names))), []
    for name in least:
        if sum(needed[index] + GAP for index in shown) - GAP <= room:
            break
        shown.remove(names.index(name))
        gone.append(name)
    if sum(needed[index] + GAP for index in shown) - GAP > room:
        return _records(title, names, cells, room)
    if gone:
        title = f"{title} (too narrow for: {', '.join(gone)})".strip()
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    spare = room - sum(needed[index] + GAP for index in shown) + GAP
    for index in shown:
        whole = max([len(names[index]), *(len(row[index]) for row in cells)])
        more = min(max(spare, 0), whole - needed[index])
        spare -= more
        justify: Justify = "left" if index < left else "right"
        made.add_column(names[index], justify=justify, overflow="fold", width=needed[index] + more)
    for row in cells:
        made.add_row(*(Text(row[index], style=STYLES.get(row[index], "")) for index in shown))
    return made


def _records(title: str, names: list[str], rows: list[list[str]], room: int) -> Table:
    """A line a cell, for screens on which no line holds a row."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    first = min(max(map(len, names), default=1), room // 3)
    made.add_column(width=first, overflow="fold", style="dim")
    made.add_column(width=room - first - GAP, overflow="fold")
    for row in rows:
        for name, cell in zip(names, row, strict=True):
            if cell:
                made.add_row(name, Text(cell, style=STYLES.get(cell, "")))
        made.add_row("", "")
    return made


def side_by_side(
    title: str, names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None
) -> list[Table]:
    """A line a fact, a column each: in as many tables as the screen is too narrow for."""
    room = width if width is not None else console().width
    made, first = [], 0
    while first < len(names):
        for last in range(len(names), first, -1):
            cells = [[row[0], *row[first + 1 : last + 1]] for row in rows]
            heads = ["", *names[first:last]]
            needed = [_least_width(index, heads, cells, len(heads)) for index in range(len(heads))]
            if sum(needed) + GAP * (len(heads) - 1) <= room or last == first + 1:
                break
        made.append(table(title, heads, cells, len(heads), width=room))
        first = last
    return made


def _least_width(index: int, names: list[str], rows: list[list[str]], left: int) -> int:
    """Words may go to the next line, not each to one of its own; the parts of a figure may not."""
    found = [len(word) for word in names[index].split()]
    for row in rows:
        text = row[index]
        figure = index >= left or len(text) < PHRASE
        found += [len(text)] if figure else [PHRASE, *map(len, text.split())]
    return max(found, default=1)
