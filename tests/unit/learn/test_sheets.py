"""Worksheet, solutions, plans, glossary and slides: what stands in them, and what must not."""

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.learn import learn
from miner.errors import ConfigError
from miner.learn import page, sheets, slides
from miner.learn.catalogue import course
from miner.learn.paper import Played, play
from miner.learn.steps import Check, Question, Setting
from miner.learn.voice import voice
from miner.learn.words import glossary
from tests.unit.learn.test_plans import PLAN

NOW = datetime(2026, 11, 29, tzinfo=UTC)
QUICK = Setting(quick=True)
NAMES = ("why", "target", "attack", "joules")  # the last has figures that were measured


def text(html: str) -> str:
    """What a reader sees."""
    body = re.sub(r"<(style|script).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module", params=["en", "de"])
def played(request: pytest.FixtureRequest) -> list[Played]:
    known = course(request.param)
    return play([known.find(name) for name in NAMES], QUICK)


def questions(played: list[Played]) -> list[Question]:
    items = [item for one in played for screen in one.screens for item in screen.items]
    return [item for item in items if isinstance(item, Question)]


def plain(marked: str) -> str:
    return text(page.inline(marked))


def test_a_worksheet_asks_everything_and_answers_nothing(played: list[Played]) -> None:
    shown = text(sheets.worksheet(played, QUICK, NOW))
    said = voice(played[0].lesson.lang)
    for one in questions(played):
        assert plain(one.prompt) in shown
        assert plain(one.why) not in shown and one.hints[0][1] not in shown
    for each in played:
        assert f"{each.lesson.number}. {each.lesson.title}" in shown
        for item in (item for screen in each.screens for item in screen.items):
            assert not isinstance(item, Check) or plain(item.claim) not in shown
    assert said.say("sheet_name") in shown and sheets.worksheet(played, QUICK, NOW).count(
        '<div class="line"></div>'
    ) >= 3 * len(questions(played))


def test_solutions_have_the_same_tasks_with_answers_and_wrong_ones(played: list[Played]) -> None:
    asked, solved = (make(played, QUICK, NOW) for make in (sheets.worksheet, sheets.solutions))
    number = re.compile(r'<b class="number">([0-9.]+)</b>')
    assert number.findall(asked) == number.findall(solved)
    assert len(number.findall(asked)) == len(set(number.findall(asked)))
    shown = text(solved)
    for one in questions(played):
        assert plain(one.why) in shown
        for wrong, says in one.typical:
            assert f"{wrong} : {plain(says)}" in shown
    tables = re.compile(r"<table>.*?</table>", re.DOTALL)
    steady = [one for one in tables.findall(asked) if "<td></td>" not in one]
    assert len(steady) > 5 and all(one in solved for one in steady), "the same numbers"


@pytest.fixture(scope="module")
def timed() -> list[Played]:
    """Lessons that measure, in German."""
    return play([course("de").find(name) for name in ("shares", "ladder")], QUICK)


def test_what_was_measured_is_a_blank_to_fill_in(timed: list[Played]) -> None:
    asked, solved = (text(make(timed, QUICK, NOW)) for make in (sheets.worksheet, sheets.solutions))
    assert voice("de").say("sheet_own") in asked
    assert "H/s" not in asked and "H/s" in solved
    again = play([timed[0].lesson], QUICK)
    assert sheets.worksheet(again, QUICK, NOW) == sheets.worksheet(timed[:1], QUICK, NOW), (
        "another run measures other speeds, the sheet stays"
    )


def test_a_plan_has_minutes_figures_and_wrong_answers(played: list[Played]) -> None:
    shown = text(sheets.plans(played, QUICK, NOW))
    said = voice(played[0].lesson.lang)
    for one in played:
        assert one.plan is not None
        for part in one.plan.lists.values():
            assert all(plain(thing) in shown for thing in part)
        assert f"{45 - one.plan.steps[-1].minutes}-45" in shown
        for screen in one.screens:
            for item in screen.items:
                if isinstance(item, Check):
                    assert plain(item.claim) in shown
    assert said.say("sheet_errors") in shown and all(
        plain(one.answer) in shown for one in questions(played)
    )


def test_typical_answers_are_judged_by_their_own_hints(played: list[Played]) -> None:
    for one in questions(played):
        assert len(one.typical) == len(one.hints)
        for wrong, says in one.typical:
            first = wrong.partition(" - ")[0]
            assert not one.judge(first) and one.hint(first) == says, (one.prompt, wrong)


