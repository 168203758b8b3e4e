"""The board's page, its JSON and its metrics, by the server that shows a run."""

from collections.abc import Callable
from html import escape
from importlib import resources

from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from miner.board import answers
from miner.board.metrics import registry
from miner.board.row import BoardState
from miner.board.table import rate, summary
from miner.views.feed import dump
from miner.views.web.answer import Answer
from miner.views.web.app import Handler, Reach, endpoint, not_found, safe, served, since
from miner.views.web.guard import Guard
from miner.views.web.pages import FIRST, INDEX, static_files, walk

SHARED = ("page.css", "dom.js", "words.js", "wire.js", "icon.svg")  # with the page of a run


class BoardApp:
    """ASGI. `newest` gives the board's state without waiting."""

    def __init__(self, newest: Callable[[], BoardState], reach: Reach) -> None:
        self._newest, self._registry = newest, registry(newest)
        self._files = dict(walk(resources.files("miner.board") / "static", ""))
        router = Router(self._routes(), redirect_slashes=False, default=not_found)
        self._app = Guard(safe(router), reach.names, reach.lan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def tick(self) -> None:
        """The board asks at its own times."""

    def close(self) -> None:
        """No answer of it is endless."""

    def _routes(self) -> list[BaseRoute]:
        shared = static_files()
        files = self._files | {name: shared[name] for name in SHARED}
        table: dict[str, Handler] = {
            "/": self.index,
            "/healthz": self.healthz,
            "/api/v1/board": self.board,
            "/api/v1/board/history": self.history,
            "/metrics": self.metrics,
        }
        table |= {f"/{name}": served(file) for name, file in files.items() if name != INDEX}
        return [Route(path, endpoint(how)) for path, how in table.items()]

    def index(self, request: Request) -> Answer:
        """The page, with the totals of this moment in it: no miner's own words."""
        page = self._files[INDEX].body.decode().replace(FIRST, first_totals(self._newest()))
        return Answer(page.encode(), self._files[INDEX].media)

    def healthz(self, request: Request) -> Answer:
        """200 while any miner answers."""
        told = self._newest().totals
        ok = any(row.online for row in self._newest().rows)
        body = {"ok": ok, "online": told.online, "miners": told.miners}
        return Answer(dump(body), status=200 if ok else 503)

    def board(self, request: Request) -> Answer:
        return Answer(dump(answers.board(self._newest())))

    def history(self, request: Request) -> Answer:
        return Answer(dump(answers.history(self._newest(), since(request))))

    def metrics(self, request: Request) -> Answer:
        encoder, media = choose_encoder(request.headers.get("accept", ""))
        return Answer(encoder(self._registry), media)


def first_totals(state: BoardState) -> str:
    """For browsers without script."""
    told = state.totals
    head = f"<table><tr><th scope=row>hash rate<td>{escape(rate(told.rate_hs.total))}</table>"
    return head + "".join(f"<p>{escape(line)}</p>" for line in summary(state))
