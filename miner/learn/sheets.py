"""Sheets to print: a worksheet without answers, its solutions, lesson plans and the glossary.

All are made from the same screens, so that the numbers agree. What was measured is a blank on the
worksheet: there the pupils write what their own computers say.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from html import escape

from miner.errors import ConfigError
from miner.learn import page, trying
from miner.learn.paper import Played, data, document, made
from miner.learn.plans import LISTS, Step
from miner.learn.steps import (
    Axis,
    Bars,
    Check,
    Code,
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
from miner.learn.words import Meaning, glossary

ANSWER_LINES, REASON_LINES = 1, 2  # to write on
WORDS_ASKED = 6  # of a lesson, on its worksheet
TASK = "--try"  # a line that shows something by itself; the others repeat a lesson's checks
LONGEST = 240  # characters of what a line to try prints

Sheet = Callable[[Sequence[Played], Setting, datetime], str]


def worksheet(played: Sequence[Played], setting: Setting, now: datetime) -> str:
    """For pupils: the figures, numbered tasks, and room to write."""
    said = _voice(played)
    return _sheet(
        said, "sheet_worksheet", [_tasks(one, said, False) for one in played], setting, now
    )


def solutions(played: Sequence[Played], setting: Setting, now: datetime) -> str:
    """For teachers: each lesson's plan, then its worksheet with the answers in it."""
    said = _voice(played)
    parts = [f"{_plan(one, said)}{_tasks(one, said, True)}" for one in played]
    return _sheet(said, "sheet_solutions", parts, setting, now)


def plans(played: Sequence[Played], setting: Setting, now: datetime) -> str:
    """For teachers: a plan of 45 minutes for each lesson. Raises ConfigError for one without."""
    said = _voice(played)
    without = next((one.lesson for one in played if one.plan is None), None)
    if without is not None:
        raise ConfigError(f"lesson {without.number} has no plan: want plans/{without.name}.md")
    return _sheet(said, "sheet_plans", [_plan(one, said) for one in played], setting, now)


def words_of(lessons: Sequence[Lesson], setting: Setting, now: datetime) -> str:
    """Every word that `miner explain` knows and one of these lessons shows."""
    said = voice(lessons[0].lang)
    numbers = {one.name: one for one in lessons}
    known = sorted(glossary(said.lang).values(), key=lambda one: _called(one).casefold())
    rows = "".join(
        f"<div><dt>{escape(_called(one))}</dt><dd>{page.inline(one.says)}. "
        f"<small>{said.say('lesson', number=numbers[one.lesson].number)}</small></dd></div>"
        for one in known
        if one.lesson in numbers
    )
    return _sheet(said, "sheet_glossary", [f'<dl class="words">{rows}</dl>'], setting, now)


def _voice(played: Sequence[Played]) -> Voice:
    return voice(played[0].lesson.lang)


def _sheet(said: Voice, title: str, parts: Sequence[str], setting: Setting, now: datetime) -> str:
    named = said.say(title)
    body = f"<h1>{escape(named)}</h1>{''.join(parts)}{made(said, setting, now)}"
    return document(said, named, page.style() + data("sheet.css"), body)


def _tasks(played: Played, said: Voice, solved: bool) -> str:
    """A lesson's figures and tasks, numbered through; with `solved` the answers stand in them."""
    lesson, parts, number = played.lesson, [], 0
    for screen in played.screens:
        shown = []
        for item in screen.items:
            if isinstance(item, Question) or (isinstance(item, Check) and TASK in item.how):
                number += 1
                shown.append(_task(item, f"{lesson.number}.{number}", said, solved))
            elif isinstance(item, Check):
                shown.append(page.html_of(item, said) if solved else "")
            elif not isinstance(item, Text | Code):
                shown.append(_figure(item, said, solved))
        if any(shown):
            parts.append(f"<h3>{escape(screen.title)}</h3>{''.join(shown)}")
    asked = _words(lesson)[:WORDS_ASKED]
    number += 1
    parts.append(_words_task(asked, f"{lesson.number}.{number}", said, solved) if asked else "")
    who = "" if solved else _who(said)
    return (
        f'<section class="lesson"><h2>{lesson.number}. {escape(lesson.title)}</h2>{who}'
        f'<p class="about">{escape(lesson.about)}</p>{"".join(parts)}</section>'
    )


def _who(said: Voice) -> str:
    keys = ("sheet_name", "sheet_class", "sheet_date")
    return f'<p class="who">{"".join(f"<span>{said.say(key)}</span>" for key in keys)}</p>'


def _room(lines: int) -> str:
    return '<div class="line"></div>' * lines


def _task(item: Question | Check, number: str, said: Voice, solved: bool) -> str:
    if isinstance(item, Question):
        asked, lines = page.inline(item.prompt), ANSWER_LINES + REASON_LINES
        answer = f"<b>{page.inline(item.answer)}</b>. {page.inline(item.why)}{_errors(item, said)}"
    else:
        asked, lines = said.say("sheet_try", how=f"<code>{escape(item.how)}</code>"), REASON_LINES
        answer = f"<pre>{escape(_printed(item.how))}</pre>{page.inline(item.claim)}."
    below = f'<div class="answer">{answer}</div>' if solved else _room(lines)
    return f'<div class="task"><p><b class="number">{number}</b> {asked}</p>{below}</div>'


