"""Addresses of names: asked for at each try, off the caller's thread, with a deadline of its own.

The system's resolver knows no deadline. Families take turns (RFC 8305), and of a name with more
than eight addresses the later ones have theirs at the next try.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

from miner.errors import ConnectFailed
from miner.transport.waker import Waker

MAX_ADDRESSES = 8  # raced at one try
LOOKUP_S = 5.0  # for a name, before the connection's own time begins

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
Lookup = Callable[[str, int], list[Address]]


def system_lookup(host: str, port: int) -> list[Address]:
    """Every address of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, tuple(address)) for family, _, _, _, address in found]


class Resolver:
    """Looks up the names of one pool, one at a time."""

    def __init__(self, waker: Waker, lookup: Lookup = system_lookup) -> None:
        self._waker, self._lookup = waker, lookup
        self._resolving: tuple[tuple[str, int], _Resolution] | None = None
        self._tried = 0  # addresses of the name that did not answer at the tries before

    def addresses(self, host: str, port: int, lookup_s: float) -> list[Address]:
        """The addresses to try now, at most eight. Raises ConnectFailed."""
        found = self._look_up(host, port, monotonic() + lookup_s)
        turn = self._tried % len(found)
        return [*found[turn:], *found[:turn]][:MAX_ADDRESSES]

    def failed(self, addresses: list[Address]) -> None:
        """None of them answered: those that follow come next."""
        self._tried += len(addresses)

    def _look_up(self, host: str, port: int, deadline: float) -> list[Address]:
        with suppress(ValueError):
            family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
            if "%" not in host:  # a zone needs the system's help
                return [(family, (host, port))]
        if self._resolving is None or self._resolving[0] != (host, port):
            try:
                self._resolving = (host, port), _Resolution(self._lookup, host, port, self._waker)
            except RuntimeError as error:  # no thread is left
                raise ConnectFailed(f"cannot resolve {host}: {error}") from None
        resolution = self._resolving[1]  # a slow one goes on: never two at once for a pool
        while not resolution.done:
            self._pause(deadline, f"the name {host} was not resolved in time")
        self._resolving = None
        if isinstance(resolution.answer, OSError):
            failure = resolution.answer
            raise ConnectFailed(f"cannot resolve {host}: {failure.strerror or failure}")
        addresses = list(dict.fromkeys(resolution.answer))
        if not addresses:
            raise ConnectFailed(f"cannot resolve {host}: no address")
        return list(_interleaved(addresses))

    def _pause(self, deadline: float, late: str) -> None:
        """Wait for a wake. Raises ConnectFailed when stopping or late."""
        if self._waker.stopping:
            raise ConnectFailed("stopped while connecting")
        if monotonic() >= deadline:
            raise ConnectFailed(late)
        self._waker.wait(deadline - monotonic())


class _Resolution:
    """One lookup in its own thread, which ends when the system's resolver does."""

    def __init__(self, lookup: Lookup, host: str, port: int, waker: Waker) -> None:
        self.done = False
        self.answer: list[Address] | OSError = []
        self._lookup, self._waker = lookup, waker
        threading.Thread(
            target=self._run, args=(host, port), name=f"resolve {host[:40]}", daemon=True
        ).start()

    def _run(self, host: str, port: int) -> None:
        try:
            self.answer = self._lookup(host, port)
        except OSError as error:
            self.answer = error
        except UnicodeError:  # a label that is empty or too long
            self.answer = OSError(f"{host[:60]!r} is no host name")
        self.done = True
        self._waker.wake()


def _interleaved(addresses: list[Address]) -> Iterator[Address]:
    """Families in turn, the resolver's first choice first (RFC 8305 section 4)."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    other = [address for address in addresses if address[0] != addresses[0][0]]
    while first or other:
        if first:
            yield first.pop(0)
        first, other = (other, first) if other else (first, other)
