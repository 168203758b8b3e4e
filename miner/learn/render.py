"""Screens on a terminal with rich; plain text, 80 columns, when output is piped.

Colour is never the only signal: each field of bytes also has a letter, each check a word.
"""

import math
import re
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
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
    Mark,
    Question,
    Screen,
    Stepper,
    Table,
    Text,
)  # fmt: skip

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
BAR_WIDTH = 40
AXIS_WIDTH = 64
MARKS = {"fixed": "o", "own": "@", "found": "*", "missed": "."}


def console_for(stream: TextIO, colour: bool | None = None) -> Console:
    """A console of at most 100 columns; 80 where the terminal does not say."""
    console = Console(file=stream, no_color=colour is False, highlight=False)
    if not console.is_terminal:
        return Console(file=stream, no_color=True, highlight=False, width=80)
    if console.width > 100:
        return Console(file=stream, no_color=colour is False, highlight=False, width=100)
    return console


def marked(text: str) -> RichText:
    """**bold** and `code` as styles; everything else as it stands."""
    safe = escape(text)
    safe = re.sub(r"\*\*(.+?)\*\*", r"[bold]\1[/bold]", safe)
    safe = re.sub(r"`([^`]+)`", r"[cyan]\1[/cyan]", safe)
    return RichText.from_markup(safe)


def show_screen(console: Console, lesson: Lesson, screen: Screen, number: int) -> None:
    """One screen with its items; steppers and questions are left to the player."""
    console.print()
    console.print(Rule(f"{lesson.number}. {lesson.title} · {number}", align="left"))
    console.print(RichText(screen.title, style="bold"))
    for item in screen.items:
        if not isinstance(item, Stepper | Question):
            show_item(console, item)


def show_item(console: Console, item: Item) -> None:
    """One item, with a blank line before it unless it is the name of a function."""
    if not isinstance(item, Code | Check):
        console.print()
    console.print(drawn(item))


def drawn(item: Item) -> RenderableType:
    """An item as something rich can print."""
    match item:
        case Text():
            return marked(item.body)
        case Bytes():
            return _bytes(item)
        case Table():
            return _table(item)
        case Bars():
            return _bars(item)
        case Axis():
            return _axis(item)
        case Check():
            word = "[green]checked[/green]" if item.passed else "[bold red]FAILED[/bold red]"
            line = RichText.from_markup(f"{word}  ") + marked(item.claim)
            return Group(line, Padding(marked(f"again: {item.how}"), (0, 0, 0, 9)))
        case Code():
            return RichText(f"made by {item.name}  ({item.file}:{item.line})", style="dim")
        case Stepper():
            return Group(*(frame_panel(item.frame(index)) for index in item.shown))
        case Question():
            return Group(marked(f"**Question.** {item.prompt}"), marked(f"Answer: {item.answer}"))


def frame_panel(frame: Frame) -> RenderableType:
    """One moment of a stepper."""
    lines: list[RenderableType] = [RichText(line) for line in frame.lines]
    if frame.caption:
        lines.append(marked(frame.caption))
    return Panel(Group(*lines), title=frame.title, title_align="left", width=80)


def _bytes(item: Bytes) -> RenderableType:
    strip = RichText()
    table = RichTable(box=None, padding=(0, 1), show_header=False, pad_edge=False)
    column = 0
    for place, part in enumerate(item.fields):
        colour, letter = COLOURS[place % len(COLOURS)], chr(ord("A") + place)
        for byte in part.raw:
            strip.append(f"{byte:02x}", style=colour)
            column += 1
            strip.append("\n" if column % 32 == 0 else "")
        raw = part.raw.hex()
        shown = raw if len(raw) <= 20 else f"{raw[:10]}..{raw[-6:]}"
        table.add_row(
            RichText(f"{letter} {part.name}", style=colour), RichText(shown), marked(part.meaning)
        )
    return Group(RichText(item.title, style="italic"), strip, RichText(), table)


def _table(item: Table) -> RenderableType:
    table = RichTable(
        title=item.title or None, title_justify="left", box=None, padding=(0, 1), pad_edge=False
    )
    for column in item.columns:
        table.add_column(column, justify="left", overflow="fold")
    for row in item.rows:
        table.add_row(*(marked(cell) for cell in row))
    return Group(table, *([RichText(item.note, style="dim")] if item.note else []))


def _bars(item: Bars) -> RenderableType:
    most = max((*item.values, *(item.expected or ()), 1e-300))
    wide = max((len(label) for label in item.labels), default=0)
    lines = [RichText(f"{item.title}  ({item.unit})", style="italic")]
    for place, (label, value) in enumerate(zip(item.labels, item.values, strict=True)):
        filled = round(BAR_WIDTH * value / most)
        bar = "#" * filled + " " * (BAR_WIDTH - filled)
        note = f" {value:.4g}"
        if item.expected is not None:
            spot = min(round(BAR_WIDTH * item.expected[place] / most), BAR_WIDTH - 1)
            bar = bar[:spot] + "|" + bar[spot + 1 :]
            note += f" (expected {item.expected[place]:.4g})"
        lines.append(RichText(f"{label:>{wide}} {bar}{note}"))
    if item.expected is not None:
        lines.append(RichText("# counted   | expected", style="dim"))
    if item.note:
        lines.append(RichText(item.note, style="dim"))
    return Group(*lines)


def _position(mark: Mark, low: float, high: float, log: bool) -> int:
    value = math.log10(mark.value) if log else mark.value
    return round((AXIS_WIDTH - 1) * (value - low) / (high - low)) if high > low else 0


def _axis(item: Axis) -> RenderableType:
    values = [math.log10(mark.value) if item.log else mark.value for mark in item.marks]
    low, high = min(values), max(values)
    line = ["-"] * AXIS_WIDTH
    for mark in item.marks:
        line[_position(mark, low, high, item.log)] = MARKS[mark.kind]
    lines = [RichText(f"{item.title}  ({item.unit})", style="italic")]
    lines.append(RichText("".join(line), style="bold"))
    for mark in sorted(item.marks, key=lambda mark: mark.value):
        if mark.kind == "missed":
            continue
        spot = _position(mark, low, high, item.log)
        lines.append(
            RichText(f"{' ' * min(spot, 40)}{MARKS[mark.kind]} {mark.label}: {mark.value:.4g}")
        )
    missed = sum(mark.kind == "missed" for mark in item.marks)
    if missed:
        lines.append(RichText(f"each . is one of {missed} more", style="dim"))
    if item.note:
        lines.append(RichText(item.note, style="dim"))
    return Group(*lines)
