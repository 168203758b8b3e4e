"""The same seed gives the same numbers, on any backend; what takes a while says so."""

import importlib
import io
import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from miner.learn import page, render
from miner.learn.catalogue import course, find
from miner.learn.live import Live, Shown
from miner.learn.steps import Lesson, Screen, Setting
from miner.learn.voice import voice

SETTING = Setting(quick=True, seed=7)
# No speed in them: every figure must come again. verdict and power start nodes of their own.
STEADY = (
    "why", "header", "target", "search", "verdict", "sha256", "coinbase", "retarget", "power",
    "attack",
)  # fmt: skip


def told(lesson: Lesson, screens: list[Screen]) -> str:
    out = io.StringIO()
    console = render.console_for(out)
    for screen in screens:
        render.show_title(console, lesson, screen)
        for item in screen.items:
            render.show_item(console, item, voice(lesson.lang))
    return out.getvalue()


@pytest.mark.parametrize("name", STEADY)
def test_the_same_seed_the_same_numbers(name: str) -> None:
    lesson = find(name)
    first, again = (told(lesson, list(lesson.screens(SETTING))) for _ in range(2))
    assert first == again
    if name not in ("header", "sha256"):  # a real block's, with whole loops over it
        other = told(lesson, list(lesson.screens(replace(SETTING, seed=8))))
        assert other != first


def test_a_slow_computer_gets_the_same_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target is fixed: no trial of speed chooses it."""
    module = importlib.import_module("miner.learn.lessons.search")
    monkeypatch.setattr(module, "BLOCKS", 3)
    full, quick = (
        next(live for live in module.screens(replace(SETTING, quick=one)) if live.screen == "mined")
        for one in (False, True)
    )
    assert full.values["blocks"] == quick.values["blocks"][:3]
    assert not hasattr(module, "rate")


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_another_backend_finds_the_same_blocks(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("miner.learn.lessons.search")
    monkeypatch.setattr(module, "QUICK_BLOCKS", 5)
    monkeypatch.setattr(module, "EXPECTED", 2**8)

    def blocks(name: str) -> Live:
        lives = module.screens(replace(SETTING, backend=name))
        found: Live = next(live for live in lives if live.screen == "mined")
        return found

    assert blocks(backend).values["blocks"] == blocks("hashlib").values["blocks"]


@pytest.mark.parametrize(
    ("lang", "want"), [("en", "mining block 10 of 200 .."), ("de", "Block 10 von 200 wird gesucht")]
)
def test_what_takes_a_while_says_so(lang: str, want: str) -> None:
    heard: list[Shown] = []
    lesson = course(lang).find("search")
    list(lesson.screens(replace(SETTING, progress=heard.append)))
    assert any(str(one).startswith(want) for one in heard) and len(heard) > 15


def test_a_page_says_which_lesson_it_runs() -> None:
    heard: list[Shown] = []
    chosen = [course("de").find(name) for name in ("header", "sha256")]
    page.build(chosen, replace(SETTING, progress=heard.append), datetime(2026, 11, 29, tzinfo=UTC))
    assert heard[0] == "Lektion 1 von 2: Die 80 Bytes .."
    assert "Bit 21 von 64 wird umgedreht .." in heard


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("key", ["q\n", "\x03", "\x04"])
def test_a_terminal_is_left_at_once(key: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"MINER_HOME": str(tmp_path), "TERM": "xterm", "LINES": "99"}
    child = subprocess.Popen(
        [sys.executable, "-m", "miner", "learn", "header", "--lang", "en"],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
        preexec_fn=lambda: controlling(theirs),
    )  # fmt: skip
    os.close(theirs)
    try:
        seen = until(ours, "your answer")
        assert "1. The 80 bytes · 1 of 4" in seen and "your answer" in seen
        assert pressed(child, ours, key) == 0
        assert "The answer" not in until(ours, "")
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def pressed(child: subprocess.Popen[bytes], terminal: int, key: str) -> int:
    """The exit code after a key; pressed again where Python's input() missed the signal."""
    for _ in range(10):
        os.write(terminal, key.encode())
        try:
            return child.wait(6)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(f"{key!r} does not end the lesson")


def controlling(terminal: int) -> None:
    """Make it the child's own terminal, so that Ctrl-C reaches the child."""
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def until(terminal: int, text: str, seconds: float = 60.0) -> str:
    """What the terminal shows until this text, or until it is closed."""
    seen, end = "", time.monotonic() + seconds
    while time.monotonic() < end and (not text or text not in seen):
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:  # closed by the child
            break
        if not part:
            break
        seen += part.decode("utf-8", "replace")
    return seen
