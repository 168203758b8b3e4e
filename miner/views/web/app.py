"""The web application: routes to pure functions of the feed. Everything that shows miners by HTTP
is assembled here, each with a feed of its own and further routes where it has some."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from miner.state.snapshot import Snapshot
from miner.text import scrub
from miner.views import api, axeos, xmrig
from miner.views.block import block
from miner.views.feed import Feed, dump
from miner.views.health import Health
from miner.views.metrics import Metrics
from miner.views.rows import Rows
from miner.views.web.answer import NO_CACHE, Answer, refusal
from miner.views.web.guard import Guard
from miner.views.web.pages import FIRST, INDEX, File, first_numbers, static_files
from miner.views.web.stream import Stream

Handler = Callable[[Request], Answer]
Complain = Callable[[str], None]


class Reach(NamedTuple):
    """By which names the server may be called, and from where."""

    names: tuple[str, ...]  # beside addresses of this computer
    lan: bool  # it listens beyond loopback


class App:
    """ASGI. `extra` routes come before ours: a class or a board has pages of its own."""

    def __init__(
        self,
        feed: Feed,
        reach: Reach,
        extra: Sequence[BaseRoute] = (),
        complain: Complain = lambda text: None,
    ) -> None:
        self.stream = Stream(feed)
        self._feed = feed
        self._files = static_files()
        self._metrics = Metrics(self._moment)
        self._rows = Rows()
        router = Router([*extra, *self._routes()], redirect_slashes=False, default=not_found)
        self._bugs = Bugs(complain)
        self._app = Guard(safe(router, self._bugs), reach.names, reach.lan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def tick(self) -> None:
        """Look at the run, and tell whoever reads the stream."""
        try:
            self._feed.tick()
            self.stream.tick()
        except Exception as error:  # noqa: BLE001 - a bug of ours: other answers go on
            self._bugs.tell("the stream", error)

    def close(self) -> None:
        self.stream.close()

    def _routes(self) -> list[BaseRoute]:
        table: dict[str, Handler] = {
            "/": self.index,
            "/healthz": self.healthz,
            "/api/v1/status": self.status,
            "/api/v1/history": self.history,
            "/api/v1/shares": self.shares,
            "/api/v1/block": self.block,
            "/api/system/info": self._of(lambda now: axeos.info(now, self._feed.names)),
            "/api/system/asic": self._of(axeos.asic),
            "/api/system/scoreboard": self._of(axeos.scoreboard),
            "/api/system/statistics": self.statistics,
            "/metrics": self.metrics,
        }
        table |= dict.fromkeys(("/1/summary", "/2/summary", "/api.json"), self.xmrig)
        table |= {f"/{name}": served(file) for name, file in self._files.items() if name != INDEX}
        routes: list[BaseRoute] = [Route(path, endpoint(how)) for path, how in table.items()]
        return [*routes, Route("/api/v1/events", self.stream)]

    def index(self, request: Request) -> Answer:
        """The page, with the numbers of this moment in it."""
        now = self._feed.tick()
        page = self._files[INDEX].body.decode()
        page = page.replace(FIRST, first_numbers(now, self._feed.health(now)))
        return Answer(page.encode(), self._files[INDEX].media)

    def healthz(self, request: Request) -> Answer:
        """For watchdogs: 200 only while it mines, or rests because its user said so."""
        health = self._feed.health(self._feed.tick())
        told = {"ok": health.ok, "state": health.word, "reason": health.reason}
        return Answer(dump(told), status=200 if health.ok else 503)

    def status(self, request: Request) -> Answer:
        body = self._feed.status()
        return Answer(body, tag=self._tag(self._feed.change))

    def history(self, request: Request) -> Answer:
        now = self._feed.tick()
        return Answer(self._rows.history(now, since(request)), tag=self._tag(now.change))

    def shares(self, request: Request) -> Answer:
        now = self._feed.tick()
        told = api.shares(now, since(request))
        return Answer(dump(self._feed.cut(told)), tag=self._tag(now.change))

    def block(self, request: Request) -> Answer:
        now = self._feed.tick()
        told = block(now, self._feed.names)
        return Answer(dump(self._feed.cut(told)), tag=self._tag(now.change))

    def statistics(self, request: Request) -> Answer:
        """Of AxeOS; null in a row is not known."""
        columns = request.query_params.get("columns", "")
        told = axeos.statistics(self._feed.tick(), [one for one in columns.split(",") if one])
        return Answer(dump(told))

    def metrics(self, request: Request) -> Answer:
        body, media = self._metrics.scrape(request.headers.get("accept", ""))
        return Answer(body, media)

    def xmrig(self, request: Request) -> Answer:
        return Answer(dump(self._feed.names.cut(xmrig.summary(self._feed.tick()))))

    def _of(self, make: Callable[[Snapshot], Any]) -> Handler:
        """Answers with what `make` tells of the newest snapshot."""

        def handler(request: Request) -> Answer:
            return Answer(dump(self._feed.cut(make(self._feed.tick()))))

        return handler

    def _moment(self) -> tuple[Snapshot, Health]:
        now = self._feed.tick()
        return now, self._feed.health(now)

    def _tag(self, change: int) -> str:
        """Of a run and its change number: two runs never share one."""
        return f"{int(self._feed.now.run.started_at_s * 1000):x}-{change}"


def endpoint(how: Handler) -> Callable[[Request], Awaitable[Answer]]:
    async def answer(request: Request) -> Answer:
        return how(request)

    return answer


def served(file: File) -> Handler:
    answer = Answer(file.body, file.media, tag=file.tag, cache=NO_CACHE)
    return lambda request: answer


def since(request: Request) -> float:
    """?since=UNIX_SECONDS. Raises HTTPException 400."""
    text = request.query_params.get("since", "0")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < 1e12:
        raise HTTPException(400, "since is not a time in seconds since 1970")
    return value


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await refusal(404, "no such path")(scope, receive, send)


class Bugs:
    """Tells of the first bug of ours; the rest would be the same."""

    def __init__(self, complain: Complain = lambda text: None) -> None:
        self._complain, self._told = complain, False

    def tell(self, where: str, error: Exception) -> None:
        if not self._told:
            self._told = True
            self._complain(f"the page failed at {scrub(where, 60)}: {scrub(repr(error))}")


def safe(app: ASGIApp, bugs: Bugs | None = None) -> ASGIApp:
    """Errors that a handler means for its asker become one line of JSON; for a bug it gets 500."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except HTTPException as error:
            own = (error.headers or {}).items()
            headers = [(name.encode(), value.encode()) for name, value in own]
            await refusal(error.status_code, error.detail, headers)(scope, receive, send)
        except Exception as error:
            if bugs is not None:
                bugs.tell(scope["path"], error)
            raise  # to the server, which answers

    return guarded
