"""Scripts: text form, signature operations, kinds and descriptors."""

import json
from pathlib import Path

import pytest

from miner.bitcoin.address import script_from_address
from miner.bitcoin.tx import Transaction
from miner.node.describe import descriptor_checksum, script_json, script_type
from miner.node.script import (
    asm,
    count_sigops,
    is_push_only,
    is_unspendable,
    operations,
    sigop_cost,
    witness_program,
)

RPC = Path(__file__).parent.parent.parent / "vectors" / "rpc"
KEY = b"\x02" + b"\x11" * 32
P2PKH = b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"
MULTISIG = b"\x51" + (b"\x21" + KEY) * 2 + b"\x52\xae"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (P2PKH, f"OP_DUP OP_HASH160 {'00' * 20} OP_EQUALVERIFY OP_CHECKSIG"),
        (bytes.fromhex("00510160604f"), "0 1 96 16 -1"),
        (bytes.fromhex("0180028000048000008004ffffffff"), "0 128 -128 -2147483647"),
        (bytes.fromhex("054c"), "[error]"),
        (bytes.fromhex("4c"), "[error]"),
        (bytes.fromhex("4c05aabbccddee4d0100ab"), "aabbccddee -43"),
        (b"\xb1\xb2", "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY"),
        (b"\xba\x50\xff", "OP_CHECKSIGADD OP_RESERVED OP_UNKNOWN"),
        (b"\x61\x69\x6a\xab", "OP_NOP OP_VERIFY OP_RETURN OP_CODESEPARATOR"),
        (b"\xac\xad", "OP_CHECKSIG OP_CHECKSIGVERIFY"),
        (b"\xae\xaf", "OP_CHECKMULTISIG OP_CHECKMULTISIGVERIFY"),
    ],
)
def test_asm(script: bytes, text: str) -> None:
    assert asm(script) == text


def test_torn_pushes_end_the_script() -> None:
    assert [op for op, _ in operations(b"\x51\x4d\x05")] == [0x51, -1]
    assert not is_push_only(b"\x4c")
    assert is_push_only(b"\x00\x60\x01\xff")


@pytest.mark.parametrize(
    ("script", "rough", "accurate"),
    [(P2PKH, 1, 1), (MULTISIG, 20, 2), (b"\xae", 20, 20), (b"\xac\x05", 1, 1), (b"\x01\xac", 0, 0)],
)
def test_counting(script: bytes, rough: int, accurate: int) -> None:
    assert count_sigops(script, accurate=False) == rough
    assert count_sigops(script, accurate=True) == accurate


def test_cost_of_each_kind() -> None:
    p2sh, p2wpkh = b"\xa9\x14" + bytes(20) + b"\x87", b"\x00\x14" + bytes(20)
    p2wsh, p2tr = b"\x00\x20" + bytes(32), b"\x51\x20" + bytes(32)
    push = bytes([len(MULTISIG)]) + MULTISIG
    assert sigop_cost([b""], [], [[]], [P2PKH]) == 0, "what is spent was counted when made"
    assert sigop_cost([b""], [P2PKH], [[]], [p2tr]) == 4
    assert sigop_cost([b""], [], [[b"", KEY]], [p2wpkh]) == 1
    assert sigop_cost([b""], [], [[b"", MULTISIG]], [p2wsh]) == 2
    assert sigop_cost([push], [], [[]], [p2sh]) == 8
    assert sigop_cost([b"\x16" + p2wpkh], [], [[b"", KEY]], [p2sh]) == 1
    assert sigop_cost([b"\x22" + p2wsh], [], [[b"", MULTISIG]], [p2sh]) == 2
    assert sigop_cost([b"\x61" + push], [], [[]], [p2sh]) == 0, "not a push-only scriptSig"


