"""Ends another thread's wait for sockets."""

import selectors
import socket
from contextlib import suppress

# Not the default one: epoll needs a descriptor, and there may be none left.
Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)


class Waker:
    """Ends another thread's wait; any thread may call `wake` and `stop`."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self.stopping = False

    def fileno(self) -> int:
        return self._reader.fileno()

    def wake(self) -> None:
        with suppress(OSError):  # full: awake already; closed: nobody waits
            self._writer.send(b"\0")

    def stop(self) -> None:
        """Wake, and tell every wait that the end has come."""
        self.stopping = True
        self.wake()

    def clear(self) -> None:
        with suppress(OSError):
            while self._reader.recv(4096):
                pass

    def wait(self, timeout_s: float) -> None:
        """Sleep until woken or the time is over."""
        with Selector() as selector:
            selector.register(self, selectors.EVENT_READ)
            selector.select(max(timeout_s, 0.0))
        self.clear()

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
