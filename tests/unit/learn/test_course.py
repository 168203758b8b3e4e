"""Lesson 0's ledger, the order of the course, and ticks."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.learn import learn
from miner.learn import ledger, progress
from miner.learn.catalogue import COURSE, LESSONS, english, find
from miner.learn.lessons import why
from miner.learn.script import LEVELS
from miner.learn.steps import Setting, failed


def chain(length: int) -> list[ledger.Page]:
    pages: list[ledger.Page] = []
    for place in range(length):
        page, tries = ledger.write(f"payment {place}", pages[-1] if pages else None, place)
        assert tries >= 1
        pages.append(page)
    return pages


def test_a_chain_that_was_worked_for_is_whole() -> None:
    assert ledger.whole(chain(3)) == ["", "", ""]


@pytest.mark.parametrize(
    ("place", "faults"),
    [(0, ["payment", "", ""]), (1, ["", "payment", ""])],
)
def test_a_changed_payment_is_seen(place: int, faults: list[str]) -> None:
    pages = chain(3)
    pages[place] = replace(pages[place], payment="another")
    assert ledger.whole(pages) == faults


def test_a_header_made_to_fit_breaks_work_and_link() -> None:
    pages = chain(3)
    forged = why._forge(pages[1])
    assert forged.fits_payment and not forged.is_worked
    assert ledger.whole([pages[0], forged, pages[2]]) == ["", "work", "link"]


def test_the_race_is_worked_for_by_both_and_repeats() -> None:
    pages = chain(5)
    fresh, _ = ledger.write("forged", pages[0], 99)
    first = ledger.race(pages, [pages[0], fresh], 8, 7)
    moments, ours, theirs = first
    assert not any(ledger.whole(ours)) and not any(ledger.whole(theirs))
    assert max(len(ours), len(theirs)) == 8
    assert moments[0].honest == 5 and moments[0].cheater == 2
    assert first == ledger.race(pages, [pages[0], fresh], 8, 7)


@pytest.mark.parametrize("seed", [1, 2, 3, 99, 2**40])
def test_lesson_0_holds_for_any_seed(seed: int) -> None:
    screens = list(find("why").screens(Setting(seed, quick=True)))
    assert len(screens) == 5 and failed(screens) == []


def test_the_course_takes_every_lesson_once() -> None:
    assert [lesson.name for lesson in LESSONS] == list(COURSE)
    assert sorted(lesson.number for lesson in LESSONS) == list(range(len(LESSONS)))
    assert {lesson.level for lesson in LESSONS} == set(LEVELS)
    walked = [LESSONS[0]]
    while (ahead := english().following(walked[-1])) is not None:
        walked.append(ahead)
    assert walked == list(LESSONS)


def test_ticks_of_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    assert "Next: miner learn 0" in CliRunner().invoke(learn, []).output
    progress.finish(tmp_path / "state", "why")
    shown = CliRunner().invoke(learn, []).output
    assert "[x]  0  why" in shown and "[ ]  1  header" in shown and "Next: miner learn 1" in shown
    for lesson in LESSONS:
        progress.finish(tmp_path / "state", lesson.name)
    assert "All done" in CliRunner().invoke(learn, []).output


def test_a_broken_file_of_ticks_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / progress.FILE).write_bytes(b"\xff\xfe")
    assert progress.finished(tmp_path) == set()
    (tmp_path / "blocked").write_text("")
    progress.finish(tmp_path / "blocked", "why")