def test_costs_equal_bitcoinds() -> None:
    """Transactions of a recorded template whose inputs are all in that template."""
    template = json.loads((RPC / "mempool-40.json").read_text())["exchanges"][0]["response"]
    entries = template["result"]["transactions"]
    txs = {
        bytes.fromhex(e["txid"])[::-1]: Transaction.parse(bytes.fromhex(e["data"])) for e in entries
    }
    compared = 0
    for entry in entries:
        tx = txs[bytes.fromhex(entry["txid"])[::-1]]
        if any(txin.prev_txid not in txs for txin in tx.inputs):
            continue
        spent = [txs[txin.prev_txid].outputs[txin.prev_index].script for txin in tx.inputs]
        cost = sigop_cost(
            [txin.script for txin in tx.inputs],
            [out.script for out in tx.outputs],
            [txin.witness for txin in tx.inputs],
            spent,
        )
        assert cost == entry["sigops"]
        compared += 1
    assert compared >= 5


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (P2PKH, "pubkeyhash"),
        (b"\xa9\x14" + bytes(20) + b"\x87", "scripthash"),
        (b"\x00\x14" + bytes(20), "witness_v0_keyhash"),
        (b"\x00\x20" + bytes(32), "witness_v0_scripthash"),
        (b"\x00\x10" + bytes(16), "nonstandard"),
        (b"\x51\x20" + bytes(32), "witness_v1_taproot"),
        (b"\x52\x20" + bytes(32), "witness_unknown"),
        (bytes.fromhex("51024e73"), "anchor"),
        (b"\x21" + KEY + b"\xac", "pubkey"),
        (MULTISIG, "multisig"),
        (b"\x53" + MULTISIG[1:], "nonstandard"),
        (b"\x6a\x01\x02", "nulldata"),
        (b"\x6a\xac", "nonstandard"),
        (b"\x51", "nonstandard"),
        (b"", "nonstandard"),
    ],
)
def test_kinds(script: bytes, kind: str) -> None:
    assert script_type(script) == kind


def test_descriptor_checksum_of_bip_380() -> None:
    assert descriptor_checksum("raw(deadbeef)") == "89f8spxm"


def test_address_of_an_output_is_read_back() -> None:
    for script in (P2PKH, b"\x00\x20" + bytes(32), b"\x51\x20" + KEY[1:]):
        fields = script_json(script, "regtest")
        assert script_from_address(fields["address"], "regtest") == script
        assert fields["desc"].startswith(f"addr({fields['address']})#")
    assert script_json(b"\x51", "regtest")["desc"].startswith("raw(51)#")


def test_the_longest_opcode_that_pushes_is_4e() -> None:
    assert list(operations(b"\x4e\x01\x00\x00\x00\xab")) == [(0x4E, b"\xab")]
    assert list(operations(b"\x4f\x4b")) == [(0x4F, None), (-1, None)]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("60", "16"),
        ("61", "OP_NOP"),
        ("ba", "OP_CHECKSIGADD"),
        ("bb", "OP_UNKNOWN"),
        ("02017f", "32513"),
        ("0181", "-1"),
    ],
)
def test_words_at_the_ends_of_their_ranges(script: str, text: str) -> None:
    assert asm(bytes.fromhex(script)) == text


@pytest.mark.parametrize(
    ("script", "dead"),
    [
        (b"", False), (b"\x6a", True), (b"\x6aabc", True), (b"\x51\x6a", False),
        (b"\x51" * 10_000, False), (b"\x51" * 10_001, True),
    ],
    ids=["empty", "return", "data", "later", "10000", "10001"],
)  # fmt: skip
def test_what_no_input_can_ever_spend(script: bytes, dead: bool) -> None:
    assert is_unspendable(script) is dead


@pytest.mark.parametrize("size", [1, 2, 3, 39, 40, 41])
def test_a_witness_program_has_2_to_40_bytes_and_a_version_up_to_16(size: int) -> None:
    program, good = b"\xaa" * size, 2 <= size <= 40
    for opcode, version in ((0, 0), (0x51, 1), (0x60, 16)):
        script = bytes([opcode, size]) + program
        assert witness_program(script) == ((version, program) if good else None)
        assert witness_program(script + b"\xaa") is None
    for opcode in (0x4F, 0x50, 0x61):
        assert witness_program(bytes([opcode, size]) + program) is None


@pytest.mark.parametrize(("keys", "counted"), [(0x50, 20), (0x51, 1), (0x60, 16), (0x61, 20)])
def test_a_multisig_states_1_to_16_keys(keys: int, counted: int) -> None:
    for opcode in (0xAE, 0xAF):
        assert count_sigops(bytes([keys, opcode]), accurate=True) == counted
        assert count_sigops(bytes([keys, opcode]), accurate=False) == 20


def test_only_witness_scripts_of_version_0_count() -> None:
    p2wsh = b"\x00\x20" + bytes(32)
    assert sigop_cost([b""], [], [[]], [p2wsh]) == 0
    assert sigop_cost([b""], [], [[MULTISIG]], [b"\x51\x20" + bytes(32)]) == 0
    assert sigop_cost([b""], [], [[MULTISIG]], [b"\x00\x1f" + bytes(31)]) == 0
    assert sigop_cost([b""], [], [[MULTISIG, b"\xac"]], [p2wsh]) == 1
