"""The teachers' notebook: made from every lesson, run by nbclient, compared with the page."""

import re
from pathlib import Path

import pytest

from miner.learn.catalogue import LESSONS
from miner.learn.notebook import Walk, build, run, write
from miner.learn.page import screen_html
from miner.learn.steps import Setting
from miner.learn.voice import BASE, voice

STEADY = ("header", "sha256", "target", "coinbase", "retarget", "attack")  # no speed in them
SETTING = Setting(quick=True)


def test_every_lesson_runs_as_a_notebook(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="the notebooks extra is not installed")
    pytest.importorskip("nbclient", reason="the notebooks extra is not installed")
    pytest.importorskip("ipykernel", reason="the notebooks extra is not installed")
    notebook = build(LESSONS, SETTING)
    run(notebook, tmp_path)
    nbformat.validate(notebook)
    shown: dict[str, list[str]] = {lesson.name: [] for lesson in LESSONS}
    checked = set()
    for cell in notebook.cells:
        name, _, call = cell.source.partition(".")
        if call.startswith("screen("):
            shown[name].append(cell.outputs[0].data["text/html"])
        elif call.startswith("check()"):
            assert re.search(r"\d+ checks passed", cell.outputs[0].data["text/plain"])
            checked.add(name)
    assert checked == {lesson.name for lesson in LESSONS}
    for lesson in LESSONS:
        if lesson.name in STEADY:
            assert shown[lesson.name] == [
                f'<div class="homehash">{screen_html(one, voice(BASE))}</div>'
                for one in lesson.screens(SETTING)
            ]


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
