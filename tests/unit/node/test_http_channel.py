"""One HTTP connection of the node, over a pair of sockets: sizes, times, the forms of a head."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from miner.node import http
from miner.node.http import MAX_BODY, MAX_HEADER, Channel, Gone, Refused, parse_head, response


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


Pair = tuple[Channel, socket.socket]


def head_of(*lines: str, request: str = "POST / HTTP/1.1") -> bytes:
    return "\r\n".join([request, *lines]).encode("latin-1") + b"\r\n\r\n"


def refused(text: str) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        parse_head(text).body_size()
    return caught.value.status, caught.value.text


# -- heads and bodies ---------------------------------------------------------------------------
def test_requests_behind_each_other_come_out_one_by_one(pair: Pair) -> None:
    channel, peer = pair
    peer.sendall(head_of("Content-Length: 3") + b"one" + head_of("Content-Length: 2", "A: b"))
    head = channel.read_head()
    assert (head.method, head.target, channel.read_body(head)) == ("POST", "/", b"one")
    peer.sendall(b"tw" + b"o")
    head = channel.read_head()
    assert head.headers == {"content-length": "2", "a": "b"}
    assert channel.read_body(head) == b"tw"


def test_a_body_may_come_late_and_in_pieces(pair: Pair) -> None:
    channel, peer = pair
    peer.sendall(head_of("Content-Length: 4", "Expect: 100-Continue"))
    head = channel.read_head()
    threading.Timer(0.05, peer.sendall, [b"cd"]).start()
    peer.sendall(b"ab")
    assert channel.read_body(head) == b"abcd"
    assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(("spare", "good"), [(0, True), (1, False)])
def test_a_head_has_up_to_its_limit(pair: Pair, spare: int, good: bool) -> None:
    channel, peer = pair
    start = "POST / HTTP/1.1\r\nA: "
    text = start + "a" * (MAX_HEADER + spare - len(start))
    assert len(text) == MAX_HEADER + spare
    peer.sendall(text.encode() + b"\r\n\r\n")
    if good:
        assert len(channel.read_head().headers["a"]) == MAX_HEADER - len(start)
    else:
        with pytest.raises(Refused, match=f"header above {MAX_HEADER} bytes") as caught:
            channel.read_head()
        assert caught.value.status == 400


def test_a_head_without_end_is_refused_once_it_is_too_long(pair: Pair) -> None:
    """Up to the limit its end may still come, one byte more is waited for no longer."""
    channel, peer = pair
    peer.sendall(b"a" * (MAX_HEADER + 1))
    with pytest.raises(Refused, match="header above"):
        channel.read_head()
    other, peer = socket.socketpair()
    with other, peer:
        peer.sendall(b"a" * MAX_HEADER)
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(Gone):
            Channel(other).read_head()


@pytest.mark.parametrize("end", ["\r\n\r\n", "\n\n", "\r\n\n", "\n\r\n"])
def test_lines_may_end_in_a_bare_lf(pair: Pair, end: str) -> None:
    """As ckpool's do, all or some of them; what follows the empty line is the body, untouched."""
    channel, peer = pair
    for first in ("\r\n", "\n"):
        head = f"POST / HTTP/1.1{first}Host: a\nContent-Length: 6"
        peer.sendall(head.encode() + end.encode() + b"\n\r\nab\n")
        read = channel.read_head()
        assert read.headers == {"host": "a", "content-length": "6"}
        assert channel.read_body(read) == b"\n\r\nab\n"


def test_a_head_with_bare_lfs_has_up_to_its_limit(pair: Pair) -> None:
    channel, peer = pair
    start = "POST / HTTP/1.1\nA: "
    for spare in (0, 1):
        peer.sendall((start + "a" * (MAX_HEADER + spare - len(start))).encode() + b"\n\n")
        if spare:
            with pytest.raises(Refused, match="header above"):
                channel.read_head()
        else:
            assert len(channel.read_head().headers["a"]) == MAX_HEADER - len(start)


