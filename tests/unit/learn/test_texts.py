"""Lessons as text: two files make a lesson, a translation may have gaps, errors name their line."""

import importlib
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.learn import learn
from miner.errors import ConfigError
from miner.learn import exercises, page, quiz
from miner.learn import voice as voices
from miner.learn.catalogue import LESSONS, course, script
from miner.learn.fill import Filler
from miner.learn.live import Si, Span, word
from miner.learn.script import ORIGINS, complete, parse
from miner.learn.steps import Question, Setting, failed
from miner.learn.voice import TEXT, chosen, languages, voice

TOY = """# Toys
about: A lesson that a teacher wrote
minutes: 3
level: deeper

[words]
much: {count} toys

## How many? {#many}

There are **{count}** toys, and lesson {lesson:why} asks why; this is lesson {this}.

[if few]
Few of them.

[if not few]
Many of them.

[table toys]
origin: computed
| toy | how many |

[check sum]
they add up to {count}
again: miner learn toys --check --seed {seed}

[question count]
How many toys?
judge: number {count}
answer: {count}
why: Count them.
hint number 2: One more.
"""
TOY_PY = """
from miner.learn.live import Live, word

def screens(setting):
    rows = [("car", 1), ("ball", word("much", count=2))]
    yield Live("many", count=3, few=True, toys=rows, sum=1 + 2 == 3)
"""
TOY_DE = """# Spielzeug
about: Eine Lektion von einer Lehrerin

## Wie viele? {#many}

Es gibt **{count}** Spielzeuge.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "toys.md").write_text(TOY)
    (tmp_path / "toys.py").write_text(TOY_PY)
    return tmp_path


def test_two_files_are_a_lesson(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_HOME", str(folder / "home"))
    own = ["--lessons", str(folder), "--lang", "en"]
    listed = CliRunner().invoke(learn, own).output
    assert "15  toys       Toys (3 min)" in listed and "A lesson that a teacher wrote" in listed
    shown = CliRunner().invoke(learn, ["toys", "--auto", *own])
    assert shown.exit_code == 0, shown.output
    for part in ("15. Toys · 1 of 1", "3 toys, and lesson 0", "this is lesson 15", "Few of them",
                 "ball  2 toys", "they add up to 3", "--check --seed 2009"):  # fmt: skip
        assert part in shown.output
    assert "Many of them" not in shown.output
    done = CliRunner().invoke(learn, ["15", "--html", str(folder / "toys.html"), *own])
    html = (folder / "toys.html").read_text("utf-8")
    assert done.exit_code == 0 and 'id="lesson-toys"' in html and 'id="lesson-why"' not in html
    whole = page.build(
        course("en", folder).lessons[-2:], Setting(), datetime(2026, 11, 29, tzinfo=UTC)
    )
    assert 'href="#lesson-toys"' in whole


def test_the_lesson_that_the_readme_shows(tmp_path: Path) -> None:
    readme = (TEXT / "README.md").read_text(encoding="utf-8")
    code, text = re.findall(r"```(?:python|markdown)\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "en").mkdir()
    (tmp_path / "toys.py").write_text(code)
    (tmp_path / "en" / "toys.md").write_text(text)
    (screen,) = course("en", tmp_path).find("toys").screens(Setting())
    assert screen.title == "How many?" and len(screen.items) == 2 and failed([screen]) == []


def test_a_half_translated_lesson_falls_back_and_is_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINER_HOME", str(folder / "home"))
    (folder / "de").mkdir()
    (folder / "de" / "toys.md").write_text(TOY_DE)
    german = course("de", folder)
    lesson = german.find("toys")
    screen = next(iter(lesson.screens(Setting())))
    texts = [getattr(item, "body", "") for item in screen.items]
    assert lesson.title == "Spielzeug" and screen.title == "Wie viele?"
    assert "Es gibt **3** Spielzeuge." in texts and "Few of them." in texts
    assert german.missing == (
        "toys: many/text 2/", "toys: many/text 3/", "toys: many/table toys/rows",
        "toys: many/check sum/", "toys: many/question count/",
        "toys: many/question count/answer", "toys: many/question count/why",
        "toys: many/question count/hint", "toys: word much",
    )  # fmt: skip
    shown = CliRunner().invoke(learn, ["--lessons", str(folder), "--lang", "de"]).output
    total = voice("de").number(german.texts + exercises.texts() + len(quiz.bank("de")))
    assert f"9 von {total} Texten sind noch nicht übersetzt" in shown


def test_a_language_is_a_folder_and_no_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(str(TEXT), tmp_path / "text")
    french = tmp_path / "text" / "fr"
    french.mkdir()
    (french / "interface.toml").write_text('next = "Entrée : suite > "\ndecimal = ","\n')
    monkeypatch.setattr(voices, "TEXT", tmp_path / "text")
    voices.voice.cache_clear()
    try:
        assert languages() == ("de", "en", "fr") and chosen("fr") == "fr"
        said = voice("fr")
        assert said.say("next").startswith("Entrée") and said.say("checked") == "checked"
        assert "checked" in said.missing and "next" not in said.missing
        assert said.number(1.5) == "1,5"
    finally:
        voices.voice.cache_clear()


@pytest.mark.parametrize(
    ("asked", "environment", "want"),
    [
        ("de", {}, "de"), ("de_AT.UTF-8", {}, "de"), (" EN ", {"LANG": "de_DE"}, "en"),
        (None, {"LANG": "de_DE.UTF-8"}, "de"), (None, {"LANG": "xx"}, "en"), (None, {}, "en"),
        (None, {"LC_ALL": "C", "LANG": "de_DE"}, "en"), (None, {"LC_MESSAGES": "de"}, "de"),
    ],
)  # fmt: skip
def test_which_language(asked: str | None, environment: dict[str, str], want: str) -> None:
    assert chosen(asked, environment) == want


def test_an_unknown_language_or_lesson_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no language 'den'; choose one of: de, en; did you"):
        chosen("den")
    with pytest.raises(ConfigError, match="did you mean header"):
        course().find("heder")
    wrong = CliRunner().invoke(learn, ["--lang", "klingon"])
    assert wrong.exit_code != 0 and isinstance(wrong.exception, ConfigError)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no title"), ("# T\nminutes: ten", ":2: minutes"), ("# T\nlevel: odd", "level 'odd'"),
        ("# T\n\nloose", "before the first screen"), ("# T\n\n## no name", "want ## Title"),
        ("# T\n\n## A {#a}\n\n## B {#a}", "'a' stands there twice"),
        ("# T\n\n## A {#a}\n\n[tabel x]", r"\[tabel\]: want one of"),
        ("# T\n\n## A {#a}\n\n[table x]\norigin: dreamt", "origin 'dreamt'"),
        ("# T\n\n## A {#a}\n\n[if x]\n\ntext", "right above"),
    ],
)  # fmt: skip
def test_a_broken_text_names_its_line(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        parse(text, "toys.md")


def test_a_value_that_nobody_gives_is_named(folder: Path) -> None:
    (folder / "toys.py").write_text(TOY_PY.replace("few=True, ", ""))
    with pytest.raises(ConfigError, match="screen 'many': no value for 'few'"):
        list(course("en", folder).find("toys").screens(Setting()))
    (folder / "en" / "why.md").write_text(TOY)
    with pytest.raises(ConfigError, match="has the name of one of the course"):
        course("en", folder)
    with pytest.raises(ConfigError, match="no lessons in it"):
        course("en", folder / "en")


def test_every_text_is_translated() -> None:
    for lang in languages():
        assert course(lang).missing == (), lang


@pytest.mark.parametrize("lang", ["de"])
def test_a_translation_keeps_places_and_formats(lang: str) -> None:
    """Every {value} of the English text stands in the translation, with the same digits."""
    for lesson in LESSONS:
        own, other = script(lesson.name), script(lesson.name, lang)
        assert own.words.keys() == other.words.keys()
        for key, text in own.words.items():
            assert places(text) == places(other.words[key]), f"{lesson.name}: {key}"
        for mine, theirs in zip(own.pages, other.pages, strict=True):
            for one, two in zip(mine.blocks, theirs.blocks, strict=True):
                where = f"{lesson.name}/{mine.name}/{one.key}"
                assert len(one.rows) == len(two.rows), where
                assert [row[0] for row in one.rows if one.kind == "bytes"] == [
                    row[0] for row in two.rows if two.kind == "bytes"
                ], where
                together = (" ".join([*block.fields.values(), *map(" ".join, block.rows)])
                            for block in (one, two))  # fmt: skip
                first, second = map(places, together)
                assert first == second, where


def places(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^}]*\}", text))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_figure_says_where_it_is_from(lesson: object) -> None:
    name = getattr(lesson, "name", "")
    for one in script(name).pages:
        for block in one.blocks:
            if block.kind in ("table", "bars", "axis"):
                assert block.fields.get("origin") in ORIGINS, f"{name}/{one.name}/{block.key}"


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("name", ["why", "header", "target", "sha256", "attack"])
def test_the_same_values_in_another_language(name: str, lang: str) -> None:
    setting = Setting(quick=True)
    lives = list(importlib.import_module(f"miner.learn.lessons.{name}").screens(setting))
    screens = list(Filler(script(name, lang), voice(lang), setting).screens(iter(lives)))
    assert failed(screens) == [] and len(screens) == screens[-1].place == screens[-1].total
    for item in (item for screen in screens for item in screen.items):
        if isinstance(item, Question):
            assert item.judge(item.answer), item.prompt


def test_numbers_are_written_as_the_language_does() -> None:
    english, german = voice("en"), voice("de")
    assert english.number(1234567) == "1,234,567" and german.number(1234567) == "1.234.567"
    assert english.number(0.5) == "0.5" and german.number(0.5) == "0,5"
    assert german.number(0.283, ".1%") == "28,3\N{NO-BREAK SPACE}%"
    assert english.number(1.35e14) == "1.35·10^14" and german.number(2e-9, ".1e") == "2,0·10^-9"
    assert german.number(125552, "d") == "125552" and german.number(255, "#x") == "0xff"
    assert german.shown(Si(38.1e6, "H/s")) == "38,1\N{NO-BREAK SPACE}MH/s"
    assert german.shown(Span(2.1e-5)) == "21\N{NO-BREAK SPACE}Mikrosekunden"
    assert english.shown(Span(0)) == "0\N{NO-BREAK SPACE}s"
    assert english.shown(word("expected", value=2.5)) == "expected 2.5"


def test_hints_of_a_translation_replace_those_of_the_other() -> None:
    base = parse("# T\n\n## A {#a}\n\n[question q]\nask\njudge: yes\nhint no: wrong", "en")
    own = parse("# T\n\n## A {#a}\n\n[question q]\nfrag\nhint no: falsch", "de")
    (block,) = complete(own, base).pages[0].blocks
    assert block.fields == {"": "frag", "judge": "yes", "hint no": "falsch"}
