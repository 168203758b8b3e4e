"""Transactions, legacy and segwit serialization (BIP 141, BIP 144)."""

from dataclasses import dataclass

from miner.bitcoin.encoding import Reader, compact_size, sha256d, with_length

NULL_INDEX = 0xFFFFFFFF  # the output index a coinbase "spends"
FINAL_SEQUENCE = 0xFFFFFFFF
WITNESS_SCALE = 4  # BIP 141: a non-witness byte weighs 4 units, a witness byte 1
MAX_MONEY = 21_000_000 * 100_000_000  # satoshi


@dataclass(frozen=True, slots=True)
class TxIn:
    """An input; `prev_txid` in internal order."""

    prev_txid: bytes
    prev_index: int
    script: bytes = b""
    sequence: int = FINAL_SEQUENCE
    witness: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.prev_txid) != 32:
            raise ValueError(f"previous txid has {len(self.prev_txid)} bytes, want 32")

    def serialize(self) -> bytes:
        return (
            self.prev_txid
            + self.prev_index.to_bytes(4, "little")
            + with_length(self.script)
            + self.sequence.to_bytes(4, "little")
        )


@dataclass(frozen=True, slots=True)
class TxOut:
    """An output: satoshi and the script that locks them."""

    value: int
    script: bytes

    def serialize(self) -> bytes:
        return self.value.to_bytes(8, "little", signed=True) + with_length(self.script)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A whole transaction. Amounts and scripts are not judged here: that is consensus's part."""

    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    version: int = 2  # unsigned 32-bit
    locktime: int = 0

    def serialize(self, witness: bool = True) -> bytes:
        """Wire form; with marker, flag and witnesses only if `witness` and some input has one."""
        witness = witness and self.has_witness
        parts = [self.version.to_bytes(4, "little")]
        if witness:
            parts.append(b"\x00\x01")
        parts.append(compact_size(len(self.inputs)))
        parts += [txin.serialize() for txin in self.inputs]
        parts.append(compact_size(len(self.outputs)))
        parts += [txout.serialize() for txout in self.outputs]
        if witness:
            parts += [_witness(txin.witness) for txin in self.inputs]
        parts.append(self.locktime.to_bytes(4, "little"))
        return b"".join(parts)

    @property
    def has_witness(self) -> bool:
        return any(txin.witness for txin in self.inputs)

    @property
    def txid(self) -> bytes:
        """Internal order; without witnesses."""
        return sha256d(self.serialize(witness=False))

    @property
    def wtxid(self) -> bytes:
        """Internal order; with witnesses."""
        return sha256d(self.serialize())

    @property
    def weight(self) -> int:
        """BIP 141 weight units."""
        bare = len(self.serialize(witness=False))
        return bare * (WITNESS_SCALE - 1) + len(self.serialize())

    @property
    def is_coinbase(self) -> bool:
        first = self.inputs[0] if len(self.inputs) == 1 else None
        return first is not None and first.prev_txid == bytes(32) and first.prev_index == NULL_INDEX

    @classmethod
    def parse(cls, data: bytes) -> "Transaction":
        """From exactly these bytes; ValueError otherwise."""
        reader = Reader(data)
        tx = cls.read(reader)
        reader.end()
        return tx

    @classmethod
    def read(cls, reader: Reader) -> "Transaction":
        """The next transaction of a stream."""
        version = reader.number(4)
        count = reader.compact_size()
        segwit = count == 0
        if segwit:
            if reader.number(1) != 1:
                raise ValueError("transaction without inputs, or an unknown witness flag")
            count = reader.compact_size()
        inputs = [_read_input(reader) for _ in range(_bounded(count, 41, reader))]
        outputs = [_read_output(reader) for _ in range(_bounded(reader.compact_size(), 9, reader))]
        if segwit:
            inputs = [_with_witness(txin, reader) for txin in inputs]
            if not any(txin.witness for txin in inputs):
                raise ValueError("superfluous witness record")
        return cls(tuple(inputs), tuple(outputs), version, reader.number(4))


def _bounded(count: int, least_bytes: int, reader: Reader) -> int:
    """Refuse a count that the remaining bytes cannot hold, before looping over it."""
    if count * least_bytes > reader.left:
        raise ValueError(f"{count} entries cannot fit in {reader.left} bytes")
    return count


def _witness(items: tuple[bytes, ...]) -> bytes:
    return compact_size(len(items)) + b"".join(with_length(item) for item in items)


def _read_input(reader: Reader) -> TxIn:
    txid, index = reader.take(32), reader.number(4)
    return TxIn(txid, index, reader.sized(), reader.number(4))


def _read_output(reader: Reader) -> TxOut:
    value = int.from_bytes(reader.take(8), "little", signed=True)
    return TxOut(value, reader.sized())


def _with_witness(txin: TxIn, reader: Reader) -> TxIn:
    items = tuple(reader.sized() for _ in range(_bounded(reader.compact_size(), 1, reader)))
    return TxIn(txin.prev_txid, txin.prev_index, txin.script, txin.sequence, items)