def test_the_glossary_is_what_explain_says() -> None:
    for lang in ("en", "de"):
        known = course(lang)
        shown = text(sheets.words_of(known.lessons, QUICK, NOW))
        for word, one in glossary(lang).items():
            known_as = one.called.casefold() in ("", word)
            named = one.called or word if known_as else f"{one.called} ({word})"
            assert f"{named} {plain(one.says)}." in shown
        of_one = text(sheets.words_of([known.find("target")], QUICK, NOW))
        assert "nbits" in of_one and "merkle" not in of_one


def test_slides_have_every_screen_and_question(played: list[Played]) -> None:
    html = slides.build(played, QUICK, NOW)
    shown = text(html)
    said = voice(played[0].lesson.lang)
    for one in played:
        assert f'id="lesson-{one.lesson.name}"' in html
        assert all(plain(screen.title) in shown for screen in one.screens)
        assert all(goal in shown for goal in (one.plan.lists["goals"] if one.plan else ()))
    assert html.count(f"<h2>{said.say('slides_question')}</h2>") == len(questions(played))
    assert html.count('<div class="answer">') == len(questions(played))
    ids = re.findall(r'id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_paper_needs_no_network_and_means_no_computer_of_the_reader(timed: list[Played]) -> None:
    here = {voice("de").say(key) for key in ("measured", "seen")}
    for make in (sheets.worksheet, sheets.solutions, sheets.plans, slides.build):
        html = make(timed, QUICK, NOW)
        assert '<html lang="de">' in html
        for outside in ('src="', "@import", "url(", "fetch(", "XMLHttpRequest", "<link"):
            assert outside not in html
        assert not any(one in text(html) for one in here)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(learn, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 1, str(done.exception)
    return done.exit_code, done.output


def test_several_files_at_once_come_from_one_run(tmp_path: Path) -> None:
    sheet, answers, plan = (tmp_path / f"{name}.html" for name in ("sheet", "answers", "plan"))
    code, output = run(
        "header", "--auto", "--worksheet", str(sheet), "--solutions", str(answers), "--plan",
        str(plan), "--slides", str(tmp_path / "s.html"), "--glossary", str(tmp_path / "g.html"),
    )  # fmt: skip
    assert code == 0 and output.count("KiB") == 5
    assert "The 80 bytes" in sheet.read_text("utf-8")
    assert "[True, False]" in answers.read_text("utf-8") or "True\nFalse" in answers.read_text()
    assert "45" in plan.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--worksheet", "/nowhere/x.html"), "cannot be written: /nowhere is no folder"),
        (("--slides", "{here}"), "is a directory"),
        (("--plan", "{here}/a.pdf"), "name it .html and print it"),
        (("--plan", "{here}/a", "--slides", "{here}/a"), "another option writes the same file"),
        (("--worksheet", "{here}/a", "--check"), "--check goes alone, without --worksheet"),
        (("--try", "1", "--html", "{here}/a"), "--try goes alone, without --html"),
        (("--try", "1", "--check"), "--try goes alone, without --check"),
        (("--quiz", "--html", "{here}/a"), "--quiz goes alone, without --html"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_lesson(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miner.learn.paper.play", lambda *_: pytest.fail("a lesson was run"))
    code, output = run("header", *(word.format(here=tmp_path) for word in words))
    assert code != 0 and says in output
    assert list(tmp_path.iterdir()) == []


def test_a_lesson_of_your_own_may_have_a_plan(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "toys.md").write_text("# Toys\nabout: x\n\n## How many? {#many}\n\nThree.\n")
    (tmp_path / "toys.py").write_text(
        "from miner.learn.live import Live\ndef screens(setting):\n    yield Live('many')\n"
    )
    toys = play([course("en", tmp_path).find("toys")], QUICK)
    assert "How many?" in text(slides.build(toys, QUICK, NOW))
    assert "Toys" in text(sheets.solutions(toys, QUICK, NOW))
    with pytest.raises(ConfigError, match=r"lesson 15 has no plan: want plans/toys.md"):
        sheets.plans(toys, QUICK, NOW)
    (tmp_path / "en" / "plans").mkdir()
    (tmp_path / "en" / "plans" / "toys.md").write_text(PLAN.replace("first second", "many"))
    toys = play([course("en", tmp_path).find("toys")], QUICK)
    assert "say how, in two lines" in text(sheets.plans(toys, QUICK, NOW))


def test_the_page_means_no_computer_of_the_reader() -> None:
    html = page.build([course("de").find("shares")], QUICK, NOW)
    said = voice("de")
    assert said.say("measured_there") in html and said.say("measured") not in html
