"""Every lesson on one self-contained page: no network, no build step, readable without scripts.

Only the workbench at its top needs a script; the script holds one SHA-256d, the only copy of
anything the product computes, and the browser test compares it with the product.
"""

import json
import platform
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from importlib.resources import files

from miner import __version__
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.learn import svg
from miner.learn.chain import real_headers
from miner.learn.own_node import OwnNode
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

DATA = files("miner.learn") / "data"
FIELD_COLOURS = 6  # classes f0..f5 of the style sheet


def build(chosen: Sequence[Lesson], setting: Setting, now: datetime) -> str:
    """The whole page as text. Lessons run in their quick form; their checks are shown as run."""
    own, verdict = _own_block(setting)
    lessons = "".join(_lesson(lesson, replace(setting, quick=True)) for lesson in chosen)
    contents = "".join(
        f'<li><a href="#lesson-{one.name}">{one.number}. {escape(one.title)}</a>: '
        f"{escape(one.about)}</li>"
        for one in chosen
    )
    shown = _template()
    for name, value in (
        ("style", style()),
        ("script", (DATA / "page.js").read_text(encoding="utf-8")),
        ("facts", _facts(own, verdict)),
        ("contents", contents),
        ("lessons", lessons),
        ("made", escape(_made(setting, now))),
    ):
        shown = shown.replace(f"<!--{name}-->", value)
    return shown


def style() -> str:
    """The style sheet."""
    return (DATA / "page.css").read_text(encoding="utf-8")


def _template() -> str:
    return (DATA / "page.html").read_text(encoding="utf-8")


def _made(setting: Setting, now: datetime) -> str:
    system = f"{platform.system()} {platform.machine()}"
    return (
        f"Made by homehash {__version__} on {now:%Y-%m-%d %H:%M}, {system}, Python "
        f"{platform.python_version()}, seed {setting.seed}. Speeds are of that computer."
    )


def _own_block(setting: Setting) -> tuple[bytes, str]:
    """A block mined now, accepted by the embedded node; or the learner's own header."""
    if setting.header is not None:
        return setting.header, "your own header"
    with OwnNode() as own:
        share, tries = own.mine(setting.seed)
        verdict = own.submit_share(share)
    return share.header, f"mined here at try {tries}, {verdict.explanation} by the node"


def _facts(own: bytes, verdict: str) -> str:
    # A famous block first: on the toy chain of your own half of all nonces win.
    heights = (125_552, 0, max(real_headers()))
    headers = [{"name": f"block {one:,}", "hex": real_headers()[one].hex()} for one in heights]
    headers.append({"name": f"your block ({verdict})", "hex": own.hex()})
    for one in headers:
        nbits = Header.parse(bytes.fromhex(one["hex"])).nbits
        one["target"] = f"{target_from_nbits(nbits):064x}"
    return json.dumps(headers).replace("<", "\\u003c")


def _lesson(lesson: Lesson, setting: Setting) -> str:
    screens = "".join(screen_html(screen) for screen in lesson.screens(setting))
    return (
        f'<section id="lesson-{lesson.name}"><h2>{lesson.number}. {escape(lesson.title)}</h2>'
        f'<p class="about">{escape(lesson.about)} ({lesson.minutes} minutes)</p>{screens}</section>'
    )


def screen_html(screen: Screen) -> str:
    """One screen."""
    return f"<h3>{escape(screen.title)}</h3>" + "".join(html_of(item) for item in screen.items)


def inline(text: str) -> str:
    """**bold** and `code` as HTML; everything else escaped."""
    safe = escape(text)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", safe)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)


def html_of(item: Item) -> str:
    """One item."""
    match item:
        case Text():
            return "".join(f"<p>{inline(part)}</p>" for part in item.body.split("\n\n"))
        case Bytes():
            return _bytes(item)
        case Table():
            return _table(item)
        case Bars():
            return svg.bars(item) + _note(item.note)
        case Axis():
            return svg.axis(item) + _note(item.note)
        case Stepper():
            return "".join(_frame(item.frame(place)) for place in item.shown)
        case Check():
            word, kind = ("checked", "ok") if item.passed else ("FAILED", "failed")
            return (
                f'<p class="check {kind}"><b>{word}</b> {inline(item.claim)}'
                f"<br><small>again: {inline(item.how)}</small></p>"
            )
        case Question():
            return (
                f"<details><summary>{inline(item.prompt)}</summary>"
                f"<p><b>{inline(item.answer)}</b>. {inline(item.why)}</p></details>"
            )
        case Code():
            return (
                f'<p class="code">made by <code>{escape(item.name)}</code>, '
                f"{escape(item.file)}:{item.line}</p>"
            )


def _note(note: str) -> str:
    return f'<p class="note">{inline(note)}</p>' if note else ""


def _bytes(item: Bytes) -> str:
    spans, rows = [], []
    for place, part in enumerate(item.fields):
        kind, letter = f"f{place % FIELD_COLOURS}", chr(ord("A") + place)
        spans.append(f'<span class="{kind}" title="{escape(part.name)}">{part.raw.hex()}</span>')
        rows.append(
            f'<tr><th class="{kind}">{letter} {escape(part.name)}</th>'
            f"<td><code>{part.raw.hex()}</code></td><td>{inline(part.meaning)}</td></tr>"
        )
    return (
        f'<figure><figcaption>{escape(item.title)}</figcaption><p class="hex">{"".join(spans)}</p>'
        f'<div class="wide"><table>{"".join(rows)}</table></div></figure>'
    )


def _table(item: Table) -> str:
    head = "".join(f"<th>{inline(column)}</th>" for column in item.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{inline(cell)}</td>" for cell in row) + "</tr>" for row in item.rows
    )
    caption = f"<caption>{escape(item.title)}</caption>" if item.title else ""
    headed = f"<thead><tr>{head}</tr></thead>" if any(item.columns) else ""
    return (
        f'<div class="wide"><table>{caption}{headed}<tbody>{body}</tbody></table></div>'
        f"{_note(item.note)}"
    )


def _frame(frame: Frame) -> str:
    lines = escape("\n".join(frame.lines))
    caption = f"<p>{inline(frame.caption)}</p>" if frame.caption else ""
    title = f"<figcaption>{escape(frame.title)}</figcaption>"
    return f"<figure>{title}<pre>{lines}</pre>{caption}</figure>"
