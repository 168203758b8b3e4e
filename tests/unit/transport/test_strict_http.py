"""The HTTP connection by itself, over a pair of sockets: bounds, ids, deadlines, idle times."""

import http.client
import json
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from miner.errors import ConnectFailed, RemoteProtocolError
from miner.transport import strict_http
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import Endpoint, parse_node_url
from miner.transport.rpc import Rpc, _why_unreachable
from miner.transport.strict_http import Connection, TlsConnection, connection_to, left
from miner.transport.tls import TlsSettings
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode

HERE = Endpoint("http", "127.0.0.1", 1)


@pytest.fixture
def line() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection that is open, and the node's end of it."""
    ours, theirs = socket.socketpair()
    connection = Connection(HERE)
    connection.sock = ours
    connection.prepare("Basic x", time.monotonic() + 20)
    with ours, theirs:
        yield connection, theirs


Line = tuple[Connection, socket.socket]


def ask(connection: Connection, number: int = 7) -> None:
    connection.request("POST", "/", f'{{"method": "x", "params": [], "id": {number}}}')


def answer(line: Line, body: bytes, status: int = 200, length: bool = True) -> Any:
    """What the library is handed when the node answers this."""
    connection, node = line
    ask(connection)
    head = f"HTTP/1.1 {status} X\r\n" + (f"Content-Length: {len(body)}\r\n" if length else "")
    node.sendall(head.encode() + b"\r\n" + body)
    if not length:
        node.shutdown(socket.SHUT_WR)
    return connection.getresponse()


def reply(result: object = None, error: object = None, id: object = 7) -> bytes:
    return json.dumps({"result": result, "error": error, "id": id}).encode()


