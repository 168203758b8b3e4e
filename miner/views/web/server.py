"""uvicorn in the listeners' loop, on a socket that is bound already."""

import asyncio
import logging
import socket
from typing import Protocol

from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server

from miner.views.web.crowd import Crowd, made_for

TICK_S = 1.0
CLOSE_S = 0.3  # for open answers
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
        """Until `stop`: then streams end, open answers get a second."""
        crowd = Crowd(asyncio.get_running_loop().time)
        server = Server(
            Config(
                self._app,
                loop="asyncio",
                http=made_for(crowd),
                ws="none",
                lifespan="off",
                proxy_headers=False,  # else a header may tell whose connection it is
                server_header=False,
                access_log=False,
                log_config=None,
                h11_max_incomplete_event_size=16384,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.ensure_future(server.serve(sockets=[self._listener]))
        ticking = asyncio.ensure_future(self._tick(crowd))
        await asyncio.wait(
            (serving, asyncio.ensure_future(stop.wait())), return_when=asyncio.FIRST_COMPLETED
        )
        ticking.cancel()
        self._app.close()
        server.should_exit = True
        await asyncio.wait((serving,), timeout=CLOSE_S)
        crowd.abort()
        await serving

    async def _tick(self, crowd: Crowd) -> None:
        while True:
            self._app.tick()
            crowd.sweep()
            await asyncio.sleep(TICK_S)
