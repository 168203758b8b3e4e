"""A session as a file: shown again it is the same board; a broken file is one line."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from miner.errors import ConfigError
from miner.pool import document, export, record, values
from miner.pool.document import Invitation, board
from miner.pool.record import Record
from miner.pool.recorded import load, parse
from miner.pool.replay import Replay, fold
from miner.pool.values import Mode, RoomEvent
from tests.fakes.class_session import START_S, Session

NOBODY = Invitation("", "")


def session(people: int = 7, seconds: float = 240.0) -> tuple[Session, list[RoomEvent]]:
    """A class that also renames, pauses, resets, is split and joined again."""
    made = Session(people, seconds)
    events = list(made.events())
    first = made.members[0]
    events += [
        values.Renamed(made.now, replace(first, name="Grace"), first.name),
        values.Paused(made.now, True, replace(first, name="Grace", paused=True)),
        values.Paused(made.now, True),
        values.Paused(made.now + 30, False),
        values.TargetChanged(made.now + 30, 2**230),
        values.Slept(made.now + 90, 55.5),
        values.ModeChanged(made.now + 90, Mode.POOL),
    ]
    made.members[1] = replace(made.members[1], left_s=made.now + 91)
    events.append(values.Left(made.now + 91, made.members[1]))
    made.now += 100
    return made, events + list(made.attack("AABBB"))


def recorded(first: values.RoomView, events: list[RoomEvent]) -> Record:
    made = Record(first)
    for event in events:
        made.take(event)
    return made


def test_a_session_read_back_shows_the_same_board() -> None:
    made, events = session()
    kept = recorded(made.first, [*events, values.NewWork(made.now)])
    first, again = parse(kept.dump())
    assert len(again) == len(events)
    for end in (1, 9, len(events) // 2, len(events)):
        now = events[end - 1].at_s + 3
        live = board(fold(made.first, events[:end]).view(now), NOBODY)
        assert board(fold(first, again[:end]).view(now), NOBODY) == live
    live = board(fold(made.first, events).view(made.now), NOBODY)
    assert live["attack"]["reorganised"] == 1 and live["blocks"] and live["waits"] is None
    assert recorded(first, again).dump() == kept.dump(), "nothing is lost on the way"


def test_a_replay_runs_at_its_speed_and_ends_with_the_last_board() -> None:
    made, events = session()
    wall = [500.0]
    replay = Replay(made.first, events, 10.0, lambda: wall[0])
    assert replay.told()["replay"]["ended"] is False
    for passed in (0.0, 1.0, 7.7, 20.0):
        wall[0] = 500.0 + passed
        now = START_S + 10 * passed
        told = [event for event in events if event.at_s <= now]
        assert replay.view() == fold(made.first, told).view(now)
        assert replay.told()["replay"]["at_s"] == pytest.approx(10 * passed)
    wall[0] += 1e6
    end = events[-1].at_s
    assert replay.view() == fold(made.first, events).view(end)
    assert replay.told()["replay"]["ended"] is True


def test_a_replay_tells_all_though_the_clock_was_set_back() -> None:
    made, events = session()
    events[-1] = replace(events[-1], at_s=events[-3].at_s - 5.0)
    wall = [0.0]
    told = Replay(made.first, events, 10.0, lambda: wall[0])
    wall[0] = 1000.0
    assert told.view().change == fold(made.first, events).view(0.0).change
    assert told.told()["replay"]["ended"]


def test_an_empty_session_can_be_shown() -> None:
    made = Session(1, 1.0)
    first, events = parse(Record(made.first).dump())
    told = board(Replay(first, events, 1.0, lambda: 0.0).view(), NOBODY)
    assert (told["members"], told["luck"], told["waits"]) == ([], None, None)
    assert json.loads(json.dumps(told, allow_nan=False))["chain"]["height"] == 0


def test_a_full_record_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    made, events = session()
    monkeypatch.setattr(record, "MOST_EVENTS", 5)
    kept = recorded(made.first, events)
    assert len(kept.events) == 5 and json.loads(kept.dump())["cut"] is True


Change = Callable[[dict[str, Any]], Any]


def share(told: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in told["events"] if one["event"] == "ShareJudged")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(format="x"), "format is not 'homehash class session'"),
        (lambda t: t.update(version=2), "its version is not 1"),
        (lambda t: t.update(events={}), "events is no list of at most 400,000"),
        (lambda t: t.update(first=None), "None is no object"),
        (lambda t: t["first"]["chain"].update(difficulty="1"), "difficulty is '1', want a number"),
        (lambda t: t["first"]["chain"].update(class_target="0"), "want a target above 0"),
        (lambda t: t["events"].insert(0, 7), "event 1: 7 is no object"),
        (lambda t: t["events"][1].update(event="Xed"), "event 2: event is 'Xed', want one of"),
        (lambda t: t["events"][1]["member"].update(name="n" * 99), "event 2: name is"),
        (lambda t: t["events"][1]["member"].update(kind="TEACHER"), "want one of STRATUM, BROWSER"),
        (lambda t: share(t).update(number=99), "number is 99, of nobody who came before"),
        (lambda t: share(t).update(number=True), "number is True, want a whole number"),
        (lambda t: share(t).update(hash="ff"), "hash is 'ff', want 64 hex digits"),
        (lambda t: share(t).update(difficulty="1/0"), "difficulty is '1/0', want a fraction"),
        (lambda t: share(t).update(difficulty=0.5), "difficulty is 0.5, want a fraction"),
        (lambda t: share(t).update(at_s=-1), "at_s is -1, want a number"),
        (lambda t: share(t).update(answer="fine"), "answer is 'fine', want one of ACCEPTED"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, change: Change, words: str) -> None:
    made = Session(3, 40.0)
    told = json.loads(recorded(made.first, list(made.events())).dump())
    change(told)
    path = tmp_path / "class.json"
    path.write_text(json.dumps(told))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ") and words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": NaN}', "[" * 5000])
def test_what_is_no_session_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "class.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"class\.json: (it is no JSON: |it is nested|.* no obj)"):
        load(path)
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "none.json")


def rows(file: export.File) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.body.decode())))


def test_tables_say_what_the_board_says() -> None:
    made, events = session()
    kept = recorded(made.first, events)
    view = fold(made.first, events).view(made.now)
    members = rows(export.members(kept, made.now))
    assert [row["name"] for row in members] == [row.member.name for row in view.members]
    for told, row in zip(members, view.members, strict=True):
        assert int(told["alone_satoshi"]) == row.alone and int(told["blocks"]) == row.blocks
        assert float(told["share_of_work"]) == row.share_of_work
    assert members[1]["left_utc"] > members[1]["joined_utc"] > "2026-"
    blocks = rows(export.blocks(kept, made.now))
    assert sum(row["word"] == "accepted" for row in blocks) == sum(
        row.blocks for row in view.members
    )
    undone = [row for row in blocks if row["word"].startswith("undone")]
    assert [row["side"] for row in undone] == ["A", "A"]
    shares = rows(export.shares(kept, made.now))
    assert len(shares) == sum(isinstance(one, values.ShareJudged) for one in events)
    assert min(row["hash"] for row in shares) == min(
        f"{row.best_hash:064x}" for row in view.members if row.best_hash
    )
    assert export.session(kept, made.now).body == kept.dump()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\t=1", "\uff1d1+1", "\uff20sum"])
def test_no_name_is_a_formula(name: str) -> None:
    (line,) = csv.reader(io.StringIO(export.table(("a",), [(name,)]).decode().split("\r\n", 1)[1]))
    assert line == [f"'{name}"]


def test_a_flood_of_bad_shares_leaves_room_for_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST_REFUSED", 3)
    made = Session(2, 30.0)
    kept = Record(made.first)
    good = values.ShareJudged(made.now, made.members[0], values.Answer.ACCEPTED, Fraction(1), 9)
    for _ in range(5):
        kept.take(replace(good, answer=values.Answer.UNKNOWN_JOB, hash=None))
    kept.take(good)
    assert len(kept.events) == 4 and kept.events[-1] == good and kept.cut


def test_the_machines_beside_are_dated_and_sourced() -> None:
    told = document.beside()
    assert [one["name"] for one in told] == ["Antminer S9", "Antminer S21", "network"]
    assert [one["rate_hs"] for one in told[:2]] == [1.4e13, 2e14]
    assert all(one["source"].startswith("https://") and one["as_of"] >= "2016" for one in told)