def test_an_empty_head_is_no_request(pair: Pair) -> None:
    channel, peer = pair
    peer.sendall(b"\r\n\r\n")
    with pytest.raises(Refused, match="bad request line"):
        channel.read_head()


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (str(MAX_BODY), None), (str(MAX_BODY + 1), (413, f"body above {MAX_BODY} bytes")),
        ("9999999999", (413, f"body above {MAX_BODY} bytes")), ("0", None),
        ("99999999999", (400, "bad Content-Length")), ("", (400, "bad Content-Length")),
        ("+1", (400, "bad Content-Length")), ("1 ", None), ("٣", (400, "bad Content-Length")),
    ],
)  # fmt: skip
def test_a_body_has_up_to_its_limit(length: str, told: tuple[int, str] | None) -> None:
    text = f"POST / HTTP/1.1\r\nContent-Length: {length}"
    if told is None:
        assert parse_head(text).body_size() == int(length)
    else:
        assert refused(text) == told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GET /", "bad request line"), ("GET / HTTP/1.1 x", "bad request line"),
        ("GET  / HTTP/1.1", "bad request line"), ("GET / HTTP/2", "bad request line"),
        ("GET / HTTP/1.1\r\nno colon", "bad header line"),
        ("GET / HTTP/1.1\r\nA B: c", "bad header line"), ("GET / HTTP/1.1\r\n: c", "bad header"),
        ("GET / HTTP/1.1\r\nA: b\nc", "bad header line"), ("GET / HTTP/1.1\r\nA: \0", "bad header"),
        ("GET / HTTP/1.1\r\n folded", "bad header line"),
        ("GET / HTTP/1.1\r\nHost: a\r\nhost: a", "repeated host"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked", "chunked requests are not supported"),
        ("GET / HTTP/1.1\nTransfer-Encoding: chunked", "chunked requests are not supported"),
        ("GET / HTTP/1.1\nTransfer-Encoding : chunked", "bad header line"),
        ("GET / HTTP/1.1\nContent-Length: 1\nContent-Length: 2", "repeated content-length"),
        ("GET / HTTP/1.1\nContent-Length: 1\n 2", "bad header line"),
        ("GET / HTTP/1.1\nContent-Length: 1\r2", "bad header line"),
        ("GET / HTTP/1.1\nContent-Length: 1\r\r\nA: b", "bad header line"),
        ("GET / HTTP/1.1\rA: b", "bad request line"), ("GET /\r HTTP/1.1", "bad request line"),
        ("GET / HTTP/1.1\nA: b\rHost: c", "bad header line"),
        ("GET / HTTP/1.1\n\rA: b", "bad header line"),
    ],
)  # fmt: skip
def test_a_head_of_another_form_is_refused(text: str, why: str) -> None:
    status, told = refused(text)
    assert status == 400
    assert told.startswith(why)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", None, True), ("1.1", "close", False), ("1.1", "Close", False),
        ("1.1", "keep-alive", True), ("1.0", None, False), ("1.0", "keep-alive", True),
        ("1.0", "close", False),
    ],
)  # fmt: skip
def test_a_connection_is_kept_as_its_version_says(
    version: str, connection: str | None, kept: bool
) -> None:
    lines = f"GET / HTTP/{version}\r\nA:\tb " + (f"\r\nConnection: {connection}" * bool(connection))
    head = parse_head(lines)
    assert head.keep_alive is kept
    assert head.headers["a"] == "b"


# -- times --------------------------------------------------------------------------------------
def test_a_first_head_is_awaited_shortly_and_a_later_one_longer(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, peer = pair
    monkeypatch.setattr(http, "HEADER_S", 0.1)
    monkeypatch.setattr(http, "IDLE_S", 20.0)
    started = time.monotonic()
    with pytest.raises(Gone):
        channel.read_head()
    assert 0.09 <= time.monotonic() - started < 10.0
    peer.sendall(head_of())
    channel.read_head()
    threading.Timer(0.3, peer.sendall, [head_of("Late: yes")]).start()
    assert channel.read_head().headers == {"late": "yes"}


def test_a_head_that_began_is_not_awaited_as_an_idle_peer(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, peer = pair
    peer.sendall(head_of() + b"POST")
    channel.read_head()
    monkeypatch.setattr(http, "HEADER_S", 0.1)
    monkeypatch.setattr(http, "IDLE_S", 20.0)
    started = time.monotonic()
    with pytest.raises(Gone):
        channel.read_head()
    assert 0.09 <= time.monotonic() - started < 10.0


def test_a_body_and_an_answer_have_their_time(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, peer = pair
    peer.sendall(head_of("Content-Length: 2") + b"a")
    head = channel.read_head()
    threading.Timer(0.05, peer.sendall, [b"b"]).start()
    assert channel.read_body(head) == b"ab"
    monkeypatch.setattr(http, "BODY_S", 0.3)
    peer.sendall(head_of("Content-Length: 2") + b"a")
    head = channel.read_head()
    started = time.monotonic()
    with pytest.raises(Gone):
        channel.read_body(head)
    assert 0.29 <= time.monotonic() - started < 10.0
    monkeypatch.setattr(http, "SEND_S", 0.3)
    started = time.monotonic()
    with pytest.raises(Gone):
        channel.send(b"x" * (1 << 24))  # the peer does not read
    assert 0.29 <= time.monotonic() - started < 10.0


def test_a_peer_that_reads_slowly_gets_all(pair: Pair) -> None:
    channel, peer = pair
    got = bytearray()

    def read() -> None:
        time.sleep(0.1)
        while len(got) < 1 << 22:
            got.extend(peer.recv(1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    channel.send(b"y" * (1 << 22))
    reader.join(10.0)
    assert len(got) == 1 << 22


def test_a_peer_that_hung_up_is_seen_without_waiting(pair: Pair) -> None:
    channel, peer = pair
    started = time.monotonic()
    assert not any(channel.peer_closed() for _ in range(5))
    peer.sendall(b"xy")
    assert not channel.peer_closed()
    assert not channel.peer_closed()  # nothing was taken away
    assert channel.sock.recv(10) == b"xy"
    peer.close()
    assert channel.peer_closed()
    assert time.monotonic() - started < 4.0
    channel.sock.close()
    assert channel.peer_closed()


# -- answers ------------------------------------------------------------------------------------
def test_an_answer_names_its_length_unless_it_has_none() -> None:
    assert response(200, b"ab", "text/x", keep_alive=True, extra=("A: b", "C: d")) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 2\r\n"
        b"Connection: keep-alive\r\nA: b\r\nC: d\r\n\r\nab"
    )
    assert response(204, b"", "text/x", keep_alive=False, extra=("A: b",)) == (
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\nA: b\r\n\r\n"
    )