# -- requests ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "asked", ['{"method": "x", "id": 41}', '{"id": 41, "params": ["' + "y" * 90 + '"]}']
)  # fmt: skip
def test_the_id_is_found_wherever_the_library_puts_it(line: Line, asked: str) -> None:
    connection, node = line
    connection.request("POST", "/elsewhere", asked)
    sent = node.recv(65536)
    assert sent.startswith(b"POST / HTTP/1.1\r\n")
    assert b"Host: 127.0.0.1:1\r\n" in sent and b"Authorization: Basic x\r\n" in sent
    body = reply(5, id=41)
    node.sendall(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    connection.getresponse()
    assert connection.result == 5


# -- idle times -------------------------------------------------------------------------------
def test_a_connection_idles_up_to_20_s(line: Line) -> None:
    connection, node = line
    used = connection._used
    assert connection.usable(used) and connection.usable(used + 20.0)
    assert not connection.usable(used + 20.001)
    node.sendall(b"x")
    assert not connection.usable(used)  # an answer nobody asked for
    assert not Connection(HERE).usable(time.monotonic())


@pytest.mark.parametrize("poll", [True, False])
def test_bytes_that_wait_are_seen_at_once(
    line: Line, monkeypatch: pytest.MonkeyPatch, poll: bool
) -> None:
    """Where there is no poll (Windows), select does it."""
    if not poll:
        monkeypatch.delattr(select, "poll")
    connection, node = line
    started = time.monotonic()
    for _ in range(5):
        assert not strict_http._readable(connection.sock)
    assert time.monotonic() - started < 2.0
    node.sendall(b"x")
    assert strict_http._readable(connection.sock)


def test_a_deadline_that_has_come_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    assert left(5.25) == 0.25
    for deadline in (5.0, 4.9):
        with pytest.raises(TimeoutError):
            left(deadline)


# -- answers ----------------------------------------------------------------------------------
@pytest.mark.parametrize(("size", "handed_on"), [(65536, True), (65537, False)])
def test_a_large_result_is_not_parsed_twice(line: Line, size: int, handed_on: bool) -> None:
    text = "y" * (size - len(reply("")))
    body = reply(text)
    assert len(body) == size
    told = answer(line, body)
    assert line[0].result == text
    assert told.read() == (body if handed_on else reply())
    assert told.getheader("Content-Type") == "application/json"
    assert told.getheader("Server") is None


def test_a_large_error_is_handed_on(line: Line) -> None:
    body = reply(error={"code": -1, "message": "m" * 70_000})
    assert answer(line, body, 500).read() == body


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize(("limit", "good"), [(0, True), (-1, False)])
def test_a_body_of_exactly_the_limit_is_read(
    line: Line, monkeypatch: pytest.MonkeyPatch, length: bool, limit: int, good: bool
) -> None:
    body = reply("y" * 500)
    monkeypatch.setattr(strict_http, "MAX_BODY_BYTES", len(body) + limit)
    if good:
        assert answer(line, body, length=length).read() == body
    else:
        with pytest.raises(RemoteProtocolError, match="an answer above"):
            answer(line, body, length=length)


def test_more_than_the_limit_is_not_even_read(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a length no more than one byte above the limit is asked for."""
    asked: list[int | None] = []
    read = http.client.HTTPResponse.read

    def watched(self: http.client.HTTPResponse, amount: int | None = None) -> bytes:
        asked.append(amount)
        return read(self, amount)

    monkeypatch.setattr(http.client.HTTPResponse, "read", watched)
    monkeypatch.setattr(strict_http, "MAX_BODY_BYTES", 1000)
    answer(line, reply("y" * 500), length=False)
    assert asked[0] == 1001


@pytest.mark.parametrize(("spare", "good"), [(0, True), (-1, False)])
def test_the_whole_answer_is_bounded_with_its_headers(
    line: Line, monkeypatch: pytest.MonkeyPatch, spare: int, good: bool
) -> None:
    body = reply("y" * 500)
    whole = len(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(body)) + len(body)
    monkeypatch.setattr(strict_http, "MAX_WIRE_BYTES", whole + spare)
    if good:
        assert answer(line, body).read() == body
    else:
        with pytest.raises(RemoteProtocolError, match="an answer above"):
            answer(line, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":null,"id":7}', "without result and error"), (b'{"id":7}', "without result"),
        (reply(error=[1]), "an error without code and message"),
        (reply(error={"code": 1}), "an error without code"),
        (reply(error={"message": "x"}), "an error without code"),
        (reply(error={"code": "1", "message": "x"}), "an error without code"),
        (reply(error={"code": True, "message": "x"}), "an error without code"),
        (reply(error={"code": 1, "message": 2}), "an error without code"),
        (reply(1, id=8), "the answer's id is 8, want 7"), (reply(1, id=None), "id is None, want 7"),
        (reply(1, id=7.0), r"id is Decimal\('7\.0'\), want 7"),
        (reply(1, id="x" * 99), rf"id is '{'x' * 36}\.\.\., want 7"),
        (reply(error={"code": 1, "message": "x"}, id=8), "id is 8"),
        (b'{"result":{"a":1,"b":2,"a":3},"error":null,"id":7}', "key 'a' stands twice"),
        (b'{"result":1,"error":null,"id":7,"result":2}', "key 'result' stands twice in"),
        (b"[]", "HTTP 200 without a JSON object"), (b'{"result":NaN}', "without a JSON object"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused_by_what_is_wrong(
    line: Line, body: bytes, words: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        answer(line, body)


@pytest.mark.parametrize("status", [299, 300, 399, 400])
def test_a_redirect_is_called_one(line: Line, status: int) -> None:
    words = "redirects" if 300 <= status <= 399 else "without a JSON object"
    with pytest.raises(RemoteProtocolError, match=words):
        answer(line, b"<html>", status)


def test_an_error_about_an_unreadable_request_has_no_id(line: Line) -> None:
    body = reply(error={"code": -32700, "message": "Parse error"}, id=None)
    assert answer(line, body, 500).read() == body


# -- connections ------------------------------------------------------------------------------
def test_a_connection_is_plain_or_tls_by_its_scheme() -> None:
    assert type(connection_to(HERE, TlsSettings())) is Connection
    secure = connection_to(Endpoint("https", "127.0.0.1", 1), TlsSettings())
    assert isinstance(secure, TlsConnection)
    assert secure.certificate() is None  # before it is connected
    secure.shut()


def test_a_connection_sends_at_once_and_is_shut_from_outside() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = Connection(Endpoint("http", "127.0.0.1", server.getsockname()[1]))
        connection.connect()
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        connection.shut()
        assert connection.sock.recv(1) == b""
        connection.close()
        connection.shut()  # closed already: nothing to do


def test_connections_are_counted(tmp_path: Any) -> None:
    with FakeNode(tmp_path) as node:
        rpc = Rpc(parse_node_url(node.url, 1).endpoint, CookieFile(node.cookie), timeout_s=5)
        assert rpc.opened == 0
        for _ in range(2):
            rpc.call("getblockcount")
            assert rpc.opened == 1
        node.fault("getblockcount", faults.drop())
        rpc.call("getblockcount")
        assert rpc.opened == 2
        rpc.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no connection in time: check address and firewall"),
        (OSError(113, "No route to host"), r"cannot connect \(No route to host\)"),
        (OSError(), r"cannot connect \(OSError\)"),
        (UnicodeError("x"), r"cannot connect \(UnicodeError\)"),
    ],
)
def test_why_a_node_cannot_be_reached(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Connection) -> None:
        raise error

    monkeypatch.setattr(Connection, "connect", fail)
    with pytest.raises(ConnectFailed, match=words):
        Rpc(HERE, CookieFile("nowhere"))._open(time.monotonic() + 5)  # type: ignore[arg-type]
    assert str(HERE) in _why_unreachable(HERE, error)
