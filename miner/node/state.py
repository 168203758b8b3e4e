"""The node's one state: chain, headers, coins and mempool, moved together under one lock."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import COMMITMENT_HEADER, WITNESS_RESERVED
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import HEADER_BYTES
from miner.bitcoin.tx import Transaction, TxIn
from miner.node.chain import Chainstate, Outcome
from miner.node.coins import Coins
from miner.node.index import BlockIndex, Row
from miner.node.mempool import Mempool
from miner.node.rules import ChainRules

MAX_FAILED = 10_000  # remembered invalid blocks
FRESH_TIP_S = 24 * 3600  # a tip as young as this ends the initial block download, once


@dataclass(frozen=True, slots=True)
class News:
    """What one block did to the chain."""

    tip: Row  # now
    left: tuple[Row, ...]  # blocks that are no longer in the chain, the newest first
    joined: tuple[Row, ...]  # blocks that are now, the oldest first
    verdicts: dict[bytes, str]  # by hash: "" valid, else the BIP 22 word


class NodeState:
    """Everything the RPC methods read; `changed` is told of each new tip and transaction.

    Take `lock` to read several things that must agree.
    """

    def __init__(self, chain: Chainstate, rules: ChainRules) -> None:
        self.chain, self.rules = chain, rules
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.index, self.coins = BlockIndex(rules.period), Coins()
        self.mempool = Mempool(self.index, self.coins, chain.bad_input)
        self.failed: dict[bytes, None] = {}  # hashes of invalid blocks, oldest first
        self.listeners: list[Callable[[News], None]] = []  # called under the lock, in order
        self._downloading = not rules.private  # nobody has more of a private chain
        for raw in chain.active_blocks():
            block = Block.parse(raw)
            self._connect(self._row(block, len(raw)), block)
        self.tip_since = float("-inf")  # monotonic; of a tip that came while running

    @property
    def tip(self) -> Row:
        return self.index.tip

    @property
    def longpollid(self) -> str:
        """Changes with the tip and with each transaction."""
        return f"{self.tip.hash[::-1].hex()}{self.mempool.updates}"

    def initial_block_download(self) -> bool:
        """As Bitcoin Core sees it: until the tip was once less than a day old."""
        if self._downloading and self.tip.header.time > time.time() - FRESH_TIP_S:
            self._downloading = False
        return self._downloading

    def submit(self, raw: bytes) -> str:
        """Judge a block and move to it if it is best: "" or the BIP 22 word.

        Raises Undecodable, KernelFailed (see chain.py).
        """
        block = _parsed(raw)
        if block is not None and (mended := _with_coinbase_witness(block)) is not None:
            block, raw = mended, mended.serialize()
        with self.lock:
            outcome = self.chain.process(raw)
            for block_hash, word in outcome.verdicts.items():
                self._remember(block_hash, word)
            while len(self.failed) > MAX_FAILED:
                del self.failed[next(iter(self.failed))]
            if outcome.new and block is not None and block.header.prev_hash in self.index.rows:
                self._row(block, len(raw))
            self._tell(outcome, *self._move(outcome, block))
            return outcome.word

    def _tell(self, outcome: Outcome, left: list[Row], joined: list[Row]) -> None:
        if outcome.verdicts or joined:
            news = News(self.tip, tuple(left), tuple(joined), outcome.verdicts)
            for listener in tuple(self.listeners):
                listener(news)

    def _remember(self, block_hash: bytes, word: str) -> None:
        """A header the kernel did not even keep (too new, no parent, no work) may yet pass; so may
        a block that was mutated on its way."""
        mutated = "-merkle" in word or word == "bad-txnmrklroot"
        if word and not mutated and self.chain.known_height(block_hash) is not None:
            self.failed[block_hash] = None

    def read_block(self, row: Row) -> bytes:
        """The block as sent on the wire."""
        raw = self.chain.read(row.hash)
        if raw is None:
            raise RuntimeError(f"block {row.hash[::-1].hex()} is indexed but cannot be read")
        return raw

    def find_row(self, block_hash: bytes) -> Row | None:
        """A stored block; those of side branches from an earlier run are read back here."""
        if row := self.index.rows.get(block_hash):
            return row
        branch: list[tuple[Block, int]] = []
        while block_hash not in self.index.rows:
            raw = self.chain.read(block_hash)
            if raw is None:
                return None
            block = Block.parse(raw)
            branch.append((block, len(raw)))
            block_hash = block.header.prev_hash
        return [self._row(block, size) for block, size in reversed(branch)][-1]

    def _row(self, block: Block, size: int) -> Row:
        return self.index.add(block.header, block.header.hash, len(block.transactions), size)

    def _move(self, outcome: Outcome, submitted: Block | None) -> tuple[list[Row], list[Row]]:
        """Follow the kernel along its disconnected and connected blocks; both, in this order."""
        returned: list[bytes] = []
        left: list[Row] = []
        joined: list[Row] = []
        for connected, _, block_hash in outcome.moves:
            row = self.find_row(block_hash)
            assert row is not None, "the kernel moved to a block it has not stored"
            block = submitted if block_hash == outcome.hash else None
            block = block or Block.parse(self.read_block(row))
            if connected:
                self._connect(row, block)
                joined.append(row)
            else:
                returned += self._disconnect(row, block)
                left.append(row)
        if returned:
            self.mempool.readmit(returned)
        if outcome.moves:
            self.tip_since = time.monotonic()
            self.changed.notify_all()
        return left, joined

    def _connect(self, row: Row, block: Block) -> None:
        txids = [tx.txid for tx in block.transactions]
        self.coins.connect(block, txids, row.hash, row.height)
        self.index.active.append(row)
        self.mempool.settle(txids, _spent(block.transactions[1:]))

    def _disconnect(self, row: Row, block: Block) -> list[bytes]:
        """Step back; the block's transactions, which may wait for another one."""
        self.index.active.pop()
        txids = [tx.txid for tx in block.transactions]
        self.coins.disconnect(block, txids, self.chain.spent_coins(row.hash))
        return [tx.serialize() for tx in block.transactions[1:]]


def _spent(transactions: Iterable[Transaction]) -> list[tuple[bytes, int]]:
    return [(txin.prev_txid, txin.prev_index) for tx in transactions for txin in tx.inputs]


def _parsed(raw: bytes) -> Block | None:
    """None where the kernel shall speak first: it alone decides what is a block."""
    with contextlib.suppress(ValueError):
        return Block.parse(raw)
    return None


def _with_coinbase_witness(block: Block) -> Block | None:
    """The block with the coinbase witness its commitment needs, when it came without: a courtesy of
    Bitcoin Core's submitblock. None when there is nothing to mend."""
    coinbase = block.transactions[0] if block.transactions else None
    if coinbase is None or not coinbase.is_coinbase or coinbase.has_witness:
        return None
    if not any(out.script.startswith(COMMITMENT_HEADER) for out in coinbase.outputs):
        return None
    old = coinbase.inputs[0]
    txin = TxIn(old.prev_txid, old.prev_index, old.script, old.sequence, (WITNESS_RESERVED,))
    mended = Transaction((txin,), coinbase.outputs, coinbase.version, coinbase.locktime)
    return Block(block.header, (mended, *block.transactions[1:]))


def block_hash_of(raw: bytes) -> bytes:
    """The hash of a serialized block; meaningless for fewer than 80 bytes."""
    return sha256d(raw[:HEADER_BYTES])
