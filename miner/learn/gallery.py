"""One good block, broken in one place at a time: which rule refuses it?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import commitment_script, push_height, witness_root
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import Transaction, TxIn, TxOut

HARDER_NBITS = 0x207FFFFE
THREE_HOURS_S = 3 * 3600


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken block, what was done to it, and the word Bitcoin Core answers."""

    word: str
    change: str
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


def faults(block: Block, height: int, median_time: int, now: int) -> list[Fault]:
    """Every exhibit; `median_time`: of the last 11 blocks, `now`: the node's clock, seconds."""
    return [*_header_faults(block, median_time, now), *_coinbase_faults(block, height),
            *_shape_faults(block)]  # fmt: skip


def _header_faults(block: Block, median_time: int, now: int) -> list[Fault]:
    root = bytearray(block.header.merkle_root)
    root[0] ^= 1
    lazy = replace(block, header=grind(block.header, hit=False)).serialize()
    return [
        Fault("high-hash", "a nonce whose hash is above the target", lazy),
        Fault("bad-diffbits", "nbits one lower than the chain asks for",
              with_header(block, nbits=HARDER_NBITS)),
        Fault("time-too-old", "time of the median of the last 11 blocks",
              with_header(block, time=median_time)),
        Fault("time-too-new", "time three hours ahead",
              with_header(block, time=now + THREE_HOURS_S)),
        Fault("bad-version", "version 1, refused since 2013", with_header(block, version=1)),
        Fault("bad-txnmrklroot", "one bit of the merkle root flipped",
              with_header(block, merkle_root=bytes(root))),
        Fault("prev-blk-not-found", "a parent nobody knows",
              with_header(block, prev_hash=b"\x11" * 32)),
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
        Fault("bad-cb-amount", "pays one satoshi too much", with_coinbase(block, pay(1))),
        Fault("bad-cb-height", "says the next height",
              with_coinbase(block, script(push_height(height + 1) + b"\x00"))),
        Fault("bad-cb-length", "a script of one byte", with_coinbase(block, script(b"\x51"))),
        Fault("bad-witness-merkle-match", "one bit of the witness commitment flipped",
              with_coinbase(block, commit)),
        Fault("bad-witness-nonce-size", "31 reserved witness bytes instead of 32",
              with_coinbase(block, reserve)),
        Fault("bad-txns-vout-toolarge", "an output above 21 million coins",
              with_coinbase(block, pay(22_000_000 * 10**8))),
    ]  # fmt: skip


def _shape_faults(block: Block) -> list[Fault]:
    coinbase = block.transactions[0]
    plain = Transaction((TxIn(b"\x22" * 32, 0, b"\x51"),), (TxOut(1, b"\x51" * 25),))
    other = replace(plain, locktime=1)
    return [
        Fault("bad-cb-missing", "an ordinary transaction first", with_transactions(block, plain)),
        Fault("bad-cb-multiple", "two coinbases", with_transactions(
            block, coinbase, replace(coinbase, locktime=coinbase.locktime + 1))),
        Fault("bad-txns-duplicate", "the same transaction twice",
              with_transactions(block, coinbase, plain, other, other)),
        Fault("bad-txns-inputs-missingorspent", "spends coins that never were",
              with_transactions(block, coinbase, plain)),
        Fault("error -22", "cut off after 100 bytes", block.serialize()[:100]),
    ]  # fmt: skip
