"""A thousand heights with mixed transactions: the kernel, the node's own maps and an independent
judge agree on every block."""

import random
from collections.abc import Iterator

from miner.node.service import Node
from tests.fakes.blocks import ChainJudge
from tests.node.kit import ANYONE, BARE, SEGWIT, Rpc, Tx, spend, work_from

HEIGHTS = 1000
SEED = 20260101


class Wallet:
    """Outputs anyone may spend: [(height mature, txid, index, value, segwit?)]."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.coins = rng, list[tuple[int, bytes, int, int, bool]]()

    def earn(self, height: int, txid: bytes, value: int, *, segwit: bool) -> None:
        if value:
            self.coins.append((height + 100, txid, 0, value, segwit))

    def transactions(self, height: int) -> Iterator[Tx]:
        """A chain of up to four, each spending the one before: split, pay on, legacy and segwit."""
        ready = [coin for coin in self.coins if coin[0] <= height]
        for coin in self.rng.sample(ready, min(len(ready), self.rng.randrange(3))):
            self.coins.remove(coin)
            _, txid, index, value, segwit = coin
            for _ in range(self.rng.randint(1, 4)):
                fee = self.rng.randrange(1000)
                if value < 4 * (fee + 1000):
                    break
                half = (value - fee) // 2
                kinds = [self.rng.random() < 0.5 for _ in range(2)]
                outputs = [(half, ANYONE if kind else BARE) for kind in kinds]
                tx = spend(txid, index, outputs, segwit=segwit)
                yield tx
                self.coins.append((height, tx.txid, 0, half, kinds[0]))
                txid, index, value, segwit = tx.txid, 1, half, kinds[1]
            else:
                self.coins.append((height, txid, index, value, segwit))


def test_a_thousand_heights_with_mixed_transactions(node: Node, rpc: Rpc) -> None:
    rng, oracle = random.Random(SEED), ChainJudge()
    wallet, sent, confirmed, deep = Wallet(rng), 0, 0, 0
    for height in range(1, HEIGHTS + 1):
        for tx in wallet.transactions(height):
            assert rpc("sendrawtransaction", tx.full().hex(), 0) == tx.txid[::-1].hex()
            sent += 1
        template = rpc("getblocktemplate", SEGWIT)
        assert template["height"] == height
        deep += sum(bool(tx["depends"]) for tx in template["transactions"])
        segwit = rng.random() < 0.5
        work = work_from(template, script=ANYONE if segwit else BARE)
        raw = work.build()
        assert oracle.take(raw) is None, f"height {height}, seed {SEED}"
        assert rpc("submitblock", raw.hex()) is None, f"height {height}, seed {SEED}"
        confirmed += len(work.transactions)
        wallet.earn(height, work.coinbase().txid, work.value, segwit=segwit)
    assert rpc("getblockcount") == HEIGHTS
    assert rpc("getrawmempool") == []
    assert confirmed == sent > 1000
    assert deep > 300, "chains of unconfirmed transactions were mined"
    ours = {point: coin.amount for point, coin in node._state.coins.unspent.items()}
    assert ours == {point: value for point, value in oracle.coins.items() if value}


def test_signalling_follows_bip_9(node: Node, rpc: Rpc) -> None:
    seen = []
    for _ in range(3 * 144 + 1):
        template = rpc("getblocktemplate", SEGWIT)
        seen.append((template["version"], bool(template["vbavailable"]), template["rules"][3:]))
        assert rpc("submitblock", work_from(template).build().hex()) is None
    assert seen[0] == seen[142] == (0x20000000, False, [])  # heights 1..143
    assert seen[143] == seen[430] == (0x30000000, True, [])  # started at 144, locked in at 288
    assert seen[431] == seen[432] == (0x20000000, False, ["testdummy"])  # active at 432
