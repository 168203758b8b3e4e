"""The cgminer API: three commands at once, or one by one where joins are refused."""

from typing import Any

from miner.board.place import Place
from miner.board.row import Reading
from miner.board.values import authority, field, number, rows, whole, words
from miner.board.wire import cgminer
from miner.errors import RemoteProtocolError

COMMANDS = ("summary", "devs", "pools")
MEGA, GIGA = 1e6, 1e9
SINCE_2009 = 1.2e9  # a time of the wall clock; smaller numbers are counts


async def ask(place: Place) -> list[Reading]:
    """Raises as `wire.cgminer`, and RemoteProtocolError where nothing of cgminer's came."""
    version = await cgminer(place.host, place.port, "version")
    answers = await cgminer(place.host, place.port, "+".join(COMMANDS))
    if not any(command in answers for command in COMMANDS if isinstance(answers, dict)):
        answers = {}
        for command in COMMANDS:  # "access denied" or "invalid" for the joined form
            answers[command] = [await cgminer(place.host, place.port, command)]
    return read({"version": [version], **answers})


def read(answers: Any) -> list[Reading]:
    """`answers`: as a joined reply has them. Raises RemoteProtocolError."""
    summary = first(answers, "summary", "SUMMARY")
    if summary is None:
        raise RemoteProtocolError("no answer of the cgminer API")
    devices = told(answers, "devs", "DEVS")
    pools = told(answers, "pools", "POOLS")
    version = first(answers, "version", "VERSION")
    warm = [value for row in devices if (value := number(row, "Temperature"))]
    watts = [value for row in devices if (value := number(row, "Power")) is not None]
    active = next((row for row in pools if field(row, "Stratum Active") in (True, "true")), None)
    url = words(active, "Stratum URL", "URL") if active else None
    shares = [number(row, "Last Share Time") or 0.0 for row in (*pools, *devices)]
    newest = max(shares, default=0.0)
    alive = [row for row in devices if words(row, "Status") == "Alive"]
    return [
        Reading(  # it has 15 minutes, not an hour
            model=model(version),
            rate_10s_hs=rate(summary, "5s", "20s"),
            rate_1min_hs=rate(summary, "1m"),
            accepted=whole(summary, "Accepted"),
            rejected=whole(summary, "Rejected"),
            stale=whole(summary, "Stale"),
            best_session=number(summary, "Best Share") or None,  # 0: none yet
            pool=authority(url) if url else None,
            power_w=sum(watts) if watts else None,
            temperature_c=max(warm, default=None),
            uptime_s=number(summary, "Elapsed"),
            mining=False if devices and not alive else None,
            last_share_s=newest if newest > SINCE_2009 else None,
        )
    ]


def rate(summary: Any, *spans: str) -> float | None:
    """Firmware of big machines says GHS where cgminer says MHS."""
    for span in spans:
        exact = number(summary, f"GHS {span}", scale=GIGA)
        if exact is None:
            exact = number(summary, f"MHS {span}", scale=MEGA)
        if exact is not None:
            return exact
    return None


def model(version: Any) -> str | None:
    """What the miner calls itself."""
    if name := words(version, "Type", "Miner"):
        return name
    for program in ("CGMiner", "BFGMiner", "BMMiner", "LUXminer", "BOSminer"):
        if number_ := words(version, program):
            return number_ if "homehash" in number_ else f"{program.lower()} {number_}"
    return None


def told(answers: Any, command: str, key: str) -> list[Any]:
    """The rows of one command."""
    return [row for reply in rows(answers, command) for row in rows(reply, key)]


def first(answers: Any, command: str, key: str) -> Any:
    return next(iter(told(answers, command, key)), None)
