"""The RPC adapter against every way a node or a wire can misbehave."""

import json
import logging
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from miner.errors import (
    ConnectFailed,
    DeadlinePassed,
    MinerError,
    RemoteProtocolError,
    RpcAuthError,
    RpcBusy,
    RpcError,
    RpcForbidden,
    RpcNotReady,
    TransportError,
)
from miner.secret import Secret
from miner.transport.credentials import CookieFile, UserPassword
from miner.transport.endpoint import Endpoint, parse_node_url
from miner.transport.rpc import Rpc
from tests.fakes import exchange as faults
from tests.fakes.exchange import Exchange, http
from tests.fakes.node import FakeNode
from tests.faults import fault

VECTORS = Path(__file__).parents[2] / "vectors" / "rpc"


def reply(exchange: Exchange, **changed: Any) -> bytes:
    body = {"result": 7, "error": None, "id": exchange.id} | changed
    return http(200, json.dumps(body).encode())


def test_a_call_returns_the_result(node: FakeNode, rpc: Rpc) -> None:
    assert rpc.call("getbestblockhash") == node.tip.hash
    assert rpc.call("getblockheader", node.tip.hash)["height"] == 0


def test_numbers_are_int_or_decimal(node: FakeNode, rpc: Rpc) -> None:
    node.fault("x", faults.result({"a": 21_000_000_00000000, "b": 1.5, "c": True}))
    got = rpc.call("x")
    assert got == {"a": 2_100_000_000_000_000, "b": Decimal("1.5"), "c": True}
    assert type(got["a"]) is int


def test_a_large_result_is_whole_and_parsed_once(node: FakeNode, rpc: Rpc) -> None:
    big = {"data": ["ab" * 50_000] * 10}
    node.fault("x", faults.result(big))
    assert rpc.call("x") == big
    assert rpc.call("getblockcount") == 0  # the connection is still in step


@pytest.mark.parametrize("name", ["errors-and-lookups", "submitblock-verdicts", "chain-main"])
@fault("G04")
def test_recorded_answers_of_bitcoin_core(node: FakeNode, rpc: Rpc, name: str) -> None:
    for item in json.loads((VECTORS / f"{name}.json").read_text())["exchanges"]:
        status, response = item["status"], item["response"]
        text = response if isinstance(response, str) else None

        def recorded(exchange: Exchange, item: dict[str, Any] = item) -> bytes:
            told = item["response"]
            body = told if isinstance(told, str) else json.dumps(told | {"id": exchange.id})
            return http(item["status"], body.encode(), item["content_type"])

        node.fault(item["request"]["method"], recorded, times=2 if status == 401 else 1)
        if text is not None:
            with pytest.raises(RpcAuthError):
                rpc.call(item["request"]["method"])
        elif response["error"]:
            with pytest.raises(RpcError) as caught:
                rpc.call(item["request"]["method"], *item["request"]["params"])
            assert caught.value.code == response["error"]["code"]
            assert caught.value.method == item["request"]["method"]
            assert isinstance(caught.value, RpcNotReady) == (caught.value.code in (-9, -10, -28))
        else:
            got = rpc.call(item["request"]["method"], *item["request"]["params"])
            assert got == json.loads(json.dumps(response["result"]), parse_float=Decimal)


@pytest.mark.parametrize("code", [-28, -9, -10])
@fault("G06")
def test_not_ready_is_its_own_error(node: FakeNode, rpc: Rpc, code: int) -> None:
    node.fault("getblockcount", faults.failure(code, "Loading block index..."))
    with pytest.raises(RpcNotReady, match="Loading block index"):
        rpc.call("getblockcount")
    assert rpc.call("getblockcount") == 0


HTML = b"<html><b>It works!</b></html>"
WRONG: dict[str, tuple[bytes, type[MinerError]]] = {
    "forbidden": (http(403, b"", "text/html"), RpcForbidden),
    "busy": (http(503, b"Work queue depth exceeded", "text/html"), RpcBusy),
    "html": (http(200, HTML, "text/html"), RemoteProtocolError),
    "html 500": (http(500, HTML, "text/html"), RemoteProtocolError),
    "redirect": (http(302, b"", extra="Location: http://x/\r\n"), RemoteProtocolError),
    "empty": (http(200, b""), RemoteProtocolError),
    "list": (http(200, b"[]"), RemoteProtocolError),
    "text": (http(200, b'"hi"'), RemoteProtocolError),
    "nan": (http(200, b'{"result":NaN,"error":null,"id":1}'), RemoteProtocolError),
    "not utf-8": (http(200, b'{"result":"\xff","error":null}'), RemoteProtocolError),
    "deep": (http(200, b"[" * 200_000), RemoteProtocolError),
    "no result": (http(200, b"{}"), RemoteProtocolError),
    "text error": (http(500, b'{"error":"code","id":1}'), RemoteProtocolError),
    "error without code": (http(500, b'{"error":{},"id":1}'), RemoteProtocolError),
    "not http": (b"220 smtp ready\r\n\r\n", RemoteProtocolError),
    "huge length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        RemoteProtocolError,
    ),
}


