"""Merkle trees, transactions, coinbase and blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.bitcoin.block import Block, block_bytes
from miner.bitcoin.coinbase import (
    build_coinbase,
    commitment_script,
    push,
    push_height,
    subsidy,
    with_witness,
    witness_root,
)  # fmt: skip
from miner.bitcoin.encoding import Reader, compact_size, from_display_hex, sha256d
from miner.bitcoin.header import Header
from miner.bitcoin.merkle import merkle_branch, merkle_root, root_from_branch
from miner.bitcoin.tx import Transaction, TxOut
from tests.unit.bitcoin.strategies import inputs, outputs

# BIP 34 heights as script bytes; protocol facts, checked by the consensus engine elsewhere too.
HEIGHTS = {
    1: "51", 16: "60", 17: "0111", 127: "017f", 128: "028000", 255: "02ff00", 256: "020001",
    32767: "02ff7f", 32768: "03008000", 8388607: "03ffff7f", 8388608: "0400008000",
    961672: "0388ac0e",
}  # fmt: skip

# The first transaction ever: the coinbase of the genesis block.
GENESIS_TX = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d"
    "0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66"
    "207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe55"
    "48271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba"
    "0b8d578a4c702b6bf11d5fac00000000"
)


@pytest.mark.parametrize(("height", "script"), HEIGHTS.items())
def test_bip34_heights(height: int, script: str) -> None:
    assert push_height(height).hex() == script


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_branch_of_the_coinbase_gives_the_root(leaves: list[bytes]) -> None:
    assert root_from_branch(leaves[0], merkle_branch(leaves[1:])) == merkle_root(leaves)


def test_genesis_transaction_is_the_genesis_root() -> None:
    tx = Transaction.parse(GENESIS_TX)
    root = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert tx.txid == tx.wtxid == from_display_hex(root) == merkle_root([tx.txid])
    assert tx.is_coinbase and tx.serialize() == GENESIS_TX and tx.weight == 4 * len(GENESIS_TX)


transactions = st.builds(
    Transaction,
    st.lists(inputs, min_size=1, max_size=4).map(tuple),
    st.lists(outputs, max_size=4).map(tuple),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)


@given(transactions)
def test_transactions_survive_a_round_trip(tx: Transaction) -> None:
    assert Transaction.parse(tx.serialize()) == tx
    bare = Transaction.parse(tx.serialize(witness=False))
    assert bare.txid == tx.txid and not bare.has_witness


@given(transactions, st.data())
def test_a_cut_transaction_is_refused(tx: Transaction, data: st.DataObject) -> None:
    raw = tx.serialize()
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(ValueError):  # noqa: PT011 - any of the reader's reasons
        Transaction.parse(raw[:cut])


@pytest.mark.parametrize("number", [0, 252, 253, 65535, 65536, 0x02000000])
def test_compact_sizes_round_trip(number: int) -> None:
    assert Reader(compact_size(number)).compact_size() == number


@pytest.mark.parametrize(
    "raw", ["fdfc00", "feffff0000", "ffffffffff00000000", "fe01000003", "fd01"]
)
def test_bad_compact_sizes_are_refused(raw: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - not shortest, too large or cut
        Reader(bytes.fromhex(raw)).compact_size()


@pytest.mark.parametrize("height", [0, 1, 16, 17, 128, 961672])
@pytest.mark.parametrize("extranonce_size", [0, 4, 8, 12])
def test_coinbase_hole_is_where_the_extranonce_goes(height: int, extranonce_size: int) -> None:
    outputs = [TxOut(50, b"\x51"), TxOut(0, commitment_script(witness_root([])))]
    template = build_coinbase(height, outputs, extranonce_size, b"/homehash/", [b"aux"])
    extranonce = bytes(range(1, extranonce_size + 1))
    tx = Transaction.parse(template.fill(extranonce))
    script = tx.inputs[0].script
    assert script.startswith(push_height(height)) and extranonce in script
    assert script.endswith(push(b"aux") + push(b"/homehash/")) and 2 <= len(script) <= 100
    assert tx.is_coinbase and tx.outputs == tuple(outputs)
    assert tx.locktime == max(height - 1, 0) and tx.inputs[0].sequence == 0xFFFFFFFE  # BIP 54
    whole = Transaction.parse(with_witness(template.fill(extranonce)))
    assert whole.txid == template.txid(extranonce) and whole.inputs[0].witness == (bytes(32),)


def test_coinbase_of_height_1_without_anything_still_has_two_bytes() -> None:
    tx = Transaction.parse(build_coinbase(1, [TxOut(1, b"")], 0).fill(b""))
    assert tx.inputs[0].script == b"\x51\x00"


def test_a_tag_too_long_is_refused_with_its_size() -> None:
    with pytest.raises(ValueError, match="at most 100"):
        build_coinbase(1, [], 8, b"x" * 95)


def test_witness_commitment_of_a_known_block() -> None:
    """An empty block's commitment is a constant every node prints."""
    script = commitment_script(witness_root([])).hex()
    assert script == "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"


def test_subsidy_halves_and_ends() -> None:
    assert subsidy(149, 150) == 50 * 10**8 and subsidy(150, 150) == 25 * 10**8
    assert subsidy(840_000, 210_000) == 312_500_000 and subsidy(64 * 150, 150) == 0


def test_blocks_survive_a_round_trip_and_know_their_root() -> None:
    tx = Transaction.parse(GENESIS_TX)
    header = Header(1, bytes(32), tx.txid, 1231006505, 0x1D00FFFF, 2083236893)
    block = Block(header, (tx,))
    raw = block.serialize()
    assert Block.parse(raw) == block and block.merkle_root == header.merkle_root
    assert block.header.hash_hex.startswith("000000000019d668")
    assert raw == block_bytes(header.pack(), GENESIS_TX, b"", 1)
    assert sha256d(raw[:80]) == header.hash
    for cut in range(len(raw)):
        with pytest.raises(ValueError):  # noqa: PT011 - any of the reader's reasons
            Block.parse(raw[:cut])
