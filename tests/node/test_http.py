"""The door of the node: who is let in, what is too big, too slow or too many, and JSON-RPC's forms.

Fault ids A01, A02, A03, A05, A06, A08, A14 of the catalogue.
"""

import base64
import hmac
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, ClassVar

import pytest

from miner.errors import NodeError
from miner.node import http as node_http
from miner.node import rpc as node_rpc
from miner.node.service import Node
from tests.faults import fault
from tests.node.kit import Rpc, mine

PING = b'{"method":"getblockcount","id":1}'


class Raw:
    """A socket to the node that sends what it is told."""

    def __init__(self, node: Node) -> None:
        self.sock = socket.create_connection(("127.0.0.1", node.port), timeout=10)
        self.credentials = base64.b64encode(node.cookie_file.read_bytes()).decode()

    def request(
        self,
        body: bytes = PING,
        *,
        line: str = "POST / HTTP/1.1",
        headers: dict[str, str | None] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        fields: dict[str, str | None] = {
            "Host": "127.0.0.1",
            "Authorization": f"Basic {self.credentials}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        fields |= headers or {}
        head = [line, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
        self.sock.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        return self.reply()

    def reply(self) -> tuple[int, dict[str, str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise ConnectionError("closed without an answer")
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.sock.recv(65536)
        return int(first.split(" ")[1]), headers, body

    def closed(self) -> bool:
        return self.sock.recv(1) == b""

    def close(self) -> None:
        self.sock.close()


@pytest.fixture
def raw(node: Node) -> Iterator[Raw]:
    connection = Raw(node)
    yield connection
    connection.close()


@fault("A01")
def test_listens_on_loopback_alone(node: Node) -> None:
    server = node._server
    assert server is not None
    assert server._listener.getsockname()[0] == "127.0.0.1"


def test_cookie_is_private_and_has_bitcoinds_form(node: Node) -> None:
    text = node.cookie_file.read_text()
    name, _, password = text.partition(":")
    assert name == "__cookie__"
    assert len(bytes.fromhex(password)) == 32
    if os.name == "posix":
        assert stat.S_IMODE(node.cookie_file.stat().st_mode) == 0o600


def test_good_answer_as_bitcoind_gives_it(raw: Raw) -> None:
    status, headers, body = raw.request()
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert body == b'{"result":0,"error":null,"id":1}\n'
    assert raw.request()[0] == 200, "the connection stays open"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"a:b").decode()],
)
def test_wrong_credentials_are_401(raw: Raw, authorization: str | None) -> None:
    started = time.monotonic()
    status, headers, body = raw.request(headers={"Authorization": authorization})
    assert (status, body) == (401, b"")
    assert headers["www-authenticate"] == 'Basic realm="jsonrpc"'
    assert time.monotonic() - started >= 0.24, "guessing is slowed"
    assert raw.closed()


class Watched(bytes):
    """Notes every look at it whose time could depend on what it holds."""

    looks: ClassVar[list[str]] = []
    __hash__ = None  # type: ignore[assignment]


def watch(name: str) -> Callable[..., Any]:
    def look(self: bytes, *arguments: Any) -> Any:
        Watched.looks.append(name)
        return getattr(bytes, name)(self, *arguments)

    return look


for name in ("__eq__", "__ne__", "__lt__", "__gt__", "__contains__", "__getitem__", "__iter__",
             "startswith", "endswith", "find", "index", "count", "decode", "split"):  # fmt: skip
    setattr(Watched, name, watch(name))


def guesses(right: str) -> dict[str, str | None]:
    """Wrong in every way a header can be."""
    return {
        "missing": None, "empty": "", "huge": "Basic " + "A" * 7000,
        "first letter": "x" + right[1:], "last letter": right[:-1] + "~",
        "short": right[:-1], "long": right + "=", "twice": right + right, "half": right[:30],
        "scheme in capitals": right.replace("Basic", "BASIC"), "scheme alone": "Basic ",
        "no scheme": right.removeprefix("Basic "), "other blank": right.replace(" ", "\xa0"),
        "not ASCII": "\xff" * len(right), "not ASCII inside": right[:9] + "\xe9" + right[10:],
        "UTF-8": "Basic é€".encode().decode("latin-1"),
    }  # fmt: skip


def test_the_password_is_compared_in_constant_time(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, as bytes, by hmac.compare_digest, whatever comes: a guess learns nothing from how long
    its refusal takes. `==` would stop at the first wrong byte."""
    server, kinds = node._server, []
    assert server is not None
    right = server._expected.decode()
    Watched.looks.clear()
    monkeypatch.setattr(server, "_expected", Watched(server._expected))
    monkeypatch.setattr(node_rpc, "BAD_PASSWORD_PAUSE_S", 0.0)
    compare = hmac.compare_digest

    def compared(one: bytes, other: bytes) -> bool:
        kinds.append((type(one), type(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compared)
    table = {**guesses(right), "right": right}
    for name, value in table.items():
        with closing(Raw(node)) as raw:
            status = raw.request(headers={"Authorization": value})[0]
        assert status == (200 if name == "right" else 401), name
    assert kinds == [(bytes, Watched)] * len(table)
    assert Watched.looks == []
    assert Watched(b"a") == b"a" and Watched.looks == ["__eq__"], "the watch itself works"


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "evil.example:18443", "127.0.0.1.evil.example", "localhost.",
     "192.168.0.1", "[::2]", "127.0.0.1:18443:1", "127.0.0.1:x", "127.0.0.1:123456",
     "localhost:\u00b2", "127.0.0.1:"],
)  # fmt: skip
@fault("A02")
def test_other_hosts_are_403_before_the_password_counts(raw: Raw, host: str | None) -> None:
    """A page that rebinds its name to 127.0.0.1 still sends its own Host."""
    assert raw.request(headers={"Host": host, "Authorization": None})[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:18443", "[::1]"])
@fault("A02")
def test_names_of_this_machine_pass(raw: Raw, host: str) -> None:
    assert raw.request(headers={"Host": host})[0] == 200


@fault("A03")
def test_web_pages_are_403_even_with_the_password(raw: Raw) -> None:
    """A browser puts Origin on every cross-site POST."""
    assert raw.request(headers={"Origin": "https://evil.example"})[0] == 403


@pytest.mark.parametrize("path", ["/../etc/passwd", "/%2e%2e/", "/wallet/", "//", "/x", "*"])
@fault("A05")
def test_only_one_path_exists(raw: Raw, path: str) -> None:
    assert raw.request(line=f"POST {path} HTTP/1.1")[0] == 404


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET / HTTP/1.1", 405),
        ("OPTIONS / HTTP/1.1", 405),
        ("POST / HTTP/2", 400),
        ("POST / HTTP/1.1 x", 400),
        ("POST /", 400),
        ("", 400),
        ("POST  / HTTP/1.1", 400),
    ],
)
@fault("A08")
def test_wrong_method_version_and_line(raw: Raw, line: str, status: int) -> None:
    found, headers, _ = raw.request(line=line)
    assert found == status
    assert headers.get("allow") == ("POST" if status == 405 else None)
    assert raw.closed()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "-1"}, 400),
        ({"Content-Length": "1e3"}, 400),
        ({"Content-Length": "99999999999"}, 400),
        ({"Content-Length": str(32 * 1024 * 1024 + 1)}, 413),
        ({"Transfer-Encoding": "chunked"}, 400),
        ({"host": "localhost"}, 400),  # a second Host
        ({"Bad Name": "x"}, 400),
        ({"X": "a" * 9000}, 400),
    ],
)
def test_bad_headers(raw: Raw, headers: dict[str, str | None], status: int) -> None:
    assert raw.request(headers=headers)[0] == status
    assert raw.closed()


@fault("A06")
def test_endless_header_is_cut_at_8192_bytes(raw: Raw) -> None:
    raw.sock.sendall(b"POST / HTTP/1.1\r\n" + b"a" * 8192)
    assert raw.reply()[0] == 400


def test_pipelined_and_split_requests(raw: Raw) -> None:
    one = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (raw.credentials.encode(), len(PING), PING)
    )
    raw.sock.sendall(one + one[:50])
    assert raw.reply()[0] == 200
    for at in range(50, len(one), 20):
        raw.sock.sendall(one[at : at + 20])
    assert raw.reply()[0] == 200


def test_connection_close_and_http_1_0(raw: Raw, node: Node) -> None:
    assert raw.request(headers={"Connection": "keep-alive"})[0] == 200
    assert raw.request(headers={"Connection": "Keep-Alive, Close"})[0] == 200
    assert raw.closed()
    old = Raw(node)
    assert old.request(line="POST / HTTP/1.0")[0] == 200
    assert old.closed()
    old.close()


def test_the_bytes_of_bitcoin_cli(raw: Raw) -> None:
    """What recent versions send: JSON-RPC 2.0, named arguments, no port in Host."""
    body = b'{"jsonrpc":"2.0","method":"getblockhash","params":{"height":0},"id":1}\n'
    raw.sock.sendall(
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nAuthorization: Basic %s\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (raw.credentials.encode(), len(body), body)
    )
    status, headers, answer = raw.reply()
    assert (status, headers["connection"]) == (200, "close")
    assert list(json.loads(answer)) == ["jsonrpc", "result", "id"]
    assert raw.closed()


def test_expect_continue(raw: Raw) -> None:
    raw.sock.sendall(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Authorization: Basic %s\r\nContent-Length: %d\r\n\r\n"
        % (raw.credentials.encode(), len(PING))
    )
    assert raw.reply()[0] == 100
    raw.sock.sendall(PING)
    assert raw.reply()[0] == 200


@fault("A06")
def test_slow_headers_are_dropped(node: Node, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline counts for the whole header, so a byte now and then does not help."""
    monkeypatch.setattr(node_http, "HEADER_S", 0.5)
    slow = Raw(node)
    slow.sock.settimeout(0.05)
    started, sent = time.monotonic(), 0
    while time.monotonic() < started + 8:
        try:
            slow.sock.sendall(b"a")
            sent += 1
            assert slow.sock.recv(1) == b""
        except TimeoutError:
            continue
        except OSError:
            pass
        break
    assert 0.4 < time.monotonic() - started < 4
    assert sent > 3
    slow.close()


@fault("A06")
def test_idle_crowds_do_not_keep_the_owner_out(node: Node, rpc: Rpc) -> None:
    """200 silent sockets; whoever has shown the password keeps the place."""
    assert rpc("getblockcount") == 0
    with ExitStack() as crowd:
        for _ in range(200):
            crowd.enter_context(socket.create_connection(("127.0.0.1", node.port)))
        mine(rpc, 3)
        late = crowd.enter_context(closing(Raw(node)))
        assert late.request()[0] == 200
        threads = sum(thread.name == "node-rpc" for thread in threading.enumerate())
        assert threads <= node_rpc.MAX_CONNECTIONS


@fault("A06")
def test_too_many_who_know_the_password_get_503(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_rpc, "MAX_CONNECTIONS", 3)
    friends = [Raw(node) for _ in range(3)]
    for friend in friends:
        assert friend.request()[0] == 200
    with crowded(node) as late:
        status, headers, body = late.reply()
        assert (status, body) == (503, b"Work queue depth exceeded")
        assert headers["content-type"].startswith("text/html")
    for friend in friends:
        assert friend.request()[0] == 200
        friend.close()


@contextmanager
def crowded(node: Node) -> Iterator[Raw]:
    late = Raw(node)
    yield late
    late.close()


@fault("A14")
def test_client_that_leaves_mid_answer_harms_nobody(node: Node, rpc: Rpc) -> None:
    for _ in range(20):
        rude = Raw(node)
        rude.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {rude.credentials}\r\n"
        rude.sock.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(PING) + PING)
        rude.close()
    mine(rpc, 2)


@fault("A14")
def test_a_taken_port_is_said_in_one_line(node: Node) -> None:
    with pytest.raises(NodeError, match=f"port {node.port} .*give another --port"):
        Node.start(port=node.port)
    with Node.start(port=node.port, port_attempts=5) as other:
        assert node.port < other.port <= node.port + 4
