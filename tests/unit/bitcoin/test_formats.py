"""Bytes of the wire at their bounds: hex, compact sizes, headers, transactions, blocks, pushes."""

from dataclasses import replace
from typing import Any

import pytest

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import build_coinbase, push, push_height, subsidy
from miner.bitcoin.encoding import (
    MAX_COMPACT_SIZE,
    Reader,
    compact_size,
    display_hex,
    from_display_hex,
    from_hex,
    with_length,
)  # fmt: skip
from miner.bitcoin.header import Header
from miner.bitcoin.merkle import merkle_branch, merkle_root
from miner.bitcoin.tx import NULL_INDEX, Transaction, TxIn, TxOut

HEADER = Header(2, b"\x11" * 32, b"\x22" * 32, 3, 0x207FFFFF, 4)
SPENT = TxIn(b"\x33" * 32, 0, b"")
SMALL = Transaction((SPENT,), (TxOut(0, b""),))


# -- hex and lengths --------------------------------------------------------------------------
def test_hex_is_strict_and_bounded() -> None:
    assert from_hex("00fF") == from_hex("00fF", 2) == b"\x00\xff"
    assert from_hex("") == from_hex("", 0) == b""
    for bad in ("0", "0 ", " 00", "0x", "zz", "00\n"):
        with pytest.raises(ValueError, match="is not hex"):
            from_hex(bad)
    with pytest.raises(ValueError, match=r"^4 hex digits, want 6$"):
        from_hex("00ff", 3)
    with pytest.raises(ValueError, match=r"^4 hex digits, want 2$"):
        from_hex("00ff", 1)


def test_an_error_shows_80_characters_of_what_is_not_hex() -> None:
    with pytest.raises(ValueError, match=f"^'{'z' * 80}' is not hex$"):
        from_hex("z" * 81)


def test_a_hash_is_64_digits_and_read_backwards() -> None:
    assert from_display_hex("ab" + "00" * 31) == bytes(31) + b"\xab"
    assert display_hex(bytes(31) + b"\xab") == "ab" + "00" * 31
    for size in (31, 33):
        with pytest.raises(ValueError, match="want 64"):
            from_display_hex("00" * size)


@pytest.mark.parametrize(
    ("number", "raw"),
    [
        (0, "00"), (252, "fc"), (253, "fdfd00"), (254, "fdfe00"), (0xFFFF, "fdffff"),
        (0x10000, "fe00000100"), (0xFFFFFFFF, "feffffffff"), (0x100000000, "ff0000000001000000"),
        (2**64 - 1, "ff" * 9),
    ],
)  # fmt: skip
def test_a_compact_size_takes_the_fewest_bytes(number: int, raw: str) -> None:
    assert compact_size(number).hex() == raw


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_compact_size_is_an_unsigned_64_bit_number(number: int) -> None:
    with pytest.raises(ValueError, match=f"compact size {number} is not"):
        compact_size(number)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("fdfc00", "252 is not in its shortest form"), ("feffff0000", "65535 is not in its"),
        ("ffffffffff00000000", "4294967295 is not in its"), ("fe01000002", "33554433 is above"),
    ],
)  # fmt: skip
def test_a_compact_size_is_read_in_its_shortest_form_alone(raw: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Reader(bytes.fromhex(raw)).compact_size()


@pytest.mark.parametrize("number", [0, 252, 253, 0xFFFF, 0x10000, MAX_COMPACT_SIZE])
def test_a_compact_size_up_to_the_limit_is_read(number: int) -> None:
    assert Reader(compact_size(number)).compact_size() == number


def test_a_reader_stops_at_the_end_and_names_the_place() -> None:
    reader = Reader(b"\x01\x02\x03")
    assert reader.number(2) == 0x0201
    assert (reader.position, reader.left) == (2, 1)
    with pytest.raises(ValueError, match=r"^2 bytes wanted at offset 2, 1 left$"):
        reader.take(2)
    with pytest.raises(ValueError, match=r"^1 bytes left over at offset 2$"):
        reader.end()
    assert reader.take(1) == b"\x03"
    reader.end()
    assert Reader(with_length(b"ab") + b"c").sized() == b"ab"


# -- header ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["version", "time", "nbits", "nonce"])
def test_header_numbers_are_unsigned_32_bit(name: str) -> None:
    for good in (0, 2**32 - 1):
        changed: dict[str, Any] = {name: good}
        assert Header.parse(replace(HEADER, **changed).pack()) == replace(HEADER, **changed)
    for bad in (-1, 2**32):
        changed = {name: bad}
        with pytest.raises(ValueError, match=f"header {name} {bad} is not unsigned"):
            replace(HEADER, **changed)


@pytest.mark.parametrize("name", ["prev_hash", "merkle_root"])
@pytest.mark.parametrize("size", [0, 31, 33])
def test_header_hashes_have_32_bytes(name: str, size: int) -> None:
    changed: dict[str, Any] = {name: bytes(size)}
    with pytest.raises(ValueError, match="are 32 bytes"):
        replace(HEADER, **changed)


@pytest.mark.parametrize("size", [0, 79, 81])
def test_a_header_has_80_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"80 bytes, not {size}"):
        Header.parse(bytes(size))


