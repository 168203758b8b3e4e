"""Every lesson on one self-contained page: no network, no build step, readable without scripts.

Only its tools and the judging of answers need a script; it holds second copies of a few rules of
the product (SHA-256, targets, the judge), and the browser tests compare each with the product.
"""

import json
import platform
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from itertools import groupby, zip_longest

from miner import __version__
from miner.learn import quiz, svg, tools
from miner.learn.answers import Rule
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
    Setting,
    Stepper,
    Table,
    Text,
)  # fmt: skip
from miner.learn.voice import Voice, voice

FIELD_COLOURS = 6  # classes f0..f5 of the style sheet
BITS = re.compile(r"(?:[#.]{8} ?){2,}")  # of a word, bytes apart
HEX = re.compile(r"[0-9a-f]{8,}(\.\.)?|[0-9a-f]{8}( [0-9a-f]{8})+")
CARD_LETTERS = 40  # of a row of three cells or more that do not fit beside each other on a phone
SHORT_HEX = 24  # digits that fit beside a name on a phone
URL = re.compile(r"https?://[^\s<]+[^\s<.,;)]")


def build(chosen: Sequence[Lesson], setting: Setting, now: datetime) -> str:
    """The whole page as text. Lessons run in their quick form; their checks are shown as run."""
    said = voice(chosen[0].lang)
    quick = replace(setting, quick=True, printed=True)
    places = tools.placed(chosen)
    title = said.say("page_title")
    alone = f"{chosen[0].number}. {chosen[0].title} · " if len(chosen) == 1 else ""
    shown = tools.template("page", said)
    for name, value in (
        ("lang", said.lang),
        ("title", escape(alone + title)),
        ("style", style()),
        ("script", tools.script()),
        ("facts", tools.facts(places, setting, said)),
        ("contents", _contents(chosen, said)),
        ("tools", tools.listed(places, said)),
        ("lessons", "".join(_lessons(chosen, quick, said, places))),
        ("made", escape(_made(setting, now, said))),
    ):
        shown = shown.replace(f"<!--{name}-->", value)
    return shown


def _contents(chosen: Sequence[Lesson], said: Voice) -> str:
    """Links to the lessons, level by level."""
    parts = []
    for level, lessons in groupby(chosen, lambda one: one.level):
        links = "".join(
            f'<li><a href="#lesson-{one.name}"><b>{one.number}. {escape(one.title)}</b><br>'
            f"{escape(one.about)}</a></li>"
            for one in lessons
        )
        parts.append(f'<h3>{said.say(level)}</h3><ol class="plain">{links}</ol>')
    return "".join(parts)


def style() -> str:
    """The style sheet."""
    return (tools.PAGE / "page.css").read_text(encoding="utf-8")


def _made(setting: Setting, now: datetime, said: Voice) -> str:
    return said.say(
        "page_made",
        version=__version__,
        date=f"{now:%Y-%m-%d %H:%M}",
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        seed=str(setting.seed),
    )


def _lessons(
    chosen: Sequence[Lesson], setting: Setting, said: Voice, places: dict[str, str]
) -> Iterator[str]:
    """Each in its turn, with a word on which it is: all of them take a while."""
    for place, one in enumerate(chosen, 1):
        setting.progress(said.say("running", place=place, total=len(chosen), title=one.title))
        yield _lesson(one, setting, said, places)


def _lesson(lesson: Lesson, setting: Setting, said: Voice, places: dict[str, str]) -> str:
    screens = "".join(screen_html(screen, said) for screen in lesson.screens(setting))
    minutes = said.say("page_minutes", minutes=lesson.minutes)
    return (
        f'<section id="lesson-{lesson.name}"><h2>{lesson.number}. {escape(lesson.title)}</h2>'
        f'<p class="about">{escape(lesson.about)} ({minutes})</p>{screens}'
        f"{tools.shown(lesson, places, said)}{_quiz(lesson, setting, said)}"
        f'<p class="top"><a href="#contents">{said.say("page_top")}</a></p></section>'
    )


