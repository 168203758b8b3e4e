"""Answers without end, redirects, and JSON that is not UTF-8: read to a limit, followed nowhere."""

import json

import pytest

from miner.errors import RemoteProtocolError
from miner.transport import strict_http
from miner.transport.rpc import Rpc
from tests.fakes import exchange as faults
from tests.fakes.exchange import Exchange, http
from tests.fakes.node import FakeNode
from tests.faults import fault


def reply(exchange: Exchange) -> bytes:
    return http(200, json.dumps({"result": 7, "error": None, "id": exchange.id}).encode())


FLOODS = {
    "one chunk of size -1": b"-1\r\n" + bytes(1000),
    "chunks of one byte": b"1\r\nx\r\n",
    "plain": bytes(1000),
}


@pytest.mark.parametrize("flood", FLOODS)
@fault("G10")
def test_an_endless_answer_ends_at_the_limit(
    node: FakeNode, rpc: Rpc, monkeypatch: pytest.MonkeyPatch, flood: str
) -> None:
    monkeypatch.setattr(strict_http, "MAX_WIRE_BYTES", 1 << 20)
    monkeypatch.setattr(strict_http, "MAX_BODY_BYTES", 1 << 19)
    coding = b"Transfer-Encoding: chunked\r\n" if flood != "plain" else b""
    sent = 0

    def send(exchange: Exchange) -> None:
        nonlocal sent
        exchange.sock.sendall(b"HTTP/1.1 200 OK\r\n" + coding + b"\r\n")
        while not exchange.node.stopping.is_set():
            exchange.sock.sendall(FLOODS[flood] * 100)
            sent += 100 * len(FLOODS[flood])

    node.fault("x", send)
    with pytest.raises(RemoteProtocolError, match="an answer above"):
        rpc.call("x")
    assert sent < 64 << 20  # what the sockets hold, no more
    assert rpc.call("getblockcount") == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@fault("P14")
def test_credentials_follow_no_redirect(node: FakeNode, rpc: Rpc, status: int) -> None:
    there = f"Location: {node.url}/elsewhere\r\n"
    node.fault("getblockcount", faults.fixed(http(status, b"", "text/html", there)))
    with pytest.raises(RemoteProtocolError, match="give the final URL"):
        rpc.call("getblockcount")
    assert len(node.calls) == 1


@pytest.mark.parametrize("coding", ["utf-16", "utf-8-sig", "utf-32"])
@fault("G10")
def test_json_in_another_coding_is_refused(node: FakeNode, rpc: Rpc, coding: str) -> None:
    def recode(exchange: Exchange) -> bytes:
        body = reply(exchange).split(b"\r\n\r\n", 1)[1]
        return http(200, body.decode().encode(coding))

    node.fault("x", recode)
    with pytest.raises(RemoteProtocolError, match="without a JSON object"):
        rpc.call("x")