def _errors(item: Question, said: Voice) -> str:
    """Typical wrong answers, with what to say to each."""
    rows = "".join(
        f"<li><b>{escape(wrong)}</b>: {page.inline(says)}</li>" for wrong, says in item.typical
    )
    return f'<p class="note">{said.say("sheet_errors")}</p><ul>{rows}</ul>' if rows else ""


def _printed(how: str) -> str:
    """What a line to try prints, which may be an error by design."""
    try:
        told = trying.evaluate(shlex.split(how)[-1])
    except ConfigError as error:
        told = str(error)
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} .."


def _figure(item: Item, said: Voice, solved: bool) -> str:
    """As on the page; what was measured has blanks instead of values, unless solved."""
    if isinstance(item, Stepper):
        return page.html_of(item, said)
    if solved or getattr(item, "origin", "") != said.say("measured_there"):
        return page.html_of(item, said)
    match item:
        case Table():
            own = f"{said.say('sheet_own')} {item.note}"
            rows = tuple((row[0], *("" for _ in row[1:])) for row in item.rows)
            return page.html_of(Table(item.title, item.columns, rows, own), said)
        case Bars():
            rows = tuple((label, "") for label in item.labels)
        case Axis():
            rows = tuple(
                (mark.label, mark.figure if mark.kind == "fixed" else "")
                for mark in item.marks
                if mark.label
            )
        case _:
            raise AssertionError(item)
    blank = Table(item.title, ("", item.unit), rows, said.say("sheet_own"))
    return page.html_of(blank, said)


def _words(lesson: Lesson) -> list[Meaning]:
    """The words that this lesson shows, in the order of the list."""
    return [one for one in glossary(lesson.lang).values() if one.lesson == lesson.name]


def _called(one: Meaning) -> str:
    """A word in the reader's language, and as the program prints it."""
    if one.called.casefold() in ("", one.word):
        return one.called or one.word
    return f"{one.called} ({one.word})"


def _words_task(asked: Sequence[Meaning], number: str, said: Voice, solved: bool) -> str:
    rows = ""
    for one in asked:
        below = f"{page.inline(one.says)}." if solved else _room(1)
        rows += f"<dt>{escape(_called(one))}</dt><dd>{below}</dd>"
    return (
        f'<h3>{said.say("sheet_words")}</h3><div><p><b class="number">{number}</b> '
        f'{said.say("sheet_explain")}</p><dl class="own">{rows}</dl></div>'
    )


def _plan(played: Played, said: Voice) -> str:
    """Goals, needs, the minutes with what to say and ask, and what to do with whom."""
    lesson, plan = played.lesson, played.plan
    if plan is None:
        return ""
    screens = {screen.name: screen for screen in played.screens}
    rows, begun = [], 0
    for step in plan.steps:
        until = begun + step.minutes
        rows.append(
            f'<tr><td class="minutes">{begun}-{until}</td>'
            f"<td>{''.join(_step(step, screens, said))}</td></tr>"
        )
        begun = until
    lists = {
        name: f"<h3>{said.say(f'plan_{name}')}</h3><ul>"
        + "".join(f"<li>{page.inline(one)}</li>" for one in plan.lists[name])
        + "</ul>"
        for name in LISTS
    }
    words = ", ".join(f"<b>{escape(_called(one))}</b>" for one in _words(lesson))
    return (
        f'<section class="plan"><h2>{lesson.number}. {escape(lesson.title)}</h2>'
        f'<p class="about">{said.say("plan_title", minutes=plan.minutes)}</p>'
        f"{lists['goals']}{lists['needs']}<h3>{said.say('plan_course')}</h3>"
        f'<table class="course"><thead><tr><th scope="col">{said.say("plan_minutes")}</th>'
        f'<th scope="col">{said.say("plan_what")}</th></tr></thead><tbody>{"".join(rows)}</tbody>'
        f"</table>{lists['fast']}{lists['slow']}"
        f"<h3>{said.say('plan_words')}</h3><p>{words}</p></section>"
    )


def _step(step: Step, screens: dict[str, Screen], said: Voice) -> Iterator[str]:
    """A step's title, its words, and for each of its screens what should be seen and answered."""
    shown = [screens[name] for name in step.screens if name in screens]
    title = step.fields.get("title") or " / ".join(screen.title for screen in shown)
    yield f"<p><b>{page.inline(title)}</b></p>"
    for key, told in step.fields.items():
        if key != "title":
            yield f"<p><i>{said.say(f'plan_{key}')}</i> {page.inline(told)}</p>"
    for item in (item for screen in shown for item in screen.items):
        if isinstance(item, Check):
            yield f'<p class="expect"><i>{said.say("plan_seen")}</i> {page.inline(item.claim)}.</p>'
        elif isinstance(item, Question):
            answer = f"<b>{page.inline(item.answer)}</b>. {page.inline(item.why)}"
            asked = f"<i>{said.say('plan_question')}</i> {page.inline(item.prompt)}"
            yield f'<p class="expect">{asked} {answer}</p>{_errors(item, said)}'
