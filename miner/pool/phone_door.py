"""The phones' door: the page by which a browser joins, its API, and the streams that bring work."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from miner.pool.phones import MOST_POSTS, Mail, Phone, Phones
from miner.pool.site import files, posted
from miner.pool.values import Refused
from miner.views.feed import dump
from miner.views.web.answer import Answer
from miner.views.web.app import endpoint, served
from miner.views.web.pages import File
from miner.views.web.stream import HEADERS, RETRY_MS, left
from miner.work.job import UINT32

PAGE = "join.html"
# What the page loads.
FILES = (
    "join.css", "join.js", "join-words.js", "crew.js", "link.js", "hasher.js", "hash.js",
    "page.css", "icon.svg",
)  # fmt: skip
MODULE = "hash.wasm"  # where this installation was built with the compiler wheel
API = "/api/v1/phones"
MOST_TEXT = 200  # characters of a wished name or device; the room makes them shorter


class PhoneDoor:
    """A part of the class's site."""

    def __init__(self, phones: Phones, pages: Mapping[str, File] | None = None) -> None:
        """`pages`: instead of this installation's."""
        self._phones, self._files = phones, files() if pages is None else pages

    def routes(self) -> Sequence[BaseRoute]:
        names = [*FILES, *([MODULE] if MODULE in self._files else [])]
        pages = {"/": PAGE} | {f"/{name}": name for name in names}
        return [
            *(Route(path, endpoint(served(self._files[name]))) for path, name in pages.items()),
            Route(API, self.enter, methods=["POST"]),
            Route(f"{API}/share", self.share, methods=["POST"]),
            Route(f"{API}/work", self.work, methods=["POST"]),
            Route(f"{API}/stream", Stream(self._phones)),
        ]

    def tick(self) -> None:
        self._phones.tick()

    def close(self) -> None:
        self._phones.close()

    async def enter(self, request: Request) -> Answer:
        """Takes {name, device, token}, the last "" or of an earlier visit; gives a token."""
        if not self._phones.may_enter(request.client.host if request.client else ""):
            return refused(429, "fast", "too many enter from this address; wait 10 s")
        told = await posted(request)
        name, device, token = (told.get(key, "") for key in ("name", "device", "token"))
        for text in (name, device, token):
            if not isinstance(text, str) or len(text) > MOST_TEXT:
                raise HTTPException(400, f"name, device and token are texts of at most {MOST_TEXT}")
        try:
            phone = self._phones.enter(name, device, token)
        except Refused as error:
            return refused(503, "full" if error.full else "removed", str(error))
        known = {"token": phone.entry.token, "name": self._phones.name(phone)}
        return Answer(dump(known | {"wasm": MODULE in self._files}))

    async def share(self, request: Request) -> Answer:
        """Takes {token, job, unit, nonce}; gives the room's judgement."""
        told = await posted(request)
        phone = self._of(told.get("token"))
        job, unit, nonce = told.get("job"), told.get("unit"), told.get("nonce")
        if not isinstance(job, str) or not is_word(unit) or not is_word(nonce):
            raise HTTPException(400, "a share is a token and a job, and unit and nonce of 32 bits")
        return Answer(dump(self._phones.share(phone, job, unit, nonce)))

    async def work(self, request: Request) -> Answer:
        """Takes {token}; gives further work: the nonces of the last are used up."""
        unit = self._phones.unit(self._of((await posted(request)).get("token")))
        if unit is None:
            raise HTTPException(503, "there is no work yet")
        return Answer(dump(unit))

    def _of(self, token: object) -> Phone:
        """Raises HTTPException: nobody's token, or too many POSTs."""
        phone = self._phones.of(token)
        if phone is None:
            raise HTTPException(401, "this device is not known here any more: open the page anew")
        if not self._phones.may_post(phone):
            why = f"at most {MOST_POSTS} POSTs a second from one phone"
            raise HTTPException(429, why, headers={"connection": "close"})
        return phone


def is_word(value: object) -> TypeGuard[int]:
    """A whole number of 32 bits?"""
    return type(value) is int and 0 <= value < UINT32


def refused(status: int, word: str, why: str) -> Answer:
    """`word`: for the page, which says it in its reader's language."""
    return Answer(dump({"error": why, "word": word}), status=status)


class Stream:
    """ASGI: the events of one phone, by the token in the query."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        phone = self._phones.of(Request(scope).query_params.get("token"))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if phone is None or scope["method"] != "GET":
            await send({"type": "http.response.body", "body": event("unknown", {})})
            return
        mail = self._phones.open(phone)
        gone = asyncio.ensure_future(left(receive))
        try:
            await send_all(mail, send, gone)
        finally:
            self._phones.closed(phone, mail)
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})


async def send_all(mail: Mail, send: Send, gone: "asyncio.Future[None]") -> None:
    """Until the reader leaves or the mail ends; `send` waits for one that is slow."""
    first = b"retry: %d\n\n" % RETRY_MS
    while not gone.done():
        over = bool(mail.end)
        body = first + b"".join(event(name, told) for name, told in mail.take())
        first = b""
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if over:
            return
        turn = asyncio.ensure_future(mail.news.wait())
        await asyncio.wait((turn, gone), return_when=asyncio.FIRST_COMPLETED)
        turn.cancel()


def event(name: str, told: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), dump(told))
