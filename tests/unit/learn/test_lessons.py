"""Every lesson runs to its end, passes its own checks and fits the screen."""

import importlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import miner
from miner.cli.learn import learn
from miner.errors import ConfigError
from miner.learn import render
from miner.learn.catalogue import LESSONS, course, script
from miner.learn.fill import Filler
from miner.learn.live import Live
from miner.learn.steps import Check, Code, Lesson, Question, Screen, Setting, Text, failed
from miner.learn.voice import languages, voice

MAX_WORDS = 200  # a screen
QUICK = Setting(quick=True)
GENESIS_HEX = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
    "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


@pytest.fixture(scope="module", params=LESSONS, ids=lambda lesson: lesson.name)
def lives(request: pytest.FixtureRequest) -> tuple[Lesson, list[Live]]:
    """A lesson's values, made once and told in each language."""
    lesson: Lesson = request.param
    module = importlib.import_module(f"miner.learn.lessons.{lesson.name}")
    return lesson, list(module.screens(QUICK))


@pytest.fixture(scope="module", params=languages())
def played(
    lives: tuple[Lesson, list[Live]], request: pytest.FixtureRequest
) -> tuple[Lesson, list[Screen]]:
    lesson, lang = lives[0], str(request.param)
    filler = Filler(script(lesson.name, lang), voice(lang), QUICK)
    return replace(lesson, lang=lang), list(filler.screens(iter(lives[1])))


def test_every_check_passes(played: tuple[Lesson, list[Screen]]) -> None:
    assert failed(played[1]) == []


def test_a_lesson_checks_asks_and_names_its_functions(played: tuple[Lesson, list[Screen]]) -> None:
    kinds = {type(item) for screen in played[1] for item in screen.items}
    assert {Check, Question, Code} <= kinds


def test_the_answer_given_is_judged_right(played: tuple[Lesson, list[Screen]]) -> None:
    for screen in played[1]:
        for item in screen.items:
            if isinstance(item, Question):
                assert item.judge(item.answer), item.prompt
                assert not item.judge("") and not item.judge("no idea"), item.prompt


def test_named_functions_stand_where_said(played: tuple[Lesson, list[Screen]]) -> None:
    for screen in played[1]:
        for item in screen.items:
            if isinstance(item, Code):
                source = Path(miner.__file__).parent.parent / item.file
                line = source.read_text().splitlines()[item.line - 1]
                assert "def " in line or "class " in line or line.lstrip().startswith("@")


def test_no_screen_is_long(played: tuple[Lesson, list[Screen]]) -> None:
    for screen in played[1]:
        words = sum(len(item.body.split()) for item in screen.items if isinstance(item, Text))
        assert words <= MAX_WORDS, screen.title


def test_80_columns_suffice_without_colour(played: tuple[Lesson, list[Screen]]) -> None:
    lesson, screens = played
    out = io.StringIO()
    console = render.console_for(out)
    for screen in screens:
        render.show_title(console, lesson, screen)
        for item in screen.items:
            render.show_item(console, item, voice(lesson.lang))
        assert (screen.place, screen.total) == (screens.index(screen) + 1, len(screens))
    text = out.getvalue()
    assert [line for line in text.splitlines() if len(line) > 80 or line.endswith(" ")] == []
    assert "\x1b" not in text
    lines = {line.strip().partition(": ")[2] for line in text.splitlines()}
    checks = [item for screen in screens for item in screen.items if isinstance(item, Check)]
    assert [one.how for one in checks if one.how not in lines] == [], "cut off"


def test_a_header_of_the_learners_own() -> None:
    result = CliRunner().invoke(learn, ["1", "--auto", "--header", GENESIS_HEX])
    assert result.exit_code == 0, result.output
    assert "2,083,236,893" in result.output
    no_block = CliRunner().invoke(learn, ["1", "--auto", "--header", "00" * 72 + "ffff001d" * 2])
    assert no_block.exit_code == 0 and "no block yet" in no_block.output


@pytest.mark.parametrize("nbits", ["ffffffff", "00000000", "000000ff"])
def test_nbits_that_stand_for_no_target(nbits: str) -> None:
    """Any 80 bytes can be looked at; a lesson about targets says that there is none."""
    header = "00" * 72 + nbits + "00" * 4
    shown = CliRunner().invoke(learn, ["1", "--auto", "--header", header])
    assert shown.exit_code == 0 and "no block yet" in shown.output
    refused = CliRunner().invoke(learn, ["3", "--auto", "--header", header])
    assert isinstance(refused.exception, ConfigError)
    assert "nbits 0x" in str(refused.exception) and "must stand for a target" in str(
        refused.exception
    )


@pytest.mark.parametrize("text", ["zz", "00", "0" * 159, ""])
def test_a_bad_header_is_a_usage_error(text: str) -> None:
    result = CliRunner().invoke(learn, ["1", "--header", text])
    assert result.exit_code == 2 and "header" in result.output


@pytest.mark.parametrize("lang", languages())
def test_the_list_names_every_lesson_in_80_columns(lang: str) -> None:
    output = CliRunner().invoke(learn, ["--lang", lang]).output
    assert all(lesson.title in output for lesson in course(lang).lessons)
    assert [line for line in output.splitlines() if len(line) > 80] == []
