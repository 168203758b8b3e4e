"""Miners, proposals, transactions and look-ups at once: no deadlock, no wrong answer."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable

from miner.node.service import Node
from tests.node.kit import ANYONE, SEGWIT, Rpc, RpcFailed, mine, spend, work_from

SECONDS = 3.0
VERDICTS = {None, "inconclusive", "duplicate"}  # rivals on one tip


def test_everything_at_once(node: Node, rpc: Rpc) -> None:
    coins = [(work.coinbase().txid, work.value) for work in mine(rpc, 130)[:30]]
    deadline, seen, problems = time.monotonic() + SECONDS, Counter[str](), list[BaseException]()
    threads: list[threading.Thread] = []

    def loop(name: str, step: Callable[[Rpc], None]) -> None:
        def run() -> None:
            own = Rpc(node)
            try:
                while time.monotonic() < deadline:
                    step(own)
                    seen[name] += 1
            except Exception as error:
                problems.append(error)
                raise
            finally:
                own.close()

        threads.append(threading.Thread(target=run, name=name))

    def dig(own: Rpc) -> None:
        extra = threading.current_thread().name.encode()
        work = work_from(own("getblocktemplate", SEGWIT), extra=extra)
        assert own("submitblock", work.build().hex()) in VERDICTS

    def propose(own: Rpc) -> None:
        raw = work_from(own("getblocktemplate", SEGWIT)).build()
        answer = own("getblocktemplate", {"mode": "proposal", "data": raw.hex()})
        assert answer in {None, "inconclusive-not-best-prevblk"}

    def send(own: Rpc) -> None:
        if not coins:
            time.sleep(0.05)
            return
        txid, value = coins.pop()
        tx = spend(txid, 0, [(value - 300, ANYONE)])
        assert own("sendrawtransaction", tx.full().hex()) == tx.txid[::-1].hex()
        time.sleep(0.05)

    def look(own: Rpc) -> None:
        best = own("getbestblockhash")
        assert own("getblock", best, 2)["hash"] == best
        header = own("getblockheader", best)
        assert header["confirmations"] == -1 or header["confirmations"] >= 1
        with contextlib.suppress(RpcFailed):  # a reorganisation may shorten the chain in between
            assert own("getblockhash", own("getblockcount"))

    for name, step in (
        ("one", dig),
        ("two", dig),
        ("propose", propose),
        ("send", send),
        ("look", look),
    ):
        loop(name, step)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    assert not any(thread.is_alive() for thread in threads)
    assert all(seen[thread.name] >= 3 for thread in threads), seen
    mine(rpc, 2)
    assert rpc("getrawmempool") == []
    total = sum(coin.amount for coin in node._state.coins.unspent.values())
    height, subsidies = rpc("getblockcount"), 0
    for block in range(1, height + 1):
        subsidies += 5_000_000_000 >> block // 150
    assert total == subsidies, "no coin was lost or made, whatever branches came and went"
