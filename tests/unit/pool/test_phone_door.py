"""The phones' API over HTTP: what is taken from whom, and the stream that brings work."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from miner.pool.phones import MOST_POSTS
from tests.fakes.asking import Asker, listening
from tests.fakes.class_site import site_of
from tests.unit.pool.kit import NOW, Rig

API = "/api/v1/phones"


@pytest.fixture
def site() -> Iterator[Asker]:
    with listening(site_of(with_work().room, time.time)) as asker:
        yield asker


def with_work() -> Rig:
    rig = Rig()
    rig.new_template()
    return rig


def entered(site: Asker, name: str = "Ada") -> str:
    reply = site.post(API, {"name": name, "device": "a test", "token": ""})
    assert (reply.status, reply.json["name"], reply.json["wasm"]) == (200, name, False)
    return str(reply.json["token"])


class Events:
    """The stream of one phone, read with patience."""

    def __init__(self, site: Asker, token: str) -> None:
        self.link = site.connect()
        ask = f"GET {API}/stream?token={token} HTTP/1.1\r\nHost: {site.place}\r\n\r\n"
        self.link.sendall(ask.encode())
        self._read = b""

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def next(self, name: str) -> Any:
        """The next event of this name."""
        mark = f"event: {name}\ndata: ".encode()
        while mark not in self._read or b"\n\n" not in self._read.split(mark, 1)[1]:
            piece = self.link.recv(65536)
            assert piece, f"the stream ended before {name}: {self._read!r}"
            self._read += piece
        told, self._read = self._read.split(mark, 1)[1].split(b"\n\n", 1)
        return json.loads(told)


def test_the_page_and_its_files_with_their_policy(site: Asker) -> None:
    for path, media in {
        "/": "text/html",
        "/hash.js": "text/javascript",
        "/page.css": "text/css",
    }.items():
        reply = site.get(path)
        assert reply.status == 200 and reply.headers["content-type"].startswith(media)
        policy = reply.headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" in policy
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "access-control-allow-origin" not in reply.headers
    for path in ("/hash.wasm", "/board.js", "/desk.js", "/join.html", f"{API}/nothing"):
        assert site.get(path).status == 404


def test_a_phone_enters_reads_its_work_and_posts_a_share(site: Asker) -> None:
    token = entered(site)
    with Events(site, token) as events:
        work = events.next("work")
        assert len(work["header"]) == 152 and events.next("told")["name"] == "Ada"
        told = {"token": token, "job": work["job"], "unit": work["unit"], "nonce": 0}
        judged = site.post(f"{API}/share", told)
        assert (judged.status, judged.json["answer"]) == (200, "low")
        more = site.post(f"{API}/work", {"token": token})
        assert more.json["unit"] == work["unit"] + 1
        while events.next("told")["refused"] != 1:
            pass
        again = site.post(API, {"name": "Ada", "device": "", "token": token})
        assert again.json["token"] == token
        events.next("moved")


def test_a_token_of_nobody(site: Asker) -> None:
    for told in ({"token": "x"}, {"token": 7}, {}, {"token": None}):
        for path in ("/share", "/work"):
            reply = site.post(API + path, told)
            assert reply.status == 401 and "not known here any more" in reply.json["error"]
    with Events(site, "x") as events:
        assert events.next("unknown") == {}


@pytest.mark.parametrize(
    "told",
    [
        {"job": 1}, {"job": "x" * 65}, {"unit": -1}, {"unit": 2**32}, {"unit": 1.0}, {"unit": True},
        {"nonce": "1"}, {"nonce": 2**32}, {"nonce": None},
    ],
)  # fmt: skip
def test_a_share_of_another_form_is_refused(site: Asker, told: dict[str, Any]) -> None:
    whole = {"token": entered(site), "job": "1", "unit": 0, "nonce": 0}
    reply = site.post(f"{API}/share", whole | told)
    assert reply.status == (200 if told == {"job": "x" * 65} else 400)
    assert reply.json.get("answer", "unknown_job") == "unknown_job"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"a": NaN}', b"\xff", b"[" * 8000])
def test_what_is_no_json_object_is_refused(site: Asker, body: bytes) -> None:
    for path in ("", "/share", "/work"):
        reply = site.post(API + path, body)
        assert reply.status == 400 and reply.json["error"].startswith("the POST is not ")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Length": "8193"}, 413),
    ],
)
def test_another_sites_post_changes_nothing(
    site: Asker, headers: dict[str, str], status: int
) -> None:
    reply = site.post(API, {"name": "Eve", "device": "", "token": ""}, **headers)
    assert reply.status == status and list(reply.json) == ["error"]


def test_names_that_are_no_text_are_refused(site: Asker) -> None:
    others: list[dict[str, Any]] = [{"name": 7}, {"name": "x" * 201}, {"device": []}, {"token": {}}]
    for told in others:
        reply = site.post(API, {"name": "Ada", "device": "", "token": ""} | told)
        assert reply.status == 400 and "texts of at most 200" in reply.json["error"]


def test_a_flood_is_refused_with_words() -> None:
    """Of POSTs by a phone, and of newcomers from an address; this room's clock stands still."""
    with listening(site_of(with_work().room, lambda: NOW)) as site:
        flood(site, entered(site))
        replies = [site.post(API, {"name": "Eve", "device": "", "token": ""}) for _ in range(20)]
    assert replies[-1].status == 429 and replies[-1].json["word"] == "fast"


def flood(site: Asker, token: str) -> None:
    link = HTTPConnection(*site.place)
    head = {"Origin": site.origin, "Content-Type": "application/json"}
    told = b""
    for number in range(MOST_POSTS + 1):
        link.request("POST", f"{API}/work", json.dumps({"token": token}), head)
        with link.getresponse() as reply:
            told = reply.read()
            allowed = number < MOST_POSTS
            assert reply.status == (200 if allowed else 429)
            assert reply.getheader("connection") == (None if allowed else "close")
    assert b"at most 50 POSTs a second" in told
    link.close()


def test_the_room_is_full_in_words_that_the_page_knows() -> None:
    rig = Rig(most_of_a_kind=1)
    with listening(site_of(rig.room, time.time)) as site:
        entered(site)
        reply = site.post(API, {"name": "Bob", "device": "", "token": ""})
    assert (reply.status, reply.json["word"]) == (503, "full")
    assert reply.json["error"].startswith("1 browsers are here already")
