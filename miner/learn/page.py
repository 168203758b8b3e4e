"""Every lesson on one self-contained page: no network, no build step, readable without scripts.

Only the workbench at its top needs a script; the script holds one SHA-256d, the only copy of
anything the product computes, and the browser test compares it with the product.
"""

import json
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from importlib.resources import files

from miner import __version__
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.learn import svg
from miner.learn.chain import FAMOUS, real_headers
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
from miner.learn.voice import Voice, voice

DATA = files("miner.learn") / "data"
FIELD_COLOURS = 6  # classes f0..f5 of the style sheet
SAY = re.compile(r"<!--say:([a-z_0-9]+)-->")
URL = re.compile(r"https?://[^\s<]+[^\s<.,;)]")


def build(chosen: Sequence[Lesson], setting: Setting, now: datetime) -> str:
    """The whole page as text. Lessons run in their quick form; their checks are shown as run."""
    said = voice(chosen[0].lang)
    quick = replace(setting, quick=True, printed=True)
    contents = "".join(
        f'<li><a href="#lesson-{one.name}"><b>{one.number}. {escape(one.title)}</b><br>'
        f"{escape(one.about)}</a></li>"
        for one in chosen
    )
    shown = SAY.sub(lambda found: said.say(found[1]), _template())
    for name, value in (
        ("lang", said.lang),
        ("style", style()),
        ("script", (DATA / "page.js").read_text(encoding="utf-8")),
        ("facts", _facts(setting, said)),
        ("contents", contents),
        ("lessons", "".join(_lessons(chosen, quick, said))),
        ("made", escape(_made(setting, now, said))),
    ):
        shown = shown.replace(f"<!--{name}-->", value)
    return shown


def style() -> str:
    """The style sheet."""
    return (DATA / "page.css").read_text(encoding="utf-8")


def _template() -> str:
    return (DATA / "page.html").read_text(encoding="utf-8")


def _made(setting: Setting, now: datetime, said: Voice) -> str:
    return said.say(
        "page_made",
        version=__version__,
        date=f"{now:%Y-%m-%d %H:%M}",
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        seed=str(setting.seed),
    )


def _own_block(setting: Setting, said: Voice) -> tuple[bytes, str]:
    """A block mined now, accepted by the embedded node; or the learner's own header."""
    if setting.header is not None:
        return setting.header, said.say("page_given")
    with OwnNode() as own:
        share, _ = own.mine(setting.seed)
        own.submit_share(share)
    return share.header, said.say("page_own")


def _facts(setting: Setting, said: Voice) -> str:
    """What the script needs: headers, and its words in the page's language."""
    # A famous block first: on the toy chain of your own half of all nonces win.
    heights = (FAMOUS, 0, max(real_headers()))
    headers = [
        {"name": said.say("page_block", height=one), "hex": real_headers()[one].hex()}
        for one in heights
    ]
    own, name = _own_block(setting, said)
    headers.append({"name": name, "hex": own.hex()})
    for one in headers:
        nbits = Header.parse(bytes.fromhex(one["hex"])).nbits
        one["target"] = f"{target_from_nbits(nbits):064x}"
    words = {key[3:]: text for key, text in said.words.items() if key.startswith("js_")}
    return json.dumps({"headers": headers, "words": words}).replace("<", "\\u003c")


def _lessons(chosen: Sequence[Lesson], setting: Setting, said: Voice) -> Iterator[str]:
    """Each in its turn, with a word on which it is: all of them take a while."""
    for place, one in enumerate(chosen, 1):
        setting.progress(said.say("running", place=place, total=len(chosen), title=one.title))
        yield _lesson(one, setting, said)


def _lesson(lesson: Lesson, setting: Setting, said: Voice) -> str:
    screens = "".join(screen_html(screen, said) for screen in lesson.screens(setting))
    minutes = said.say("page_minutes", minutes=lesson.minutes)
    return (
        f'<section id="lesson-{lesson.name}"><h2>{lesson.number}. {escape(lesson.title)}</h2>'
        f'<p class="about">{escape(lesson.about)} ({minutes})</p>{screens}'
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
            raised = re.sub(r"(?<=\d)\^(-?\d+)", r"<sup>\1</sup>", part)
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
            return (
                f"<details><summary>{inline(item.prompt)}</summary>"
                f"<p><b>{inline(item.answer)}</b>. {inline(item.why)}</p></details>"
            )
        case Code():
            line = said.say("code", name=item.name, file=item.file, line=str(item.line))
            return f'<p class="code">{escape(line)}</p>'


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
            f'<tr><th scope="row" class="{kind}">{letter} {escape(part.name)}</th>'
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
    head = "".join(f'<th scope="col">{inline(column)}</th>' for column in item.columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in item.rows)
    caption = f"<caption>{escape(item.title)}</caption>" if item.title else ""
    headed = f"<thead><tr>{head}</tr></thead>" if any(item.columns) else ""
    return (
        f'<div class="wide"><table>{caption}{headed}<tbody>{body}</tbody></table></div>'
        f"{_under(item.origin, item.note)}"
    )


def _cell(text: str) -> str:
    """Hex, and bits drawn as dots and #, in letters of one width."""
    even = re.fullmatch(r"[0-9a-f]{8,}(\.\.)?|[#. ]{16,}|[0-9a-f]{8}( [0-9a-f]{8})+", text)
    return f'<td class="hex">{text}</td>' if even else f"<td>{inline(text)}</td>"


def _frame(frame: Frame) -> str:
    lines = escape("\n".join(frame.lines))
    caption = f"<p>{inline(frame.caption)}</p>" if frame.caption else ""
    title = f"<figcaption>{escape(frame.title)}</figcaption>"
    return f'<figure>{title}<pre tabindex="0">{lines}</pre>{caption}</figure>'
