"""Each check of the lessons is broken once, and each line that invites to try it is run."""

import importlib
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from miner.errors import ConfigError
from miner.learn import trying
from miner.learn.catalogue import LESSONS, script
from miner.learn.steps import Check, Setting
from tests.unit.learn.breaks import BREAKS, SHORTER

LESSON_PACKAGE = "miner.learn.lessons"
QUICK = Setting(quick=True)
LONGEST = 80 - len("  try it: ")
AN_EXPRESSION = 'miner learn --try "nakamoto_success(0.1, 5)"'


def all_checks() -> list[str]:
    return [
        f"{lesson.name}/{page.name}/{block.name}"
        for lesson in LESSONS
        for page in script(lesson.name).pages
        for block in page.blocks
        if block.kind == "check"
    ]


def expressions() -> list[str]:
    """What stands behind "try it: miner learn --try" on the screens, each line once."""
    found = {
        item.how
        for lesson in LESSONS
        if lesson.name not in ("shares", "asicboost", "ladder", "joules")  # below, by their texts
        for screen in lesson.screens(QUICK)
        for item in screen.items
        if isinstance(item, Check) and "--try" in item.how
    }
    return sorted(found | {line for line in lines() if "--try" in line and "{" not in line})


def lines() -> set[str]:
    """Every line to try, as the texts have it."""
    return {
        block.fields["again"].replace("{seed}", "2009")
        for lesson in LESSONS
        for page in script(lesson.name).pages
        for block in page.blocks
        if block.kind == "check"
    }


def set_deep(monkeypatch: pytest.MonkeyPatch, path: str, value: Any) -> None:
    """Put a value where a lesson finds it: why.ledger.race, or a function's own globals."""
    lesson, *names, last = path.split(".")
    place: Any = importlib.import_module(f"{LESSON_PACKAGE}.{lesson}")
    for name in names:
        place = getattr(place, name)
    if isinstance(place, dict):
        monkeypatch.setitem(place, last, value)
    else:
        monkeypatch.setattr(place, last, value)


def test_every_check_is_on_the_list() -> None:
    assert sorted(all_checks()) == sorted(BREAKS)


@pytest.mark.parametrize("key", BREAKS)
def test_each_check_can_fail(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, screen, check = key.split("/")
    for path, value in {**SHORTER.get(key, {}), **BREAKS[key]}.items():
        set_deep(monkeypatch, path, value)
    module = importlib.import_module(f"{LESSON_PACKAGE}.{lesson}")
    lives = module.screens(QUICK)
    try:
        live = next(one for one in lives if one.screen == screen)
    finally:
        lives.close()
    assert live.values[check] is False


def test_every_line_to_try_is_short_and_is_no_other_language() -> None:
    for lesson in LESSONS:
        own, other = script(lesson.name), script(lesson.name, "de")
        for page, translated in zip(own.pages, other.pages, strict=True):
            for block, theirs in zip(page.blocks, translated.blocks, strict=True):
                if block.kind == "check":
                    assert len(block.fields["again"]) <= LONGEST + 20, block  # with its places
                    assert theirs.fields["again"] == block.fields["again"]


def test_every_expression_to_try_gives_an_answer() -> None:
    found = expressions()
    assert len(found) > 20
    for line in found:
        assert len(line) <= LONGEST, line
        words = shlex.split(line)
        assert words[:3] == ["miner", "learn", "--try"] and len(words) == 4, line
        if "0x1d800001" in line:  # shows a refusal
            with pytest.raises(ConfigError, match="sign bit"):
                trying.evaluate(words[3])
        else:
            assert trying.evaluate(words[3])


@pytest.mark.parametrize(
    "line", sorted({one for one in lines() if "--try" not in one} | {AN_EXPRESSION})
)
def test_every_line_to_try_runs_when_pasted(line: str, tmp_path: Path) -> None:
    """As a shell runs it; lessons in full, so some take ten seconds of real mining."""
    environment = {**os.environ, "MINER_HOME": str(tmp_path), "COLUMNS": "80"}
    words = shlex.split(line)
    assert words[0] == "miner" and len(line) <= LONGEST
    done = subprocess.run(
        [sys.executable, "-m", *words], env=environment, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout and "FAILED" not in done.stdout, done.stderr


@pytest.mark.parametrize("expression", ["", "1 +", "nothing(1)", "block(3)", "1/0", "import os"])
def test_a_bad_expression_is_one_line(expression: str) -> None:
    with pytest.raises(ConfigError, match="--try"):
        trying.evaluate(expression)


def test_what_try_shows() -> None:
    assert trying.evaluate("sha256(b'abc')").startswith("ba7816bf")
    assert trying.evaluate("[meets(block(125552, n)) for n in (0, 1)]") == "True\nFalse"
    assert trying.evaluate("measures([1] * 8)").splitlines()[0] == "nakamoto: 5"
    assert trying.evaluate("round_parts(b'abc')['W[0]']") == "61626380"
    assert len(trying.evaluate("blocks()")) <= trying.LONGEST
