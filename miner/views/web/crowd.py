"""Bounds on connections: how many, how long until a request is whole, how long a reader may stall.

An ASGI application sees a request only when its head is complete, so slow heads are the protocol
class's business.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 320  # connections
MOST_HALF_OPEN = 128  # without a whole request
HEAD_S = 10.0  # for a request's head
STALL_S = 10.0  # what was sent is not taken
NO_STRATUM = (
    b'{"id":null,"method":"client.show_message","params":'
    b'["this port is for browsers: miners connect to another one, mostly 3333"]}\n'
)


class Connection(Protocol):
    def abort(self) -> None: ...

    def unsent(self) -> int:
        """Bytes that the system has not taken yet."""


class Crowd:
    """All connections of a server. Times are the loop's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: dict[Connection, float | None] = {}  # since when it takes nothing
        self._half_open: dict[Connection, float] = {}  # since when; the oldest first

    def __len__(self) -> int:
        return len(self._all)

    @property
    def half_open(self) -> int:
        return len(self._half_open)

    def opened(self, one: Connection) -> None:
        """Make room: the oldest half-open one goes first."""
        self._all[one] = None
        self.waiting(one)
        if len(self._all) > MOST:
            self._oldest_half_open().abort()

    def waiting(self, one: Connection) -> None:
        """A request's head has begun, or should."""
        if one in self._all and one not in self._half_open:
            self._half_open[one] = self._clock()
            if len(self._half_open) > MOST_HALF_OPEN:
                self._oldest_half_open().abort()

    def whole(self, one: Connection) -> None:
        """Its request's head is complete."""
        self._half_open.pop(one, None)

    def closed(self, one: Connection) -> None:
        self._all.pop(one, None)
        self._half_open.pop(one, None)

    def sweep(self) -> None:
        """Call about once a second: those that are late are closed."""
        now = self._clock()
        late = [one for one, since in self._half_open.items() if now - since >= HEAD_S]
        for one, since in self._all.items():
            stalled = one.unsent() > 0
            self._all[one] = (since or now) if stalled else None
            if stalled and since is not None and now - since >= STALL_S:
                late.append(one)
        for one in late:
            one.abort()

    def abort(self) -> None:
        """Close all that are left."""
        for one in list(self._all):
            one.abort()

    def _oldest_half_open(self) -> Connection:
        oldest = next(iter(self._half_open))
        self.closed(oldest)
        return oldest


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 under the bounds of a crowd; `made_for` binds a class to one."""

    crowd: ClassVar[Crowd]
    begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # a further piece waits until all is taken
        self.crowd.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A miner at the wrong port is told so in its own words."""
        if not self.begun and data.startswith(b"{"):
            self.transport.write(NO_STRATUM)
            self.transport.close()
            return
        self.begun = True
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self.crowd.waiting(self)
        else:
            self.crowd.whole(self)

    def abort(self) -> None:
        self.transport.abort()

    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()


def made_for(crowd: Crowd) -> type[BoundedProtocol]:
    return type("CrowdProtocol", (BoundedProtocol,), {"crowd": crowd})
