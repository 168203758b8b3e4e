"""The journal: append-only files that hold every found block until its fate is known."""

from miner.journal.earlier import Left
from miner.journal.file import Journal
from miner.journal.records import Contents, block_of, decode, encode, found_record, read

__all__ = [
    "Contents",
    "Journal",
    "Left",
    "block_of",
    "decode",
    "encode",
    "found_record",
    "read",
]
