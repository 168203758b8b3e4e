"""The records of a journal, without input or output.

One record a line: `HHJ1 <length> <crc32> <json>\\n`, both numbers 8 hex digits, over the JSON
bytes. A record is `found` (the whole block) or `settled` (hash and verdict). A line that does not
check is damaged; one of a newer version, or one whose block we cannot send, is kept as it is.
"""

import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from miner.bitcoin.encoding import display_hex, sha256d
from miner.protocol.gbt import job as gbt
from miner.protocol.sv2 import solution, template
from miner.work.found import Answer, FoundBlock, Verdict

MAGIC = b"HHJ1"
LINE = re.compile(rb"HHJ1 ([0-9a-f]{8}) ([0-9a-f]{8}) (.*)", re.DOTALL)
NEWER_LINE = re.compile(rb"HHJ[2-9] ")
RECORD_VERSION = 1
TEXT_FIELDS = ("source", "hash_hex", "kind", "payload", "context")
HEADER_BYTES = 80
SUBMIT_PARAMS = (5, 6)  # mining.submit without and with version bits


class NewerRecordError(ValueError):
    """A whole record of a later version of this program."""


@dataclass(slots=True)
class Contents:
    """What a journal file says."""

    waiting: dict[str, FoundBlock] = field(default_factory=dict)  # by hash, unsettled
    damaged: list[bytes] = field(default_factory=list)  # lines that do not check
    unusable: dict[bytes, str] = field(default_factory=dict)  # whole lines: why no block
    newer: int = 0  # records of a later version
    refused: dict[str, int] = field(default_factory=dict)  # not accepted: bytes of its records

    @property
    def keep(self) -> bool:
        """Is it worth keeping when nothing waits? Not when every block was accepted."""
        return bool(self.refused or self.unusable or self.newer)


def encode(record: dict[str, object]) -> bytes:
    """One line, with its newline."""
    body = json.dumps({"v": RECORD_VERSION, **record}, separators=(",", ":")).encode()
    return b"%s %08x %08x %s\n" % (MAGIC, len(body), binascii.crc32(body), body)


def found_record(key: str, block: FoundBlock) -> dict[str, object]:
    """The record of a block; `key` says whose run found it, for people."""
    texts = {name: getattr(block, name) for name in TEXT_FIELDS}
    numbers = {"height": block.height, "found_at": block.found_at}
    return {"type": "found", "key": key, "header": block.header.hex(), **texts, **numbers}


def settled_record(verdict: Verdict) -> dict[str, object]:
    """The record of a final verdict."""
    answer = {"answer": verdict.answer.value, "reason": verdict.reason[:200]}
    return {"type": "settled", "hash_hex": verdict.hash_hex, **answer}


def decode(line: bytes) -> dict[str, object]:
    """One line without its newline. Raises ValueError unless it is whole and known,
    NewerRecordError when a later version wrote it."""
    if NEWER_LINE.match(line):
        raise NewerRecordError("a record of a newer format")
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError("not a journal record")
    length, checksum, body = int(match[1], 16), int(match[2], 16), match[3]
    if len(body) != length or binascii.crc32(body) != checksum:
        raise ValueError("length or checksum differs")
    record = json.loads(body)
    version = record.get("v") if isinstance(record, dict) else None
    if type(version) is int and version > RECORD_VERSION:
        raise NewerRecordError(f"record version {version}, this program knows {RECORD_VERSION}")
    if version != RECORD_VERSION or type(version) is not int:
        raise ValueError("unknown record version")
    return dict(record)


