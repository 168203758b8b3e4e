"""public-pool: the workers of one address, `/api/client/ADDRESS`; hashRate in H/s, times as ISO
texts, bestDifficulty as text."""

from datetime import UTC, datetime
from typing import Any

from miner.board.place import Place
from miner.board.row import Reading, Seen
from miner.board.values import field, number, rows, words
from miner.board.wire import get_json
from miner.errors import RemoteProtocolError


async def ask(place: Place) -> list[Reading]:
    return read(await get_json(place.host, place.port, f"/api/client/{place.path}"))


def read(tree: Any) -> list[Reading]:
    """One a worker. Raises RemoteProtocolError for another program's answer."""
    if not isinstance(field(tree, "workers"), list):
        raise RemoteProtocolError("no /api/client of public-pool")
    return [
        Reading(
            name=words(row, "name") or "worker",
            rate_1min_hs=number(row, "hashRate"),  # its own estimate from the newest shares
            best_session=number(row, "bestDifficulty"),
            pool="public-pool",
            uptime_s=since(row, "startTime", "lastSeen"),
            last_share_s=wall_s(row, "lastSeen"),
            seen=Seen.POOL,
        )
        for row in rows(tree, "workers")
    ]


def since(row: Any, start: str, end: str) -> float | None:
    began, ended = wall_s(row, start), wall_s(row, end)
    return None if began is None or ended is None else max(ended - began, 0.0)


def wall_s(row: Any, name: str) -> float | None:
    """Seconds of the wall clock from a number of milliseconds or an ISO text."""
    value = number(row, name, scale=1e-3)
    if value is not None:
        return value
    text = field(row, name)
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
