"""Lessons as Jupyter notebooks: screens, the code behind them, exercises to write.

nbformat writes them and nbclient runs them (the `notebooks` extra). A screen's output is the HTML
of the page with the page's style; the code is read from the project's own functions.
"""

import ast
import importlib
import inspect
import random
import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from miner import __version__
from miner.errors import ConfigError
from miner.learn import exercises, marking, page, quiz, trying
from miner.learn.catalogue import course
from miner.learn.exercises import Exercise
from miner.learn.steps import Check, Code, Lesson, Screen, Setting, code, failed
from miner.learn.voice import BASE, Voice, voice

EXTRA = "notebooks need more packages: .venv/bin/pip install nbformat nbclient ipykernel"
CELL_S = 300  # longest a cell may run
MOST_LINES = 16  # of a function that are shown
MAY_FAIL = ["raises-exception"]  # Jupyter goes on after such a cell


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen as Jupyter displays it."""

    screen: Screen
    voice: Voice

    def _repr_html_(self) -> str:
        return f'<div class="homehash">{page.screen_html(self.screen, self.voice)}</div>'

    def __repr__(self) -> str:
        checks = [item for item in self.screen.items if isinstance(item, Check)]
        passed = sum(one.passed for one in checks)
        return f"{self.screen.title}: {passed} of {len(checks)} checks passed"


class Walk:
    """What a notebook's cells call: the screens of a lesson, one after the other."""

    def __init__(self, name: str, setting: Setting, lang: str = BASE) -> None:
        self.voice = voice(lang)
        self._screens = course(lang).find(name).screens(setting)
        self.seen: list[Screen] = []

    def screen(self, number: int) -> Shown:
        """Screen `number`, counted from 1; the same one however often a cell is run.

        Raises IndexError with the number of screens there are.
        """
        while len(self.seen) < number:
            following = next(self._screens, None)
            if following is None:
                raise IndexError(f"screen {number}: this lesson has {len(self.seen)}")
            self.seen.append(following)
        return Shown(self.seen[number - 1], self.voice)

    def check(self) -> str:
        """Raise AssertionError unless every check so far has passed."""
        wrong = failed(self.seen)
        if wrong:
            raise AssertionError(wrong[0].claim)
        checks = sum(isinstance(item, Check) for one in self.seen for item in one.items)
        return f"{checks} checks passed on {len(self.seen)} screens"


@dataclass(frozen=True, slots=True)
class Styled:
    """The page's style sheet, kept to the screens of lessons."""

    def _repr_html_(self) -> str:
        sheet = page.style().replace(":root", "&").replace("\nbody {", "\n& {")
        paper = "color: var(--ink); background: var(--paper); padding: 1rem; max-width: 48rem;"
        # Twice the name, so that it is stronger than Jupyter's own style of tables.
        return f"<style>.homehash.homehash {{ {sheet} {paper} }}</style>"

    def __repr__(self) -> str:
        return "the style of the screens below"


def style() -> Styled:
    """What the first cell shows, so that bars, marks and bytes have their colours."""
    return Styled()


@dataclass(frozen=True, slots=True)
class Source:
    """The lines of a function of the miner, as they stand in its file, without its docstring."""

    where: Code
    lines: tuple[str, ...]

    def _repr_markdown_(self) -> str:
        body = "\n".join(self.lines)
        return f"`{self.where.file}:{self.where.line}`\n\n```python\n{body}\n```"

    def __repr__(self) -> str:
        return "\n".join(self.lines)


def source(function: Callable[..., Any]) -> Source:
    """The code that matters on a screen: read where it stands, so that it cannot be out of date."""
    lines = textwrap.dedent(inspect.getsource(inspect.unwrap(function))).splitlines()
    defined = ast.parse("\n".join(lines)).body[0]
    assert isinstance(defined, ast.FunctionDef | ast.ClassDef)
    if ast.get_docstring(defined) is not None:
        told = defined.body[0]
        del lines[told.lineno - 1 : told.end_lineno]
    more = ["    .."] if len(lines) > MOST_LINES else []
    return Source(code(function), (*lines[:MOST_LINES], *more))


def exercise(key: str, lang: str = BASE) -> Shown:
    """An exercise's task."""
    return Shown(exercises.find(key, lang).screen, voice(lang))


def feedback(key: str, function: Callable[..., Any], lang: str = BASE) -> str:
    """How far a program comes: all cases, or the first that fails and a hint."""
    told = marking.try_function(exercises.find(key, lang), function)
    said, wrong = voice(lang), told.wrong
    if wrong is None:
        return said.say("ex_solved", count=told.total)
    lines = [said.say("ex_wrong_case", name=wrong.case)]
    came = "ex_happened" if wrong.raised else "ex_answer"
    for label, text in (
        ("ex_given", wrong.given), (came, wrong.answer), ("ex_expected", wrong.expected),
        ("ex_hint", wrong.hint),
    ):  # fmt: skip
        lines += [f"{said.say(label)}: {text}"] if text else []
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the quiz, and what is said to an answer."""

    prompt: str
    told: str

    def _repr_markdown_(self) -> str:
        first, *choices = self.prompt.splitlines()
        listed = [f"\n{line.strip().replace('  ', '. ', 1)}" if line[2:3].strip() else line
                  for line in choices]  # fmt: skip
        return "\n".join([f"**{first}**", *listed, f"\n{self.told}"])

    def __repr__(self) -> str:
        return f"{self.prompt}\n{self.told}"


def ask(name: str, answer: str, lang: str = BASE) -> Asked:
    """A question of the quiz bank; with an answer what is right or wrong about it.

    Raises ConfigError for a name that the bank does not have.
    """
    entry = next((one for one in quiz.bank(lang) if one.name == name), None)
    if entry is None:
        raise ConfigError(f"the quiz has no question {name!r}")
    question, said = entry.question(random.Random(name)), voice(lang)
    if not answer.strip():
        told = said.say("notebook_answer")
    elif question.judge(answer):
        told = said.say("right", why=question.why)
    else:
        hint = question.hint(answer)
        told = said.say("hint", hint=hint) if hint else said.say("wrong")
    return Asked(question.prompt, told)


def _extra(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"{EXTRA} ({error})") from error


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell before nbformat makes it: Markdown, or Python that may raise."""

    text: str
    is_code: bool = True
    may_fail: bool = False


