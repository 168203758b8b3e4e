"""The teacher's desk over a socket: who may order, and what an order does to the room."""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from miner.bitcoin.address import decode, p2wsh_address
from miner.bitcoin.tx import Transaction
from miner.pool import export
from miner.pool.desk import Desk
from miner.pool.document import Invitation
from miner.pool.orders import Orders
from miner.pool.record import Record
from miner.pool.replay import fold
from miner.pool.screen import Screen
from miner.pool.site import PoolSite
from miner.pool.tally import opening
from miner.pool.values import Mode
from miner.transport.listening import ListenAddress, bind, bound
from miner.views.listeners import Listeners
from miner.views.web.app import Reach
from miner.views.web.server import WebServer
from tests.faults import fault
from tests.unit.pool.kit import NOW, Rig

TOKEN = "t0ken-of-the-teachers-desk"
COMMON = {"Content-Type": "application/json"}


class Room:
    """A room with a door and a desk; orders come over a socket, in the listeners' thread."""

    def __init__(self, easy: bool = True, **rules: Any) -> None:
        self.rig = Rig(**rules)
        self.rig.new_template()
        self.complaints: list[str] = []
        screen = Screen(lambda: self.rig.room.view(self.rig.now), Invitation("miner join h", "u"))
        record = Record(opening(self.rig.room.rules, NOW))
        self.rig.room.subscribe(record.take)
        orders = Orders(self.rig.room, screen, lambda: self.rig.now, easy)
        self.desk = Desk(TOKEN, orders, record)
        self.screen = screen
        listener = bind(ListenAddress("127.0.0.1", 0), "--desk")
        self.port = bound(listener).port
        site = PoolSite([self.desk], Reach((), False), self.complaints.append)
        self.listeners = Listeners([WebServer(site, listener)], self.complaints.append)
        self.listeners.start()

    def ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        told = {name: value for name, value in headers.items() if value}
        try:
            link.request(method, path, body, told)
            reply = link.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()
        finally:
            link.close()

    def get(self, path: str) -> tuple[int, bytes]:
        status, _, body = self.ask("GET", path, None, {})
        return status, body

    def order(self, **told: Any) -> Any:
        """Its error, or None."""
        origin = f"http://127.0.0.1:{self.port}"
        headers = {**COMMON, "Origin": origin, "X-Desk-Token": TOKEN}
        status, _, body = self.ask("POST", f"/{TOKEN}/do", json.dumps(told).encode(), headers)
        answer = json.loads(body)
        assert (status == 200) is (answer == {"ok": True})
        return answer.get("error")

    def close(self) -> None:
        self.listeners.stop()
        assert self.complaints == []


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.close()


@fault("A02")
def test_every_path_but_the_desks_own_files_needs_the_token(room: Room) -> None:
    for path in ("", "room", "events", "session", "members", "blocks", "shares", "do"):
        for token in ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "%00", "../" + TOKEN):
            status, body = room.get(f"/{token}/{path}")
            assert status in (400, 404, 405), (token, path)
            assert TOKEN.encode() not in body
    assert room.get(f"/{TOKEN}/")[0] == 200
    for name in ("desk.js", "desk.css", "board-charts.js", "dom.js"):
        status, body = room.get(f"/{name}")
        assert status == 200 and TOKEN.encode() not in body
    assert room.get("/desk.html")[0] == 404 and room.get("/")[0] == 404


@fault("A02")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Desk-Token": ""}, 403),
        ({"X-Desk-Token": "wrong"}, 403),
        ({"X-Desk-Token": TOKEN + " x"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
    ],
)
def test_an_order_from_elsewhere_changes_nothing(
    room: Room, headers: dict[str, str], status: int
) -> None:
    origin = f"http://127.0.0.1:{room.port}"
    told = {**COMMON, "Origin": origin, "X-Desk-Token": TOKEN} | headers
    body = json.dumps({"do": "mode", "mode": "pool"}).encode()
    answered, back, text = room.ask("POST", f"/{TOKEN}/do", body, told)
    assert answered == status, text
    assert room.rig.room.mode is Mode.SOLO
    assert not [name for name in back if name.lower().startswith("access-control")]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "POST", "TRACE"])
