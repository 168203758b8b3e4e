"""Open a connection to a pool: resolve, try every address, TLS; each with a deadline.

Names are resolved at each try, off the caller's thread, since the system's resolver knows no
deadline. Addresses of both families race with a short stagger (RFC 8305), so a dead one costs
little; of more than eight the others have their turn at the next try. A `Waker` that is stopping
ends every wait at once.
"""

import ipaddress
import os
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

from miner.errors import ConnectFailed
from miner.transport.lines import Selector, Waker
from miner.transport.tls import UNVERIFIED, TlsSettings, failure_cause, fingerprint

STAGGER_S = 0.25  # RFC 8305's Connection Attempt Delay
MAX_ADDRESSES = 8  # raced at one try
LOOKUP_S = 5.0  # for a name, before the connection's own time begins
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))  # seconds, probes

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
Lookup = Callable[[str, int], list[Address]]


def system_lookup(host: str, port: int) -> list[Address]:
    """Every address of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, tuple(address)) for family, _, _, _, address in found]


class Connector:
    """Opens connections for one pool, one at a time."""

    def __init__(self, waker: Waker, lookup: Lookup = system_lookup) -> None:
        self._waker, self._lookup = waker, lookup
        self._resolving: tuple[tuple[str, int], _Resolution] | None = None
        self._tried = 0  # addresses of the name that did not answer at the tries before

    def resolve(self, host: str, port: int, lookup_s: float = LOOKUP_S) -> list[Address]:
        """The addresses to try now, at most eight: after a failure those that follow.

        Raises ConnectFailed.
        """
        found = self._look_up(host, port, monotonic() + lookup_s)
        turn = self._tried % len(found)
        return [*found[turn:], *found[:turn]][:MAX_ADDRESSES]

    def connect(
        self, addresses: list[Address], host: str, tls: TlsSettings | None, deadline: float
    ) -> socket.socket:
        """A connected, non-blocking socket, with TLS for `host` if asked. Raises ConnectFailed."""
        try:
            sock = self._race(addresses, deadline)
        except ConnectFailed:
            self._tried += len(addresses)
            raise
        try:
            return sock if tls is None else self._start_tls(sock, host, tls, deadline)
        except BaseException:
            sock.close()
            raise

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

    def _race(self, addresses: list[Address], deadline: float) -> socket.socket:
        """The first connection that succeeds; the others are closed."""
        errors: list[str] = []
        waiting = list(addresses)
        with Selector() as selector:
            selector.register(self._waker, selectors.EVENT_READ)
            try:
                while True:
                    if waiting:
                        self._try_next(waiting.pop(0), selector, errors)
                    if not waiting and len(selector.get_map()) == 1:
                        raise ConnectFailed("; ".join(dict.fromkeys(errors)) or "no address")
                    limit = deadline - monotonic()
                    winner = self._winner(
                        selector, min(limit, STAGGER_S) if waiting else limit, errors
                    )
                    if winner is not None:
                        return winner
                    if monotonic() >= deadline:
                        raise ConnectFailed("; ".join([*errors, "no connection in time"]))
            finally:
                for key in list(selector.get_map().values()):
                    if isinstance(key.fileobj, socket.socket):
                        key.fileobj.close()

    def _try_next(
        self, address: Address, selector: selectors.BaseSelector, errors: list[str]
    ) -> None:
        try:
            sock = socket.socket(address[0], socket.SOCK_STREAM)
        except OSError as error:
            errors.append(f"{address[1][0]}: {error.strerror or error}")
            return
        try:
            sock.setblocking(False)
            _set_options(sock)
            with suppress(BlockingIOError):
                sock.connect(address[1])
            selector.register(sock, selectors.EVENT_WRITE, address[1][0])
        except OSError as error:
            sock.close()
            errors.append(f"{address[1][0]}: {error.strerror or error}")

    def _winner(
        self, selector: selectors.BaseSelector, timeout_s: float, errors: list[str]
    ) -> socket.socket | None:
        for key, _ in selector.select(max(timeout_s, 0.0)):
            if not isinstance(key.fileobj, socket.socket):
                self._waker.clear()
                if self._waker.stopping:
                    raise ConnectFailed("stopped while connecting")
                continue
            selector.unregister(key.fileobj)
            code = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return key.fileobj
            key.fileobj.close()
            errors.append(f"{key.data}: {os.strerror(code)}")
        return None

    def _start_tls(
        self, sock: socket.socket, host: str, tls: TlsSettings, deadline: float
    ) -> ssl.SSLSocket:
        peer: Address = sock.family, tuple(sock.getpeername())
        try:
            secured = self._handshake(sock, host, tls, deadline)
        except OSError as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                seen = self._fingerprint(peer, host, deadline)
                raise ConnectFailed(f"{failure_cause(error)} (SHA-256 {seen})") from None
            raise ConnectFailed(failure_cause(error)) from None
        failure = tls.pin_failure(secured.getpeercert(binary_form=True))
        if failure is not None:
            secured.close()
            raise ConnectFailed(failure)
        return secured

    def _handshake(
        self, sock: socket.socket, host: str, tls: TlsSettings, deadline: float
    ) -> ssl.SSLSocket:
        context = tls.context()
        secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        try:
            while True:
                try:
                    secured.do_handshake()
                except ssl.SSLWantReadError:
                    self._await(secured, selectors.EVENT_READ, deadline)
                except ssl.SSLWantWriteError:
                    self._await(secured, selectors.EVENT_WRITE, deadline)
                else:
                    return secured
        except BaseException:
            secured.close()
            raise

    def _await(self, sock: socket.socket, event: int, deadline: float) -> None:
        if self._waker.stopping or monotonic() >= deadline:
            raise ConnectFailed("the TLS handshake was not answered in time")
        with Selector() as selector:
            selector.register(sock, event)
            selector.register(self._waker, selectors.EVENT_READ)
            ready = selector.select(max(deadline - monotonic(), 0.0))
        if any(key.fileobj is self._waker for key, _ in ready):
            self._waker.clear()

    def _fingerprint(self, peer: Address, host: str, deadline: float) -> str:
        """For the error text: the pool's certificate, read without sending anything else."""
        try:
            sock = self._race([peer], deadline)
            secured = self._handshake(sock, host, UNVERIFIED, deadline)
        except (OSError, ConnectFailed):
            return "unknown"
        with secured:
            return fingerprint(secured.getpeercert(binary_form=True))


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


def _set_options(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a share must not wait for an ACK
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):  # names differ between systems
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
