"""Real signatures, legacy, segwit and taproot in one transaction: the mempool passes the kernel
all it needs to check them, and mined blocks hold them."""

import hashlib

import pytest

from tests.node import signing
from tests.node.kit import ANYONE, SEGWIT, Rpc, RpcFailed, Tx, mine, spend

SECRETS = (0xA11CE, 0xB0B, 0xCA201)
KEYS = [signing.public_key(secret) for secret in SECRETS]
P2PK = signing.push(KEYS[0]) + b"\xac"
WITNESS_SCRIPT = signing.push(KEYS[1]) + b"\xac"
P2WSH = b"\x00\x20" + hashlib.sha256(WITNESS_SCRIPT).digest()
P2TR = b"\x51\x20" + KEYS[2][1:]
SCRIPTS = (P2PK, P2WSH, P2TR)
FINAL = 0xFFFFFFFF


def test_bip_340_vector() -> None:
    """The public key of secret 3, its first vector."""
    assert signing.public_key(3)[1:].hex().upper().startswith("F9308A019258C310")


@pytest.fixture
def locked(rpc: Rpc) -> list[tuple[bytes, int, int]]:
    """(txid, index, value) of one output for each of SCRIPTS, still unconfirmed."""
    first = mine(rpc, 101)[0]
    values = [1_000_000, 2_000_000, 3_000_000]
    outputs = [*zip(values, SCRIPTS, strict=True), (first.value - 6_001_000, ANYONE)]
    tx = spend(first.coinbase().txid, 0, outputs)
    rpc("sendrawtransaction", tx.full().hex())
    return [(tx.txid, index, value) for index, value in enumerate(values)]


def signed(locked: list[tuple[bytes, int, int]], claimed: list[int] | None = None) -> Tx:
    """One transaction with all three inputs; `claimed`: amounts signed for, when not the true."""
    amounts = claimed or [value for _, _, value in locked]
    tx = Tx([(txid, index, b"", FINAL) for txid, index, _ in locked], [(5_990_000, ANYONE)])
    spent = list(zip(amounts, SCRIPTS, strict=True))
    legacy = signing.ecdsa(SECRETS[0], signing.legacy_digest(tx, 0, P2PK))
    segwit = signing.segwit_digest(tx, 1, WITNESS_SCRIPT, amounts[1])
    witness = [signing.ecdsa(SECRETS[1], segwit), WITNESS_SCRIPT]
    taproot = signing.schnorr(SECRETS[2], signing.taproot_digest(tx, 2, spent))
    tx.inputs[0] = (locked[0][0], 0, signing.push(legacy), FINAL)
    tx.witnesses = [[], witness, [taproot]]
    return tx


def test_three_kinds_in_one(rpc: Rpc, locked: list[tuple[bytes, int, int]]) -> None:
    tx = signed(locked)
    rpc("sendrawtransaction", tx.full().hex())
    entry = rpc("getblocktemplate", SEGWIT)["transactions"][-1]
    assert (entry["depends"], entry["fee"]) == ([1], 10_000)
    assert entry["sigops"] == 1, "P2WSH's; P2PK's was counted with its output, taproot has none"
    mined = mine(rpc)[0]
    assert tx.txid in [txid for txid, _, _ in mined.transactions]
    decoded = rpc("getrawtransaction", tx.txid[::-1].hex(), True)
    assert decoded["vin"][2]["txinwitness"] == [tx.witnesses[2][0].hex()]


@pytest.mark.parametrize(
    ("claimed", "place"),
    [([1_000_000, 2_000_001, 3_000_000], 1), ([1_000_001, 2_000_000, 3_000_000], 2)],
)
def test_signatures_bind_the_amounts(
    rpc: Rpc, locked: list[tuple[bytes, int, int]], claimed: list[int], place: int
) -> None:
    """Segwit signs its own input's amount, taproot all of them."""
    with pytest.raises(RpcFailed, match=f"mempool-script-verify-flag-failed \\(input {place}\\)"):
        rpc("sendrawtransaction", signed(locked, claimed).full().hex())


@pytest.mark.parametrize("place", range(3))
def test_a_flipped_bit_is_noticed(
    rpc: Rpc, locked: list[tuple[bytes, int, int]], place: int
) -> None:
    tx = signed(locked)
    txid, index, script, sequence = tx.inputs[place]
    if place == 0:
        bad = script[:20] + bytes([script[20] ^ 1]) + script[21:]
        tx.inputs[0] = (txid, index, bad, sequence)
    else:
        old = tx.witnesses[place][0]
        tx.witnesses[place][0] = old[:20] + bytes([old[20] ^ 1]) + old[21:]
    with pytest.raises(RpcFailed, match=f"input {place}"):
        rpc("sendrawtransaction", tx.full().hex())
