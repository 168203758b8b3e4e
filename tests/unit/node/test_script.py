"""Scripts: text form, signature operations, kinds and descriptors."""

import json
from pathlib import Path

import pytest

from miner.bitcoin.address import script_from_address
from miner.bitcoin.tx import Transaction
from miner.node.describe import descriptor_checksum, script_json, script_type
from miner.node.script import asm, count_sigops, is_push_only, operations, sigop_cost

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
        fields = script_json(script)
        assert script_from_address(fields["address"], "regtest") == script
        assert fields["desc"].startswith(f"addr({fields['address']})#")
    assert script_json(b"\x51")["desc"].startswith("raw(51)#")
