"""Lesson 11: watts at the wall belong to the whole computer; reasons and names by language."""

from collections.abc import Iterator
from typing import Any

import pytest

from miner.errors import ConfigError
from miner.learn import mining
from miner.learn.catalogue import course
from miner.learn.lessons import joules
from miner.learn.live import Live, Word
from miner.learn.steps import Screen, Setting, Table, Text

QUICK = Setting(quick=True, figures={"watts": 65.0})


def own(setting: Setting) -> Live:
    return next(live for live in joules.screens(setting) if live.screen == "own")


def shown(lang: str, setting: Setting) -> Iterator[str]:
    """Every text and cell of the lesson in a language."""
    screens: Iterator[Screen] = course(lang).find("joules").screens(setting)
    for item in (item for screen in screens for item in screen.items):
        if isinstance(item, Text):
            yield item.body
        elif isinstance(item, Table):
            yield from (cell for row in item.rows for cell in row)


def test_watts_at_the_wall_are_those_of_every_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def open_workers(name: str | None) -> list[Any]:
        opened.extend(original(name))
        return opened

    original = mining.open_workers
    monkeypatch.setattr(joules, "open_workers", open_workers)
    live = own(QUICK)
    what: Word = live.values["what"]
    assert what.key == ("workers" if len(opened) > 1 else "worker")
    assert len(opened) == 1 or what.values["count"] == len(opened)
    speed = live.values["speed"].value
    assert live.values["th_j"] == pytest.approx(65.0 / speed * 1e12)


@pytest.mark.parametrize("watts", [0.0, -5.0, 1e6])
def test_strange_watts_are_named_before_anything_runs(watts: float) -> None:
    with pytest.raises(ConfigError, match="--watts"):
        next(iter(joules.screens(Setting(figures={"watts": watts}))))


class Counter:
    """An energy counter that moves at 10 W."""

    boundary = "package"

    def __init__(self) -> None:
        self.sum = 0.0

    def joules(self) -> float:
        self.sum += 3.0
        return self.sum

    def close(self) -> None:
        pass


def test_what_a_counter_covers_is_told_in_the_lessons_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("miner.devices.energy.find", lambda *_: (Counter(), []))
    cells = list(shown("de", Setting(quick=True)))
    assert any("Prozessor mit seinem Gehäuse" in cell for cell in cells)
    assert "Bleistift und Papier (ein Mensch)" in cells and not any("human" in x for x in cells)


def test_a_reason_stays_in_english_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "powercap: no RAPL package zone"
    monkeypatch.setattr("miner.devices.energy.find", lambda *_: (None, [why]))
    assert any(f"(auf Englisch): „{why}“" in cell for cell in shown("de", Setting(quick=True)))
    assert any(f"**not known**: {why}." in cell for cell in shown("en", Setting(quick=True)))
