"""The notebook: made from every lesson, run by nbclient twice, compared with the page."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.header import Header
from miner.errors import ConfigError
from miner.learn import exercises, quiz
from miner.learn.catalogue import LESSONS, course
from miner.learn.ledger import race
from miner.learn.notebook import MOST_LINES, Walk, ask, build, feedback, run, source, style, write
from miner.learn.page import screen_html
from miner.learn.steps import Setting
from miner.learn.voice import BASE, voice

STEADY = ("header", "sha256", "target", "coinbase", "retarget", "attack")  # no speed in them
SETTING = Setting(quick=True)
SHORT = ("why", "header", "target", "sha256")  # run in a second


@pytest.fixture
def kernel() -> Any:
    """nbformat, where notebooks can be run."""
    for name in ("nbclient", "ipykernel"):
        pytest.importorskip(name, reason="the notebooks extra is not installed")
    return pytest.importorskip("nbformat", reason="the notebooks extra is not installed")


def errors(cell: Any) -> list[str]:
    return [one["ename"] for one in cell.get("outputs", ()) if one["output_type"] == "error"]


def test_every_lesson_runs_as_a_notebook(kernel: Any, tmp_path: Path) -> None:
    notebook = build(LESSONS, SETTING)
    run(notebook, tmp_path)
    kernel.validate(notebook)
    shown: dict[int, list[str]] = {lesson.number: [] for lesson in LESSONS}
    checked, sources = set(), 0
    for cell in notebook.cells:
        number = re.match(r"lesson(\d+)\.(screen|check)\(", cell.source)
        if number and number[2] == "screen":
            shown[int(number[1])].append(cell.outputs[0].data["text/html"])
        elif number:
            assert re.search(r"\d+ checks passed", cell.outputs[0].data["text/plain"])
            checked.add(int(number[1]))
        elif "source(" in cell.source and "import Walk" not in cell.source:
            told = cell.outputs[0].data["text/markdown"]
            assert "```python" in told and "<" not in told.partition("```")[0]
            sources += 1
        allowed = "raises-exception" in cell.metadata.get("tags", ())
        assert allowed or not errors(cell), cell.source
    assert checked == {lesson.number for lesson in LESSONS} and sources > 30
    for lesson in LESSONS:
        if lesson.name in STEADY:
            assert shown[lesson.number] == [
                f'<div class="homehash">{screen_html(one, voice(BASE))}</div>'
                for one in lesson.screens(SETTING)
            ]


def test_a_notebook_runs_twice_in_a_row(kernel: Any, tmp_path: Path) -> None:
    notebook = build([one for one in course("de").lessons if one.name in SHORT], SETTING)
    once = len(notebook.cells)
    notebook.cells += copy.deepcopy(notebook.cells)
    for place, cell in enumerate(notebook.cells):
        cell.id = f"again-{place}"
    run(notebook, tmp_path)
    for first, second in zip(notebook.cells[:once], notebook.cells[once:], strict=True):
        assert errors(first) == errors(second), first.source
        if "execution_count" in first:
            data = [[out.get("data") for out in cell.outputs] for cell in (first, second)]
            assert data[0] == data[1], first.source


def test_exercise_cells_fail_as_given_and_pass_when_solved(kernel: Any, tmp_path: Path) -> None:
    lessons = [one for one in LESSONS if one.name in SHORT]
    known = {one.skeleton: one for one in exercises.catalogue() if one.lesson in SHORT}
    notebook = build(lessons, SETTING)
    tried = [place for place, cell in enumerate(notebook.cells) if "print(feedback(" in cell.source]
    assert len(tried) == len(known) >= 3
    run(notebook, tmp_path)
    for place in tried:
        cell = notebook.cells[place]
        assert errors(cell) == ["AssertionError"] and "\nassert " in cell.source
        assert "NOT YET" in cell.outputs[0].text
        notebook.cells[place - 1].source = known[notebook.cells[place - 1].source].solution
    run(notebook, tmp_path)
    for place in tried:
        assert errors(notebook.cells[place]) == [], notebook.cells[place].source
        assert "Solved" in notebook.cells[place].outputs[0].text


def test_a_notebook_is_the_same_text_each_time(tmp_path: Path) -> None:
    pytest.importorskip("nbformat", reason="the notebooks extra is not installed")
    lessons = [one for one in LESSONS if one.name in ("header", "target")]
    for name in ("a", "b"):
        write(tmp_path / name, lessons, SETTING, execute=False)
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


def test_a_walk_stops_at_a_failed_check() -> None:
    walk = Walk("header", SETTING)
    assert "checks passed" in repr(walk.screen(1))
    assert walk.check().endswith("on 1 screens")
    assert walk.screen(4).screen is walk.screen(4).screen, "a cell may be run twice"
    with pytest.raises(IndexError, match="this lesson has 4"):
        walk.screen(5)


def test_the_code_that_is_shown_is_the_projects_own() -> None:
    shown = source(Header.meets)
    assert repr(shown).startswith("def meets(") and '"""' not in repr(shown)
    assert "return int.from_bytes" in repr(shown) or "<= target" in repr(shown)
    assert shown.where.file == "miner/bitcoin/header.py" and "```python" in shown._repr_markdown_()
    long = source(race)
    assert len(long.lines) == MOST_LINES + 1 and long.lines[-1].strip() == ".."


def test_the_style_is_kept_to_the_screens() -> None:
    sheet = style()._repr_html_()
    assert sheet.startswith("<style>.homehash.homehash {") and "\nbody" not in sheet
    assert ":root" not in sheet and "<svg" not in sheet and len(repr(style())) < 60


def test_a_question_in_a_cell() -> None:
    for entry in quiz.bank("de"):
        asked = ask(entry.name, "", "de")
        assert "Anführungszeichen" in asked.told
        right = "Richtig." in ask(entry.name, entry.right, "de").told
        assert right, (entry.name, ask(entry.name, entry.right, "de").told)
    choices = next(one for one in quiz.bank() if not one.typed)
    wrong, mistake = choices.wrong[0]
    told = ask(choices.name, wrong)
    assert mistake in told.told and "\n1. " in told._repr_markdown_()
    with pytest.raises(ConfigError, match="no question 'nothing'"):
        ask("nothing", "")


def test_feedback_names_the_first_wrong_case() -> None:
    told = feedback("target", lambda nbits: 0)
    assert told.startswith("NOT YET") and "expected" in told and "hint" not in told.split(":")[0]
    assert "Solved" in feedback("target", exercises.find("target").task.right)
