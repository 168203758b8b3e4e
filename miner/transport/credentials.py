"""Where a node's user name and password come from, read again whenever they are used.

Bitcoin Core writes a new cookie at every start and removes it at a clean stop (httprpc.cpp), so a
cookie is never kept: the file is the truth.
"""

import base64
import ipaddress
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from miner.errors import ConfigError, ConnectFailed, RpcAuthError
from miner.secret import Secret
from miner.transport.endpoint import RPC_PORTS, NodeAddress

MAX_COOKIE_BYTES = 4096  # Core writes 75
# Folder of each chain inside the data directory (chainparamsbase.cpp).
CHAIN_FOLDERS = {
    "main": "",
    "test": "testnet3",
    "testnet4": "testnet4",
    "signet": "signet",
    "regtest": "regtest",
}


class Credentials(Protocol):
    """Makes the Authorization header; a reader may find a new value at each call."""

    def authorization(self) -> str:
        """The header's value. ConnectFailed: not there yet; RpcAuthError: will never work."""

    def __str__(self) -> str:
        """What they are, without the secret."""


class UserPassword:
    """A user and a plain password; the node keeps the hash (rpcauth)."""

    def __init__(self, user: str, password: Secret) -> None:
        if ":" in user:
            raise ConfigError("RPC user: a colon cannot be part of the name")
        try:
            f"{user}:{password.reveal()}".encode()
        except UnicodeEncodeError:  # whose text would show what it could not encode
            raise ConfigError("RPC user and password: one of them is not UTF-8") from None
        self._user, self._password = user, password

    def authorization(self) -> str:
        return _basic(f"{self._user}:{self._password.reveal()}")

    def __str__(self) -> str:
        return "user and password"


class CookieFile:
    """The node's cookie: the first of `paths` that exists."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths

    def authorization(self) -> str:
        path = next(filter(os.path.exists, self.paths), self.paths[0])
        return _basic(_read_cookie(path))

    def __str__(self) -> str:
        return f"cookie {self.paths[0]}"


def _basic(pair: str) -> str:
    """The header; should a peer repeat the password in either spelling, it is not shown."""
    Secret(pair.partition(":")[2])
    return "Basic " + Secret(base64.b64encode(pair.encode()).decode()).reveal()


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting: a pipe would hold the caller until somebody writes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_cookie(path: Path) -> str:
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RpcAuthError(f"cookie {path} is not a file: name the node's own")
            content = file.read(MAX_COOKIE_BYTES + 1)
    except FileNotFoundError:
        raise ConnectFailed(
            f"no cookie at {path}: start the node, or give --cookie FILE, or MINER_RPC_USER and "
            "MINER_RPC_PASSWORD"
        ) from None
    except OSError as error:
        raise RpcAuthError(
            f"cookie {path} cannot be read ({error.strerror}): run as the node's user, or start "
            "the node with -rpccookieperms=group"
        ) from None
    text = content.decode("utf-8", "replace").strip()
    if not text:
        raise ConnectFailed(
            f"cookie {path} is empty: the node is just writing it, or its disk is full"
        )
    if len(content) > MAX_COOKIE_BYTES or ":" not in text or not text.isprintable():
        raise RpcAuthError(f"{path} is not a cookie: want one line USER:PASSWORD")
    return text


def default_datadir(
    platform: str = sys.platform, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> Path:
    """Bitcoin Core's data directory on this system."""
    environ = os.environ if environ is None else environ
    try:
        home = Path.home() if home is None else home
    except RuntimeError:
        raise ConfigError(
            "this user has no home folder to look for a cookie: give --cookie"
        ) from None
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Bitcoin"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "Bitcoin"
    return home / ".bitcoin"


def cookie_paths(datadir: Path, chains: Sequence[str]) -> list[Path]:
    """The cookie of each chain, in the given order."""
    return [datadir / CHAIN_FOLDERS[chain] / ".cookie" for chain in chains]


def find_credentials(
    address: NodeAddress,
    *,
    cookie: Path | None = None,
    chains: Sequence[str] = (),
    datadir: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Credentials:
    """Choose: a named cookie, the URL's user, MINER_RPC_* variables, then the node's own cookie.

    `chains` are those the payout address may belong to; the URL's port tells which comes first.
    The node's own cookie is looked for on this computer, so no other computer is shown it.
    """
    environ = os.environ if environ is None else environ
    if named := cookie or (environ.get("MINER_RPC_COOKIE") and Path(environ["MINER_RPC_COOKIE"])):
        return CookieFile(named)
    if address.user is not None and address.password is not None:
        return UserPassword(address.user, address.password)
    user, password = environ.get("MINER_RPC_USER"), environ.get("MINER_RPC_PASSWORD")
    if user is not None and password is not None:
        return UserPassword(user, Secret(password))
    if user is not None or password is not None:
        raise ConfigError("MINER_RPC_USER and MINER_RPC_PASSWORD: set both or none")
    if address.user is not None:
        raise ConfigError(f"node {address.endpoint}: a user without a password; give both or none")
    if not _is_here(address.endpoint.host):
        raise ConfigError(
            f"node {address.endpoint} is not this computer: give --cookie with a copy of its "
            "cookie, or --user and --password"
        )
    order = sorted(chains or RPC_PORTS, key=lambda chain: RPC_PORTS[chain] != address.endpoint.port)
    return CookieFile(*cookie_paths(datadir or default_datadir(environ=environ), order))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
