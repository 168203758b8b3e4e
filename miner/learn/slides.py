"""Lessons for the projector: one HTML file, one screen each, big letters, keys left and right.

What is too much for one slide is cut into several here, by lines; what then still stands over is
made a little smaller in the browser. An answer is shown by a key. Printed, each slide is a page.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from miner.learn import page
from miner.learn.paper import Played, data, document, made
from miner.learn.steps import (
    Axis,
    Bars,
    Bytes,
    Check,
    Code,
    Item,
    Question,
    Screen,
    Setting,
    Stepper,
    Table,
    Text,
)  # fmt: skip
from miner.learn.voice import Voice, voice

ROOM = 15.5  # lines of a slide below its title
LETTERS = 76  # of a line
CELLS = 84  # letters of a table's line, which is set smaller
SMALL = 0.85  # height of a line of a table or of bits, in lines
LEADING = 3  # lines of a sentence that goes with the figure after it
ROWS = 14  # of a table, on one slide


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a slide, and how many lines it takes."""

    html: str
    lines: float
    leads: bool = False  # a sentence that belongs to what follows


def build(played: Sequence[Played], setting: Setting, now: datetime) -> str:
    """Every screen of these lessons, after a title and, for more than one lesson, the list."""
    said = voice(played[0].lesson.lang)
    slides = [] if len(played) == 1 else [_contents(played, said)]
    for one in played:
        slides += [_title(one, said), *_slides(one, said)]
    body = "".join(slides)
    keys = f'<p id="keys">{said.say("slides_keys")}</p>{made(said, setting, now)}'
    title = said.say("page_title")
    return document(
        said, title, page.style() + data("slides.css"), f"<main>{body}</main>{keys}",
        data("slides.js"),
    )  # fmt: skip


def _slide(head: str, body: str, foot: str, mark: str = "") -> str:
    return (
        f'<section class="slide"{mark}><h2>{head}</h2><div class="body">{body}</div>'
        f'<p class="foot"><span>{foot}</span><span class="place"></span></p></section>'
    )


def _contents(played: Sequence[Played], said: Voice) -> str:
    rows = "".join(
        f'<li><a href="#lesson-{one.lesson.name}">{one.lesson.number}. '
        f"{escape(one.lesson.title)}</a></li>"
        for one in played
    )
    listed = f'<ul class="contents">{rows}</ul>'
    return _slide(escape(said.say("page_title")), listed, said.say("slides_keys"))


def _title(played: Played, said: Voice) -> str:
    lesson = played.lesson
    about = f'<p class="big">{escape(lesson.about)}</p>'
    goals = played.plan.lists["goals"] if played.plan else ()
    listed = "".join(f"<li>{page.inline(one)}</li>" for one in goals)
    after = f"<p>{said.say('slides_goals')}</p><ul>{listed}</ul>" if goals else ""
    head = f"{lesson.number}. {escape(lesson.title)}"
    return _slide(head, about + after, said.say(lesson.level), f' id="lesson-{lesson.name}"')


def _slides(played: Played, said: Voice) -> Iterator[str]:
    """Each screen as one slide or more; a question has its own."""
    for screen in played.screens:
        foot = escape(
            said.say(
                "rule", number=played.lesson.number, title=played.lesson.title,
                place=screen.place, total=screen.total,
            )
        )  # fmt: skip
        parts = [part for item in screen.items for part in _pieces(item, said)]
        for body in _packed(parts):
            yield _slide(escape(screen.title), body, foot)
        for item in screen.items:
            if isinstance(item, Question):
                yield _slide(said.say("slides_question"), _question(item), foot, _alt(screen))


def _alt(screen: Screen) -> str:
    return f' aria-label="{escape(screen.title, quote=True)}"'


