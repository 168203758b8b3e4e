"""The class's web site: the pages that browsers join and watch by, behind one guard.

It is made of parts, each with routes of its own. Beyond reading it takes POSTs of JSON, from its
own pages alone; no page elsewhere may read it.
"""

import asyncio
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Router
from starlette.types import Receive, Scope, Send

from miner import strictjson
from miner.views.web.app import Bugs, Complain, Reach, not_found, safe
from miner.views.web.guard import CSP, Guard, Policy
from miner.views.web.pages import File, static_files, walk

MOST_BODY = 8 << 10  # of a POST
BODY_S = 10.0  # until it is whole
# Hashing in a browser: Web Workers of our own, and WebAssembly, which this alone allows.
POLICY = Policy(f"{CSP}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'", MOST_BODY)
SHARED = ("page.css", "dom.js", "words.js", "wire.js", "uplot.js", "icon.svg")  # with a run's page


class Part(Protocol):
    """Pages of one kind, with their API."""

    def routes(self) -> Sequence[BaseRoute]: ...

    def tick(self) -> None:
        """Once a second."""

    def close(self) -> None:
        """End what would never end by itself."""


class PoolSite:
    """ASGI: a site of the room, for the class or for the teacher alone."""

    def __init__(
        self, parts: Sequence[Part], reach: Reach, complain: Complain = lambda text: None
    ) -> None:
        self._parts, self._bugs = parts, Bugs(complain)
        routes = [route for part in parts for route in part.routes()]
        router = Router(routes, redirect_slashes=False, default=not_found)
        self._app = Guard(safe(router, self._bugs), reach.names, lan=False, policy=POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def tick(self) -> None:
        self._each(lambda part: part.tick())

    def close(self) -> None:
        self._each(lambda part: part.close())

    def _each(self, do: Callable[[Part], None]) -> None:
        for part in self._parts:
            try:
                do(part)
            except Exception as error:  # noqa: BLE001 - a bug of ours: the other parts go on
                self._bugs.tell(type(part).__name__, error)


def files() -> dict[str, File]:
    """Every file of the room's pages, and of a run's page those that they share, by name."""
    of_a_run = static_files()
    own = dict(walk(resources.files("miner.pool") / "static", ""))
    return {name: of_a_run[name] for name in SHARED} | own


async def posted(request: Request) -> dict[str, Any]:
    """The object in a POST. Raises HTTPException with one line for whoever sent it."""
    try:
        async with asyncio.timeout(BODY_S):
            value = strictjson.loads(await request.body())
    except TimeoutError:
        raise HTTPException(408, "the rest of the POST did not come") from None
    except ClientDisconnect:
        raise HTTPException(400, "the POST ends too early") from None
    except (ValueError, RecursionError):
        raise HTTPException(400, "the POST is not JSON") from None
    if not isinstance(value, dict):
        raise HTTPException(400, "the POST is not a JSON object")
    return value
