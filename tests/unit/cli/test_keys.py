"""Single keys: what each does, when they are read, and that the terminal comes back as it was."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from miner.cli import keys
from miner.cli.keys import Keys, Screen, is_terminal
from miner.run.run import Run

termios = pytest.importorskip("termios", reason="single keys are read on POSIX terminals alone")


class FakeRun:
    def __init__(self) -> None:
        self.paused: list[bool] = []

    def pause(self, paused: bool) -> None:
        self.paused.append(paused)


class Live:
    """A live view takes keys."""

    def __init__(self) -> None:
        self.pressed = ""

    def key(self, key: str) -> None:
        self.pressed += key


class Plain:
    """A view that is no terminal takes none."""


def over(view: object) -> tuple[Keys, FakeRun]:
    run = FakeRun()
    return Keys(cast(Run, run), cast(Screen, view)), run


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal as standard input, in whose foreground we are; the other end of it."""
    master, slave = os.openpty()
    with open(slave, encoding="ascii") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(keys, "is_terminal", lambda: True)
        yield master
    with suppress(OSError):  # a test closed it
        os.close(master)


def lines_and_echo() -> bool:
    """Does the terminal wait for Enter and show what is typed?"""
    flags = termios.tcgetattr(sys.stdin.fileno())[3]
    return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)


def test_what_each_key_does() -> None:
    view = Live()
    pressed, run = over(view)
    for key in "pridxz?\x1b":
        pressed.press(key)
    assert (run.paused, view.pressed, pressed.quit) == ([True, False], "id?", False)
    pressed.press("q")
    assert pressed.quit


def test_keys_need_no_enter_and_the_terminal_comes_back(terminal: int) -> None:
    view = Live()
    pressed, run = over(view)
    with pressed:
        assert not lines_and_echo()
        os.write(terminal, b"p?")
        until(lambda: view.pressed == "?" and run.paused == [True])
        os.write(terminal, b"q")
        until(lambda: pressed.quit)
    assert lines_and_echo()
    os.write(terminal, b"r")
    assert run.paused == [True]  # nobody reads any more


def test_a_view_that_is_not_live_reads_no_key(terminal: int) -> None:
    pressed, _ = over(Plain())
    with pressed:
        assert lines_and_echo()
    assert lines_and_echo()


def test_a_signal_handler_can_restore_the_terminal(terminal: int) -> None:
    pressed, _ = over(Live())
    with pressed:
        pressed.restore()
        assert lines_and_echo()


def test_a_terminal_that_goes_away_ends_the_reading(terminal: int) -> None:
    view = Live()
    pressed, run = over(view)
    with pressed:
        os.write(terminal, b"d")
        until(lambda: view.pressed == "d")
        os.close(terminal)
    assert run.paused == []


def test_a_file_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert not is_terminal()
    assert not is_terminal()  # closed


def test_a_terminal_of_somebody_else_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A background job must not read: the system would stop it."""
    master, slave = os.openpty()
    with open(slave, encoding="ascii") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert stdin.isatty()
        assert not is_terminal()
    os.close(master)