def test_other_methods_are_refused(room: Room, method: str) -> None:
    origin = f"http://127.0.0.1:{room.port}"
    told = {"Origin": origin, "X-Desk-Token": TOKEN, **COMMON}
    told |= {"Access-Control-Request-Method": "POST"}
    status, headers, _ = room.ask(method, f"/{TOKEN}/room", b"{}", told)
    assert status in (405, 413)
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"do": NaN}', b"[" * 4000, b"\xff"])
def test_a_body_that_is_no_object_is_one_line(room: Room, body: bytes) -> None:
    origin = f"http://127.0.0.1:{room.port}"
    told = {**COMMON, "Origin": origin, "X-Desk-Token": TOKEN}
    status, _, text = room.ask("POST", f"/{TOKEN}/do", body, told)
    assert status == 400 and "JSON" in json.loads(text)["error"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({}, "do is None, want one of mode, split, side, pause"),
        ({"do": "explode"}, "do is 'explode', want one of"),
        ({"do": "mode", "mode": "war"}, "mode is 'war', want one of solo, pool, attack"),
        ({"do": "mode", "mode": "attack"}, "two sides need two members who mine"),
        ({"do": "pause", "paused": 1}, "paused is 1, want true or false"),
        ({"do": "pause", "paused": True, "number": 99}, "that member is not here any more"),
        ({"do": "rename", "number": 1, "name": "  "}, "the name is empty"),
        ({"do": "rename", "number": "1", "name": "x"}, "number is '1', want a whole number"),
        ({"do": "rename", "number": 99, "name": "x"}, "that member is not here any more"),
        ({"do": "remove", "number": True}, "number is True, want a whole number"),
        ({"do": "side", "number": 1, "side": "C"}, "side is 'C', want A or B"),
        ({"do": "difficulty", "seconds": 0}, "seconds is 0, want a number of 1 to 3600"),
        ({"do": "difficulty", "seconds": 20}, "the class's rate is not known yet"),
        ({"do": "difficulty", "hashes": 3}, "hashes is 3, want a whole number of 256"),
        ({"do": "show", "card": "x"}, "card is 'x', want one of chain, who"),
    ],
)
def test_a_wrong_order_is_one_line_and_changes_nothing(
    room: Room, order: dict[str, Any], words: str
) -> None:
    room.rig.joined("Ann")
    before = room.rig.room.view(room.rig.now)
    assert words in room.order(**order)
    assert room.rig.room.view(room.rig.now) == before


def test_the_teacher_renames_pauses_removes_and_begins_anew(room: Room) -> None:
    ann, bob = room.rig.joined("Ann"), room.rig.joined("Bob")
    assert room.order(do="rename", number=ann.number, name="<b>Ada</b>") is None
    assert room.rig.room.member(ann.number).name == "<b>Ada</b>"  # type: ignore[union-attr]
    share = ann.miner.find()
    assert room.order(do="pause", number=ann.number, paused=True) is None
    assert "paused" in ann.submit(share)[1]
    assert bob.submit(bob.miner.find()) is None
    share = bob.miner.find()
    assert room.order(do="pause", paused=True) is None
    assert "paused" in bob.submit(share)[1]
    assert room.order(do="pause", paused=False) is None
    assert room.rig.room.view(NOW).members[1].accepted == 1
    assert room.order(do="reset") is None
    assert room.rig.room.view(NOW).members[1].accepted == 0
    assert room.order(do="remove", number=bob.number) is None
    assert bob.transport.closed
    assert room.order(do="show", card="waits") is None and room.screen.focus == "waits"


def test_the_class_target_is_set_by_seconds_at_its_own_rate(room: Room) -> None:
    ann = room.rig.joined("Ann")
    for _ in range(4):
        room.rig.now += 5
        assert ann.submit(ann.miner.find()) is None
    rate = room.rig.room.view(room.rig.now).rate_hs
    assert rate is not None and room.order(do="difficulty", seconds=20) is None
    target = room.rig.room.view(room.rig.now).chain.class_target
    assert target is not None and 2**256 / (target + 1) / rate == pytest.approx(20, rel=0.02)
    assert room.order(do="difficulty", hashes=1 << 20) is None
    assert room.rig.room.view(room.rig.now).chain.class_target == 2**236 - 1


