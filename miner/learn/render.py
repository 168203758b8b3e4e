"""Screens on a terminal with rich; plain text, 80 columns, when output is piped.

Colour is never the only signal: each field of bytes also has a letter, each check a word.
"""

import math
import os
import re
from typing import TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table as RichTable
from rich.text import Text as RichText

from miner.learn.steps import (
    Axis,
    Bars,
    Bytes,
    Check,
    Code,
    Frame,
    Item,
    Lesson,
    Question,
    Screen,
    Stepper,
    Table,
    Text,
)  # fmt: skip
from miner.learn.voice import Voice, voice

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
BAR_WIDTH = 36
AXIS_WIDTH = 64
TICKS = 5  # at most, on an axis
MARKS = {"fixed": "o", "own": "@", "found": "*", "missed": "."}
NARROW, WIDE = 40, 100  # columns: lines longer than WIDE are hard to read
WORD = 32  # characters of a word that a column is kept wide enough for
GAP = 2  # columns of space between those of a table
URL = re.compile(r"https?://\S+")


class Trimmed:
    """A stream that ends no line in spaces, for pipes and files."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.rest = stream, ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.stream.write(f"{line.rstrip()}\n")
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return False


def console_for(stream: TextIO, colour: bool | None = None) -> Console:
    """A console of at most 100 columns; COLUMNS or 80 where there is no terminal."""
    if not stream.isatty():
        asked = os.environ.get("COLUMNS", "")
        width = min(max(int(asked), NARROW), WIDE) if asked.isdigit() else 80
        plain = cast(TextIO, Trimmed(stream))
        return Console(file=plain, no_color=True, highlight=False, width=width)
    console = Console(file=stream, no_color=colour is False, highlight=False)
    if console.width > WIDE:
        return Console(file=stream, no_color=colour is False, highlight=False, width=WIDE)
    return console


def marked(text: str) -> RichText:
    """**bold** and `code` as styles; everything else as it stands."""
    safe = escape(text)
    safe = re.sub(r"\*\*(.+?)\*\*", r"[bold]\1[/bold]", safe)
    safe = re.sub(r"`([^`]+)`", r"[cyan]\1[/cyan]", safe)
    return RichText.from_markup(safe)


def show_title(console: Console, lesson: Lesson, screen: Screen) -> None:
    """The head of a screen; the player shows its items."""
    said = voice(lesson.lang).say(
        "rule", number=lesson.number, title=lesson.title, place=screen.place, total=screen.total
    )
    console.print()
    console.print(Rule(said, align="left"))
    console.print(RichText(screen.title, style="bold"))


def show_item(console: Console, item: Item, said: Voice) -> None:
    """One item, with a blank line before it unless it is the name of a function."""
    if not isinstance(item, Code | Check):
        console.print()
    console.print(drawn(item, said, console.width))


def height(console: Console, item: Item, said: Voice) -> int:
    """Lines that `show_item` takes."""
    blank = not isinstance(item, Code | Check)
    return len(console.render_lines(drawn(item, said, console.width))) + blank


def drawn(item: Item, said: Voice, width: int = 80) -> RenderableType:
    """An item as something rich can print."""
    match item:
        case Text():
            return marked(item.body)
        case Bytes():
            return _bytes(item)
        case Table():
            return _table(item, width)
        case Bars():
            return _bars(item, said)
        case Axis():
            return _axis(item, said)
        case Check():
            return _check(item, said)
        case Code():
            line = said.say("code", name=item.name, file=item.file, line=str(item.line))
            return RichText(line, style="dim")
        case Stepper():
            return Group(*(frame_panel(item.frame(index)) for index in item.shown))
        case Question():
            prompt = marked(f"**{said.say('question')}** {item.prompt}")
            return Group(prompt, marked(f"{said.say('answer', answer=item.answer)} {item.why}"))


def _check(item: Check, said: Voice) -> RenderableType:
    style = "green" if item.passed else "bold red"
    line = RichText(f"{said.say('checked' if item.passed else 'failed')}  ", style=style)
    again = RichText(f"  {said.say('again', how=item.how)}", overflow="ignore", no_wrap=True)
    return Group(line + marked(item.claim), again)


def frame_panel(frame: Frame) -> RenderableType:
    """A stepper's moment in a box."""
    inside: list[RenderableType] = [RichText(line) for line in frame.lines]
    if frame.caption:
        inside.append(marked(frame.caption))
    return Panel(Group(*inside), title=frame.title, title_align="left", width=80)


def _under(origin: str, note: str) -> list[RenderableType]:
    """What stands under a figure: where its numbers are from, and how to read it."""
    said = ". ".join(one.rstrip(".") for one in (origin, note) if one)
    return [RichText(f"({said})", style="dim")] if said else []


def _bytes(item: Bytes) -> RenderableType:
    strip = RichText()
    table = RichTable(box=None, padding=(0, 1), show_header=False, pad_edge=False)
    column = 0
    for place, part in enumerate(item.fields):
        colour, letter = COLOURS[place % len(COLOURS)], chr(ord("A") + place)
        for byte in part.raw:
            strip.append("\n" if column and column % 32 == 0 else "")
            strip.append(f"{byte:02x}", style=colour)
            column += 1
        raw = part.raw.hex()
        shown = raw if len(raw) <= 20 else f"{raw[:10]}..{raw[-6:]}"
        table.add_row(
            RichText(f"{letter} {part.name}", style=colour), RichText(shown), marked(part.meaning)
        )
    return Group(RichText(item.title, style="italic"), strip, RichText(), table)


