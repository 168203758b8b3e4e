"""Every language the board knows, and which of them a host speaks."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from miner.board.place import ANY, Place
from miner.board.row import Reading
from miner.board.speaks import axeos, cgminer, ckpool, homehash, publicpool, xmrig
from miner.errors import ConnectFailed, MinerError

Ask = Callable[[Place], Awaitable[list[Reading]]]
SPEAKS: dict[str, Ask] = {
    "homehash": homehash.ask,
    "axeos": axeos.ask,
    "cgminer": cgminer.ask,
    "xmrig": xmrig.ask,
    "ckpool": ckpool.ask,
    "publicpool": publicpool.ask,
}
# homehash answers to all four of these, so its own comes first.
TRIED = (("homehash", 8080), ("axeos", 80), ("xmrig", 8080), ("cgminer", 4028))


async def ask(place: Place) -> tuple[Place, list[Reading]]:
    """The readings, and the place with the language found. Raises ConnectFailed,
    DeadlinePassed or RemoteProtocolError."""
    if place.kind != ANY:
        return place, await SPEAKS[place.kind](place)
    return await find(place)


async def find(place: Place) -> tuple[Place, list[Reading]]:
    """Ask in each language until one is understood. With a port of its own in all of them there."""
    error: MinerError = ConnectFailed("nothing was asked")
    for kind, port in TRIED:
        one = replace(place, kind=kind, port=place.port or port)
        try:
            return one, await SPEAKS[kind](one)
        except MinerError as failed:
            error = failed
    ports = place.port or ", ".join(str(port) for port in sorted({port for _, port in TRIED}))
    raise ConnectFailed(f"no miner that is known answers on {ports} ({error})")
