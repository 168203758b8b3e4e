"""Opens the connection to a pool: resolve, try every address, TLS; each step with a deadline."""

import selectors
import socket
import ssl
from time import monotonic
from typing import Protocol

from miner.errors import ConnectFailed
from miner.transport import tcp
from miner.transport.resolve import LOOKUP_S, Address, Lookup, Resolver, system_lookup
from miner.transport.stream import SocketStream, Stream
from miner.transport.tls import UNVERIFIED, TlsSettings, failure_cause, fingerprint
from miner.transport.waker import Selector, Waker


class Link(Protocol):
    """Makes the streams of one pool, and lets its thread sleep between them."""

    def open(
        self, host: str, port: int, tls: TlsSettings | None, budget_s: float
    ) -> tuple[Stream, float]:
        """A connected stream and what is left of the budget, which begins after the look-up.

        Raises ConnectFailed; OSError when the system has no descriptor left.
        """

    def sleep(self, seconds: float) -> None:
        """Until the time is over or `wake` was called."""

    def wake(self) -> None:
        """End the wait under way; any thread."""

    def stop(self) -> None:
        """Wake, and let every later wait and connection fail at once; any thread."""

    @property
    def stopping(self) -> bool: ...

    def close(self) -> None: ...


class Dialer:
    """A Link over TCP and TLS."""

    def __init__(self, lookup: Lookup = system_lookup, lookup_s: float = LOOKUP_S) -> None:
        self._waker, self._lookup_s = Waker(), lookup_s
        self._resolver = Resolver(self._waker, lookup)

    def open(
        self, host: str, port: int, tls: TlsSettings | None, budget_s: float
    ) -> tuple[Stream, float]:
        addresses = self._resolver.addresses(host, port, self._lookup_s)
        deadline = monotonic() + budget_s
        try:
            sock = tcp.connect(addresses, self._waker, deadline)
        except ConnectFailed:
            self._resolver.failed(addresses)
            raise
        try:
            if tls is not None:
                sock = self._start_tls(sock, host, tls, deadline)
            return SocketStream(sock, self._waker), deadline - monotonic()
        except BaseException:
            sock.close()
            raise

    def sleep(self, seconds: float) -> None:
        self._waker.wait(seconds)

    def wake(self) -> None:
        self._waker.wake()

    def stop(self) -> None:
        self._waker.stop()

    @property
    def stopping(self) -> bool:
        return self._waker.stopping

    def close(self) -> None:
        self._waker.close()

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
            sock = tcp.connect([peer], self._waker, deadline)
            secured = self._handshake(sock, host, UNVERIFIED, deadline)
        except (OSError, ConnectFailed):
            return "unknown"
        with secured:
            return fingerprint(secured.getpeercert(binary_form=True))
