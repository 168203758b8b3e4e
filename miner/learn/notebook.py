"""Lessons as Jupyter notebooks: one cell a screen, run by calling the same lesson.

nbformat writes them and nbclient runs them (the `notebooks` extra); a cell's output is the HTML of
the page, so a notebook shows what the terminal and the page show.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miner import __version__
from miner.errors import ConfigError
from miner.learn import page
from miner.learn.catalogue import course
from miner.learn.steps import Check, Lesson, Screen, Setting, failed
from miner.learn.voice import BASE, Voice, voice

EXTRA = "notebooks need more packages: .venv/bin/pip install nbformat nbclient ipykernel"
CELL_S = 300  # longest a cell may run


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
        sheet = page.style().replace(":root", "&")  # nested: the screens alone are styled
        paper = "color: var(--ink); background: var(--paper); padding: 1rem;"
        return f"<style>.homehash {{ {paper} {sheet} }}</style>"


def style() -> Styled:
    """What the first cell shows, so that bars, marks and bytes have their colours."""
    return Styled()


def _extra(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"{EXTRA} ({error})") from error


def build(lessons: Sequence[Lesson], setting: Setting) -> Any:
    """A notebook of these lessons, not yet run. Raises ConfigError without nbformat."""
    v4 = _extra("nbformat.v4")
    cells = [
        v4.new_markdown_cell(
            f"# Proof of work, explained by a miner\n\nhomehash {__version__}, seed "
            f"{setting.seed}. Every cell calls the miner's own functions; run them in order."
        ),
        v4.new_code_cell(
            "from miner.learn.notebook import Walk, style\n"
            "from miner.learn.steps import Setting\n\n"
            f"setting = Setting(seed={setting.seed}, quick={setting.quick})\n"
            "style()  # the page's colours, for the screens below"
        ),
    ]
    for place, lesson in enumerate(lessons, 1):
        running = voice(lesson.lang).say(
            "running", place=place, total=len(lessons), title=lesson.title
        )
        setting.progress(running)
        cells.append(v4.new_markdown_cell(f"## {lesson.number}. {lesson.title}\n\n{lesson.about}."))
        cells.append(
            v4.new_code_cell(f'{lesson.name} = Walk("{lesson.name}", setting, "{lesson.lang}")')
        )
        # The number of screens is known only by walking; quick settings make that a second or two.
        titles = [screen.title for screen in lesson.screens(Setting(setting.seed, quick=True))]
        cells += [
            v4.new_code_cell(f"{lesson.name}.screen({number})  # {title}")
            for number, title in enumerate(titles, 1)
        ]
        cells.append(v4.new_code_cell(f"{lesson.name}.check()"))
    notebook = v4.new_notebook(cells=cells)
    for place, cell in enumerate(notebook.cells):
        cell.id = f"cell-{place}"  # the same text for the same lessons
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
