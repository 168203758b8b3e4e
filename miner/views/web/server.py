"""uvicorn's HTTP in the listeners' loop, on a socket that is bound already."""

import asyncio
import logging
import socket
from email.utils import formatdate
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from miner.views.web.crowd import Crowd, made_for

TICK_S = 1.0
CLOSE_S = 0.3  # for open answers
CONFIG: dict[str, Any] = {
    "loop": "asyncio",
    "ws": "none",
    "lifespan": "off",
    "proxy_headers": False,  # else a header may tell whose connection it is
    "server_header": False,
    "access_log": False,
    "log_config": None,
    "h11_max_incomplete_event_size": 16384,
    "timeout_keep_alive": 15,
}
LOGGER = "uvicorn.error"  # it tells of broken requests: no line of a stranger reaches our output


class Site(Protocol):
    """An ASGI application with a life of its own."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def tick(self) -> None:
        """Once a second."""

    def close(self) -> None:
        """End what would never end by itself."""


class WebServer:
    """A service: the application, its once-a-second tick, and the bounds on its connections."""

    def __init__(self, app: Site, listener: socket.socket) -> None:
        self._app, self._listener = app, listener
        logger = logging.getLogger(LOGGER)
        logger.propagate, logger.disabled = False, True

    async def serve(self, stop: asyncio.Event) -> None:
        """Until `stop`: then streams end, open answers get a moment."""
        loop = asyncio.get_running_loop()
        crowd, state = Crowd(loop.time), ServerState()
        config = Config(self._app, http=made_for(crowd), **CONFIG)
        config.load()
        protocol = config.http_protocol_class
        # Not uvicorn's own Server, which wakes up ten times a second for nothing we need.
        server = await loop.create_server(
            lambda: protocol(config, state, {}, loop),  # type: ignore[call-arg]
            sock=self._listener,
        )
        ticking = asyncio.ensure_future(self._tick(crowd, state))
        await stop.wait()
        ticking.cancel()
        server.close()
        self._app.close()
        if state.tasks:
            await asyncio.wait(set(state.tasks), timeout=CLOSE_S)
        crowd.abort()

    async def _tick(self, crowd: Crowd, state: ServerState) -> None:
        while True:
            state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            self._app.tick()
            crowd.sweep()
            await asyncio.sleep(TICK_S)
