"""A template's transactions: ids and weights as a full parse gives them, shapes at their bounds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.bitcoin.tx import MAX_MONEY, Transaction, TxIn, TxOut
from miner.errors import RemoteProtocolError
from miner.protocol.gbt.transactions import MAX_TRANSACTIONS, read_transactions
from tests.unit.bitcoin.strategies import inputs, outputs

LEGACY = Transaction((TxIn(b"\x11" * 32, 0, b"\x51"),), (TxOut(5, b"\x51"),))
SEGWIT = Transaction((TxIn(b"\x22" * 32, 1, b"", 7, (b"\x01", b"")),), (TxOut(6, b"\x52"),))


def entry(tx: Transaction, **more: Any) -> dict[str, Any]:
    return {"data": tx.serialize().hex(), **more}


def fault(*entries: dict[str, Any]) -> str:
    checked = read_transactions(list(entries))
    assert checked.items == () or not checked.fault
    return checked.fault


def agrees(tx: Transaction) -> None:
    checked = read_transactions([entry(tx)])
    assert checked.fault == ""
    (told,) = checked.items
    assert (told.txid, told.wtxid, told.weight) == (tx.txid, tx.wtxid, tx.weight)


# Around the sizes at which a length takes one, three and five bytes.
SIZES = (0, 1, 0xFC, 0xFD, 0xFE, 0xFF, 0x100, 0x101, 0xFFFF, 0x10000, 0x10001)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("witness", [(), (b"w",)])
def test_scripts_of_any_length_are_skipped_exactly(size: int, witness: tuple[bytes, ...]) -> None:
    script = b"\x51" * size
    agrees(Transaction((TxIn(bytes(32), 0, script, 1, witness),), (TxOut(1, b"\x51"),)))
    agrees(Transaction((TxIn(bytes(32), 0, b"", 1, witness),), (TxOut(1, script), TxOut(2, b""))))


@pytest.mark.parametrize("count", [1, 2, 0xFC, 0xFD, 0xFE, 0x100])
def test_any_number_of_inputs_and_outputs_is_skipped_exactly(count: int) -> None:
    spent = TxIn(bytes(32), 0, b"", 1, (b"w",))
    agrees(Transaction((spent,) * count, (TxOut(1, b"\x51"),) * count))


@given(
    st.lists(inputs, min_size=1, max_size=4).map(tuple),
    st.lists(outputs, min_size=1, max_size=4).map(tuple),
    st.integers(0, 2**32 - 1),
)
def test_ids_and_weight_are_those_of_a_full_parse(
    spent: tuple[TxIn, ...], made: tuple[TxOut, ...], locktime: int
) -> None:
    agrees(Transaction(spent, made, 2, locktime))


# -- what is no transaction -------------------------------------------------------------------
def test_a_cut_segwit_transaction_is_no_transaction() -> None:
    """All but the witness is measured; at least one byte of it and the locktime must follow."""
    whole = SEGWIT.serialize()
    bare_end = 6 + 1 + 41 + 1 + 10
    for size in range(10, bare_end + 5):
        assert "transaction 1 of the template: its data" in fault({"data": whole[:size].hex()})
    assert fault({"data": whole[: bare_end + 5].hex()}) == ""


def test_a_segwit_flag_is_1() -> None:
    whole = bytearray(SEGWIT.serialize())
    for flag in (0, 2, 255):
        whole[5] = flag
        assert "is no segwit transaction" in fault({"data": whole.hex()})


@pytest.mark.parametrize(("size", "good"), [(9, False), (10, True)])
def test_a_transaction_has_at_least_10_bytes(size: int, good: bool) -> None:
    assert (fault({"data": "01" * size}) == "") is good


@pytest.mark.parametrize("data", ["01" * 20 + " ", "01 " * 20, "0x" + "01" * 20, "01" * 20 + "0"])
def test_data_is_hex_without_blanks(data: str) -> None:
    assert fault({"data": data})


def test_a_fault_names_the_transaction_by_its_place_and_what_is_wrong() -> None:
    txid, wtxid = SEGWIT.txid[::-1].hex(), SEGWIT.wtxid[::-1].hex()
    assert fault(entry(LEGACY), entry(SEGWIT, txid=txid, hash=wtxid)) == ""
    assert fault(entry(LEGACY), entry(SEGWIT, txid=wtxid)) == (
        "transaction 2 of the template: its txid is not the hash of its data"
    )
    assert fault(entry(SEGWIT, hash=txid)) == "transaction 1 of the template: its hash is its txid"
    assert fault(entry(SEGWIT, hash="00" * 32)) == (
        "transaction 1 of the template: its hash is not that of its data"
    )


# -- shapes -----------------------------------------------------------------------------------
def test_a_list_of_70000_is_read_and_of_70001_refused() -> None:
    with pytest.raises(RemoteProtocolError, match=r"transactions\[0\].data is not text"):
        read_transactions([None] * MAX_TRANSACTIONS)
    with pytest.raises(RemoteProtocolError, match="not a list of transactions"):
        read_transactions([None] * (MAX_TRANSACTIONS + 1))


@pytest.mark.parametrize("fee", [-MAX_MONEY, -1, 0, 1, MAX_MONEY])
def test_a_fee_is_an_amount_of_either_sign(fee: int) -> None:
    (told,) = read_transactions([entry(LEGACY, fee=fee)]).items
    assert told.fee == fee


@pytest.mark.parametrize("fee", [-MAX_MONEY - 1, MAX_MONEY + 1, 1.0, True, "1", None])
def test_another_fee_is_refused_by_name(fee: object) -> None:
    with pytest.raises(RemoteProtocolError, match=r"transactions\[1\].fee is not an amount"):
        read_transactions([entry(SEGWIT), entry(LEGACY, fee=fee)])


def test_a_fee_may_be_missing() -> None:
    assert read_transactions([entry(LEGACY)]).items[0].fee is None


def test_a_fee_that_changed_is_read_again() -> None:
    before = read_transactions([entry(LEGACY, fee=1), entry(SEGWIT, fee=2)])
    after = read_transactions([entry(LEGACY, fee=1), entry(SEGWIT, fee=3)], before)
    assert after.items[0] is before.items[0]
    assert (before.items[1].fee, after.items[1].fee) == (2, 3)
