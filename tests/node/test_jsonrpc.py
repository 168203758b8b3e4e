"""JSON-RPC's forms: versions, batches, notifications, named arguments, and what is wrong."""

import json
from typing import Any

import pytest

from miner.node.service import Node
from tests.node.kit import Rpc, RpcFailed

BATCHES: list[tuple[Any, int, Any]] = [
    ([], 200, []),
    (
        [{"method": "getblockcount", "id": 1}, {"method": "nosuch", "id": "b"}],
        200,
        [
            {"result": 0, "error": None, "id": 1},
            {"result": None, "error": {"code": -32601, "message": "Method not found"}, "id": "b"},
        ],
    ),
    ([{"jsonrpc": "2.0", "method": "getblockcount"}], 204, None),
    (
        {"jsonrpc": "2.0", "method": "getblockcount", "id": 5},
        200,
        {"jsonrpc": "2.0", "result": 0, "id": 5},
    ),
    (
        {"jsonrpc": "2.0", "method": "nosuch", "id": 5},
        200,
        {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": 5},
    ),
    ({"jsonrpc": "2.0", "method": "getblockcount"}, 204, None),
    ({"jsonrpc": "1.0", "method": "getblockcount"}, 200, {"result": 0, "error": None, "id": None}),
    ({"version": "1.1", "method": "getblockcount"}, 200, {"result": 0, "error": None, "id": None}),
    ({"method": "getblockcount"}, 200, {"result": 0, "error": None, "id": None}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "expected"), BATCHES)
def test_versions_and_batches(rpc: Rpc, body: Any, status: int, expected: Any) -> None:
    assert rpc.post(body) == (status, expected)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 500, -32700),
        (b"{", 500, -32700),
        (b"\xff\xfe", 500, -32700),
        (b'{"method":"getblockcount","id":NaN}', 500, -32700),
        (b'{"method":"getblockcount","id":1e400}', 500, -32700),
        (b'{"method":"getblockcount","id":[-1e999]}', 500, -32700),
        (b"[" * 100_000, 500, -32700),
        (b"1" * 5000, 500, -32700),
        (b'"text"', 500, -32700),
        (b"null", 500, -32700),
        (b"{}", 400, -32600),
        (b'{"method":1}', 400, -32600),
        (b'{"method":"getblockcount","params":"x"}', 400, -32600),
        (b'{"method":"getblockcount","jsonrpc":2}', 400, -32600),
        (b'{"method":"getblockcount","jsonrpc":"3.0"}', 400, -32600),
        (b'{"method":"nosuch"}', 404, -32601),
        (b'{"method":"getblockcount","params":[1]}', 500, -1),
        (b'{"method":"getblockhash","params":["1"]}', 500, -3),
        (b'{"method":"getblockhash","params":[true]}', 500, -3),
        (b'{"method":"getblockhash","params":[1.5]}', 500, -3),
        (b'{"method":"getblockhash","params":[10000000000000000000000]}', 500, -8),
    ],
)
def test_bad_requests(rpc: Rpc, body: bytes, status: int, code: int) -> None:
    found, reply = rpc.post(body)
    assert (found, reply["error"]["code"]) == (status, code)
    assert reply["result"] is None
    assert rpc("getblockcount") == 0, "the connection lives on"


def test_named_arguments(rpc: Rpc) -> None:
    def named(method: str, **params: Any) -> Any:
        _, reply = rpc.post({"method": method, "params": params, "id": 1})
        return reply["result"] if reply["error"] is None else reply["error"]["code"]

    genesis = rpc("getblockhash", 0)
    assert named("getblockhash", height=0) == genesis
    assert named("getblock", blockhash=genesis, verbosity=0)[:8] == "01000000"
    assert named("getblock", blockhash=genesis, verbose=False)[:8] == "01000000"
    assert named("getblock", args=[genesis], verbosity=0)[:8] == "01000000"
    assert named("getblocktemplate", template_request={"rules": ["segwit"]})["height"] == 1
    assert named("getblock", blockhash=genesis, nonsense=1) == -8
    assert named("getblock", args=[genesis], blockhash=genesis) == -8
    assert named("getblock", args=genesis) == -8
    assert named("getblock", verbosity=0) == -1


def test_wrong_types_are_named(rpc: Rpc) -> None:
    with pytest.raises(RpcFailed) as caught:
        rpc("submitblock", 5)
    assert caught.value.code == -3
    assert json.loads(caught.value.message.split("\n", 1)[1]) == {
        "Position 1 (hexdata)": "JSON value of type number is not of expected type string"
    }


def test_a_bug_of_ours_is_an_error_and_not_a_dead_connection(
    node: Node, rpc: Rpc, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(node._state.mempool, "entries", None)
    with pytest.raises(RpcFailed, match="getrawmempool failed inside the node") as caught:
        rpc("getrawmempool")
    assert caught.value.code == -1
    assert "TypeError" in caplog.text
    assert rpc("getblockcount") == 0
