"""Hostile and broken miners at the door: each ends alone, with a message; the class goes on."""

import json
from typing import Any

import pytest

from miner.bitcoin.address import p2wsh_address
from tests.fakes.wire_miner import line
from tests.unit.pool.kit import Rig

JUNK: list[bytes] = [
    b"\x16\x03\x01\x02\x00\x01\x00\n",
    b"not json\n",
    b"[]\n",
    b"{}\n",
    b'{"id":1,"method":7}\n',
    b'{"id":1,"method":"mining.subscribe","method":"x"}\n',
    b'{"id":1,"method":"mining.configure","params":7}\n',
    b'{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"zz"}]}\n',
    b'{"id":1,"method":"mining.authorize","params":[]}\n',
    b'{"id":1,"method":"mining.authorize","params":[{"a":1}]}\n',
    b'{"id":1,"method":"mining.suggest_difficulty","params":[0]}\n',
    b'{"id":1,"method":"mining.suggest_difficulty","params":["NaN"]}\n',
    b'{"id":1,"method":"mining.suggest_difficulty","params":[true]}\n',
    b'{"id":1,"method":"mining.suggest_target","params":["00"]}\n',
    b"\xff\xfe\n",
    b"[" * 100 + b"\n",
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_is_answered_and_ten_in_a_row_end_the_connection(junk: bytes) -> None:
    rig = Rig()
    rig.new_template()
    good, bad = rig.joined("Ann"), rig.connect()
    for number in range(10):
        assert not bad.transport.closed
        (reply, *more) = bad.send(junk)
        assert reply["error"][0] == 20 and bool(more) is (number == 9)
    assert bad.transport.closed and "10 bad messages in a row" in bad.miner.messages[-1]
    assert good.submit(good.miner.find()) is None


def test_a_line_above_8_kib_ends_the_connection() -> None:
    rig = Rig()
    for size, closed in ((8192, False), (8193, True)):
        one = rig.connect()
        one.send(b" " * (size - 2) + b"{}" + b"\n")
        assert one.transport.closed is closed
    endless = rig.connect()
    for _ in range(9):
        endless.send(b"x" * 1024)
    assert endless.transport.closed and "8192 bytes" in endless.miner.messages[-1]


def test_a_flood_of_shares_ends_the_connection_with_a_message() -> None:
    rig = Rig()
    rig.new_template()
    one, other = rig.joined("Ann"), rig.joined("Bob")
    params = ["Ann", "x", "00000000", "00000000", "00000000"]
    for second in range(10):  # 45 a second go on for ever
        rig.now += 1
        for _ in range(45):
            one.submit(params)
        assert not one.transport.closed, second
    sent = 0
    while not one.transport.closed:
        one.send(line(1, "mining.submit", *params))
        sent += 1
    assert sent <= 101
    assert one.miner.messages[-1] == "flood: more than 50 shares a second"
    assert any("Ann (192.0.2.7): disconnected: flood" in text for text in rig.told)
    assert other.submit(other.miner.find()) is None


def test_a_flood_of_lines_ends_the_connection() -> None:
    one = Rig().connect()
    one.send(line(1, "mining.ping") * 201)
    assert one.transport.closed and one.miner.messages == ["flood: more than 100 lines a second"]


def test_who_does_not_authorize_within_a_minute_is_sent_away() -> None:
    rig = Rig()
    one = rig.connect()
    one.ask("mining.subscribe", "wire/1")
    rig.now += 59
    one.connection.tick(rig.now)
    assert not one.transport.closed
    rig.now += 1
    one.connection.tick(rig.now)
    assert one.miner.messages == ["no mining.authorize within 60 s"]
    assert one.transport.closed and not one.transport.aborted
    rig.now += 2
    one.connection.tick(rig.now)
    assert one.transport.aborted  # it does not even close its end


def test_who_takes_a_seat_and_never_subscribes_is_sent_away() -> None:
    rig = Rig()
    one = rig.connect()
    one.ask("mining.authorize", "Ann", "x")
    rig.now += 60
    one.connection.tick(rig.now)
    assert one.miner.messages == ["no mining.subscribe within 60 s"] and one.transport.closed


def test_strangers_make_room_for_newer_ones_members_never() -> None:
    rig = Rig()
    rig.new_template()
    member = rig.joined("Ann")
    strangers = [rig.connect() for _ in range(66)]
    assert [one.transport.aborted for one in strangers[:3]] == [True, True, False]
    assert not member.transport.aborted


def test_an_address_that_connects_without_end_is_held_off_for_a_while() -> None:
    rig = Rig()
    rig.new_template()
    member = rig.joined("Ann")
    for _ in range(199):
        one = rig.connect()
        assert not one.transport.aborted
        one.leave()
    held_off = rig.connect()
    assert held_off.transport.aborted and "200 connections in 10 s" in rig.told[-1]
    assert member.submit(member.miner.find()) is None
    rig.now += 10
    assert not rig.connect().transport.aborted


def test_a_miner_that_reads_nothing_is_cut_off() -> None:
    rig = Rig()
    rig.new_template()
    one = rig.joined("Ann")
    one.connection.pause_writing()  # asyncio: more than 64 KiB wait
    assert one.transport.aborted and "takes nothing that is sent" in rig.told[-1]
    assert rig.room.member(1).left_s is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "request_line",
    [b"GET / HTTP/1.1\r\nHost: teacher:3333\r\n\r\n", b"POST / HTTP/1.1\r\nX: 1\r\n\r\n{}"],
)
def test_browsers_and_getwork_miners_are_told_in_http(request_line: bytes) -> None:
    rig = Rig()
    one = rig.connect()
    heard: list[bytes] = []
    one.miner.hear = lambda data: heard.append(data) or []  # type: ignore[method-assign,func-returns-value]
    one.send(request_line)
    assert b"".join(heard).startswith(b"HTTP/1.1 400 ") and b"stratum+tcp://" in b"".join(heard)
    assert one.transport.closed


