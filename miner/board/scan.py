"""Looks for miners in a private network, when its user asks for that and never otherwise."""

import asyncio
import ipaddress

from miner.board.language import TRIED
from miner.board.place import Place
from miner.board.speaks import axeos, cgminer, homehash, xmrig
from miner.board.wire import cgminer as ask_cgminer
from miner.board.wire import exchange, get_json
from miner.errors import ConfigError, MinerError

AT_ONCE = 32  # connections under way
ANSWER_S = 0.8
MOST_HOSTS = 1024
PRIVATE = tuple(
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
)


def hosts(text: str) -> list[str]:
    """Every host of a private network of at most a /22. Raises ConfigError."""
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise ConfigError(f"--scan {text[:60]!r}: want a network such as 192.168.1.0/24") from None
    if not any(network.subnet_of(own) for own in PRIVATE):
        raise ConfigError(f"--scan {network}: no private network, so it is not scanned")
    if network.num_addresses > MOST_HOSTS:
        raise ConfigError(f"--scan {network}: more than {MOST_HOSTS} addresses; name a smaller one")
    return [str(host) for host in network.hosts()] or [str(network.network_address)]


async def scan(found_in: list[str], ports: dict[str, int] | None = None) -> list[Place]:
    """The miners that answer there; one place a host, in its richest language."""
    room = asyncio.Semaphore(AT_ONCE)
    tried = [(kind, (ports or {}).get(kind, port)) for kind, port in TRIED]
    found = await asyncio.gather(*(look(host, tried, room) for host in found_in))
    return [place for place in found if place is not None]


async def look(host: str, tried: list[tuple[str, int]], room: asyncio.Semaphore) -> Place | None:
    open_ports: dict[int, bool] = {}
    for kind, port in tried:
        async with room:
            if port not in open_ports:
                open_ports[port] = await is_open(host, port)
            if open_ports[port] and await speaks(kind, host, port):
                return Place(kind, host, port)
    return None


async def is_open(host: str, port: int) -> bool:
    async def nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> bytes:
        return b""

    try:
        await exchange(host, port, nothing, ANSWER_S)
    except MinerError:
        return False
    return True


async def speaks(kind: str, host: str, port: int) -> bool:
    """Does it answer as a miner of this language?"""
    try:
        if kind == "cgminer":
            version = await ask_cgminer(host, port, "version", ANSWER_S)
            return bool(cgminer.told({"version": [version]}, "version", "VERSION"))
        path, read = PATHS[kind]
        read(await get_json(host, port, path, ANSWER_S))
    except MinerError:
        return False
    return True


PATHS = {
    "homehash": ("/api/v1/status", homehash.read),
    "axeos": ("/api/system/info", axeos.read),
    "xmrig": ("/2/summary", xmrig.read),
}
