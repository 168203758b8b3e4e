"""Reads journals with code of its own, to compare with a node's ledger; nothing of `miner` here."""

import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

RECORD = re.compile(rb"HHJ1 ([0-9a-f]{8}) ([0-9a-f]{8}) (\{.*\})")


@dataclass
class Records:
    """What lies on the disk in journal files of one folder."""

    found: dict[str, str] = field(default_factory=dict)  # hash: block hex
    settled: Counter[tuple[str, str]] = field(default_factory=Counter)  # hash, answer
    twice: list[str] = field(default_factory=list)  # settled more than once within one file
    waiting: set[str] = field(default_factory=set)  # in files still in use, without a settlement
    torn: int = 0


def read_folder(folder: Path) -> Records:
    """Every file below the folder whose records look like a journal's.

    A file put aside (.kept, .damaged) holds copies of what a later file settles.
    """
    records = Records()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        in_file: Counter[str] = Counter()
        found: set[str] = set()
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # a miner that runs has just taken it over
        for line in data.split(b"\n"):
            if not line.startswith(b"HHJ1"):
                continue
            record = read_line(line)
            if record is None:
                records.torn += 1
            elif record["type"] == "found":
                records.found[record["hash_hex"]] = record["payload"]
                found.add(record["hash_hex"])
            else:
                in_file[record["hash_hex"]] += 1
                records.settled[record["hash_hex"], record["answer"]] += 1
        if path.suffix not in (".kept", ".damaged"):
            records.waiting |= found - set(in_file)
        records.twice += [name for name, times in in_file.items() if times > 1]
    return records


def read_line(line: bytes) -> dict[str, str] | None:
    match = RECORD.fullmatch(line)
    if match is None or len(match[3]) != int(match[1], 16):
        return None
    if zlib.crc32(match[3]) != int(match[2], 16):
        return None
    record = json.loads(match[3])
    return record if isinstance(record, dict) else None
