"""Transactions waiting for a block: admitted when one could hold them now, offered by fee rate.

Consensus rules and Bitcoin Core's words for breaking them, no relay policy beyond bounds: first
seen wins, chains of at most 25. The kernel checks scripts. Guarded by the lock of NodeState.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from miner.bitcoin.tx import MAX_MONEY, Transaction
from miner.node.chain import Coin
from miner.node.coins import COINBASE_MATURITY, Coins, Outpoint
from miner.node.index import BlockIndex
from miner.node.jsonrpc import ALREADY_IN_CHAIN, VERIFY_ERROR, VERIFY_REJECTED, RpcFault
from miner.node.script import sigop_cost

MAX_ANCESTORS = 25  # of one transaction, itself included; Bitcoin Core's classic limit
MAX_TRANSACTIONS = 50_000
MAX_BYTES = 32 * 1024 * 1024  # several blocks' worth
MAX_TX_SIGOPS = 16_000  # a fifth of a block's, Bitcoin Core's policy
BLOCK_WEIGHT, RESERVED_WEIGHT = 4_000_000, 8_000  # the coinbase and header need the reserve
BLOCK_SIGOPS, RESERVED_SIGOPS = 80_000, 400
LOCKTIME_THRESHOLD = 500_000_000  # below: a height; from here on: a time
SEQUENCE_DISABLE, SEQUENCE_TIME, SEQUENCE_MASK = 1 << 31, 1 << 22, 0xFFFF  # BIP 68
FINAL_SEQUENCE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """An admitted transaction."""

    tx: Transaction
    raw: bytes
    txid: bytes
    wtxid: bytes
    fee: int  # satoshi
    weight: int
    sigops: int  # BIP 141 cost
    ancestors: frozenset[bytes]  # txids in the pool, without itself

    @property
    def vsize(self) -> int:
        return -(-self.weight // 4)


class Mempool:
    """Entries in order of arrival, so parents come before their children."""

    def __init__(
        self,
        index: BlockIndex,
        coins: Coins,
        bad_input: Callable[[bytes, list[Coin]], int | None],
    ) -> None:
        self._index, self._coins, self._bad_input = index, coins, bad_input
        self.entries: dict[bytes, Entry] = {}
        self.updates = 1  # counts changes, for longpollid
        self.bytes = 0
        self._spenders: dict[Outpoint, bytes] = {}

    def accept(self, raw: bytes, max_fee_rate: int | None = None) -> bytes:
        """Admit a transaction; its txid. `max_fee_rate`: satoshi per 1000 virtual bytes.

        Raises ValueError when undecodable, RpcFault when refused.
        """
        tx = Transaction.parse(raw)
        txid = tx.txid
        if txid in self.entries:
            return txid
        if any((txid, index) in self._coins.unspent for index in range(len(tx.outputs))):
            raise RpcFault(ALREADY_IN_CHAIN, "Transaction outputs already in utxo set")
        _check_alone(tx, len(raw))
        self._check_time(tx)
        spent = [self._coin(txin.prev_txid, txin.prev_index) for txin in tx.inputs]
        entry = self._entry(tx, raw, txid, spent)
        if max_fee_rate is not None and entry.fee * 1000 > max_fee_rate * entry.vsize:
            reason = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"
            raise RpcFault(VERIFY_ERROR, reason)
        self._check_room(entry)
        if (failed := self._bad_input(raw, spent)) is not None:
            raise _rejected(f"mempool-script-verify-flag-failed (input {failed})")
        self._add(entry)
        return txid

    def _check_time(self, tx: Transaction) -> None:
        """nLockTime against the next block (BIP 113)."""
        tip = self._index.tip
        limit = tip.height + 1 if tx.locktime < LOCKTIME_THRESHOLD else tip.median_time
        if tx.locktime < limit or all(txin.sequence == FINAL_SEQUENCE for txin in tx.inputs):
            return
        raise _rejected("non-final")

    def _coin(self, txid: bytes, index: int) -> Coin:
        if (spender := self._spenders.get((txid, index))) is not None:
            raise _rejected(f"txn-mempool-conflict, spent by {spender[::-1].hex()}")
        if coin := self._coins.unspent.get((txid, index)):
            return coin
        parent = self.entries.get(txid)
        if parent is None or index >= len(parent.tx.outputs):
            raise RpcFault(VERIFY_ERROR, "bad-txns-inputs-missingorspent")
        out = parent.tx.outputs[index]
        return Coin(out.value, out.script, self._index.tip.height + 1, coinbase=False)

    def _entry(self, tx: Transaction, raw: bytes, txid: bytes, spent: list[Coin]) -> Entry:
        height = self._index.tip.height + 1
        for txin, coin in zip(tx.inputs, spent, strict=True):
            depth = height - coin.height
            if coin.coinbase and depth < COINBASE_MATURITY:
                reason = f"tried to spend coinbase at depth {depth}"
                raise _rejected(f"bad-txns-premature-spend-of-coinbase, {reason}")
            if tx.version >= 2 and not self._sequence_passed(txin.sequence, coin.height):
                raise _rejected("non-BIP68-final")
        fee = sum(coin.amount for coin in spent) - sum(out.value for out in tx.outputs)
        if fee < 0:
            raise _rejected("bad-txns-in-belowout")
        sigops = sigop_cost(
            [txin.script for txin in tx.inputs],
            [out.script for out in tx.outputs],
            [txin.witness for txin in tx.inputs],
            [coin.script for coin in spent],
        )
        if sigops > MAX_TX_SIGOPS:
            raise _rejected("bad-txns-too-many-sigops")
        parents = {txin.prev_txid for txin in tx.inputs} & self.entries.keys()
        ancestors = parents.union(*(self.entries[parent].ancestors for parent in parents))
        if len(ancestors) >= MAX_ANCESTORS:
            raise _rejected("too-long-mempool-chain")
        bare = len(tx.serialize(witness=False)) if tx.has_witness else len(raw)
        weight = 3 * bare + len(raw)
        return Entry(tx, raw, txid, tx.wtxid, fee, weight, sigops, frozenset(ancestors))

    def _sequence_passed(self, sequence: int, coin_height: int) -> bool:
        """BIP 68: has the input's relative lock ended for the next block?"""
        if sequence & SEQUENCE_DISABLE:
            return True
        amount, tip = sequence & SEQUENCE_MASK, self._index.tip
        if not sequence & SEQUENCE_TIME:
            return coin_height + amount <= tip.height + 1
        before = self._index.active[min(max(coin_height - 1, 0), tip.height)]
        return before.median_time + (amount << 9) <= tip.median_time

    def _check_room(self, entry: Entry) -> None:
        if entry.weight > BLOCK_WEIGHT - RESERVED_WEIGHT:
            raise _rejected("tx-size")
        full = len(self.entries) >= MAX_TRANSACTIONS or self.bytes + len(entry.raw) > MAX_BYTES
        if full:
            raise _rejected("mempool full")

    def _add(self, entry: Entry) -> None:
        self.entries[entry.txid] = entry
        for txin in entry.tx.inputs:
            self._spenders[txin.prev_txid, txin.prev_index] = entry.txid
        self.bytes += len(entry.raw)
        self.updates += 1

    def remove(self, txids: Iterable[bytes]) -> None:
        """Drop these transactions, where present, and nothing that builds on them."""
        for txid in txids:
            entry = self.entries.pop(txid, None)
            if entry is None:
                continue
            for txin in entry.tx.inputs:
                self._spenders.pop((txin.prev_txid, txin.prev_index), None)
            self.bytes -= len(entry.raw)
            self.updates += 1

    def settle(self, txids: Iterable[bytes], spent: Iterable[Outpoint]) -> None:
        """A block came: its transactions leave, and what conflicts with them, with descendants."""
        confirmed = set(txids)
        conflicts = {self._spenders[point] for point in spent if point in self._spenders}
        conflicts -= confirmed
        if conflicts:
            doomed = [e.txid for e in self.entries.values() if e.ancestors & conflicts]
            self.remove([*doomed, *conflicts])
        self.remove(confirmed)
        self.updates += 1
        for txid, entry in list(self.entries.items()):
            if entry.ancestors & confirmed:
                left = frozenset(entry.ancestors - confirmed)
                self.entries[txid] = Entry(
                    entry.tx, entry.raw, txid, entry.wtxid,
                    entry.fee, entry.weight, entry.sigops, left,
                )  # fmt: skip

    def readmit(self, raws: Iterable[bytes]) -> None:
        """After a reorganisation: judge everything again, quietly dropping what no longer fits."""
        waiting = [*raws, *(entry.raw for entry in self.entries.values())]
        self.remove(list(self.entries))
        for raw in waiting:
            try:
                self.accept(raw)
            except RpcFault:
                continue

    def select(self) -> list[Entry]:
        """What the next block should hold: best ancestor fee rate first, parents before children,
        within weight and sigops."""
        chosen: dict[bytes, Entry] = {}
        weight, sigops = BLOCK_WEIGHT - RESERVED_WEIGHT, BLOCK_SIGOPS - RESERVED_SIGOPS
        for entry in sorted(self.entries.values(), key=self._rate, reverse=True):
            package = [txid for txid in (*entry.ancestors, entry.txid) if txid not in chosen]
            needed = [self.entries[txid] for txid in package]
            package_weight = sum(one.weight for one in needed)
            package_sigops = sum(one.sigops for one in needed)
            if package_weight > weight or package_sigops > sigops:
                continue
            for one in sorted(needed, key=lambda one: len(one.ancestors)):
                chosen[one.txid] = one
            weight, sigops = weight - package_weight, sigops - package_sigops
        return list(chosen.values())

    def _rate(self, entry: Entry) -> float:
        """Fee per weight of the transaction with all its ancestors; for the order alone."""
        package = [entry, *(self.entries[txid] for txid in entry.ancestors)]
        return sum(one.fee for one in package) / sum(one.weight for one in package)


def _check_alone(tx: Transaction, size: int) -> None:
    """What needs no chain: Bitcoin Core's CheckTransaction."""
    if not tx.inputs:
        raise _rejected("bad-txns-vin-empty")
    if not tx.outputs:
        raise _rejected("bad-txns-vout-empty")
    if size * 4 > BLOCK_WEIGHT and len(tx.serialize(witness=False)) * 4 > BLOCK_WEIGHT:
        raise _rejected("bad-txns-oversize")
    if any(out.value < 0 for out in tx.outputs):
        raise _rejected("bad-txns-vout-negative")
    if any(out.value > MAX_MONEY for out in tx.outputs):
        raise _rejected("bad-txns-vout-toolarge")
    if sum(out.value for out in tx.outputs) > MAX_MONEY:
        raise _rejected("bad-txns-txouttotal-toolarge")
    if len({(txin.prev_txid, txin.prev_index) for txin in tx.inputs}) < len(tx.inputs):
        raise _rejected("bad-txns-inputs-duplicate")
    if tx.is_coinbase:
        raise _rejected("coinbase")


def _rejected(reason: str) -> RpcFault:
    return RpcFault(VERIFY_REJECTED, reason)
