"""The embedded node's RPC: HTTP heads, JSON-RPC bodies, and the methods of a running node."""

import atexit
import json
import random
from collections.abc import Callable
from functools import cache
from typing import Any

from miner.node import jsonrpc
from miner.node.arguments import Argument, arrange
from miner.node.http import Refused, parse_head
from miner.node.jsonrpc import RpcFault
from tests.fakes.broken.solo import recorded
from tests.fakes.broken.targets import Feed, gist

ARGUMENTS = (Argument("first"), Argument("second", required=False))
CODES = (-1, -3, -5, -8, -22, -25, -26, -27, -32601)


def node_http(dice: random.Random) -> tuple[list[bytes], Feed]:
    def feed(data: bytes) -> str:
        try:
            head = parse_head(data.decode("latin-1"))
            size = head.body_size()
        except Refused as refused:
            assert 400 <= refused.status < 500
            return f"{refused.status} {gist(refused.text)}"
        assert 0 <= size <= 32 * 1024 * 1024
        return f"{head.keep_alive} {min(len(head.headers), 5)}"

    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 12\r\nConnection: close"
    chunked = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 1"
    return [head, chunked, b"GET /x HTTP/1.1\r\nhost: a\r\nHOST: b"], feed


def node_json(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Any body has an answer, and it is JSON."""

    def call(method: str, params: jsonrpc.Params) -> Any:
        return arrange(method, params, ARGUMENTS)

    def feed(data: bytes) -> str:
        status, body = jsonrpc.answer(data, call)
        assert status in (200, 204, 400, 404, 500)
        reply = json.loads(body) if body else None
        if not isinstance(reply, dict):
            return f"{status} {type(reply).__name__}"
        return f"{status} {(reply.get('error') or {}).get('code')}"

    one = b'{"jsonrpc":"2.0","method":"help","params":{"first":1},"id":"x"}'
    old = b'{"method":"help","params":["a",2],"id":1}'
    return [one, old, b"[%s,%s,1]" % (one, old), b'{"method":"x","params":{"args":[1]}}'], feed


class NoCaller:
    """Nobody is at the other end."""

    stopping = False

    def hung_up(self) -> bool:
        return True


@cache
def running_node() -> Callable[[str, Any, Any], Any]:
    """What the RPC of this process's node calls for each request."""
    from miner.node.service import Node

    node = Node.start()
    atexit.register(node.stop)
    assert node._server is not None
    return node._server._call


def node_methods(dice: random.Random) -> tuple[list[bytes], Feed]:
    """A real node's methods with broken arguments: an answer, or a code of Bitcoin Core's."""
    call = running_node()

    def feed(data: bytes) -> str:
        try:
            request = json.loads(data)
            method, params = request["method"], request["params"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return "not a request"  # node-json's business
        if method == "stop" or not (type(method) is str and isinstance(params, list | dict)):
            return "not a request"
        for one in params if isinstance(params, list) else params.values():
            if isinstance(one, dict):
                one.pop("longpollid", None)  # it would wait
        try:
            json.dumps(call(method, params, NoCaller()))
        except RpcFault as fault:
            assert fault.code in CODES, f"{fault.code} {fault.message}"
            assert "inside the node" not in fault.message, fault.message
            return f"{gist(method)} {fault.code} {gist(fault.message)}"
        return f"{gist(method)} answered"

    genesis = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    calls: list[tuple[str, list[Any]]] = [
        ("getblock", [genesis, 2]), ("getblockheader", [genesis, True]), ("getblockhash", [0]),
        ("getblocktemplate", [{"rules": ["segwit"], "longpollid": genesis + "1"}]),
        ("getblocktemplate", [{"mode": "proposal", "data": "00" * 200, "rules": ["segwit"]}]),
        ("sendrawtransaction", ["0200", 0.1]), ("help", ["help"]),
    ]  # fmt: skip
    seeds = [json.dumps({"method": m, "params": p}).encode() for m, p in calls]
    seeds += [json.dumps({"method": m, "params": []}).encode() for m, _ in recorded()[:60]]
    return list(dict.fromkeys(seeds)), feed
