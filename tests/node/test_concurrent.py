"""Miners, proposals, transactions and look-ups at once: no deadlock, no wrong answer."""

import contextlib
import threading
import time
from collections.abc import Callable

from miner.node.service import Node
from tests.node.kit import ANYONE, SEGWIT, Rpc, RpcFailed, mine, spend, work_from

SECONDS = 3.0
VERDICTS = {None, "inconclusive", "duplicate"}  # rivals on one tip


class Loop(threading.Thread):
    """Repeats a step with its own connection until the time is over."""

    def __init__(self, node: Node, step: Callable[[Rpc], None], until: float) -> None:
        super().__init__()
        self.turns = 0
        self.problem: Exception | None = None
        self._rpc, self._step, self._until = Rpc(node), step, until
        self.start()

    def run(self) -> None:
        try:
            while time.monotonic() < self._until:
                self._step(self._rpc)
                self.turns += 1
        except Exception as error:  # noqa: BLE001 (the main thread shows it)
            self.problem = error
        finally:
            self._rpc.close()


def dig(rpc: Rpc) -> None:
    extra = str(threading.get_ident()).encode()[-8:]  # so that two never build the same block
    work = work_from(rpc("getblocktemplate", SEGWIT), extra=extra)
    assert rpc("submitblock", work.build().hex()) in VERDICTS


def propose(rpc: Rpc) -> None:
    raw = work_from(rpc("getblocktemplate", SEGWIT)).build()
    answer = rpc("getblocktemplate", {"mode": "proposal", "data": raw.hex()})
    assert answer in {None, "inconclusive-not-best-prevblk"}


def look(rpc: Rpc) -> None:
    best = rpc("getbestblockhash")
    assert rpc("getblock", best, 2)["hash"] == best
    confirmations = rpc("getblockheader", best)["confirmations"]
    assert confirmations == -1 or confirmations >= 1
    with contextlib.suppress(RpcFailed):  # a reorganisation may shorten the chain in between
        assert rpc("getblockhash", rpc("getblockcount"))


def test_everything_at_once(node: Node, rpc: Rpc) -> None:
    coins = [(work.coinbase().txid, work.value) for work in mine(rpc, 130)[:30]]

    def send(own: Rpc) -> None:
        time.sleep(0.05)
        if coins:
            txid, value = coins.pop()
            tx = spend(txid, 0, [(value - 300, ANYONE)])
            assert own("sendrawtransaction", tx.full().hex()) == tx.txid[::-1].hex()

    until = time.monotonic() + SECONDS
    loops = [Loop(node, step, until) for step in (dig, dig, propose, send, look)]
    for loop in loops:
        loop.join(30)
        assert not loop.is_alive()
        assert loop.problem is None
        assert loop.turns >= 3
    mine(rpc, 2)
    assert rpc("getrawmempool") == []
    total = sum(coin.amount for coin in node._state.coins.unspent.values())
    heights = range(1, rpc("getblockcount") + 1)
    subsidies = sum(5_000_000_000 >> height // 150 for height in heights)
    assert total == subsidies, "no coin was lost or made, whatever branches came and went"
