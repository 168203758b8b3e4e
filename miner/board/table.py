"""The board as a table: for a terminal, and as plain lines for a pipe."""

import time
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from miner.board.row import BoardState, MinerRow, Seen, State, Sum
from miner.units import duration, si

UNKNOWN = "–"
COLUMNS = (
    "miner",
    "kind",
    "state",
    "10 s",
    "1 min",
    "1 h",
    "accepted",
    "rejected",
    "best",
    "power",
    "temp.",
    "up",
    "pool",
    "seen",
)
RIGHT = frozenset(COLUMNS[3:12])
STYLES = {State.MINING: "green", State.OFFLINE: "bold red", State.WAITING: "dim"}


def cells(row: MinerRow, now_s: float) -> tuple[str, ...]:
    told = row.told
    best = told.best_ever if told.best_ever is not None else told.best_session
    lost = [count for count in (told.rejected, told.stale) if count is not None]
    name = row.label if told.seen is Seen.ITSELF else f"{row.label} (by its pool)"
    return (
        name,
        row.kind,
        row.state.value,
        *(rate(value) for value in (told.rate_10s_hs, told.rate_1min_hs, told.rate_1h_hs)),
        count(told.accepted),
        count(sum(lost) if lost else None),
        UNKNOWN if best is None else si(best, digits=3),
        UNKNOWN if told.power_w is None else f"{told.power_w:.1f} W",
        UNKNOWN if told.temperature_c is None else f"{told.temperature_c:.0f} °C",
        UNKNOWN if told.uptime_s is None else duration(told.uptime_s),
        told.pool or UNKNOWN,
        seen(row, now_s),
    )


def rate(value: float | None) -> str:
    return UNKNOWN if value is None else si(value, "H/s", 3)


def count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def seen(row: MinerRow, now_s: float) -> str:
    """An offline miner tells since when, and why."""
    if row.last_seen_s is None:
        return "never" + (f": {row.why}" if row.why else "")
    if row.online:
        return "now"
    return f"{duration(max(now_s - row.last_seen_s, 0.0))} ago: {row.why}"


def summary(state: BoardState) -> list[str]:
    """What is known of all together; never a total that hides a miner that told nothing."""
    told = state.totals
    lines = []
    if told.miners:
        parts = [f"{told.online} of {told.miners} miners online"]
        parts.append(f"{si(told.rate_hs.total, 'H/s', 3)} ({of(told.rate_hs)})")
        parts.append(f"{told.accepted.total:,.0f} shares accepted ({of(told.accepted)})")
        if told.power_w.known:
            parts.append(f"{told.power_w.total:.0f} W ({of(told.power_w)})")
        if told.best is not None:
            parts.append(f"best difficulty {si(told.best, digits=3)}")
        lines.append(", ".join(parts))
    if told.pool_workers:
        rate_hs = f"{si(told.pool_rate_hs.total, 'H/s', 3)} ({of(told.pool_rate_hs)})"
        lines.append(f"by their pools: {rate_hs}, estimated from shares; not added to the above")
    return lines


def of(told: Sum) -> str:
    return f"{told.known} of {told.of} tell"


def live(state: BoardState) -> Table:
    """For a terminal."""
    shown = Table(box=None, header_style="cyan", pad_edge=False, caption_justify="left")
    for column in COLUMNS:
        shown.add_column(column, justify="right" if column in RIGHT else "left", no_wrap=True)
    for row in state.rows:
        style = STYLES.get(row.state, "yellow")
        texts = [Text(cell) for cell in cells(row, time.time())]
        texts[2].stylize(style)
        shown.add_row(*texts)
    shown.caption = Text("\n".join(summary(state)))
    return shown


def lines(state: BoardState) -> Iterable[str]:
    """For a pipe: aligned, one line a miner."""
    texts = [COLUMNS, *(cells(row, state.time_s) for row in state.rows)]
    widths = [max(len(text[column]) for text in texts) for column in range(len(COLUMNS))]
    for text in texts:
        told = zip(text, widths, COLUMNS, strict=True)
        aligned = (
            f"{cell:>{width}}" if name in RIGHT else f"{cell:{width}}" for cell, width, name in told
        )
        yield "  ".join(aligned).rstrip()
    yield from summary(state)