def screen_html(screen: Screen, said: Voice) -> str:
    """One screen."""
    items = "".join(html_of(item, said) for item in screen.items)
    return f"<h3>{escape(screen.title)}</h3>{items}"


def inline(text: str) -> str:
    """**bold**, `code`, 10^14 and addresses as HTML; everything else escaped."""
    safe = escape(text)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", safe)
    parts = re.split(r"`([^`]+)`", safe)  # odd ones are code
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<code>{part}</code>"
        else:
            raised = re.sub(r"(?<=\d)\^(-?\d+(?:[.,]\d+)?)", r"<sup>\1</sup>", part)
            parts[place] = URL.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', raised)
    return "".join(parts)


def html_of(item: Item, said: Voice) -> str:
    """One item."""
    match item:
        case Text():
            return f"<p>{inline(item.body)}</p>"
        case Bytes():
            return _bytes(item)
        case Table():
            return _table(item)
        case Bars():
            key = _note(said.say("counted")) if item.expected is not None else ""
            return svg.bars(item) + key + _under(item.origin, item.note)
        case Axis():
            own = any(mark.kind == "own" for mark in item.marks)
            key = _note(said.say("page_own_mark")) if own else ""
            return svg.axis(item) + key + _under(item.origin, item.note)
        case Stepper():
            return "".join(_frame(item.frame(place)) for place in item.shown)
        case Check():
            word, kind = (said.say("checked"), "ok") if item.passed else (said.say("failed"), "bad")
            how = escape(said.say("again", how=item.how))
            return (
                f'<p class="check {kind}"><b>{word}</b> {inline(item.claim)}'
                f"<br><small><code>{how}</code></small></p>"
            )
        case Question():
            return _question(item, said)
        case Code():
            line = said.say("code", name=item.name, file=item.file, line=str(item.line))
            return f'<p class="code">{escape(line)}</p>'


def _question(item: Question, said: Voice) -> str:
    """To be answered where scripts run, else to be unfolded; the rules go with it as data."""
    prompt, form, data = f"<p><b>{said.say('question')}</b> {inline(item.prompt)}</p>", "", ""
    if isinstance(item.judge, Rule):
        hints = [[one.text, bare(says)] for one, says in item.hints if isinstance(one, Rule)]
        data = f' data-rule="{escape(item.judge.text)}" data-hints="{escape(json.dumps(hints))}"'
        form = (
            f'<form hidden><label>{said.say("page_answer")} <input autocomplete="off"></label> '
            f'<button>{said.say("page_check")}</button><p role="status"></p></form>'
        )
    return f'<div class="ask"{data}>{prompt}{form}{_solution(item.answer, item.why, said)}</div>'


def _solution(answer: str, why: str, said: Voice) -> str:
    return (
        f"<details><summary>{said.say('page_show')}</summary>"
        f"<p><b>{inline(answer.rstrip('.'))}</b>. {inline(why)}</p></details>"
    )


def _quiz(lesson: Lesson, setting: Setting, said: Voice) -> str:
    """The bank's questions about a lesson, folded away; their order is that of the seed."""
    entries = [one for one in quiz.bank(lesson.lang) if one.lesson == lesson.name]
    if not entries:
        return ""
    asked = "".join(
        _question(one.question(random.Random()), said)
        if one.typed
        else _choices(one, random.Random(f"{setting.seed} {one.name}"), said)
        for one in entries
    )
    title = said.say("page_quiz", count=len(entries))
    return f'<details class="quiz"><summary>{title}</summary>{asked}</details>'


