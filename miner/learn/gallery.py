"""One good block, broken in one place at a time: which rule refuses it?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import commitment_script, push_height, witness_root
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import Transaction, TxIn, TxOut

HARDER_NBITS = 0x207FFFFE
CUT_OFF = "cut-off"  # no block at all: the node answers with error -22
THREE_HOURS_S = 3 * 3600


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken block; `key` is the word by which Bitcoin Core refuses it."""

    key: str
    raw: bytes


def grind(header: Header, hit: bool = True) -> Header:
    """The header with the first nonce that meets its own nbits, or the first that does not."""
    target = target_from_nbits(header.nbits)
    nonce = 0
    while replace(header, nonce=nonce).meets(target) is not hit:
        nonce += 1
    return replace(header, nonce=nonce)


def with_header(block: Block, **changes: int | bytes) -> bytes:
    """The block with another header, its work done again."""
    return replace(block, header=grind(replace(block.header, **changes))).serialize()  # type: ignore[arg-type]


def with_coinbase(block: Block, change: Callable[[Transaction], Transaction]) -> bytes:
    """The block with another coinbase, merkle root and work done again."""
    changed = replace(block, transactions=(change(block.transactions[0]), *block.transactions[1:]))
    return with_header(changed, merkle_root=changed.merkle_root)


def with_transactions(block: Block, *transactions: Transaction) -> bytes:
    """The block with these transactions; commitment, merkle root and work done again."""
    first = transactions[0]
    if first.is_coinbase:
        script = commitment_script(witness_root([tx.wtxid for tx in transactions[1:]]))
        first = replace(first, outputs=(*first.outputs[:-1], TxOut(0, script)))
    changed = replace(block, transactions=(first, *transactions[1:]))
    return with_header(changed, merkle_root=changed.merkle_root)


def faults(block: Block, height: int, median_time: int, now: int) -> list[list[Fault]]:
    """Every exhibit, by rooms: headers, coinbases, shapes.

    `median_time`: of the last 11 blocks, `now`: the node's clock, seconds.
    """
    return [
        _header_faults(block, median_time, now),
        _coinbase_faults(block, height),
        _shape_faults(block),
    ]


def _header_faults(block: Block, median_time: int, now: int) -> list[Fault]:
    root = bytearray(block.header.merkle_root)
    root[0] ^= 1
    lazy = replace(block, header=grind(block.header, hit=False)).serialize()
    return [
        Fault("high-hash", lazy),
        Fault("bad-diffbits", with_header(block, nbits=HARDER_NBITS)),
        Fault("time-too-old", with_header(block, time=median_time)),
        Fault("time-too-new", with_header(block, time=now + THREE_HOURS_S)),
        Fault("bad-version", with_header(block, version=1)),
        Fault("bad-txnmrklroot", with_header(block, merkle_root=bytes(root))),
        Fault("prev-blk-not-found", with_header(block, prev_hash=b"\x11" * 32)),
    ]  # fmt: skip


def _coinbase_faults(block: Block, height: int) -> list[Fault]:
    def script(raw: bytes) -> Callable[[Transaction], Transaction]:
        return lambda tx: replace(tx, inputs=(replace(tx.inputs[0], script=raw),))

    def pay(extra: int) -> Callable[[Transaction], Transaction]:
        def change(tx: Transaction) -> Transaction:
            first = TxOut(tx.outputs[0].value + extra, tx.outputs[0].script)
            return replace(tx, outputs=(first, *tx.outputs[1:]))

        return change

    def commit(tx: Transaction) -> Transaction:
        last = bytearray(tx.outputs[-1].script)
        last[-1] ^= 1
        return replace(tx, outputs=(*tx.outputs[:-1], TxOut(0, bytes(last))))

    def reserve(tx: Transaction) -> Transaction:
        return replace(tx, inputs=(replace(tx.inputs[0], witness=(bytes(31),)),))

    return [
        Fault("bad-cb-amount", with_coinbase(block, pay(1))),
        Fault("bad-cb-height", with_coinbase(block, script(push_height(height + 1) + b"\x00"))),
        Fault("bad-cb-length", with_coinbase(block, script(b"\x51"))),
        Fault("bad-witness-merkle-match", with_coinbase(block, commit)),
        Fault("bad-witness-nonce-size", with_coinbase(block, reserve)),
        Fault("bad-txns-vout-toolarge", with_coinbase(block, pay(22_000_000 * 10**8))),
    ]  # fmt: skip


def _shape_faults(block: Block) -> list[Fault]:
    coinbase = block.transactions[0]
    plain = Transaction((TxIn(b"\x22" * 32, 0, b"\x51"),), (TxOut(1, b"\x51" * 25),))
    other = replace(plain, locktime=1)
    return [
        Fault("bad-cb-missing", with_transactions(block, plain)),
        Fault("bad-cb-multiple", with_transactions(
            block, coinbase, replace(coinbase, locktime=coinbase.locktime + 1))),
        Fault("bad-txns-duplicate", with_transactions(block, coinbase, plain, other, other)),
        Fault("bad-txns-inputs-missingorspent", with_transactions(block, coinbase, plain)),
        Fault(CUT_OFF, block.serialize()[:100]),
    ]  # fmt: skip
