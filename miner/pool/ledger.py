"""What the room remembers beside its members: blocks with their finders, waits, recent shares, and
the newest work by which a pool splits its blocks (PPLNS)."""

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from miner.pool.values import BlockRow, RecentShare

MOST_ROWS = 64  # blocks shown
MOST_WAITS = 4096
MOST_SHARES = 256  # dots
MOST_OPEN = 1024  # blocks found whose fate is not known
WINDOW = 2.0  # PPLNS: the newest shares worth so many blocks of work
MOST_WINDOW = 8192  # shares
EASIEST_BITS, HARDEST_BITS = 256, 160  # of hashes on the number line


@dataclass(frozen=True, slots=True)
class Found:
    """A block of a member, before and after the kernel spoke."""

    row: BlockRow
    value: int  # satoshi of its coinbase
    split: Mapping[int, float]  # parts of the work of the newest shares, by member; {}: solo


@dataclass(slots=True)
class Ledger:
    """Bounded; the room alone changes it."""

    started_s: float
    rows: OrderedDict[str, BlockRow] = field(default_factory=OrderedDict)  # accepted, by hash
    open: OrderedDict[str, Found] = field(default_factory=OrderedDict)  # not judged yet
    waits_s: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_WAITS))
    shares: deque[RecentShare] = field(default_factory=lambda: deque(maxlen=MOST_SHARES))
    window: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=MOST_WINDOW))
    last_block_s: dict[str, float] = field(default_factory=dict)  # by side

    def share(self, number: int, value: int, work: float, now: float, is_block: bool) -> None:
        """An accepted share: a dot, and a part of the next pool block."""
        place = (EASIEST_BITS - math.log2(value + 1)) / (EASIEST_BITS - HARDEST_BITS)
        self.shares.append(RecentShare(number, min(max(place, 0.0), 1.0), now, is_block))
        if work:
            self.window.append((number, work))

    def split(self, block_work: float) -> dict[int, float]:
        """Whose work the newest shares are, worth two blocks: parts that sum to 1."""
        parts: dict[int, float] = {}
        left = WINDOW * block_work
        for number, work in reversed(self.window):
            counted = min(work, left)
            parts[number] = parts.get(number, 0.0) + counted
            left -= counted
            if left <= 0:
                break
        total = sum(parts.values())
        return {number: part / total for number, part in parts.items()} if total else {}

    def found(self, found: Found) -> None:
        """A block went to the kernel; the oldest without an answer beyond the limit is let go."""
        self.open[found.row.hash_hex] = found
        if len(self.open) > MOST_OPEN:
            self.open.popitem(last=False)

    def tip(self, hash_hex: str, height: int, side: str, now: float) -> None:
        """The chain has a new tip: a row, unless it is there already."""
        if hash_hex not in self.rows:
            mine = self.open.get(hash_hex)
            row = BlockRow(height, hash_hex, "", None, now, None, side, 0.0, False)
            self._add(row if mine is None else mine.row)

    def accepted(self, hash_hex: str) -> Found | None:
        """The kernel took a block: its row counts now. None: not one that is waited for."""
        found = self.open.pop(hash_hex, None)
        if found is not None:
            if hash_hex not in self.rows:
                self._add(found.row)
            self.rows[hash_hex] = replace(self.rows[hash_hex], accepted=True, word="")
        return found

    def refused(self, hash_hex: str) -> Found | None:
        """The kernel refused it for good, or it was never sent."""
        found = self.open.pop(hash_hex, None)
        if found is not None:
            self.rows.pop(hash_hex, None)
        return found

    def restore(self, rows: Iterable[BlockRow]) -> None:
        """Blocks of an earlier run, oldest first."""
        for row in rows:
            self.rows[row.hash_hex] = row
        while len(self.rows) > MOST_ROWS:
            self.rows.popitem(last=False)

    def _add(self, row: BlockRow) -> None:
        before = self.last_block_s.get(row.side)
        waited_s = None if before is None else max(row.at_s - before, 0.0)
        if waited_s is not None:
            self.waits_s.append(waited_s)
        self.last_block_s[row.side] = row.at_s
        self.rows[row.hash_hex] = replace(row, waited_s=waited_s)
        if len(self.rows) > MOST_ROWS:
            self.rows.popitem(last=False)


def satoshi_parts(value: int, split: Mapping[int, float], finder: int) -> dict[int, int]:
    """A block's value in whole satoshi; the finder has what rounding leaves."""
    paid = {number: int(value * part) for number, part in split.items()}
    paid[finder] = paid.get(finder, 0) + value - sum(paid.values())
    return paid
