"""A session for other programs: tables as CSV, and the file that a replay shows."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from miner.pool import stats, values
from miner.pool.record import Record
from miner.pool.replay import fold
from miner.views.web.answer import JSON

CSV = "text/csv; charset=utf-8"
FORMULA = "=+-@\t\r＝＋－＠"  # a spreadsheet runs a text that begins so


class File(NamedTuple):
    """A download."""

    name: str
    body: bytes
    media: str


def session(record: Record, now: float) -> File:
    """Everything, for `miner class --replay`."""
    return File(f"class-{stamp(now)}.json", record.dump(), JSON)


def members(record: Record, now: float) -> File:
    """One row a member, with both incomes."""
    heads = (
        "number", "name", "kind", "device", "joined_utc", "left_utc", "shares", "refused",
        "work_hashes", "share_of_work", "rate_hs", "rate_sigma_hs", "blocks", "share_of_blocks",
        "best_hash", "alone_satoshi", "pooled_satoshi",
    )  # fmt: skip
    rows = [
        (
            row.member.number, row.member.name, row.member.kind.value, row.member.device,
            utc(row.member.joined_s), utc(row.member.left_s), row.accepted, row.refused,
            f"{row.work:.0f}", row.share_of_work, row.rate_hs, row.rate_sigma_hs, row.blocks,
            row.share_of_blocks, "" if row.best_hash is None else f"{row.best_hash:064x}",
            row.alone, row.pooled,
        )
        for row in fold(record.first, record.events).view(now).members
    ]  # fmt: skip
    return File(f"class-members-{stamp(now)}.csv", table(heads, rows), CSV)


def blocks(record: Record, now: float) -> File:
    """Every block that was found, with the kernel's last word."""
    verdicts = {one.hash_hex: one for one in record.events if isinstance(one, values.BlockJudged)}
    newest = {row.hash_hex: row for row in fold(record.first, record.events).view(now).blocks}
    rows = []
    for one in record.events:
        if isinstance(one, values.BlockFound):
            told = newest.get(one.hash_hex) or verdicts.get(one.hash_hex)  # one may be undone
            word = "" if told is None else "accepted" if told.accepted else told.word
            rows.append(
                (
                    one.height, one.hash_hex, utc(one.at_s), f"{one.at_s:.3f}",
                    one.member.number, one.member.name, one.side, one.value, word,
                )
            )  # fmt: skip
    heads = (
        "height", "hash", "found_utc", "found_s", "number", "name", "side", "satoshi", "word",
    )  # fmt: skip
    return File(f"class-blocks-{stamp(now)}.csv", table(heads, rows), CSV)


def shares(record: Record, now: float) -> File:
    """Every share that was judged."""
    rows = [
        (f"{one.at_s:.3f}", one.member.number, one.answer.name.lower(), float(one.difficulty),
         "" if one.hash is None else f"{one.hash:064x}",
         "" if one.hash is None else f"{stats.zero_bits(one.hash):.3f}")
        for one in record.events
        if isinstance(one, values.ShareJudged)
    ]  # fmt: skip
    heads = ("at_s", "number", "answer", "difficulty", "hash", "zero_bits")
    return File(f"class-shares-{stamp(now)}.csv", table(heads, rows), CSV)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV (RFC 4180). No text is a formula, whatever somebody calls himself."""
    drawn = io.StringIO()
    writer = csv.writer(drawn)
    writer.writerow(heads)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return drawn.getvalue().encode()


def plain(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(tuple(FORMULA)) else cell


def utc(at_s: float | None) -> str:
    return "" if at_s is None else f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S}"


def stamp(now: float) -> str:
    """Of a file's name, by this computer's own clock."""
    return f"{datetime.fromtimestamp(now):%Y-%m-%d-%H%M%S}"
