"""The port: limits, junk, privileges, browsers."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from miner.transport.listening import ListenAddress, bind, bound
from miner.views.cgminer import server
from miner.views.cgminer.commands import PRIVILEGED
from miner.views.cgminer.server import CgminerServer
from miner.views.feed import Feed
from miner.views.listeners import Listeners
from tests.fakes.engine import until
from tests.faults import fault
from tests.unit.views.web.kit import ADDRESS, status

NOW = status().snapshot(60.0)


@contextmanager
def served() -> Iterator[ListenAddress]:
    listener, complaints = bind(ListenAddress("127.0.0.1", 0), "--cgminer-api"), list[str]()
    listeners = Listeners([CgminerServer(Feed(lambda: NOW), listener)], complaints.append)
    listeners.start()
    try:
        yield bound(listener)
    finally:
        listeners.stop()
        listener.close()
    assert complaints == []


@pytest.fixture(scope="module")
def place() -> Iterator[ListenAddress]:
    with served() as made:
        yield made


def ask(place: ListenAddress, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """The reply, however the request is cut; empty when it is cut off."""
    with socket.create_connection(place, timeout=10) as link:
        try:
            for piece in pieces:
                link.sendall(piece)
                time.sleep(pause_s)
            return b"".join(iter(lambda: link.recv(65536), b""))
        except ConnectionError:
            return b""


def test_a_reply_ends_with_nul_and_the_connection(place: ListenAddress) -> None:
    told = ask(place, b'{"command":"summary+pools+devs"}')
    assert told.endswith(b'"id":1}\0')
    whole = json.loads(told[:-1])
    assert list(whole) == ["summary", "pools", "devs", "id"]
    assert whole["pools"][0]["POOLS"][0]["URL"] == "stratum+tcp://pool.example:3333"


@pytest.mark.parametrize(
    "pieces",
    [
        (b"summary",),
        (b"summary\n",),
        (b"summary\r\n",),
        (b"summary\0",),
        (b"summ", b"ary"),
        (b'{"command":', b'"summary"}'),
        (b'{"command":"summary"}\n',),
        (b'{"command":"summary","parameter":"}"}',),
    ],
)
def test_requests_in_pieces_and_with_ends(place: ListenAddress, pieces: tuple[bytes, ...]) -> None:
    told = ask(place, *pieces, pause_s=0.02)
    assert b"Summary" in told and told.endswith(b"\0")


@fault("A11")
@pytest.mark.parametrize("command", sorted(PRIVILEGED))
def test_nothing_can_be_changed(place: ListenAddress, command: str) -> None:
    for request in (command, f"{command}|0", json.dumps({"command": command, "parameter": "0"})):
        told = ask(place, request.encode() + b"\n")
        assert f"Access denied to '{command}' command".encode() in told
    assert b"Exists=Y,Access=N" in ask(place, f"check|{command}\n".encode())


def test_the_user_is_cut(place: ListenAddress) -> None:
    told = ask(place, b"pools+lcd\n")
    assert ADDRESS.encode() not in told
    assert f"User={ADDRESS[:4]}…{ADDRESS[-4:]}.desk".encode() in told


@fault("A12")
@pytest.mark.parametrize(
    "junk",
    [
        b"a" * (1 << 20),
        b"{" * 5000,
        b'{"command":' + b"[" * 2000 + b"\n",
        b'{"command":{}}',
        b'{"command":null}',
        b'{"command":"a","command":"b"}',
        b"\0" * 100,
        b"+".join([b"x"] * 1000) + b"\n",
        b"+".join(b"x%d" % n for n in range(1000)) + b"\n",
        b"<script>\n",
        b"{}",
        b"\xff\xfe\n",
        b"|\n",
        b"asc|99999999999999999999\n",
        b"asc|<b>\n",
        b"check|" + b"y" * 4000 + b"\n",
        b"summary+asc+check\n",
    ],
    ids=range(17),
)
def test_junk_gets_a_short_error(place: ListenAddress, junk: bytes) -> None:
    began = time.monotonic()
    told = ask(place, junk)
    assert time.monotonic() - began < server.REQUEST_S + 2
    assert b"<" not in told and len(told) < 4096
    assert told == b"" or told.endswith(b"\0")


@fault("A13")
@pytest.mark.parametrize("verb", [b"GET", b"POST", b"OPTIONS", b"pri"])
def test_a_browser_is_cut_off(place: ListenAddress, verb: bytes) -> None:
    body = b'{"command":"summary"}'
    head = verb + b" / HTTP/1.1\r\nHost: localhost:4028\r\nContent-Length: 21\r\n\r\n"
    assert ask(place, head + body) == b""


@fault("A12")
def test_a_request_has_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.4)
    with served() as place:
        assert ask(place) == b""  # nothing is asked
        drip = ask(place, *[b"s"] * 8, pause_s=0.1)  # never quiet for long
        assert b"Invalid command" in drip or drip == b""
        assert b"Summary" in ask(place, b"summary\n")


@fault("A06")
def test_at_most_eight_at_once(place: ListenAddress) -> None:
    waiting = [socket.create_connection(place, timeout=5) for _ in range(server.MOST_CONNECTIONS)]
    assert ask(place, b"summary\n") == b""
    for link in waiting:
        link.close()
    until(lambda: b"Summary" in ask(place, b"summary\n"))


@fault("A14")
def test_a_client_that_leaves_at_once(place: ListenAddress) -> None:
    for _ in range(20):
        with socket.create_connection(place) as link:
            link.sendall(b'{"command":"stats"}')
    until(lambda: b"Summary" in ask(place, b"summary\n"))