@pytest.mark.parametrize("name", WRONG)
@fault("G04")
def test_wrong_answers_get_typed_errors_and_the_lane_recovers(
    node: FakeNode, rpc: Rpc, name: str
) -> None:
    raw, kind = WRONG[name]
    node.fault("getblockcount", faults.fixed(raw))
    with pytest.raises(kind) as caught:
        rpc.call("getblockcount")
    assert type(caught.value) is kind
    assert str(caught.value).isprintable()
    assert rpc.call("getblockcount") == 0


@pytest.mark.parametrize("bad", [None, 0, "1", 1.0, True])
def test_an_answer_with_another_id_is_refused(node: FakeNode, rpc: Rpc, bad: object) -> None:
    node.fault("getblockcount", lambda exchange: reply(exchange, id=bad))
    with pytest.raises(RemoteProtocolError, match="id is"):
        rpc.call("getblockcount")
    assert rpc.call("getblockcount") == 0


def test_content_type_does_not_matter(node: FakeNode, rpc: Rpc) -> None:
    for kind in ("application/json; charset=utf-8", "text/plain"):
        node.fault("x", lambda e, kind=kind: reply(e).replace(b"application/json", kind.encode()))  # type: ignore[misc]
        assert rpc.call("x") == 7
    node.fault("x", lambda e: reply(e).replace(b"Content-Type: application/json\r\n", b""))
    assert rpc.call("x") == 7


def chunked(exchange: Exchange) -> bytes:
    _, body = reply(exchange).split(b"\r\n\r\n", 1)
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:5], body[5:])) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces


@fault("G10")
def test_chunked_answers_are_read(node: FakeNode, rpc: Rpc) -> None:
    node.fault("x", chunked)
    assert rpc.call("x") == 7
    assert rpc.call("getblockcount") == 0


@fault("G10")
def test_an_answer_that_ends_with_the_connection_is_read(node: FakeNode, rpc: Rpc) -> None:
    def until_close(exchange: Exchange) -> bytes:
        body = reply(exchange).split(b"\r\n\r\n", 1)[1]
        return b"HTTP/1.0 200 OK\r\n\r\n" + body + b"\0CUT"

    node.fault("x", until_close)
    assert rpc.call("x") == 7
    assert rpc.call("getblockcount") == 0


@pytest.mark.parametrize("keep", [1, 30, 90, 100])
@fault("G10")
def test_a_truncated_answer_leaves_the_outcome_unknown(node: FakeNode, rpc: Rpc, keep: int) -> None:
    node.fault("getblockcount", faults.accept_then_truncate(keep))
    with pytest.raises((TransportError, RemoteProtocolError)) as caught:
        rpc.call("getblockcount")
    assert not isinstance(caught.value, ConnectFailed)
    assert rpc.call("getblockcount") == 0


@fault("G10")
def test_a_read_survives_an_idle_close_in_silence(node: FakeNode, rpc: Rpc) -> None:
    rpc.call("getblockcount")
    node.fault("getblockcount", faults.drop())
    assert rpc.call("getblockcount") == 0
    assert [call[1] for call in node.calls] == ["getblockcount"] * 3


@fault("G10")
def test_submitblock_is_never_repeated_in_silence(node: FakeNode, rpc: Rpc) -> None:
    rpc.call("getblockcount")
    node.fault("submitblock", faults.drop())
    with pytest.raises(TransportError):
        rpc.call("submitblock", "00")
    assert [call[1] for call in node.calls] == ["getblockcount", "submitblock"]


def test_a_connection_the_node_closed_is_replaced_before_use(node: FakeNode, rpc: Rpc) -> None:
    node.fault("getblockcount", lambda e: reply(e) + b"\0CUT")
    rpc.call("getblockcount")
    deadline = time.monotonic() + 5
    while rpc._drop_stale() and time.monotonic() < deadline:
        time.sleep(0.01)
    node.fault("submitblock", lambda e: reply(e, result=None))
    assert rpc.call("submitblock", "00") is None


