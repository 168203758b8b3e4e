"""Long polls wake on a new tip, not before; work is paced; a stopping node says so."""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from miner.node import mining
from miner.node.chain import KernelFailed
from miner.node.service import Node
from tests.node.kit import ANYONE, SEGWIT, Rpc, RpcFailed, mine, spend, work_from

TEMPLATE = {
    "previousblockhash": "00" * 32,
    "height": 1,
    "coinbasevalue": 0,
    "curtime": 1,
    "version": 4,
    "transactions": [],
}


class Waiting:
    """A call in its own thread and connection."""

    def __init__(self, node: Node, *params: Any, method: str = "getblocktemplate") -> None:
        self._method = method
        self.result: Any = None
        self.error: RpcFailed | None = None
        self._rpc, self._params = Rpc(node), params
        self._thread = threading.Thread(target=self._call)
        self._thread.start()

    def _call(self) -> None:
        try:
            self.result = self._rpc(self._method, *self._params)
        except RpcFailed as error:
            self.error = error
        finally:
            self._rpc.close()

    def answered(self, within: float) -> bool:
        self._thread.join(within)
        return not self._thread.is_alive()


def test_long_poll_wakes_on_a_new_tip_and_not_before(node: Node, rpc: Rpc) -> None:
    template = rpc("getblocktemplate", SEGWIT)
    waiting = Waiting(node, {**SEGWIT, "longpollid": template["longpollid"]})
    assert not waiting.answered(0.3)
    mine(rpc)
    assert waiting.answered(5)
    assert waiting.result["height"] == 2


@pytest.mark.parametrize("limit", [[], [0], [60_000]], ids=["none", "zero", "a minute"])
def test_waitfornewblock_wakes_on_a_new_tip_and_not_before(
    node: Node, rpc: Rpc, limit: list[int]
) -> None:
    waiting = Waiting(node, *limit, method="waitfornewblock")
    assert not waiting.answered(0.3)
    mine(rpc)
    assert waiting.answered(5)
    assert waiting.result == {"hash": rpc("getbestblockhash"), "height": 1}


def test_waitfornewblock_ends_at_its_limit_and_at_another_tip(rpc: Rpc) -> None:
    tip = {"hash": rpc("getbestblockhash"), "height": 0}
    began = time.monotonic()
    assert rpc("waitfornewblock", 200, tip["hash"]) == tip
    assert time.monotonic() - began >= 0.2
    assert rpc("waitfornewblock", 60_000, "00" * 32) == tip


@pytest.mark.parametrize(
    ("params", "code"), [([-1], -1), ([1, "00"], -8), ([1, "zz" * 32], -8), (["1"], -3)]
)
def test_waitfornewblock_refuses_what_bitcoin_core_refuses(
    rpc: Rpc, params: list[Any], code: int
) -> None:
    with pytest.raises(RpcFailed) as caught:
        rpc("waitfornewblock", *params)
    assert caught.value.code == code


@pytest.mark.parametrize("longpollid", ["", "00" * 32 + "1", "x"])
def test_an_old_longpollid_is_answered_at_once(rpc: Rpc, longpollid: str) -> None:
    assert rpc("getblocktemplate", {**SEGWIT, "longpollid": longpollid})["height"] == 1


def test_a_changed_mempool_answers_after_a_while(
    node: Node, rpc: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mining, "LONGPOLL_MEMPOOL_S", 0.5)
    monkeypatch.setattr(mining, "WAKE_S", 0.1)
    first = mine(rpc, 101)[0]
    template = rpc("getblocktemplate", SEGWIT)
    waiting = Waiting(node, {**SEGWIT, "longpollid": template["longpollid"]})
    tx = spend(first.coinbase().txid, 0, [(first.value - 500, ANYONE)])
    rpc("sendrawtransaction", tx.full().hex())
    assert waiting.answered(10)
    assert [entry["fee"] for entry in waiting.result["transactions"]] == [500]
    assert waiting.result["longpollid"] != template["longpollid"]


def test_stop_answers_waiting_calls(node: Node, rpc: Rpc) -> None:
    template = rpc("getblocktemplate", SEGWIT)
    waiting = Waiting(node, {**SEGWIT, "longpollid": template["longpollid"]})
    assert not waiting.answered(0.2)
    node.stop()
    assert waiting.answered(5)
    assert waiting.error is not None
    assert (waiting.error.code, waiting.error.message) == (-9, "Shutting down")


def test_a_client_that_hangs_up_frees_its_place(node: Node, rpc: Rpc) -> None:
    template = rpc("getblocktemplate", SEGWIT)
    client = Rpc(node, timeout=0.2)
    with pytest.raises(TimeoutError):
        client("getblocktemplate", {**SEGWIT, "longpollid": template["longpollid"]})
    client.close()
    assert eventually(lambda: sum(t.name == "node-rpc" for t in threading.enumerate()) == 1)


def test_stop_method_stops_the_node(node: Node, rpc: Rpc) -> None:
    assert rpc("stop") == "homehash node stopping"
    assert node.stop_asked.wait(5)
    assert eventually(lambda: not node.cookie_file.parent.exists())
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", node.port))


def test_work_is_held_back_for_the_block_interval() -> None:
    with Node.start(block_interval_s=0.5) as node:
        rpc = Rpc(node)
        template = rpc("getblocktemplate", SEGWIT)  # at once: the chain was there before
        started = time.monotonic()
        assert rpc("submitblock", work_from(template).build().hex()) is None
        assert rpc("getblocktemplate", SEGWIT)["height"] == 2
        assert time.monotonic() - started >= 0.49
        rpc.close()


def eventually(condition: Callable[[], bool], within: float = 5) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_stop_is_quick_among_clients_that_do_not_read(node: Node, rpc: Rpc) -> None:
    """Their answers are larger than any socket buffer; the chain is closed under them."""
    size = 900_000
    mine(rpc, 1, script=b"\x6a\x4e" + size.to_bytes(4, "little") + bytes(size))
    best = rpc("getbestblockhash")
    stuck = [Rpc(node) for _ in range(12)]
    for client in stuck:
        call = {"method": "getblock", "params": [best, 2], "id": 1}
        client._http.request("POST", "/", json.dumps([call] * 2), client._headers)
    time.sleep(0.2)
    started = time.monotonic()
    node.stop()
    assert time.monotonic() - started < 10, "about one second; generous for a busy machine"
    assert not node.cookie_file.parent.exists()
    for client in stuck:
        client.close()
    assert eventually(lambda: not [t for t in threading.enumerate() if t.name == "node-rpc"], 30)


def test_a_stopped_chain_fails_softly(node: Node, rpc: Rpc) -> None:
    """The kernel would crash the process."""
    chain = node._state.chain
    node.stop()
    calls: list[Callable[[], object]] = [
        lambda: chain.height,
        lambda: chain.hash_at(0),
        lambda: chain.read(bytes(32)),
        lambda: chain.process(work_from(TEMPLATE).build()),
        lambda: chain.known_height(bytes(32)),
    ]
    for call in calls:
        with pytest.raises(KernelFailed, match="stopping"):
            call()
