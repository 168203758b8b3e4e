"""homehash's own API: one object, units in its names."""

from typing import Any

from miner.board.place import Place
from miner.board.row import Reading
from miner.board.values import authority, flag, number, rows, whole, words
from miner.board.wire import get_json
from miner.errors import RemoteProtocolError

SPANS = ("10s", "1min", "1h")
MINES = ("mining", "pausing: paced blocks", "waiting for a verdict")


async def ask(place: Place) -> list[Reading]:
    return read(await get_json(place.host, place.port, "/api/v1/status"))


def read(tree: Any) -> list[Reading]:
    """Raises RemoteProtocolError for another program's answer."""
    activity = words(tree, "run.activity")
    if activity is None or whole(tree, "schema") is None:
        raise RemoteProtocolError("no status of homehash")
    paced = flag(tree, "run.paced")  # its rates are those of waiting
    sources = sorted(rows(tree, "sources"), key=lambda row: not flag(row, "active"))
    url = words(sources[0], "url") if sources else None
    told = rows(tree, "devices")
    watts = [value for row in told if (value := number(row, "sensors.power_w")) is not None]
    warm = [value for row in told if (value := number(row, "sensors.temperature_c")) is not None]
    rates = [None if paced else number(tree, f"run.rates.rate_{span}_hs") for span in SPANS]
    return [
        Reading(
            name=words(tree, "machine.host") or "",
            model=f"homehash {words(tree, 'run.version') or ''}".rstrip(),
            rate_10s_hs=rates[0],
            rate_1min_hs=rates[1],
            rate_1h_hs=rates[2],
            accepted=whole(tree, "shares.accepted"),
            rejected=whole(tree, "shares.rejected"),
            stale=whole(tree, "shares.stale"),
            best_session=number(tree, "shares.best_session"),
            best_ever=number(tree, "shares.best_ever"),
            pool=authority(url) if url else None,
            power_w=sum(watts) if watts else None,
            temperature_c=max(warm, default=None),
            uptime_s=number(tree, "run.elapsed_s"),
            paused=flag(tree, "run.paused"),
            mining=activity in MINES,
        )
    ]
