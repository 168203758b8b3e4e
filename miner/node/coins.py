"""The unspent outputs of the active chain, and where each of its transactions stands.

The kernel binding answers no coin queries, so the node keeps this map itself: rebuilt at open,
moved by connected and disconnected blocks. Guarded by the lock of NodeState.
"""

from collections.abc import Sequence

from miner.bitcoin.block import Block
from miner.node.chain import Coin
from miner.node.script import is_unspendable

COINBASE_MATURITY = 100  # blocks on top of a coinbase before the next may spend it

Outpoint = tuple[bytes, int]  # txid in internal order, output index


class Coins:
    """Unspent outputs by outpoint; block hash by txid."""

    def __init__(self) -> None:
        self.unspent: dict[Outpoint, Coin] = {}
        self.block_of: dict[bytes, bytes] = {}

    def connect(self, block: Block, txids: Sequence[bytes], block_hash: bytes, height: int) -> None:
        """Spend and create what a block does. Genesis creates nothing: its coinbase is no coin."""
        for position, (txid, tx) in enumerate(zip(txids, block.transactions, strict=True)):
            self.block_of[txid] = block_hash
            if position:
                for txin in tx.inputs:
                    self.unspent.pop((txin.prev_txid, txin.prev_index), None)
            if height == 0:
                continue
            for index, out in enumerate(tx.outputs):
                if not is_unspendable(out.script):
                    coin = Coin(out.value, out.script, height, position == 0)
                    self.unspent[txid, index] = coin

    def disconnect(
        self, block: Block, txids: Sequence[bytes], spent: Sequence[Sequence[Coin]]
    ) -> None:
        """Undo connect; `spent`: for each transaction but the coinbase, the coins it used."""
        for position in reversed(range(len(txids))):
            tx, txid = block.transactions[position], txids[position]
            self.block_of.pop(txid, None)
            for index in range(len(tx.outputs)):
                self.unspent.pop((txid, index), None)
            if position:
                for txin, coin in zip(tx.inputs, spent[position - 1], strict=True):
                    self.unspent[txin.prev_txid, txin.prev_index] = coin
