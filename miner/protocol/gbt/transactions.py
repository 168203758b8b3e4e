"""The transactions of a template, checked: each id is recomputed from the bytes it names.

A full template is 5,000 transactions and 8 MB of hex, and a new one comes every few seconds with
mostly the same content: what an earlier template proved is not proved again.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from miner.bitcoin.tx import MAX_MONEY
from miner.errors import RemoteProtocolError

MAX_TRANSACTIONS = 70_000  # above what 4,000,000 weight units hold


@dataclass(frozen=True, slots=True)
class TemplateTx:
    """One transaction; ids recomputed, internal order."""

    data_hex: str
    txid: bytes
    wtxid: bytes
    weight: int
    fee: int | None  # satoshi; None: not told


@dataclass(frozen=True, slots=True)
class Transactions:
    """The list in block order; `fault` says why it must not be mined, if so."""

    items: tuple[TemplateTx, ...] = ()
    fault: str = ""
    known: dict[str, TemplateTx] = field(default_factory=dict, repr=False, compare=False)


def read_transactions(entries: object, before: Transactions | None = None) -> Transactions:
    """Check a template's list against itself.

    Raises RemoteProtocolError, naming the field, for a wrong shape. An id or hex that is wrong is
    a `fault`: the caller mines without transactions. `before` saves work, it is never believed
    further than equal bytes.
    """
    if not isinstance(entries, list) or len(entries) > MAX_TRANSACTIONS:
        raise RemoteProtocolError("template field transactions is not a list of transactions")
    proven = before.known if before is not None else {}
    items, known = [], {}
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("data"), str):
            raise RemoteProtocolError(f"template field transactions[{index}].data is not text")
        data_hex = entry["data"]
        tx = proven.get(data_hex)
        try:
            if tx is None or tx.fee != entry.get("fee"):
                tx = _prove(data_hex, _fee(entry, index))
            _compare(entry, tx)
        except ValueError as error:
            return Transactions((), f"transaction {index + 1} of the template: {error}")
        items.append(tx)
        known[data_hex] = tx
    if len(known) != len(items):
        return Transactions((), "a transaction of the template appears twice")
    return Transactions(tuple(items), "", known)


def _fee(entry: dict[str, Any], index: int) -> int | None:
    fee = entry.get("fee")
    if "fee" in entry and (type(fee) is not int or not -MAX_MONEY <= fee <= MAX_MONEY):
        raise RemoteProtocolError(f"template field transactions[{index}].fee is not an amount")
    return fee


def _prove(data_hex: str, fee: int | None) -> TemplateTx:
    """Recompute ids and weight. Raises ValueError when the bytes are no transaction."""
    try:
        data = bytes.fromhex(data_hex)  # fast, but it skips blanks:
    except ValueError:
        data = b""
    if 2 * len(data) != len(data_hex) or len(data) < 10:
        raise ValueError("its data is not hex")
    wtxid = sha256(sha256(data).digest()).digest()
    if data[4]:  # a number of inputs, not the segwit marker 0
        return TemplateTx(data_hex, wtxid, wtxid, 4 * len(data), fee)
    try:
        end = _outputs_end(data)
    except IndexError:
        raise ValueError("its data ends too early") from None
    if data[5] != 1 or end > len(data) - 5:
        raise ValueError("its data is no segwit transaction")
    bare = data[:4] + data[6:end] + data[-4:]
    txid = sha256(sha256(bare).digest()).digest()
    return TemplateTx(data_hex, txid, wtxid, 3 * len(bare) + len(data), fee)


def _outputs_end(data: bytes) -> int:
    """The offset behind the last output of a segwit transaction; IndexError when too short.

    Only lengths are read: a full parse of 5,000 transactions would take ten times as long.
    """
    at, inputs = _compact_size(data, 6)
    for _ in range(inputs):
        at += 36
        size = data[at]
        if size < 0xFD:
            at += size + 5
        else:
            at, size = _compact_size(data, at)
            at += size + 4
    at, outputs = _compact_size(data, at)
    for _ in range(outputs):
        at += 8
        size = data[at]
        if size < 0xFD:
            at += size + 1
        else:
            at, size = _compact_size(data, at)
            at += size
    return at


def _compact_size(data: bytes, at: int) -> tuple[int, int]:
    """The offset behind a length, and the length."""
    first = data[at]
    if first < 0xFD:
        return at + 1, first
    end = at + 1 + (2 << (first - 0xFD))
    return end, int.from_bytes(data[at + 1 : end], "little")


def _compare(entry: dict[str, Any], tx: TemplateTx) -> None:
    """Raises ValueError unless the ids the template names, if any, are the recomputed ones."""
    if "txid" in entry and entry["txid"] != tx.txid[::-1].hex():
        raise ValueError("its txid is not the hash of its data")
    if "hash" in entry and entry["hash"] != tx.wtxid[::-1].hex():
        swapped = entry["hash"] == tx.txid[::-1].hex()
        raise ValueError(f"its hash is {'its txid' if swapped else 'not that of its data'}")
