"""A session as a file: the room as it opened and every event since, so that it can be shown again.

One JSON object: `format`, `version`, `first` (the view of the empty room) and `events`. Members are
told whole when they change, else by number. Whole numbers of more than 53 bits are texts.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from miner.pool import values
from miner.pool.values import RoomEvent, RoomView
from miner.views.feed import dump
from miner.work.claim import Answer

FORMAT, VERSION = "homehash class session", 1
MOST_EVENTS = 400_000  # of a session: two hours of 128 members
MOST_REFUSED = 40_000  # shares among them: a flood of bad ones leaves room for the class


class Record:
    """Subscribe `take` to a room before anybody comes in."""

    def __init__(self, first: RoomView) -> None:
        self.first = first
        self.events: list[RoomEvent] = []
        self.cut = False  # it is full: of what came later something is not in it
        self._refused = 0

    def take(self, event: RoomEvent) -> None:
        if type(event) not in WRITERS:
            return
        if isinstance(event, values.ShareJudged) and event.answer is not Answer.ACCEPTED:
            self._refused += 1
            if self._refused > MOST_REFUSED:
                self.cut = True
                return
        if len(self.events) >= MOST_EVENTS:
            self.cut = True
            return
        self.events.append(event)

    def copy(self) -> "Record":
        """As it is now, for another thread; events never change."""
        other = Record(self.first)
        other.events, other.cut = list(self.events), self.cut
        return other

    @property
    def is_worth_keeping(self) -> bool:
        """Has anybody mined?"""
        return any(isinstance(event, values.ShareJudged) for event in self.events)

    def dump(self) -> bytes:
        """The file."""
        return dump({
            "format": FORMAT,
            "version": VERSION,
            "cut": self.cut,
            "first": opening(self.first),
            "events": [written(event) for event in self.events],
        })  # fmt: skip


def opening(view: RoomView) -> dict[str, Any]:
    """Of the room that nobody is in yet."""
    target = view.chain.class_target
    chain = {**asdict(view.chain), "class_target": None if target is None else f"{target:x}"}
    return {
        "at_s": view.started_s,
        "mode": view.mode.name,
        "paused": view.paused,
        "chain": chain,
        "blocks": [asdict(row) for row in view.blocks],
    }


def written(event: RoomEvent) -> dict[str, Any]:
    """One event as JSON."""
    return {"event": type(event).__name__, "at_s": event.at_s, **WRITERS[type(event)](event)}


def _whole(event: Any) -> dict[str, Any]:
    member = event.member
    return {"member": None if member is None else {**asdict(member), "kind": member.kind.name}}


def _share(event: values.ShareJudged) -> dict[str, Any]:
    value = None if event.hash is None else f"{event.hash:064x}"
    told = {"answer": event.answer.name, "difficulty": str(event.difficulty), "hash": value}
    return {"number": event.member.number, **told}


def _found(event: values.BlockFound) -> dict[str, Any]:
    return {
        "number": event.member.number,
        "height": event.height,
        "hash": event.hash_hex,
        "side": event.side,
        "stale": event.stale,
        "difficulty": str(event.difficulty),
        "value": event.value,
    }


WRITERS: dict[type[RoomEvent], Callable[[Any], dict[str, Any]]] = {
    values.Joined: _whole,
    values.Left: _whole,
    values.Renamed: _whole,
    values.SideChanged: _whole,
    values.ShareJudged: _share,
    values.BlockFound: _found,
    values.BlockJudged: lambda one: {
        "hash": one.hash_hex, "accepted": one.accepted, "word": one.word},
    values.TipChanged: lambda one: {
        "height": one.height, "hash": one.hash_hex, "side": one.side,
        "difficulty": str(one.difficulty)},
    values.ModeChanged: lambda one: {"mode": one.mode.name},
    values.TargetChanged: lambda one: {
        "target": None if one.class_target is None else f"{one.class_target:x}"},
    values.Paused: lambda one: {"paused": one.paused, **_whole(one)},
    values.WasReset: lambda one: {},
    values.Slept: lambda one: {"seconds": one.seconds},
}  # fmt: skip