def test_a_chain_with_a_difficulty_of_its_own_keeps_it() -> None:
    made = Room(easy=False, class_target=None)
    assert "the chain's own" in made.order(do="difficulty", seconds=20)
    assert made.rig.room.view(NOW).chain.class_target is None
    made.close()


def outputs(line: Any) -> list[tuple[int, bytes]]:
    """What the newest job of a miner pays, read from the bytes on its wire."""
    fields, miner = line.miner.jobs[-1].fields, line.miner
    raw = bytes.fromhex(fields[2] + miner.extranonce1 + "00" * miner.size + fields[3])
    return [(out.value, out.script) for out in Transaction.parse(raw).outputs]


def test_a_mode_changes_the_coinbases_at_once(room: Room) -> None:
    ann, bob = room.rig.joined("Ann"), room.rig.joined("Bob")
    own = {name: outputs(one) for name, one in (("Ann", ann), ("Bob", bob))}
    for name, paid in own.items():  # the solo race: each job pays an output of that name alone
        program = b"\x6a" + bytes([len(name)]) + name.encode()
        want = decode(p2wsh_address(program, "regtest")).script
        scripts = {script: value for value, script in paid}
        assert [value for value, _ in paid if value] == [5_000_000_000]
        assert program in scripts and scripts[program] == 0, "the name is in an OP_RETURN output"
        (payee,) = [script for value, script in paid if value]
        assert payee == want
    assert own["Ann"] != own["Bob"]
    assert room.order(do="mode", mode="pool") is None
    assert outputs(ann) == outputs(bob) not in list(own.values())
    assert sum(value for value, _ in outputs(ann)) == 5_000_000_000
    assert room.order(do="mode", mode="solo") is None
    assert outputs(ann) == own["Ann"] and outputs(bob) == own["Bob"]


def test_an_export_keeps_nobody_waiting(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is written the class goes on: here until an order has come through."""
    begun, paused = threading.Event(), threading.Event()

    def slow(first: Any, events: Any) -> Any:
        begun.set()
        assert paused.wait(5)
        return fold(first, events)

    monkeypatch.setattr(export, "fold", slow)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(room.get, f"/{TOKEN}/members")
        assert begun.wait(5) and room.order(do="pause", paused=True) is None
        paused.set()
        status, body = asked.result()
    assert status == 200 and body.startswith(b"number,name,")


def test_an_attack_splits_the_class_and_ends_on_one_chain(room: Room) -> None:
    lines = [room.rig.joined(name) for name in ("Ann", "Bob", "Cem")]
    for one, shares in zip(lines, (5, 3, 2), strict=True):
        for _ in range(shares):
            room.rig.now += 1
            assert one.submit(one.miner.find()) is None
    assert room.order(do="mode", mode="attack", part=0.3) is None

    def sides() -> list[str]:
        return [row.member.side for row in room.rig.room.view(room.rig.now).members]

    assert room.rig.room.mode is Mode.ATTACK and sides() == ["A", "B", "A"]
    assert room.order(do="split", part=0.5) is None
    assert sides().count("B") >= 1
    assert room.order(do="side", number=lines[2].number, side="B") is None
    assert sides()[2] == "B"
    room.rig.joined("late")
    room.desk.tick()
    assert sides()[3] == "A"
    assert room.order(do="mode", mode="solo") is None
    assert sides() == ["", "", "", ""] and room.rig.room.view(NOW).attack is None


def test_the_page_is_streamed_and_the_session_kept(room: Room) -> None:
    room.rig.joined("Ann")
    link = http.client.HTTPConnection("127.0.0.1", room.port, timeout=20)
    link.request("GET", f"/{TOKEN}/events")
    stream = link.getresponse()
    told = b""
    while b"\ndata: " not in told:
        told += stream.readline()
    assert json.loads(told.split(b"\ndata: ")[1])["members"][0]["name"] == "Ann"
    link.close()
    status, headers, body = room.ask("GET", f"/{TOKEN}/session", None, {})
    assert status == 200 and headers["content-disposition"].startswith("attachment; filename=")
    assert [one["event"] for one in json.loads(body)["events"]] == ["Joined"]
    assert room.get(f"/{TOKEN}/members")[1].splitlines()[1].startswith(b"1,Ann,miner,")


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        Desk("short", None, None)  # type: ignore[arg-type]