def _packed(pieces: Sequence[Piece]) -> Iterator[str]:
    """Pieces in their order, as many on a slide as fit; a sentence stays with its figure."""
    held: list[Piece] = []
    for piece in pieces:
        if held and sum(one.lines for one in held) + piece.lines > ROOM:
            moved = held.pop() if len(held) > 1 and held[-1].leads and not piece.leads else None
            yield "".join(one.html for one in held)
            held = [] if moved is None else [moved]
        held.append(piece)
    if held:
        yield "".join(one.html for one in held)


def _pieces(item: Item, said: Voice) -> Iterator[Piece]:
    """An item in parts that each fit a slide."""
    match item:
        case Text():
            lines = _lines(item.body, LETTERS)
            yield Piece(page.html_of(item, said), lines + 0.5, lines <= LEADING)
        case Table():
            yield from _table(item, said)
        case Bars():
            note = f'<p class="note">{page.inline(f"{item.origin}. {item.note}")}</p>'
            lines = len(item.labels) + 2 + _lines(item.note, LETTERS)
            yield Piece(_bars(item) + note, SMALL * lines)
        case Axis():
            named = sum(bool(mark.label) for mark in item.marks)
            yield Piece(page.html_of(item, said), min(5.5 + 1.1 * named, ROOM))
        case Bytes():
            rows = sum(max(_lines(part.meaning, 40), 1) for part in item.fields)
            raw = sum(len(part.raw) for part in item.fields)
            yield Piece(page.html_of(item, said), SMALL * (rows + 2 + math.ceil(raw / 40)))
        case Stepper():
            for place in item.shown:
                frame = item.frame(place)
                shown = page.html_of(replace(item, shown=(place,)), said)
                yield Piece(shown, SMALL * (len(frame.lines) + 2.5))
        case Check():
            yield Piece(page.html_of(item, said), _lines(item.claim, LETTERS - 8) + 1.5)
        case Code() | Question():
            return


def _lines(text: str, letters: int) -> int:
    """How many lines a text takes."""
    plain = re.sub(r"[*`]", "", text)
    return math.ceil(len(plain) / letters)


def _table(item: Table, said: Voice) -> Iterator[Piece]:
    """A long table goes on, with its head, on the next slide; its note stands below the last."""
    wide = max((sum(len(cell) for cell in row) + 3 * len(row) for row in item.rows), default=1)
    each = max(math.ceil(wide / CELLS), 1)
    count = max(ROWS // each - 2, 1)
    parts = [item.rows[at : at + count] for at in range(0, len(item.rows), count)]
    for place, rows in enumerate(parts, 1):
        last = place == len(parts)
        note, origin = (item.note, item.origin) if last else ("", "")
        html = page.html_of(replace(item, rows=rows, note=note, origin=origin), said)
        heads = bool(item.title) + any(item.columns) + _lines(f"{origin}. {note}", CELLS) * last
        yield Piece(html, SMALL * (each * len(rows) + heads))


def _bars(item: Bars) -> str:
    """As rows of a grid: many bars keep their letters large."""
    most = max((*item.values, *(item.expected or ()), 1e-300))
    rows = []
    for place, (label, value) in enumerate(zip(item.labels, item.values, strict=True)):
        mark = ""
        if item.expected is not None:
            mark = f'<i style="left:{100 * item.expected[place] / most:.1f}%"></i>'
        rows.append(
            f'<span>{escape(label)}</span><span class="track">'
            f'<b style="width:{100 * value / most:.1f}%"></b>{mark}</span>'
            f"<span>{escape(item.figures[place])}</span>"
        )
    title = f"<figcaption>{escape(item.title)} ({escape(item.unit)})</figcaption>"
    return f'<figure class="bars">{title}<div class="grid">{"".join(rows)}</div></figure>'


def _question(item: Question) -> str:
    return (
        f'<p class="big">{page.inline(item.prompt)}</p>'
        f'<div class="answer"><p class="big"><b>{page.inline(item.answer)}</b></p>'
        f"<p>{page.inline(item.why)}</p></div>"
    )
