"""The history as JSON: each row is written once, however many ask for it.

A day has two thousand rows; to write them all anew for everybody would take longer than all else
that a listener does.
"""

import json
from collections.abc import Iterable

from miner.state.history import COARSE_S, FINE_S, Row, plain_row
from miner.state.snapshot import Snapshot

Key = tuple[float, float, float]


class Rows:
    """Texts of the rows of one run; those that have left the history are forgotten."""

    def __init__(self) -> None:
        self._fine: dict[Key, str] = {}
        self._coarse: dict[Key, str] = {}

    def history(self, now: Snapshot, since_s: float = 0.0) -> bytes:
        """GET /api/v1/history: rows later than this wall-clock time, oldest first; null in a row
        is not known."""
        self._fine = texts(now.history.fine, self._fine)
        self._coarse = texts(now.history.coarse, self._coarse)
        head = {
            "change": now.change,
            "columns": list(Row._fields),
            "fine_every_s": FINE_S,
            "coarse_every_s": COARSE_S,
        }
        fine, coarse = (joined(made, since_s) for made in (self._fine, self._coarse))
        return f'{json.dumps(head)[:-1]},"fine":[{fine}],"coarse":[{coarse}]}}'.encode()


def texts(rows: Iterable[Row], made: dict[Key, str]) -> dict[Key, str]:
    """By what tells rows apart, in their order."""
    found = {}
    for row in rows:
        key = row.time_s, row.rate_hs, row.low_hs
        found[key] = made.get(key) or json.dumps(plain_row(row), allow_nan=False)
    return found


def joined(made: dict[Key, str], since_s: float) -> str:
    """A client asks from the last time it was told, which is rounded."""
    return ",".join(text for key, text in made.items() if round(key[0], 1) > since_s)
