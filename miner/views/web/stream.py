"""Server-sent events: the newest compact snapshot once a second, to so many readers and no more.

A reader that is slow misses snapshots, never gets old ones: nothing queues up but the newest.
"""

import asyncio
from typing import Protocol

from starlette.types import Receive, Scope, Send

from miner.views.web.answer import refusal

MOST = 64
RETRY_MS = 3000  # a browser comes back after
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy between passes each event on at once
]


class Told(Protocol):
    """What is streamed."""

    @property
    def change(self) -> int:
        """The number of the newest text."""

    def compact(self) -> bytes:
        """All there is to tell now, as one line of JSON."""


class Stream:
    """An ASGI application: `/api/v1/events` of a run."""

    def __init__(self, feed: Told, most: int | None = None) -> None:
        self.readers = 0
        self._feed, self._most = feed, MOST if most is None else most
        self._newest = b""
        self._changed = asyncio.Event()
        self._over = False

    def tick(self) -> None:
        """Once a second."""
        if self.readers:
            self._newest = self._event()
            self._wake()

    def close(self) -> None:
        """End every stream."""
        self._over = True
        self._wake()

    def _event(self) -> bytes:
        text = self._feed.compact()
        return b"id: %d\nevent: status\ndata: %s\n\n" % (self._feed.change, text)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.readers >= self._most or self._over:
            why = f"{self._most} streams are open already"
            busy = refusal(503, why, [(b"retry-after", b"10")])
            await busy(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "GET":
            self.readers += 1
            gone = asyncio.ensure_future(left(receive))
            try:
                await self._send_all(send, gone)
            finally:
                self.readers -= 1
                gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _send_all(self, send: Send, gone: "asyncio.Future[None]") -> None:
        """Each turn sends the newest there is; `send` waits for a reader that is slow."""
        text = b"retry: %d\n\n" % RETRY_MS + self._event()
        while not (gone.done() or self._over):
            await send({"type": "http.response.body", "body": text, "more_body": True})
            turn = asyncio.ensure_future(self._changed.wait())
            await asyncio.wait((turn, gone), return_when=asyncio.FIRST_COMPLETED)
            turn.cancel()
            text = self._newest


async def left(receive: Receive) -> None:
    """Until the reader closes its end."""
    while (await receive())["type"] != "http.disconnect":
        pass