@fault("G02")
def test_a_rotated_cookie_is_read_again(node: FakeNode, rpc: Rpc) -> None:
    rpc.call("getblockcount")
    node.rotate_cookie()
    assert rpc.call("getblockcount") == 0


@fault("G02")
def test_a_cookie_rotated_under_the_call_is_read_again(node: FakeNode, rpc: Rpc) -> None:
    """The file changes between our reading it and the node's checking it."""
    stale = CookieFile(node.cookie).authorization()
    node.rotate_cookie()
    real, first = rpc._credentials.authorization, [stale]

    class Racing(CookieFile):
        def authorization(self) -> str:
            return first.pop() if first else real()

    rpc._credentials = Racing(node.cookie)
    node.fault("submitblock", lambda e: reply(e, result=None))
    assert rpc.call("submitblock", "00") is None
    assert [call[1] for call in node.calls] == ["submitblock", "submitblock"]


def test_wrong_credentials_are_refused_without_showing_them(node: FakeNode) -> None:
    endpoint = parse_node_url(node.url, 1).endpoint
    rpc = Rpc(endpoint, UserPassword("alice", Secret("canary")))
    with pytest.raises(RpcAuthError) as caught:
        rpc.call("getblockcount")
    assert "canary" not in f"{caught.value}{rpc!r}{vars(rpc)}{rpc._credentials!r}"
    rpc.close()


@fault("P14")
def test_no_log_record_holds_the_cookie(
    node: FakeNode, rpc: Rpc, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rpc.call("getblockcount")
    node.fault("getblockcount", faults.failure(-1, "x"))
    with pytest.raises(RpcError):
        rpc.call("getblockcount")
    assert node.password not in caplog.text


@fault("G23")
def test_a_silent_node_meets_the_deadline(node: FakeNode, rpc: Rpc) -> None:
    node.fault("getblockcount", faults.accept_then_hang(30))
    started = time.monotonic()
    with pytest.raises(DeadlinePassed):
        rpc.call("getblockcount", timeout_s=0.3)
    assert time.monotonic() - started < 3
    assert rpc.call("getblockcount") == 0


def test_a_dripping_node_meets_the_deadline_for_the_whole_answer(node: FakeNode, rpc: Rpc) -> None:
    def drip(exchange: Exchange) -> None:
        for byte in reply(exchange):
            exchange.sock.sendall(bytes([byte]))
            if exchange.node.stopping.wait(0.05):
                break

    node.fault("getblockcount", drip)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed):
        rpc.call("getblockcount", timeout_s=0.4)
    assert time.monotonic() - started < 2


def test_abort_ends_a_long_poll_at_once(node: FakeNode, rpc: Rpc) -> None:
    node.fault("getblocktemplate", faults.accept_then_hang(30))
    ended: list[BaseException] = []

    def poll() -> None:
        try:
            rpc.call("getblocktemplate", {"rules": ["segwit"]}, timeout_s=30)
        except MinerError as error:
            ended.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    while not node.calls:
        time.sleep(0.01)
    rpc.abort()
    thread.join(3)
    assert not thread.is_alive()
    assert isinstance(ended[0], TransportError)
    with pytest.raises(ConnectFailed, match="stopping"):
        rpc.call("getblockcount")


def test_an_unreachable_node_says_what_to_do(node: FakeNode, rpc: Rpc) -> None:
    node.stop()
    node.rotate_cookie()
    with pytest.raises(ConnectFailed, match="refused: start the node"):
        rpc.call("getblockcount")
    node.start()
    assert rpc.call("getblockcount") == 0


def test_an_unknown_name_is_named() -> None:
    rpc = Rpc(Endpoint("http", "no-such-host.invalid", 1), UserPassword("a", Secret("b")))
    with pytest.raises(ConnectFailed, match=r"no-such-host\.invalid"):
        rpc.call("getblockcount")


def test_lanes_do_not_block_each_other(node: FakeNode, rpc: Rpc) -> None:
    """A long poll waits on its own lane while another lane answers."""
    node.fault("getblocktemplate", faults.accept_then_hang(30))
    waiting = Rpc(rpc.endpoint, CookieFile(node.cookie))
    thread = threading.Thread(target=lambda: _ignore(waiting))
    thread.start()
    assert rpc.call("getblockcount") == 0
    waiting.abort()
    thread.join(3)
    assert not thread.is_alive()
    waiting.close()


def _ignore(rpc: Rpc) -> None:
    with pytest.raises(TransportError):
        rpc.call("getblocktemplate", {"rules": ["segwit"]})
