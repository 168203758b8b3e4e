"""The headers of every block the node has stored, the active chain, and what follows from both:
median time, chain work, version bits. Guarded by the lock of NodeState.
"""

from dataclasses import dataclass

from miner.bitcoin.header import Header
from miner.bitcoin.target import expected_hashes, target_from_nbits

MEDIAN_SPAN = 11  # blocks whose median time a new block must exceed (BIP 113)
WINDOW, THRESHOLD = 144, 108  # regtest's BIP 9 period, and the signals that lock a rule in
MAX_TIMEWARP_S = 600  # BIP 94, applied to the first block of a period
TESTDUMMY_BIT = 28  # regtest's one deployment, always open for signalling
TOP_MASK, TOP_BITS = 0xE0000000, 0x20000000


@dataclass(frozen=True, slots=True)
class Row:
    """One stored block."""

    hash: bytes  # internal order
    header: Header
    parent: "Row | None"
    height: int
    median_time: int  # of this block and the ten before it
    chainwork: int
    tx_count: int
    chain_tx_count: int  # from genesis on
    size: int  # bytes on the wire

    def ancestor(self, height: int) -> "Row":
        """The block of this height that this one stands on, or is. Raises ValueError."""
        row: Row | None = self
        while row is not None and row.height > height:
            row = row.parent
        if row is None or row.height != height:
            raise ValueError(f"block {self.height} has no ancestor at height {height}")
        return row


class BlockIndex:
    """Rows by hash, and the active chain by height. `period`: blocks of a difficulty period."""

    def __init__(self, period: int = 144) -> None:
        self._period = period
        self.rows: dict[bytes, Row] = {}
        self.active: list[Row] = []
        self.bytes_stored = 0
        self.best_height = 0  # of the highest stored block, on whatever branch
        self._states: dict[bytes, str] = {}  # testdummy, by the last block of a period

    @property
    def tip(self) -> Row:
        return self.active[-1]

    def add(self, header: Header, block_hash: bytes, tx_count: int, size: int) -> Row:
        """Store a block whose parent is stored; idempotent."""
        if known := self.rows.get(block_hash):
            return known
        parent = self.rows[header.prev_hash] if self.rows else None
        times = [header.time, *_times(parent, MEDIAN_SPAN - 1)]
        work = int(expected_hashes(target_from_nbits(header.nbits)))
        row = Row(
            block_hash,
            header,
            parent,
            parent.height + 1 if parent else 0,
            median_high(times),
            work + (parent.chainwork if parent else 0),
            tx_count,
            tx_count + (parent.chain_tx_count if parent else 0),
            size,
        )
        self.rows[block_hash] = row
        self.best_height = max(self.best_height, row.height)
        self.bytes_stored += size + 8  # each stands behind magic and length
        return row

    def is_active(self, row: Row) -> bool:
        return row.height < len(self.active) and self.active[row.height] is row

    def next_min_time(self, tip: Row | None = None) -> int:
        """The earliest time of a block on `tip`, the active one unless told (BIP 113, BIP 94)."""
        tip = tip or self.tip
        least = tip.median_time + 1
        if (tip.height + 1) % self._period == 0:
            least = max(least, tip.header.time - MAX_TIMEWARP_S)
        return least

    def testdummy_state(self, tip: Row | None = None) -> str:
        """Of a block on `tip`: defined, started, locked_in or active (BIP 9)."""
        tip = tip or self.tip
        last = tip.height - (tip.height + 1) % WINDOW
        row = tip.ancestor(last) if last >= 0 else None
        missing = []
        while row is not None and row.hash not in self._states:
            missing.append(row)
            row = row.ancestor(row.height - WINDOW) if row.height >= WINDOW else None
        state = self._states[row.hash] if row is not None else "defined"
        for row in reversed(missing):
            state = self._step(state, row)
            self._states[row.hash] = state
        return state

    def _step(self, state: str, last: Row) -> str:
        """The state of the period after the one that ends with `last`."""
        if state == "started":
            signals, row = 0, last
            for _ in range(WINDOW):
                signals += _signals(row.header.version)
                row = row.parent or row
            return "locked_in" if signals >= THRESHOLD else "started"
        return {"defined": "started", "locked_in": "active"}.get(state, state)


def _signals(version: int) -> bool:
    return version & TOP_MASK == TOP_BITS and bool(version >> TESTDUMMY_BIT & 1)


def median_high(times: list[int]) -> int:
    """The middle one, the later of two: as Bitcoin Core picks it."""
    return sorted(times)[len(times) // 2]


def _times(row: Row | None, count: int) -> list[int]:
    times: list[int] = []
    while row is not None and len(times) < count:
        times.append(row.header.time)
        row = row.parent
    return times
