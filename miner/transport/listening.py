"""Where we listen for others: an address, and a socket bound to it.

Sockets are bound by whoever starts a run, before mining begins: a port that is taken is an error of
the command, not of a thread.
"""

import errno
import ipaddress
import re
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from miner.errors import ConfigError

LOOPBACK = "127.0.0.1"
BACKLOG = 128
PLACE = re.compile(r"(?:(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z_.-]+)):)?([0-9]{1,5})")
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound


class ListenAddress(NamedTuple):
    """Port 0: the system chooses one."""

    host: str  # without brackets
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)


def bracketed(host: str) -> str:
    """As a URL has it."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def bind(address: ListenAddress, option: str) -> socket.socket:
    """A listening socket. Raises ConfigError with one line that names the remedy."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(
            f"{option} {address}: {error.strerror}; use an address of this computer"
        ) from None
    family, _, _, _, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ConfigError(f"{option} {address}: {remedy(error)}") from None
    return listener


def remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; choose another port, or stop that program"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "this user may not listen there; choose a port above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return "is no address of this computer; use 127.0.0.1, or 0.0.0.0 for all of its own"
    return f"{error.strerror}; choose another address or port"


def bound(listener: socket.socket) -> ListenAddress:
    """Where it really listens."""
    host, port = listener.getsockname()[:2]
    return ListenAddress(host, port)


def open_url(address: ListenAddress, own: Sequence[str]) -> str:
    """What people type into a browser; `own`: addresses by which others know this computer."""
    host = address.host
    if host in ANYWHERE:
        host = own[0] if own else socket.gethostname()
    return f"http://{bracketed(host)}:{address.port}/"


def listen_address(default_port: int) -> Callable[[object], ListenAddress | None]:
    """Reads [HOST:]PORT; true is the loopback at `default_port`, false is nowhere."""

    def parse(value: object) -> ListenAddress | None:
        if type(value) is bool:
            return ListenAddress(LOOPBACK, default_port) if value else None
        match = PLACE.fullmatch(f"{value}") if type(value) in (int, str) else None
        if match is None or int(match[3]) > 65535:
            raise ValueError("is not [HOST:]PORT, such as 8080, 0.0.0.0:8080 or [::1]:8080")
        return ListenAddress(match[1] or match[2] or LOOPBACK, int(match[3]))

    return parse
