"""The teacher's desk: what changes the room, on a listener of its own for this computer alone.

Its address holds a token that is printed when the class starts; each POST repeats it in a header,
which no page elsewhere can send. Host, Origin, kind and length are the guard's business.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from miner.pool import export
from miner.pool.orders import NotDone, Orders
from miner.pool.record import Record
from miner.pool.site import SHARED, files, posted
from miner.views.feed import dump
from miner.views.web.answer import Answer
from miner.views.web.app import endpoint, served
from miner.views.web.stream import Stream

HEADER = "x-desk-token"
MOST_DESKS = 4


class Desk:
    """A part of a site of its own. Raises ValueError for a token that is too short."""

    def __init__(self, token: str, orders: Orders, record: Record) -> None:
        if len(token) < 16:
            raise ValueError("a desk's token has 16 characters at least")
        self._token, self._orders, self._record = token, orders, record
        self._stream = Stream(orders.screen, MOST_DESKS)
        self._writing = asyncio.Lock()

    def tick(self) -> None:
        self._orders.tick()
        self._stream.tick()

    def close(self) -> None:
        self._stream.close()

    def routes(self) -> list[BaseRoute]:
        """Every path but those of its own files holds the token."""
        known = files()
        own = {*SHARED, *(name for name in known if name.startswith(("desk.", "board-")))}
        page = served(known["desk.html"])
        exports = (export.session, export.members, export.blocks, export.shares)
        table: dict[str, Callable[[Request], ASGIApp]] = {
            "/{token}/": page,
            "/{token}/room": lambda request: Answer(self._orders.screen.compact()),
            "/{token}/events": lambda request: self._stream,
        }
        return [
            Route("/{token}/do", self._do, methods=["POST"]),
            *(Route(path, self._for_teacher(how)) for path, how in table.items()),
            *(Route(f"/{{token}}/{make.__name__}", self._file(make)) for make in exports),
            *(Route(f"/{name}", endpoint(served(known[name]))) for name in own - {"desk.html"}),
        ]

    def _for_teacher(self, how: Callable[[Request], ASGIApp]) -> Callable[..., Awaitable[ASGIApp]]:
        async def answer(request: Request) -> ASGIApp:
            self._admit(request)
            return how(request)

        return answer

    def _file(
        self, make: Callable[[Record, float], export.File]
    ) -> Callable[[Request], Awaitable[ASGIApp]]:
        """A download. An hour of shares takes seconds to write: beside the class, one at a time."""

        async def answer(request: Request) -> ASGIApp:
            self._admit(request)
            async with self._writing:
                record, now = self._record.copy(), self._orders.now
                file = await asyncio.to_thread(make, record, now)
            told = f'attachment; filename="{file.name}"'.encode()
            return Answer(file.body, file.media, headers=[(b"content-disposition", told)])

        return answer

    def _admit(self, request: Request) -> None:
        """Raises HTTPException."""
        if not self._is_token(request.path_params["token"]):
            raise HTTPException(404, "no such path")

    async def _do(self, request: Request) -> ASGIApp:
        self._admit(request)
        if not self._is_token(request.headers.get(HEADER, "")):
            raise HTTPException(403, f"the header {HEADER} does not hold the desk's token")
        try:
            self._orders.do(await posted(request))
        except NotDone as error:
            return Answer(dump({"error": str(error)}), status=400)
        return Answer(dump({"ok": True}))

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self._token.encode())
