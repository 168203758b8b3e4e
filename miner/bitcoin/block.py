"""A header with its transactions."""

from dataclasses import dataclass

from miner.bitcoin.encoding import Reader, compact_size
from miner.bitcoin.header import HEADER_BYTES, Header
from miner.bitcoin.merkle import merkle_root
from miner.bitcoin.tx import WITNESS_SCALE, Transaction


@dataclass(frozen=True, slots=True)
class Block:
    """A block; the first transaction is the coinbase."""

    header: Header
    transactions: tuple[Transaction, ...]

    def serialize(self) -> bytes:
        body = b"".join(tx.serialize() for tx in self.transactions)
        return self.header.pack() + compact_size(len(self.transactions)) + body

    @classmethod
    def parse(cls, data: bytes) -> "Block":
        """From exactly these bytes; ValueError otherwise."""
        reader = Reader(data)
        header = Header.parse(reader.take(HEADER_BYTES))
        count = reader.compact_size()
        if count * 60 > reader.left:  # the smallest transaction has 60 bytes
            raise ValueError(f"{count} transactions cannot fit in {reader.left} bytes")
        block = cls(header, tuple(Transaction.read(reader) for _ in range(count)))
        reader.end()
        return block

    @property
    def merkle_root(self) -> bytes:
        """Recomputed from the transactions; internal order."""
        return merkle_root([tx.txid for tx in self.transactions])

    @property
    def weight(self) -> int:
        """BIP 141 weight units."""
        head = HEADER_BYTES + len(compact_size(len(self.transactions)))
        return head * WITNESS_SCALE + sum(tx.weight for tx in self.transactions)


def block_bytes(header: bytes, coinbase: bytes, others: bytes, count: int) -> bytes:
    """A block from serialized parts: `others` are the count - 1 transactions after the coinbase."""
    return header + compact_size(count) + coinbase + others
