"""A site that takes POSTs: of JSON, from its own pages, of a bounded size."""

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from miner.views.web.answer import Answer
from miner.views.web.guard import Guard, Policy
from tests.fakes.asking import Asker, listening

MOST = 64


class Echo:
    """Answers with what was posted."""

    def __init__(self) -> None:
        self._app = Guard(self.answer, (), lan=False, policy=Policy("script-src 'self'", MOST))

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Answer(await Request(scope, receive).body())(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def tick(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Asker]:
    with listening(Echo()) as asker:
        yield asker


def test_json_of_its_own_page_is_taken(site: Asker) -> None:
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        reply = site.post("/", {"a": 1}, Content_Type=kind)
        assert (reply.status, reply.json) == (200, {"a": 1})
    assert reply.headers["content-security-policy"] == "script-src 'self'"


@pytest.mark.parametrize(
    "origin",
    [
        "", "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1",
        "http://127.0.0.1:{port}/", "http://127.0.0.1:{port}.evil.example", "http://localhost:{port}",
    ],
)  # fmt: skip
def test_another_pages_post_is_refused_with_one_line(site: Asker, origin: str) -> None:
    reply = site.post("/", {}, Origin=origin.format(port=site.place.port))
    assert reply.status == 403
    assert reply.json == {"error": "a POST must come from this server's own page: open it anew"}


def test_two_origins_are_none(site: Asker) -> None:
    own = site.origin.encode()
    head = b"POST / HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nOrigin: %s\r\n" % (own[7:], own, own)
    asks = head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    assert b" 403 " in site.raw(asks)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
def test_what_a_form_can_send_is_refused(site: Asker, kind: str) -> None:
    reply = site.post("/", {}, Content_Type=kind)
    assert (reply.status, reply.json) == (415, {"error": "a POST must be application/json"})


def test_its_size_is_bounded_and_told_before(site: Asker) -> None:
    assert site.post("/", b"1" * MOST).status == 200
    for length in (str(MOST + 1), "9" * 18):
        assert site.post("/", b"", Content_Length=length).status == 413
    assert site.post("/", b"", Content_Length="").status == 411
    chunks = site.post("/", b"2\r\n{}\r\n0\r\n\r\n", Content_Length="", Transfer_Encoding="chunked")
    assert chunks.status == 411


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(site: Asker, method: str) -> None:
    reply = site.get("/", method=method, Content_Length="0", Origin=site.origin)
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST")


def test_another_name_is_refused_before_all_else(site: Asker) -> None:
    reply = site.post("/", {}, Host="evil.example", Origin="http://evil.example")
    assert reply.status == 421 and "call it by its address" in reply.body.decode()
