"""The Stratum door: real miners, each over a connection of its own, into the room.

One asyncio server in the listeners' loop, on a socket that is bound already. It holds no state that
decides: the room judges, the session speaks.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable
from fractions import Fraction

from miner.pool.allowance import PerAddress
from miner.pool.names import of_user
from miner.pool.room import Room
from miner.pool.values import (
    Answer,
    Claim,
    Judged,
    Kind,
    Left,
    NewWork,
    Paused,
    Refused,
    RoomEvent,
)
from miner.protocol.stratum.server import ServerSession
from miner.text import scrub

log = logging.getLogger(__name__)
TICK_S = 1.0
MOST_STRANGERS = 64  # connections without a seat: the oldest makes room for a new one
MOST_ARRIVALS, ARRIVALS_S = 200, 10.0  # connections of one address in so long
MOST_UNREAD = 65536  # bytes that a miner does not take
FAREWELL_S = 1.0  # for the last line to leave
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 3))
AN_ADDRESS = "an address is a name here, you are {}: {}"


class Connection(asyncio.Protocol):
    """One miner's. A `Host` of its session."""

    def __init__(self, door: "Door") -> None:
        self._door, self._room, self._clock = door, door.room, door.clock
        self._entry = self._room.new_entry()
        self.session = ServerSession(
            self, self._entry.extranonce1, self._entry.token, self._clock()
        )
        self.number: int | None = None  # of the member
        self._transport: asyncio.Transport | None = None
        self._closed_at: float | None = None
        self.peer = self._welcome = ""

    # --- asyncio ------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=MOST_UNREAD)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""
        keep_alive(transport.get_extra_info("socket"))
        self._door.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.session.receive(data, self._clock())
            self.flush()
        except Exception:  # a bug of ours: this connection ends, the others go on
            log.exception("the connection of %s met a bug", self.named)
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.closed(self)
        if self.number is not None:
            number, self.number = self.number, None
            self._room.leave(number, self._clock())

    def pause_writing(self) -> None:
        """More than 64 KiB wait for a miner that takes nothing: it cannot even be told."""
        self._door.tell(f"{self.named}: takes nothing that is sent, disconnected")
        if self._transport is not None:
            self._transport.abort()

    # --- Host ---------------------------------------------------------------------------------
    def resume(self, session_id: str) -> bytes | None:
        entry = self._room.known(session_id)
        if entry is None:
            return None
        self._entry = entry
        return entry.extranonce1

    def enter(self, user: str, agent: str, now: float) -> str:
        name, had_address = of_user(user)
        try:
            member = self._room.enter(Kind.STRATUM, name, agent, self._entry, now)
        except Refused as refused:
            self._door.tell(f"{self.named}: not let in: {refused}")
            return str(refused)
        self.number, rules = member.number, self._room.rules
        self._welcome = f"welcome, {member.name}: {rules.words}"
        if had_address and rules.payout is None:
            self._welcome = AN_ADDRESS.format(member.name, rules.words)
        elif member.name != name:
            self._welcome = f"you are {member.name} here, since {name} is taken: {rules.words}"
        return ""

    def ready(self, now: float) -> None:
        self._door.seated(self)
        self.session.say(self._welcome)
        self.give(now)

    def submit(self, claim: Claim, now: float) -> Judged:
        assert self.number is not None
        return self._room.submit(self.number, claim, now)

    def suggest(self, difficulty: Fraction, now: float) -> None:
        if self.number is not None:
            self._room.suggest(self.number, difficulty, now)

    # --- the door's ---------------------------------------------------------------------------
    @property
    def named(self) -> str:
        """For a line on the teacher's screen."""
        member = None if self.number is None else self._room.member(self.number)
        return f"{member.name} ({self.peer})" if member else self.peer

    def give(self, now: float) -> None:
        """Send the newest work to a miner that is ready for it."""
        if self.number is None or not self.session.ready:
            return
        given = self._room.assignment(self.number, now)
        if given is not None:
            self.session.give(given.job, given.difficulty, given.block_target)

    def tick(self, now: float) -> None:
        try:
            self.session.tick(now)
            self.flush()
        except Exception:  # as in data_received
            log.exception("the connection of %s met a bug", self.named)
            self.abort()
        if self._closed_at is not None and now - self._closed_at > FAREWELL_S:
            self.abort()

    def send_out(self, why: str) -> None:
        """The member lost the seat: say why and close."""
        self.number = None
        self.session.close(why)
        self.flush()

    def flush(self) -> None:
        """Send what there is; close when the session is over."""
        if self._transport is None or self._transport.is_closing():
            return
        if data := self.session.data_to_send():
            self._transport.write(data)
        if self.session.closing:
            self._door.tell(f"{self.named}: disconnected: {self.session.closing}")
            self._closed_at = self._clock()
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Door:
    """A service of the listeners: accepts miners, hands out work, looks at the clock."""

    def __init__(
        self,
        room: Room,
        listener: socket.socket,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`tell`: a line for the teacher's screen, about one miner."""
        self.room, self.tell, self.clock = room, tell, clock
        self._listener = listener
        self._arrivals = PerAddress(MOST_ARRIVALS, ARRIVALS_S)
        self._seated: dict[Connection, None] = {}
        self._strangers: dict[Connection, None] = {}  # the oldest first
        room.subscribe(self._on_event)

    async def serve(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), sock=self._listener)
        ticking = asyncio.ensure_future(self._tick())
        try:
            await stop.wait()
        finally:
            ticking.cancel()
            server.close()
            for one in [*self._seated, *self._strangers]:
                one.abort()

    def opened(self, one: Connection) -> None:
        """A stranger; too many of them, and the one who has waited longest goes."""
        if not self._arrivals.take(one.peer, self.clock()):
            self.tell(f"{one.peer}: more than {MOST_ARRIVALS} connections in {ARRIVALS_S:g} s")
            one.abort()
            return
        self._strangers[one] = None
        if len(self._strangers) > MOST_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.abort()

    def seated(self, one: Connection) -> None:
        self._strangers.pop(one, None)
        self._seated[one] = None

    def closed(self, one: Connection) -> None:
        self._strangers.pop(one, None)
        self._seated.pop(one, None)

    async def _tick(self) -> None:
        while True:
            now = self.clock()
            for one in [*self._strangers, *self._seated]:
                one.tick(now)
            await asyncio.sleep(TICK_S)

    def _on_event(self, event: RoomEvent) -> None:
        """New work goes out, and whoever lost the seat is told why."""
        if isinstance(event, NewWork):
            for one in list(self._seated):
                if event.number in (None, one.number):
                    one.give(event.at_s)
                    one.flush()
        elif isinstance(event, Paused):
            for one in list(self._seated):
                if event.member is None or event.member.number == one.number:
                    one.session.say(Answer.PAUSED.words if event.paused else "the class goes on")
        elif isinstance(event, Left) and event.why:
            for one in [*self._seated, *self._strangers]:
                if one.number == event.member.number:
                    one.send_out(scrub(event.why))


def keep_alive(sock: socket.socket | None) -> None:
    """Small lines leave at once; a computer that was switched off is noticed within two minutes."""
    if sock is None:
        return
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
