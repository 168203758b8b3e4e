"""Answers: bytes with their kind and tag, sent in pieces so that a slow reader holds little."""

import asyncio
import json
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

PIECE = 32 << 10
NO_STORE = b"no-store"  # JSON of this moment
NO_CACHE = b"no-cache"  # files: ask each time, with their tag
JSON = "application/json"

Headers = Iterable[tuple[bytes, bytes]]


class Answer:
    """An ASGI application that gives these bytes."""

    def __init__(
        self,
        body: bytes,
        media: str = JSON,
        status: int = 200,
        tag: str | None = None,
        headers: Headers = (),
        cache: bytes = NO_STORE,
    ) -> None:
        self._body, self._status, self._tag = body, status, tag and f'"{tag}"'.encode()
        self._headers = [(b"cache-control", cache), *headers]
        if body:
            self._headers.append((b"content-type", media.encode()))
        if self._tag:
            self._headers.append((b"etag", self._tag))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = dict(scope["headers"]).get(b"if-none-match", b"")
        body, status, headers = self._body, self._status, self._headers
        if self._tag and status == 200 and is_among(self._tag, known):
            body, status = b"", 304
        if status not in (204, 304):
            headers = [*headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        pieces = range(0, len(body), PIECE) if scope["method"] != "HEAD" else ()
        for start in pieces:
            piece = body[start : start + PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # others have their turn, and a reader's leaving is noticed
        await send({"type": "http.response.body", "body": b""})


def is_among(tag: bytes, known: bytes) -> bool:
    """Is the tag in an If-None-Match header?"""
    return known.strip() == b"*" or tag in (
        one.strip().removeprefix(b"W/") for one in known.split(b",")
    )


def refusal(status: int, why: str, headers: Headers = ()) -> ASGIApp:
    """An error as JSON; our words alone, never the request's."""
    body = json.dumps({"error": why}).encode() if why else b""
    return Answer(body, status=status, headers=headers)