def _choices(entry: quiz.Entry, rng: random.Random, said: Voice) -> str:
    """A question with its choices; the mistake behind each wrong one goes with it as data."""
    mistakes = dict(entry.wrong)
    choices = entry.choices(rng)
    told = [bare(mistakes[one]) if one in mistakes else None for one in choices]
    picks = "".join(
        f'<label class="pick"><input type="radio" name="{entry.name}" value="{place}"> '
        f"<span>{inline(one)}</span></label>"
        for place, one in enumerate(choices)
    )
    return (
        f'<div class="ask" data-mistakes="{escape(json.dumps(told))}"><form><fieldset>'
        f"<legend><b>{said.say('question')}</b> {inline(entry.ask)}</legend>{picks}</fieldset>"
        f'<button hidden>{said.say("page_check")}</button><p role="status"></p></form>'
        f"{_solution(entry.right, entry.why, said)}</div>"
    )


def bare(text: str) -> str:
    """Without the marks of bold and code, for where only letters can stand."""
    return re.sub(r"\*\*|`", "", text)


def _note(note: str) -> str:
    return f'<p class="note">{inline(note)}</p>' if note else ""


def _under(origin: str, note: str) -> str:
    """What stands under a figure: where its numbers are from, and how to read it."""
    return _note(". ".join(one.rstrip(".") for one in (origin, note) if one))


def _bytes(item: Bytes) -> str:
    spans, rows = [], []
    for place, part in enumerate(item.fields):
        kind, letter = f"f{place % FIELD_COLOURS}", chr(ord("A") + place)
        spans.append(f'<span class="{kind}" title="{escape(part.name)}">{part.raw.hex()}</span>')
        rows.append(
            f'<tr class="field"><th scope="row" class="{kind}">{letter} {escape(part.name)}</th>'
            f'<td class="hex">{_short(part.raw.hex())}</td><td>{inline(part.meaning)}</td></tr>'
        )
    return (
        f'<figure><figcaption>{escape(item.title)}</figcaption><p class="hex">{"".join(spans)}</p>'
        f'<div class="wide"><table>{"".join(rows)}</table></div></figure>'
    )


def _short(digits: str) -> str:
    """The ends of long hex; the whole of it stands above the table."""
    return digits if len(digits) <= 20 else f"{digits[:10]}..{digits[-6:]}"


def _table(item: Table) -> str:
    """On a phone a table that is too wide for it shows each row as a card, each cell named."""
    head = "".join(f'<th scope="col">{inline(column)}</th>' for column in item.columns)
    letters = max((sum(map(len, row)) for row in item.rows), default=0)
    cards = len(item.columns) > 2 and any(item.columns) and letters > CARD_LETTERS
    body = "".join(_row(row, item.columns if cards else ()) for row in item.rows)
    caption = f"<caption>{escape(item.title)}</caption>" if item.title else ""
    headed = f"<thead><tr>{head}</tr></thead>" if any(item.columns) else ""
    kind = ' class="cards"' if cards else ""
    return (
        f'<div class="wide"><table{kind}>{caption}{headed}<tbody>{body}</tbody></table></div>'
        f"{_under(item.origin, item.note)}"
    )


def _row(row: Sequence[str], names: Sequence[str]) -> str:
    """A row of a table; bits stand below their name where there is little room."""
    kind = ' class="bitrow"' if any(map(BITS.fullmatch, row)) else ""
    cells = zip_longest(row, names[: len(row)], fillvalue="")
    return f"<tr{kind}>{''.join(_cell(text, name) for text, name in cells)}</tr>"


def _cell(text: str, name: str) -> str:
    """Bits as squares, hex in letters of one width; `name` stands before it on a card."""
    named = f' data-name="{escape(bare(name))}"' if name else ""
    if BITS.fullmatch(text):
        return f"<td{named}>{svg.bits(text)}</td>"
    if HEX.fullmatch(text):
        long = " long" if len(text) > SHORT_HEX else ""
        return f'<td class="hex{long}"{named}>{text}</td>'
    return f"<td{named}>{inline(text)}</td>"


def _frame(frame: Frame) -> str:
    lines = escape("\n".join(frame.lines))
    caption = f"<p>{inline(frame.caption)}</p>" if frame.caption else ""
    title = f"<figcaption>{escape(frame.title)}</figcaption>"
    return f'<figure>{title}<pre tabindex="0">{lines}</pre>{caption}</figure>'
