"""The board as JSON: `/api/v1/board` of its page, and a line of `miner board --json`."""

from typing import Any

from miner.board.row import BoardState, MinerRow
from miner.state.history import plain_row
from miner.state.snapshot import plain

SCHEMA = 1
COLUMNS = ("time_s", "rate_hs", "temperature_c", "power_w")
PLACES = (0, 1, 6, 7)  # of these in a row of history


def board(state: BoardState) -> dict[str, Any]:
    """Rows and totals; null: the miner does not tell."""
    return {
        "schema": SCHEMA,
        "time_s": state.time_s,
        "change": state.change,
        "totals": plain(state.totals),
        "miners": [miner(row) for row in state.rows],
    }


def miner(row: MinerRow) -> dict[str, Any]:
    told = plain(row.told)
    del told["mining"], told["paused"]
    return {
        "label": row.label,
        "kind": row.kind,
        "address": row.address,
        "state": row.state.value,
        "why": row.why,
        "last_seen_s": row.last_seen_s,
        "rate_hs": row.told.rate_hs,
        **told,
    }


def history(state: BoardState, since_s: float = 0.0) -> dict[str, Any]:
    """Of each miner what is newer than this wall-clock time, oldest first."""
    return {
        "change": state.change,
        "columns": list(COLUMNS),
        "miners": {
            row.label: [
                [whole[place] for place in PLACES]
                for one in row.history
                if one.time_s > since_s
                for whole in (plain_row(one),)
            ]
            for row in state.rows
        },
    }