def block_of(record: dict[str, object]) -> FoundBlock:
    """The block of a `found` record. Raises ValueError when it is none that can be sent."""
    height, found_at, header = (record.get(name) for name in ("height", "found_at", "header"))
    texts = {name: record.get(name) for name in TEXT_FIELDS}
    if not all(type(text) is str for text in [header, *texts.values()]):
        raise ValueError("a text field is missing")
    if not (height is None or type(height) is int) or type(found_at) is not int:
        raise ValueError("a number is missing")
    values: dict[str, object] = {**texts, "height": height, "found_at": found_at}
    block = FoundBlock(header=bytes.fromhex(str(header)), **values)  # type: ignore[arg-type]
    if len(block.header) != HEADER_BYTES:
        raise ValueError(f"its header has {len(block.header)} bytes")
    if display_hex(sha256d(block.header)) != block.hash_hex:
        raise ValueError("its hash is not that of its header")
    if block.kind not in PAYLOADS:
        raise ValueError(f"blocks of kind {block.kind[:20]!r} are not known")
    PAYLOADS[block.kind](block)
    return block


def _check_submit(block: FoundBlock) -> None:
    bytes.fromhex(block.context)  # extranonce1
    message = json.loads(block.payload)
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, list) or len(params) not in SUBMIT_PARAMS:
        raise ValueError("its payload is no mining.submit")
    pieces = [piece for item in params for piece in (item if isinstance(item, list) else [item])]
    if not all(type(piece) is str for piece in pieces):  # in pieces: one that held the password
        raise ValueError("its payload is no mining.submit: not all params are texts")


def _check_sv2(unpack: Callable[[FoundBlock], object]) -> Callable[[FoundBlock], None]:
    """A payload that its protocol can read."""

    def check(block: FoundBlock) -> None:
        try:
            unpack(block)
        except (TypeError, KeyError) as error:
            raise ValueError(f"its payload is no solution: {error!r:.60}") from None

    return check


# What makes a payload one that can be sent, by the kind of the block.
PAYLOADS: dict[str, Callable[[FoundBlock], None]] = {
    gbt.KIND: gbt.check_payload,
    "stratum": _check_submit,
    solution.KIND: _check_sv2(solution.Solution.unpack),
    template.KIND: _check_sv2(template.check_payload),
}


def read(data: bytes) -> Contents:
    """Parse a whole file. Never raises for what it holds."""
    contents = Contents()
    sizes: dict[str, int] = {}
    strange: dict[str, bytes] = {}  # hash: the line of a block that cannot be sent
    for line in lines(data):
        try:
            record = decode(line)
        except NewerRecordError:
            contents.newer += 1
            continue
        except (ValueError, RecursionError):
            contents.damaged.append(line)
            continue
        name = str(record.get("hash_hex"))
        if record.get("type") == "found":
            try:
                contents.waiting[name] = block_of(record)
                contents.refused.pop(name, None)
                sizes[name] = len(line) + 1
            except (ValueError, RecursionError) as error:
                contents.unusable[line], strange[name] = str(error), line
        elif record.get("type") == "settled":
            contents.waiting.pop(name, None)
            contents.unusable.pop(strange.pop(name, b""), None)
            if record.get("answer") != Answer.ACCEPTED.value:
                contents.refused[name] = sizes.get(name, 0) + len(line) + 1
    return contents


def is_journal(start: bytes) -> bool:
    """Does a file that begins so look like ours? A crash may leave less than a whole magic."""
    return MAGIC.startswith(start.lstrip(b"\n")[: len(MAGIC)])


def lines(data: bytes) -> Iterator[bytes]:
    """The lines that are not empty, without their newlines."""
    return (line for line in data.split(b"\n") if line)


def trimmed(data: bytes, most_refused: int, most_bytes: int) -> bytes:
    """The file without accepted blocks, and of the refused ones the newest that the limits allow.

    Waiting blocks and every line that is not a known record of ours stay.
    """
    contents = read(data)
    stay, size = set(contents.waiting), 0
    for name, length in list(reversed(contents.refused.items()))[:most_refused]:
        size += length
        if size > most_bytes:
            break
        stay.add(name)
    kept = []
    for line in lines(data):
        try:
            record = decode(line)
        except (ValueError, RecursionError):
            kept.append(line)
            continue
        known = record.get("type") in ("found", "settled")
        if not known or record.get("hash_hex") in stay or line in contents.unusable:
            kept.append(line)
    return b"".join(line + b"\n" for line in kept)
