"""What the user named to mine on: pools, nodes and template providers, each with its login."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from miner.bitcoin.address import AddressError, decode
from miner.errors import ConfigError
from miner.secret import Secret
from miner.transport.endpoint import RPC_PORTS, NodeAddress, parse_node_url
from miner.transport.urls import PoolLogin, PoolUrl, is_v2, parse_pool_url, pool_login


def check_kinds(pools: object, nodes: object, providers: object) -> None:
    """Raises ConfigError for sources of two kinds."""
    if pools and (nodes or providers):
        raise ConfigError(
            "--pool and --node together: choose one kind of source; a node that only tells what "
            "became of the pool's blocks goes to --check-node"
        )
    if nodes and providers:
        raise ConfigError(
            "--node with http:// and with stratum2+tcp:// together: the first goes to --check-node"
        )


def check_node(values: Mapping[str, Any], mined_on: object) -> NodeAddress | None:
    """The node of --check-node. Raises ConfigError when there is nothing for it to do."""
    url = values["check_node"]
    if url is None:
        return None
    if not mined_on:
        raise ConfigError("--check-node belongs to --pool or to --node stratum2+tcp://...")
    return parse_node_url(url, default_port(values["address"]))


class Named(NamedTuple):
    """What to mine on."""

    pools: tuple[PoolLogin, ...]
    nodes: tuple[NodeAddress, ...]
    providers: tuple[PoolUrl, ...]


def sources(values: Mapping[str, Any], filed: str | None) -> Named:
    """Pools and nodes with their logins: the n-th user and password belong to the n-th URL.

    `filed`: the password of --pass-file. Raises ConfigError.
    """
    urls = [(url, not is_http(url)) for url in values["pool"] or ()]
    urls += [(url, False) for url in values["node"] or ()]
    users, passwords = list(values["user"] or ()), list(values["password"] or ())
    for pair in values["userpass"] or ():
        user, _, word = pair.partition(":")
        users, passwords = [*users, user], [*passwords, word]
    passwords += [] if filed is None else [filed]
    for flag, given in (("--user", users), ("--password", passwords)):
        if len(given) > max(len(urls), 1):
            raise ConfigError(f"{flag}: given {len(given)} times for {len(urls)} --pool or --node")
    pools: list[PoolLogin] = []
    nodes: list[NodeAddress] = []
    providers: list[PoolUrl] = []
    port = default_port(values["address"])
    for index, (url, is_pool) in enumerate(urls):
        user = users[min(index, len(users) - 1)] if users else None
        secret = Secret(passwords[min(index, len(passwords) - 1)]) if passwords else None
        if is_pool:
            pools.append(pool_login(url, user, secret))
        elif is_v2(url):
            providers.append(provider(url))
        else:
            node = parse_node_url(url, port)
            user, secret = (user or node.user), (secret or node.password)
            nodes.append(NodeAddress(node.endpoint, user, secret))
    return Named(tuple(pools), tuple(nodes), tuple(providers))


def provider(url: str) -> PoolUrl:
    """A template provider. Raises ConfigError."""
    place = parse_pool_url(url, "node")
    if place.standard:
        raise ConfigError(f"node {place}: channels belong to pools; leave out ?channel=standard")
    return place


def is_http(url: str) -> bool:
    """cpuminer's -o names nodes too."""
    return url.lower().startswith(("http://", "https://"))


def default_port(address: str | None) -> int:
    """The RPC port of the address's chain; a malformed address is refused here."""
    try:
        chain = decode(address).chains[0] if address is not None else "main"
    except AddressError as error:
        raise ConfigError(f"--address: {error}") from None
    return RPC_PORTS[chain]
