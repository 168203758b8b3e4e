"""XMRig's HTTP API: `/2/summary`; every rate in hashes a second, of 10 s, 1 min and 15 min."""

from typing import Any

from miner.board.place import Place
from miner.board.row import Reading
from miner.board.values import authority, field, flag, number, whole, words
from miner.board.wire import get_json
from miner.errors import RemoteProtocolError


async def ask(place: Place) -> list[Reading]:
    return read(await get_json(place.host, place.port, "/2/summary"))


def read(tree: Any) -> list[Reading]:
    """Raises RemoteProtocolError for another program's answer."""
    if field(tree, "hashrate.total") is None:
        raise RemoteProtocolError("no /2/summary of XMRig")
    rates = field(tree, "hashrate.total")
    rates = rates if isinstance(rates, list) else []
    spans = [number({"rate": rate}, "rate") for rate in [*rates, None, None][:2]]
    good, total = whole(tree, "results.shares_good"), whole(tree, "results.shares_total")
    rejected = whole(tree, "connection.rejected")
    if rejected is None and good is not None and total is not None:
        rejected = max(total - good, 0)
    pool = words(tree, "connection.pool")
    program = [words(tree, "ua", "kind"), words(tree, "algo")]
    return [
        Reading(
            name=words(tree, "worker_id") or "",
            model=" ".join(word for word in program if word) or None,
            rate_10s_hs=spans[0],
            rate_1min_hs=spans[1],
            accepted=good,
            rejected=rejected,
            best_session=best_of(field(tree, "results.best")),
            pool=authority(pool) if pool else None,
            uptime_s=number(tree, "uptime"),
            paused=flag(tree, "paused"),
        )
    ]


def best_of(best: Any) -> float | None:
    """Its ten best difficulties; zeros stand for none."""
    return number({"best": best[0]}, "best") if isinstance(best, list) and any(best) else None
