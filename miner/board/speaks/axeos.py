"""AxeOS (Bitaxe) and its fork NerdQAxe: `/api/system/info`; rates in GH/s, difficulties as numbers
or, from older firmware, as "1.01 G"."""

from typing import Any

from miner.board.place import Place
from miner.board.row import Reading
from miner.board.values import authority, field, flag, number, rows, whole, words
from miner.board.values import place as pool_of
from miner.board.wire import get_json
from miner.errors import RemoteProtocolError

GIGA = 1e9


async def ask(place: Place) -> list[Reading]:
    return read(await get_json(place.host, place.port, "/api/system/info"))


def read(tree: Any) -> list[Reading]:
    """Raises RemoteProtocolError for another program's answer."""
    if field(tree, "hashRate") is None and field(tree, "ASICModel") is None:
        raise RemoteProtocolError("no /api/system/info of AxeOS")
    model = [words(tree, "deviceModel", "boardVersion"), words(tree, "ASICModel")]
    return [
        Reading(  # stale shares are among the rejected ones
            name=words(tree, "hostname") or "",
            model=" ".join(dict.fromkeys(word for word in model if word)) or None,
            rate_10s_hs=number(tree, "hashRate", scale=GIGA),
            rate_1min_hs=number(tree, "hashRate_1m", scale=GIGA),
            rate_1h_hs=number(tree, "hashRate_1h", scale=GIGA),
            accepted=whole(tree, "sharesAccepted"),
            rejected=whole(tree, "sharesRejected"),
            best_session=number(tree, "bestSessionDiff"),
            best_ever=number(tree, "bestDiff"),
            pool=pool(tree),
            power_w=number(tree, "power"),
            temperature_c=warmest(tree),
            uptime_s=number(tree, "uptimeSeconds"),
            paused=flag(tree, "miningPaused"),
        )
    ]


def pool(tree: Any) -> str | None:
    """The pool in use: the fallback when that is said; NerdQAxe lists them."""
    for row in rows(tree, "stratum.pools"):
        if flag(row, "connected") and (host := pool_of(row, "host", "port")):
            return authority(host)
    fallback = flag(tree, "isUsingFallbackStratum")
    prefix = "fallbackStratum" if fallback else "stratum"
    return pool_of(tree, f"{prefix}URL", f"{prefix}Port")


def warmest(tree: Any) -> float | None:
    """Of the chips' sensors; -1 stands for one that is not there."""
    chips = field(tree, "asicTemps")
    told = [number(tree, name) for name in ("temp", "temp2")]
    told += [number({"chip": chip}, "chip") for chip in (chips if isinstance(chips, list) else [])]
    return max((value for value in told if value), default=None)
