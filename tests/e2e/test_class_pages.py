"""The class's board and desk as a teacher uses them: orders, an export, and the lesson again."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.conftest import Command, Start

pytest.importorskip("pbk", reason="no kernel wheel for this Python")
pytest.importorskip("segno", reason="the pages' packages are an extra")

ROOM = (
    "class", "--easy", "--block-hashes", "65536", "--port", "127.0.0.1:0", "--web", "127.0.0.1:0",
    "--desk", "0",
)  # fmt: skip
QUICK = ("--backend", "hashlib", "--threads", "1")


def told(command: Command, word: str) -> str:
    """An address that the teacher's terminal shows."""
    found = re.search(r"http://\S+", command.until(word))
    assert found
    return found[0]


def get(url: str) -> Any:
    with urlopen(url, timeout=20) as answer:
        return json.loads(answer.read())


def order(desk: str, **what: Any) -> int:
    host, token = desk.split("/")[2:4]
    headers = {"Content-Type": "application/json", "Origin": f"http://{host}"}
    asked = Request(
        f"{desk}do", json.dumps(what).encode(), {**headers, "X-Desk-Token": token}, method="POST"
    )
    try:
        with urlopen(asked, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def until(true: Callable[[], Any], within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_lesson_and_the_same_lesson_again(miner: Start, home: Path) -> None:
    teacher = miner(*ROOM)
    board, desk = told(teacher, "board, for"), told(teacher, "desk, for")
    api = board.removesuffix("board") + "api/class/board"
    where = told(teacher, "phones: ")
    assert get(api)["join"]["url"] == where
    line = teacher.until("students: ")
    ann = miner("join", line.split()[3].rstrip(";"), "--user", "Ann", *QUICK)
    until(lambda: len(get(api)["blocks"]) >= 2)
    assert order(desk, do="mode", mode="pool") == 200 and get(api)["mode"] == "pool"
    assert order(desk, do="difficulty", hashes=1 << 17) == 200
    assert get(api)["chain"]["hashes"] == pytest.approx(1 << 17, rel=1e-3)
    assert order(desk, do="pause", paused=True) == 200 and get(api)["paused"]
    assert order(desk, do="mode", mode="war") == 400
    until(lambda: all(row["accepted"] for row in get(api)["blocks"]))
    with urlopen(f"{desk}session", timeout=20) as answer:
        asked = json.loads(answer.read())
    last = get(api)
    assert ann.stop() == 0 and teacher.stop() == 0

    (session,) = (home / "state" / "class" / "easy" / "sessions").iterdir()
    assert f"--replay {session} shows it again" in teacher.until("the session is kept")
    kept = json.loads(session.read_bytes())
    assert (
        kept["events"][: len(asked["events"])] == asked["events"]
        and kept["first"] == asked["first"]
    )

    again = miner("class", "--replay", str(session), "--speed", "1000", "--web", "127.0.0.1:0")
    shown = told(again, "1 members, ").removesuffix("board") + "api/class/board"
    until(lambda: get(shown)["replay"]["ended"])
    replayed = get(shown)
    for key in ("blocks", "shares", "best", "mode", "paused", "beside"):
        assert replayed[key] == last[key], key
    for key in ("height", "tip_hash", "hashes", "class_target", "name", "words"):
        assert replayed["chain"][key] == last["chain"][key], key
    for row, was in zip(replayed["members"], last["members"], strict=True):
        changing = dict.fromkeys(("rate_hs", "sigma_hs", "refused", "here"))  # until all had left
        assert row | changing == was | changing
    assert again.stop() == 0


def test_an_attack_reorganises_the_chain(miner: Start) -> None:
    """Whoever is paused cannot keep up: the other side's branch gets more work, and the kernel
    goes over to it."""
    teacher = miner(*ROOM)
    board, desk = told(teacher, "board, for"), told(teacher, "desk, for")
    api = board.removesuffix("board") + "api/class/board"
    where = teacher.until("students: ").split()[3].rstrip(";")
    for name in ("Ann", "Bob"):
        miner("join", where, "--user", name, *QUICK)
        teacher.until(name)
    until(lambda: {row["name"] for row in get(api)["members"]} == {"Ann", "Bob"})
    until(lambda: all(row["rate_hs"] for row in get(api)["members"]))
    numbers = {row["name"]: row["number"] for row in get(api)["members"]}
    assert order(desk, do="mode", mode="attack") == 200
    for name, side in (("Ann", "A"), ("Bob", "B")):
        assert order(desk, do="side", number=numbers[name], side=side) == 200
    assert order(desk, do="pause", number=numbers["Bob"], paused=True) == 200
    until(lambda: get(api)["attack"]["active"] == "A")
    until(lambda: get(api)["attack"]["sides"]["A"]["blocks"] >= 2)
    assert order(desk, do="pause", number=numbers["Ann"], paused=True) == 200
    assert order(desk, do="pause", number=numbers["Bob"], paused=False) == 200
    line = teacher.until("the kernel left", within_s=60.0)
    assert "side B wins: the kernel follows the chain with more work" in line
    until(lambda: get(api)["attack"]["active"] == "B")
    assert order(desk, do="mode", mode="solo") == 200
    teacher.until("attack over: side B wins")
    assert teacher.stop() == 0


@pytest.mark.parametrize(("lang", "words"), [((), "45 minutes"), (("de",), "45 Minuten")])
def test_the_plan_is_printed(miner: Start, lang: tuple[str, ...], words: str) -> None:
    done = miner("class", "--plan", *lang)
    assert done.end() == 0 and words in done.out[0] and done.err == []


def test_mistakes_are_one_line_each(miner: Start, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    for arguments, words, code in (
        (("class", "--replay", str(tmp_path / "no.json")), "there is no such file", 2),
        (("class", "--replay", str(tmp_path / "x.json")), "format is None, want a text", 2),
        ((*ROOM[:-1], "0.0.0.0:0"), "the desk is for this computer alone", 2),
    ):
        wrong = miner(*arguments)
        assert wrong.end() == code, wrong.text
        assert words in wrong.text and wrong.text.count("\n") == 1, wrong.text