def test_a_hash_equal_to_the_target_meets_it() -> None:
    value = int.from_bytes(HEADER.hash, "little")
    assert HEADER.meets(value) and HEADER.meets(value + 1) and not HEADER.meets(value - 1)


# -- transactions and blocks --------------------------------------------------------------------
@pytest.mark.parametrize("size", [31, 33])
def test_an_input_spends_a_txid_of_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes, want 32"):
        TxIn(bytes(size), 0)


@pytest.mark.parametrize(
    ("txid", "index", "count", "is_coinbase"),
    [
        (bytes(32), NULL_INDEX, 1, True), (bytes(32), 0, 1, False),
        (b"\x01" + bytes(31), NULL_INDEX, 1, False), (bytes(32), NULL_INDEX, 2, False),
    ],
)  # fmt: skip
def test_a_coinbase_has_one_input_that_spends_nothing(
    txid: bytes, index: int, count: int, is_coinbase: bool
) -> None:
    assert Transaction((TxIn(txid, index),) * count, ()).is_coinbase is is_coinbase


def test_a_transaction_of_the_fewest_bytes_is_read() -> None:
    """Its inputs, outputs and witness items fill what their counts claim to the last byte."""
    for tx in (
        Transaction((SPENT,), (TxOut(0, b""),)),
        Transaction((SPENT,) * 3, (TxOut(0, b""),) * 3),
        Transaction((SPENT,), ()),
        Transaction((replace(SPENT, witness=(b"",)),), ()),
        Transaction((replace(SPENT, witness=(b"",) * 5),), (TxOut(0, b""),)),
    ):
        assert Transaction.parse(tx.serialize()) == tx


def words_about(raw: bytes) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are what is tested
        Transaction.parse(raw)
    return str(caught.value)


def test_counts_that_cannot_fit_are_refused_before_they_are_read() -> None:
    head = (2).to_bytes(4, "little")
    assert "1 entries cannot fit in 40 bytes" in words_about(head + b"\x01" + bytes(40))
    assert "bytes wanted" in words_about(head + b"\x01" + bytes(41))
    one_input = head + b"\x01" + SPENT.serialize()
    assert "1 entries cannot fit in 8 bytes" in words_about(one_input + b"\x01" + bytes(8))
    assert "4 bytes wanted at offset 56, 0 left" in words_about(one_input + b"\x01" + bytes(9))
    segwit = head + b"\x00\x01\x01" + SPENT.serialize() + b"\x00"
    assert "5 entries cannot fit in 4 bytes" in words_about(segwit + b"\x05" + bytes(4))
    assert "4 bytes wanted" in words_about(segwit + b"\x05" + bytes(5))
    assert "superfluous witness" in words_about(segwit + b"\x00" + bytes(4))
    assert "unknown witness flag" in words_about(head + b"\x00\x02" + bytes(60))
    assert "1 bytes left over" in words_about(SMALL.serialize() + b"\x00")


def test_a_block_of_the_smallest_transactions_is_read() -> None:
    assert len(SMALL.serialize()) == 60
    for count in (1, 3):
        block = Block(HEADER, (SMALL,) * count)
        assert Block.parse(block.serialize()) == block


