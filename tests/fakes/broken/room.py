"""A kept session as anybody may give it, and orders to the desk: refused, or followed."""

import json
import random

from miner import strictjson
from miner.pool.document import Invitation, board
from miner.pool.orders import NotDone, Orders
from miner.pool.record import Record
from miner.pool.recorded import Wrong, parse
from miner.pool.replay import Replay
from miner.pool.screen import Screen
from miner.pool.values import Kind
from tests.fakes.broken.targets import Feed, gist
from tests.fakes.class_session import Session
from tests.unit.pool.kit import Rig

NOBODY = Invitation("", "")


def kept(people: int, seconds: float) -> bytes:
    made = Session(people, seconds)
    record = Record(made.first)
    for event in [*made.events(), *made.attack("AABBB")]:
        record.take(event)
    told = json.loads(record.dump())
    told["events"] = told["events"][:12] + told["events"][-12:]
    return json.dumps(told).encode()


def session_file(dice: random.Random) -> tuple[list[bytes], Feed]:
    """What is read can be shown to its end, as JSON."""

    def feed(data: bytes) -> str:
        try:
            first, events = parse(data)
        except (Wrong, ValueError, RecursionError) as refused:
            return gist(refused)
        wall = [0.0]
        replay = Replay(first, events, 1000.0, lambda: wall[0])
        for _ in range(3):
            json.dumps(board(replay.view(), NOBODY), allow_nan=False)
            wall[0] = wall[0] * 2 + 1e7
        return f"shown {min(len(events), 3)}"

    return [kept(3, 20.0), kept(2, 5.0)], feed


def desk_order(dice: random.Random) -> tuple[list[bytes], Feed]:
    """An order that is refused changes nothing that a board shows."""
    rig = Rig()
    rig.new_template()
    for name in ("Ann", "Bob"):
        rig.room.enter(Kind.STRATUM, name, "", rig.room.new_entry(), rig.now)
    shown = Screen(lambda: rig.room.view(rig.now), NOBODY)
    orders = Orders(rig.room, shown, lambda: rig.now, True)

    def feed(data: bytes) -> str:
        try:
            told = strictjson.loads(data)
        except (ValueError, RecursionError):
            return "no JSON"
        if not isinstance(told, dict):
            return "no object"
        before = shown.document()
        try:
            orders.do(told)
        except NotDone as refused:
            assert shown.document() == before, told
            return gist(refused)
        json.dumps(shown.document(), allow_nan=False)
        return "done"

    asked = [
        {"do": "mode", "mode": "pool"},
        {"do": "mode", "mode": "attack", "part": 0.4},
        {"do": "mode", "mode": "solo"},
        {"do": "split", "part": 0.6},
        {"do": "side", "number": 1, "side": "B"},
        {"do": "pause", "paused": True, "number": None},
        {"do": "pause", "paused": False, "number": 2},
        {"do": "rename", "number": 1, "name": "Ada"},
        {"do": "reset"},
        {"do": "show", "card": "waits"},
        {"do": "difficulty", "hashes": 4096},
        {"do": "difficulty", "seconds": 20},
    ]
    return [json.dumps(one).encode() for one in asked], feed