def _table(item: Table, width: int) -> RenderableType:
    rows, sources = _footnotes(item.rows)
    table = RichTable(box=None, padding=(0, 1), pad_edge=False, show_header=any(item.columns))
    texts = [[marked(cell) for cell in row] for row in rows]
    plain = [list(item.columns), *([cell.plain for cell in row] for row in texts)]
    for column, size in zip(item.columns, _widths(plain, width), strict=True):
        table.add_column(column, overflow="fold", width=size)
    for row in texts:
        table.add_row(*row)
    title = [RichText(item.title, style="italic")] if item.title else []
    return Group(*title, table, *sources, *_under(item.origin, item.note))


def _widths(rows: list[list[str]], width: int) -> list[int]:
    """A width for each column, so that prose is wrapped before words and numbers are broken."""
    columns = list(zip(*rows, strict=True))
    wanted = [max((len(cell) for cell in cells), default=1) for cells in columns]
    room = width - GAP * (len(columns) - 1)
    if sum(wanted) <= room:
        return [max(one, 1) for one in wanted]
    words = [max((len(word) for cell in cells for word in cell.split(" ")), default=1)
             for cells in columns]  # fmt: skip
    least = [min(one, WORD) for one in words]
    while sum(least) > room:  # nothing helps but breaking the longest
        least[least.index(max(least))] -= 1
    spare = room - sum(least)
    more = [one - two for one, two in zip(wanted, least, strict=True)]
    return [
        one + spare * extra // max(sum(more), 1) for one, extra in zip(least, more, strict=True)
    ]


def _footnotes(
    rows: tuple[tuple[str, ...], ...],
) -> tuple[list[tuple[str, ...]], list[RenderableType]]:
    """Addresses below the table, whole, and their numbers in it: no column holds them."""
    places: dict[str, str] = {}
    shown = []
    for row in rows:
        for cell in row:
            if URL.fullmatch(cell):
                places.setdefault(cell, f"[{len(places) + 1}]")
        shown.append(tuple(places.get(cell, cell) for cell in row))
    lines = [
        RichText(f"{number} {url}", style="dim", overflow="fold") for url, number in places.items()
    ]
    return shown, list(lines)


def _bars(item: Bars, said: Voice) -> RenderableType:
    most = max((*item.values, *(item.expected or ()), 1e-300))
    wide = max((len(label) for label in item.labels), default=0)
    lines = [RichText(f"{item.title} ({item.unit})", style="italic")]
    for place, (label, value) in enumerate(zip(item.labels, item.values, strict=True)):
        filled = round(BAR_WIDTH * value / most)
        bar = "#" * filled + " " * (BAR_WIDTH - filled)
        if item.expected is not None:
            spot = min(round(BAR_WIDTH * item.expected[place] / most), BAR_WIDTH - 1)
            bar = bar[:spot] + "|" + bar[spot + 1 :]
        lines.append(RichText(f"{label:>{wide}} {bar} {item.figures[place]}"))
    if item.expected is not None:
        lines.append(RichText(said.say("counted"), style="dim"))
    return Group(*lines, *_under(item.origin, item.note))


def _position(value: float, low: float, high: float) -> int:
    return round((AXIS_WIDTH - 1) * (value - low) / (high - low)) if high > low else 0


def _axis(item: Axis, said: Voice) -> RenderableType:
    logs = [math.log10(mark.value) for mark in item.marks]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    line = ["-"] * AXIS_WIDTH
    for value, mark in zip(logs, item.marks, strict=True):
        line[_position(value, low, high)] = MARKS[mark.kind]
    lines = [RichText(f"{item.title} ({item.unit})", style="italic")]
    lines += [RichText("".join(line), style="bold"), _scale(low, high)]
    for mark in sorted(item.marks, key=lambda mark: mark.value):
        if mark.kind != "missed":
            text = f"{MARKS[mark.kind]} {mark.label}: {mark.figure}"
            spot = min(_position(math.log10(mark.value), low, high), AXIS_WIDTH - len(text))
            lines.append(RichText(" " * max(spot, 0) + text))
    missed = sum(mark.kind == "missed" for mark in item.marks)
    if missed:
        lines.append(RichText(said.say("missed", count=missed), style="dim"))
    if any(mark.kind == "own" for mark in item.marks):
        lines.append(RichText(said.say("own"), style="dim"))
    return Group(*lines, *_under(item.origin, item.note))


def _scale(low: int, high: int) -> RichText:
    """Powers of ten below an axis."""
    step = max(-(-(high - low) // (TICKS - 1)), 1)
    line = [" "] * (AXIS_WIDTH + 8)
    for exponent in range(low, high + 1, step):
        spot = _position(exponent, low, high)
        text = f"|10^{exponent}"
        line[spot : spot + len(text)] = text
    return RichText("".join(line).rstrip(), style="dim")
