"""Crowds, slow heads and stalled readers: bounded, the oldest first; times are passed in."""

import json
import socket
import struct
import time
from dataclasses import replace

import pytest

from miner.state.history import Row
from miner.state.snapshot import AlarmRow, HistoryRow
from miner.views.web import crowd, stream
from miner.views.web.crowd import HEAD_S, MOST, MOST_HALF_OPEN, STALL_S, Crowd
from tests.fakes.engine import until
from tests.faults import fault
from tests.unit.views.web.kit import served, status

NOW = status().snapshot(60.0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class One:
    """A connection on paper."""

    def __init__(self, crowd: Crowd) -> None:
        self.aborted, self.waits, self._crowd = False, 0, crowd

    def abort(self) -> None:
        self.aborted = True
        self._crowd.closed(self)

    def unsent(self) -> int:
        return self.waits


@fault("A06")
def test_at_most_128_are_half_open_the_oldest_goes_first() -> None:
    many = Crowd(Clock())
    ones = [One(many) for _ in range(MOST_HALF_OPEN + 3)]
    for one in ones:
        many.opened(one)
    assert [one.aborted for one in ones] == [True] * 3 + [False] * MOST_HALF_OPEN
    assert many.half_open == len(many) == MOST_HALF_OPEN == 128


@fault("A06")
def test_at_most_320_whose_requests_are_whole_stay() -> None:
    many = Crowd(Clock())
    whole = [One(many) for _ in range(MOST)]
    for one in whole:
        many.opened(one)
        many.whole(one)
    late = One(many)
    many.opened(late)
    assert late.aborted
    assert not any(one.aborted for one in whole)
    assert len(many) == MOST == 320


@fault("A06")
def test_ten_seconds_for_a_head_and_for_what_is_not_taken() -> None:
    clock = Clock()
    many = Crowd(clock)
    slow, reader, stalled = One(many), One(many), One(many)
    for one in (slow, reader, stalled):
        many.opened(one)
    for one in (reader, stalled):
        many.whole(one)
    reader.waits = stalled.waits = 100
    many.sweep()
    clock.now += STALL_S / 2
    reader.waits = 0  # it took everything in between
    many.sweep()
    reader.waits = 100
    many.sweep()
    clock.now += STALL_S / 2
    many.sweep()
    assert HEAD_S == STALL_S == 10.0
    assert [one.aborted for one in (slow, reader, stalled)] == [True, False, True]
    assert len(many) == 1


@fault("A06")
def test_a_half_sent_head_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "HEAD_S", 0.5)
    with served(NOW) as site, site.connect() as slow, site.connect() as silent:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localh")
        began = time.monotonic()
        assert ends(slow) and ends(silent)
        assert time.monotonic() - began < 5
        assert site.get("/healthz").status == 200


@fault("A06")
def test_a_second_head_on_the_same_connection_has_its_limit_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowd, "HEAD_S", 0.5)
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(NOW) as site, site.connect() as link:
        link.sendall(whole)
        assert b" 200 " in link.recv(4096)
        link.sendall(whole[:20])
        assert ends(link)


def ends(link: socket.socket) -> bool:
    try:
        while link.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


@fault("A06")
def test_200_half_open_clients_change_nothing() -> None:
    with served(NOW) as site:
        crowd = [site.connect() for _ in range(200)]
        for link in crowd:
            link.sendall(b"GET / HTTP/1.1\r\n")
        assert site.get("/healthz").status == 200
        for link in crowd:
            link.close()


@fault("A06")
def test_64_streams_then_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST", 3)
    ask = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(NOW) as site:
        readers = [site.connect() for _ in range(3)]
        for link in readers:
            link.sendall(ask)
            assert b"text/event-stream" in link.recv(4096)
        refused = site.get("/api/v1/events")
        assert (refused.status, refused.headers["retry-after"]) == (503, "10")
        readers.pop().close()
        until(lambda: site.get("/api/v1/events", method="HEAD").status == 200)
        for link in readers:
            link.close()


@fault("A14")
def test_a_stream_gives_the_newest_moment_once_a_second() -> None:
    with served(NOW) as site, site.connect() as link:
        link.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        site.now = replace(NOW, change=NOW.change + 7)
        text = b""
        while b"id: %d" % (NOW.change + 7) not in text or not text.endswith(b"\n\n\r\n"):
            piece = link.recv(65536)
            assert piece, text
            text += piece
        told = [line[6:] for line in text.split(b"\n") if line.startswith(b"data: ")]
        assert json.loads(told[-1])["change"] == NOW.change + 7
        assert "machine" not in json.loads(told[-1])


@fault("A14")
def test_a_reader_that_takes_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it is one piece of a snapshot, whatever the time."""
    monkeypatch.setattr(crowd, "STALL_S", 0.5)
    monkeypatch.setattr("miner.views.web.server.TICK_S", 0.01)
    with served(NOW) as site, socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(20)
        link.connect(site.place)
        link.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        large = (AlarmRow("x" * 300_000, 0.0),)  # more than the system buffers, soon
        for step in range(100):
            site.now = replace(NOW, change=NOW.change + step, alarms=large)
            time.sleep(0.02)
        assert ends(link)
        assert site.get("/healthz").status == 200


@fault("A14")
def test_readers_that_leave_in_the_middle_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    row = Row(100.0, 5e6, 4e6, 6e6, 1.0, 0.0, 50.0, 65.0, 0.1)
    day = tuple(row._replace(time_s=100.0 + n) for n in range(20_000))  # a megabyte
    with served(replace(NOW, history=HistoryRow(day, ()))) as site:
        for _ in range(20):
            with socket.socket() as link:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                link.connect(site.place)
                link.sendall(b"GET /api/v1/history HTTP/1.1\r\nHost: localhost\r\n\r\n")
                link.recv(100)
        assert site.get("/healthz").status == 200
    assert capfd.readouterr() == ("", "")