def test_an_address_as_name_is_told_once_where_its_coins_are() -> None:
    rig = Rig()
    rig.new_template()
    address = p2wsh_address(b"\x51", "main")
    one = rig.joined(f"{address}.desk")
    assert rig.room.member(one.number).name == "desk"  # type: ignore[union-attr]
    assert one.miner.messages == [
        "an address is a name here, you are desk: private class chain; its coins exist only here"
    ]
    assert one.submit(one.miner.find()) is None


def test_markup_in_names_stays_text_and_controls_vanish() -> None:
    rig = Rig()
    rig.new_template()
    one = rig.joined("<b>\x1b[2J\u202eAnn")
    assert rig.room.member(one.number).name == "<b>?Ann"  # type: ignore[union-attr]
    agent = rig.connect()
    agent.ask("mining.subscribe", "\x1b]0;x\x07evil\n<script>" + "y" * 100)
    agent.ask("mining.authorize", "Eve", "x")
    device = rig.room.member(agent.number).device  # type: ignore[union-attr]
    assert device.startswith("evil <script>") and len(device) <= 40 and device.isprintable()


@pytest.mark.parametrize("number", [None, 1.5, True, [1], {"a": 1}, "x" * 65, 2**70, "a"])
def test_ids_are_echoed_when_they_are_plain(number: Any) -> None:
    one = Rig().connect()
    one.send(json.dumps({"id": number, "method": "mining.ping", "params": []}).encode() + b"\n")
    if number is None:
        assert one.miner.lines == []
        return
    plain = number if type(number) is int or number == "a" else None
    assert one.miner.lines == [{"id": plain, "result": "pong", "error": None}]


def test_a_bug_of_ours_ends_one_connection_and_no_reader_ends_the_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig()
    rig.new_template()
    ann, bob = rig.joined("Ann"), rig.joined("Bob")
    monkeypatch.setattr(ann.connection.session, "receive", lambda *_: 1 / 0)
    ann.send(b"{}\n")
    assert ann.transport.aborted and "met a bug" in caplog.text
    heard: list[object] = []
    rig.room.subscribe(lambda event: heard.append(1 / 0))
    rig.room.subscribe(heard.append)
    assert bob.submit(bob.miner.find()) is None
    assert len(heard) == 1 and "a reader of the room failed at ShareJudged" in caplog.text