def cells(lessons: Sequence[Lesson], setting: Setting) -> Iterator[Cell]:
    """Every cell, in order. The lessons run once, in their quick form, to tell their screens."""
    said = voice(lessons[0].lang)
    intro = said.say("notebook_intro", version=__version__, seed=str(setting.seed))
    yield Cell(f"# {said.say('page_title')}\n\n{intro}", is_code=False)
    yield Cell(
        "from miner.learn.notebook import Walk, ask, exercise, feedback, source, style\n"
        "from miner.learn.steps import Setting\n"
        "from miner.learn.trying import *  # the lessons' functions, by short names\n\n"
        f"setting = Setting(seed={setting.seed}, quick={setting.quick})\n"
        f"style()  # {said.say('notebook_style')}"
    )
    for place, lesson in enumerate(lessons, 1):
        running = said.say("running", place=place, total=len(lessons), title=lesson.title)
        setting.progress(running)
        yield from _lesson(lesson, setting, said)
        for one in exercises.catalogue(lesson.lang):
            if one.lesson == lesson.name:
                yield from _exercise(one, said)
        yield from _quiz(lesson, said)


def _lesson(lesson: Lesson, setting: Setting, said: Voice) -> Iterator[Cell]:
    walk = f"lesson{lesson.number}"
    yield Cell(f"## {lesson.number}. {lesson.title}\n\n{lesson.about}.", is_code=False)
    yield Cell(f'{walk} = Walk("{lesson.name}", setting, "{lesson.lang}")')
    shown = set()
    quick = replace(setting, quick=True)
    for number, screen in enumerate(lesson.screens(quick), 1):
        yield Cell(f"{walk}.screen({number})  # {screen.title}")
        for item in screen.items:
            if isinstance(item, Code) and item.name not in shown:
                shown.add(item.name)
                yield Cell(_import(item))
            elif isinstance(item, Check) and "--try" in item.how:
                yield _tried(item, said)
    yield Cell(f"{walk}.check()")


def _import(item: Code) -> str:
    """Python that imports a function of the miner and shows its lines."""
    module = ".".join(Path(item.file).with_suffix("").parts)
    name = f"miner.{item.name}".removeprefix(f"{module}.")
    return f"from {module} import {name.partition('.')[0]}\n\nsource({name})"


def _tried(check: Check, said: Voice) -> Cell:
    """A check as a cell: its expression, to be run and changed."""
    expression = shlex.split(check.how)[-1]
    try:
        trying.evaluate(expression)
        refused = False
    except ConfigError:
        refused = True  # by design: what is wrong is refused
    return Cell(f"# {said.say('notebook_try', claim=check.claim)}\n{expression}", True, refused)


def _exercise(one: Exercise, said: Voice) -> Iterator[Cell]:
    title = said.say("notebook_exercise", number=one.number, title=one.title, minutes=one.minutes)
    yield Cell(f"### {title}\n\n{one.about}.", is_code=False)
    yield Cell(f'exercise("{one.name}", "{one.lang}")')
    yield Cell(one.skeleton)
    checked = f'print(feedback("{one.name}", {one.task.function}, "{one.lang}"))'
    yield Cell("\n".join((checked, *one.asserts)), True, True)


def _quiz(lesson: Lesson, said: Voice) -> Iterator[Cell]:
    """The bank's questions about a lesson, a cell each, to be answered between the quotes."""
    entries = [one for one in quiz.bank(lesson.lang) if one.lesson == lesson.name]
    if entries:
        yield Cell(f"### {said.say('quiz_title')}\n\n{said.say('notebook_answer')}", is_code=False)
    for one in entries:
        yield Cell(f'ask("{one.name}", "", "{lesson.lang}")')


def build(lessons: Sequence[Lesson], setting: Setting) -> Any:
    """A notebook of these lessons, not yet run. Raises ConfigError without nbformat."""
    v4 = _extra("nbformat.v4")
    made = []
    for place, one in enumerate(cells(lessons, setting)):
        new = v4.new_code_cell if one.is_code else v4.new_markdown_cell
        cell = new(one.text)
        cell.id = f"cell-{place}"  # the same text for the same lessons
        if one.may_fail:
            cell.metadata["tags"] = list(MAY_FAIL)
        made.append(cell)
    notebook = v4.new_notebook(cells=made)
    notebook.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    return notebook


def run(notebook: Any, folder: Path) -> None:
    """Execute every cell in place, in this Python. Raises ConfigError without nbclient."""
    client = _extra("nbclient").NotebookClient(
        notebook, timeout=CELL_S, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute()


def write(path: Path, lessons: Sequence[Lesson], setting: Setting, execute: bool) -> None:
    """Make a notebook, run it if asked, and save it. Raises ConfigError naming the path."""
    notebook = build(lessons, setting)
    if execute:
        run(notebook, path.resolve().parent)
    try:
        path.write_text(_extra("nbformat").writes(notebook), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
