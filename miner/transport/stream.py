"""A connected byte stream for one thread: waits, reads and writes without blocking.

Another thread may only wake it. Every message queued is one write (with TCP_NODELAY, one segment).
"""

import selectors
import socket
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from miner.errors import TransportError
from miner.transport.waker import Selector, Waker

READ_BYTES = 16 * 1024  # before what they say is dealt with: a flood is taken in small portions
MAX_QUEUED = 1024 * 1024  # bytes not yet taken by a peer that does not read


class Stream(Protocol):
    """A connection, whatever carries it; a list of byte strings in tests. Not for several threads.

    `read` and `send` raise TransportError once the peer is gone.
    """

    def wait(self, timeout_s: float) -> None:
        """Until bytes came, queued ones can go, somebody woke us, or the time is over."""

    def read(self) -> bytes:
        """What has arrived, b"" when nothing has."""

    def send(self, messages: Iterable[bytes]) -> None:
        """Queue complete messages and write what can go now."""

    def close(self) -> None: ...


class SocketStream:
    """A Stream over a socket, plain or TLS."""

    def __init__(self, sock: socket.socket, waker: Waker) -> None:
        """Takes over a connected, non-blocking socket."""
        self._sock, self._waker = sock, waker
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._buffer = memoryview(bytearray(READ_BYTES))  # one for all reads: none is allocated
        self._more = False  # bytes may wait inside the TLS layer, where select cannot see them
        self._selector = Selector()
        self._interest = selectors.EVENT_READ
        self._selector.register(sock, self._interest)
        self._selector.register(waker, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> None:
        """Until bytes came, queued ones can go, somebody woke us, or the time is over."""
        interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._queue else 0)
        if interest != self._interest:
            self._selector.modify(self._sock, interest)
            self._interest = interest
        ready = self._selector.select(0.0 if self._more else max(timeout_s, 0.0))
        if any(key.fileobj is self._waker for key, _ in ready):
            self._waker.clear()

    def read(self) -> bytes:
        """What has arrived, b"" when nothing has. TransportError when the peer is gone."""
        filled = 0
        self._more = False
        while filled < READ_BYTES:
            try:
                size = self._sock.recv_into(self._buffer[filled:])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                raise _gone(error) from None
            if not size:
                if filled:
                    self._more = True  # hand on what came; the next read meets the end again
                    break
                raise TransportError("the server closed the connection")
            filled += size
        else:
            self._more = True
        return bytes(self._buffer[:filled])

    def send(self, messages: Iterable[bytes]) -> None:
        """Queue complete messages and write what the socket takes now."""
        for message in messages:
            self._queue.append(message)
            self._queued += len(message)
        self.flush()

    def flush(self) -> None:
        """Write queued messages, one write each; what does not fit stays queued."""
        while self._queue:
            try:
                sent = self._sock.send(self._queue[0])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                raise _gone(error) from None
            self._queued -= sent
            if sent == len(self._queue[0]):
                self._queue.popleft()
            else:
                self._queue[0] = self._queue[0][sent:]
        if self._queued > MAX_QUEUED:
            raise TransportError(f"the server does not read: {self._queued} bytes wait for it")

    def close(self) -> None:
        self._selector.close()
        self._sock.close()


def _gone(error: OSError) -> TransportError:
    return TransportError(f"the connection broke: {error.strerror or type(error).__name__}")