def test_a_block_names_more_transactions_than_can_fit() -> None:
    raw = HEADER.pack() + b"\x03" + SMALL.serialize() * 2 + bytes(59)
    with pytest.raises(ValueError, match=r"^3 transactions cannot fit in 179 bytes$"):
        Block.parse(raw)
    with pytest.raises(ValueError, match="1 bytes left over"):
        Block.parse(Block(HEADER, (SMALL,)).serialize() + b"\x00")


@pytest.mark.parametrize(("count", "count_bytes"), [(1, 1), (252, 1), (253, 3)])
def test_weight_is_four_for_a_byte_but_one_for_a_witness_byte(count: int, count_bytes: int) -> None:
    witnessed = Transaction((replace(SPENT, witness=(b"",)),), SMALL.outputs)
    assert (SMALL.weight, witnessed.weight) == (4 * 60, 4 * 60 + 2 + 2)
    block = Block(HEADER, (witnessed,) * count)
    assert block.weight == 4 * (80 + count_bytes) + count * (4 * 60 + 4)


def test_a_merkle_tree_has_a_leaf() -> None:
    with pytest.raises(ValueError, match="needs a leaf"):
        merkle_root([])
    assert merkle_root([b"\x01" * 32]) == b"\x01" * 32
    assert merkle_branch([]) == ()


# -- coinbase -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("size", "opcode"), [(0, ""), (1, "01"), (75, "4b"), (76, "4c4c"), (255, "4cff")]
)
def test_a_push_names_its_size(size: int, opcode: str) -> None:
    assert push(b"x" * size) == bytes.fromhex(opcode) + b"x" * size


def test_a_push_of_256_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="push of 256 bytes, at most 255"):
        push(b"x" * 256)


@pytest.mark.parametrize(("height", "raw"), [(0, "00"), (1, "51"), (16, "60"), (17, "0111")])
def test_small_heights_are_opcodes(height: int, raw: str) -> None:
    assert push_height(height).hex() == raw


def test_a_negative_height_is_refused() -> None:
    with pytest.raises(ValueError, match="height -1 is negative"):
        push_height(-1)


@pytest.mark.parametrize(
    ("halvings", "value"), [(0, 50 * 10**8), (1, 25 * 10**8), (32, 1), (33, 0), (63, 0), (64, 0)]
)
def test_the_subsidy_halves_until_nothing_is_left(halvings: int, value: int) -> None:
    assert subsidy(halvings * 150, 150) == subsidy(halvings * 150 + 149, 150) == value


@pytest.mark.parametrize(
    ("height", "extranonce_size", "tag", "script"),
    [
        (0, 0, b"", "0000"), (16, 0, b"", "6000"), (17, 0, b"", "0111"), (1, 0, b"t", "510174"),
        (1, 1, b"", "510100"), (1, 4, b"t", "5104000000000174"),
    ],
)  # fmt: skip
def test_the_script_is_height_extranonce_and_tag(
    height: int, extranonce_size: int, tag: bytes, script: str
) -> None:
    """With an OP_0 behind, where the height alone would be below consensus's two bytes."""
    template = build_coinbase(height, [TxOut(1, b"\x51")], extranonce_size, tag)
    tx = Transaction.parse(template.fill(bytes(extranonce_size)))
    assert tx.inputs[0].script.hex() == script
    assert tx.version == 2


def test_a_coinbase_script_has_up_to_100_bytes() -> None:
    whole = build_coinbase(17, [], 8, b"x" * 75, [b"y" * 11])  # 2 + 9 + 76 + 12 = 99
    assert len(Transaction.parse(whole.fill(bytes(8))).inputs[0].script) == 99
    whole = build_coinbase(17, [], 8, b"x" * 75, [b"y" * 12])
    assert len(Transaction.parse(whole.fill(bytes(8))).inputs[0].script) == 100
    with pytest.raises(ValueError, match="has 101 bytes, at most 100"):
        build_coinbase(17, [], 8, b"x" * 75, [b"y" * 13])


@pytest.mark.parametrize("size", [0, 7, 9])
def test_the_extranonce_has_the_size_of_its_hole(size: int) -> None:
    with pytest.raises(ValueError, match=f"extranonce has {size} bytes, not 8"):
        build_coinbase(17, [], 8).fill(bytes(size))
