"""The board's page, its JSON and its stream, for whatever site it is part of."""

import io
from collections.abc import Callable
from typing import Any

import segno
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from miner.pool import document
from miner.pool.document import Invitation
from miner.pool.site import SHARED, files
from miner.pool.values import MOST_BOARDS, RoomView
from miner.views.feed import dump
from miner.views.web.answer import NO_CACHE, Answer
from miner.views.web.app import Handler, endpoint, served
from miner.views.web.stream import Stream

CARDS = ("chain", "who", "bars", "income", "waits", "attack", "line", "best", "join", "beside")
Extra = Callable[[], dict[str, Any]]


class Screen:
    """`newest` gives the room's view of this moment without waiting; `extra` adds to what is told.

    A site gives it its routes, calls `tick` once a second and `close` at the end.
    """

    def __init__(
        self,
        newest: Callable[[], RoomView],
        invitation: Invitation,
        extra: Extra = dict,
    ) -> None:
        self.focus = ""  # the card that is shown large, one of CARDS
        self.change = 0
        self._newest, self._invitation, self._extra = newest, invitation, extra
        self._stream = Stream(self, MOST_BOARDS)

    def tick(self) -> None:
        self._stream.tick()

    def close(self) -> None:
        self._stream.close()

    def document(self) -> dict[str, Any]:
        """All that the board shows."""
        told = document.board(self._newest(), self._invitation)
        return {**told, "focus": self.focus, **self._extra()}

    def compact(self) -> bytes:
        self.change += 1
        return dump(self.document())

    def routes(self) -> list[BaseRoute]:
        """Of the page `/board` and all that belongs to it."""
        known = files()
        found = {"/board": known["board.html"]}
        found |= {f"/board/{name}": one for name, one in known.items() if name.startswith("board")}
        found |= {f"/{name}": known[name] for name in SHARED}
        table: dict[str, Handler] = {path: served(file) for path, file in found.items()}
        table["/board/qr.svg"] = self._qr
        table["/api/class/board"] = lambda request: Answer(self.compact())
        routes: list[BaseRoute] = [Route(path, endpoint(how)) for path, how in table.items()]
        return [*routes, Route("/api/class/events", self._stream)]

    def _qr(self, request: Request) -> Answer:
        return Answer(qr(self._invitation.url), "image/svg+xml", cache=NO_CACHE)


def qr(text: str) -> bytes:
    """A QR code as SVG, dark on light, with the margin that scanners need."""
    drawn = io.BytesIO()
    segno.make(text or "-", error="m", micro=False).save(drawn, kind="svg", border=4, light="#fff")
    return drawn.getvalue()


class Home:
    """A site whose first page is the board."""

    def routes(self) -> list[BaseRoute]:
        there = Answer(b"", status=302, headers=[(b"location", b"/board")])
        return [Route("/", endpoint(lambda request: there))]

    def tick(self) -> None:
        """Nothing changes."""

    def close(self) -> None:
        """No answer is endless."""
