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
from miner.learn.steps import Setting
from tests.unit.learn.breaks import BREAKS, SHORTER

LESSON_PACKAGE = "miner.learn.lessons"
QUICK = Setting(quick=True)
LONGEST = 80 - len("  try it: ")


def all_checks() -> list[str]:
    return [
        f"{lesson.name}/{page.name}/{block.name}"
        for lesson in LESSONS
        for page in script(lesson.name).pages
        for block in page.blocks
        if block.kind == "check"
    ]


def all_lines() -> list[str]:
    """What stands behind "try it:" on the screens, each line once."""
    found = {
        str(block.how)
        for lesson in LESSONS
        if lesson.name not in ("shares", "ladder", "asicboost", "joules")  # speeds: --check below
        for screen in lesson.screens(QUICK)
        for block in screen.items
        if hasattr(block, "how")
    }
    return sorted(found)


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


def test_every_line_to_try_runs_when_pasted(tmp_path: Path) -> None:
    lines = all_lines()
    assert len(lines) > 20
    environment = {**os.environ, "MINER_HOME": str(tmp_path), "COLUMNS": "80"}
    tried, commands = 0, set()
    for line in lines:
        assert len(line) <= LONGEST, line
        words = shlex.split(line)
        assert words[0] == "miner"
        if words[1:3] == ["learn", "--try"]:
            if "0x1d800001" in words[3]:
                with pytest.raises(ConfigError, match="sign bit"):
                    trying.evaluate(words[3])
            else:
                assert trying.evaluate(words[3])
            tried += 1
        elif words[1] != "mine":
            commands.add(tuple(words[1:]))
    assert tried > 15
    # Whole lessons are run by the other tests; one here as a shell does it, and one expression.
    for run in (("learn", "header", "--check"), ("learn", "--try", "nakamoto_success(0.1, 5)")):
        done = subprocess.run(
            [sys.executable, "-m", "miner", *run], env=environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0 and done.stdout, done.stderr


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
