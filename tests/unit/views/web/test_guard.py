"""Who may ask, by which name and method; what is in every answer."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from miner.views.web.guard import is_at_home
from tests.faults import fault
from tests.unit.views.web.kit import Site, served, status

PATHS = ("/", "/healthz", "/api/v1/status", "/api/v1/events", "/api/v1/block", "/no/such/path")
NOW = status().snapshot(60.0)


@pytest.fixture(scope="module")
def site_at_home() -> Iterator[Site]:
    with served(NOW, "0.0.0.0", names=("miner.example",)) as made:
        yield made


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(NOW) as made:
        yield made


@fault("A01")
def test_it_listens_on_loopback(site: Site) -> None:
    assert site.place.host == "127.0.0.1"
    own = socket.gethostbyname_ex(socket.gethostname())[2]
    for address in (one for one in own if not one.startswith("127.")):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, site.place.port), timeout=2)


@fault("A02")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "localhost.",
        "[::1]:{port}", "miner.example", "Miner.Example.:{port}",
    ],
)  # fmt: skip
def test_names_of_this_computer_are_answered(site_at_home: Site, host: str) -> None:
    told = host.format(port=site_at_home.place.port)
    assert site_at_home.get("/api/v1/status", Host=told).status == 200


@fault("A02")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "evil.example:8080", "10.0.0.1", "[fe80::1]",
        "miner", "localhost@evil.example", "localhost evil", "[::1", "::1", "127.0.0.1:80:80",
        "a" * 300, "*", "localhost:", "0x7f000001", "localhost/", "..",
    ],
)  # fmt: skip
def test_other_names_are_refused(site: Site, host: str) -> None:
    for path in ("/", "/api/v1/status", "/no/such/path"):
        reply = site.get(path, Host=host)
        assert reply.status in (400, 421), reply.body
        assert host.encode() not in reply.body or len(host) < 3


@fault("A02")
def test_no_host_and_two_hosts(site: Site) -> None:
    assert b" 421 " in site.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert b" 400 " in site.raw(b"GET / HTTP/1.1\r\n\r\n")
    two = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    assert site.raw(two).split(b" ")[1] in (b"400", b"421")


def test_a_miner_at_the_wrong_port_is_told_so_at_once(site: Site) -> None:
    told = json.loads(site.raw(b'{"id":1,"method":"mining.subscribe","params":[]}\n'))
    assert told["method"] == "client.show_message"
    assert "for browsers: miners connect to another one" in told["params"][0]


@fault("A03")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_nothing_but_reading(site: Site, method: str) -> None:
    for path in PATHS:
        reply = site.get(path, method=method, Content_Length="0", Origin="http://evil.example")
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
        assert reply.json == {"error": "read-only"}


@fault("A03")
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://192.168.1.20", True),
        ("http://10.1.2.3:8080", True),
        ("http://172.16.0.1", True),
        ("http://bitaxe.local", True),
        ("http://bitaxe", True),
        ("http://172.32.0.1", False),
        ("http://8.8.8.8", False),
        ("https://evil.example", False),
        ("http://192.168.1.20.evil.example", False),
        ("http://192.168.1.20@evil.example", False),
        ("http://evil.example/.local", False),
        ("null", False),
        ("file://", False),
        ("http://[fe80::1]", False),
    ],
)
def test_pages_of_devices_at_home_may_read(site_at_home: Site, origin: str, allowed: bool) -> None:
    assert is_at_home(origin) == allowed
    told = site_at_home.get("/api/v1/status", Origin=origin).headers
    assert told.get("access-control-allow-origin") == (origin if allowed else None)
    assert "access-control-allow-credentials" not in told
    asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    reply = site_at_home.get("/api/v1/status", method="OPTIONS", **asks)
    assert reply.status == (204 if allowed else 405)


@fault("A03")
def test_on_loopback_no_other_page_reads(site: Site) -> None:
    told = site.get("/api/v1/status", Origin="http://192.168.1.20")
    assert "access-control-allow-origin" not in told.headers


def test_every_answer_is_locked_down(site: Site) -> None:
    for path in PATHS[:3] + PATHS[4:]:
        for method in ("GET", "POST"):
            told = site.get(path, method=method).headers
            assert "frame-ancestors 'none'" in told["content-security-policy"]
            assert "default-src 'self'" in told["content-security-policy"]
            assert told["x-content-type-options"] == "nosniff"
            assert told["referrer-policy"] == "no-referrer"
            assert "server" not in told


@fault("A05")
@pytest.mark.parametrize(
    "path",
    [
        "/../pages.py", "/%2e%2e/pages.py", "/..%2fpages.py", "/static/index.html", "//etc/passwd",
        "/%00", "/index.html%00.js", "/etc/passwd", "/\\..\\pages.py", "/.%2e/%2e%2e/app.py", "/./",
        "/api/v1/status/", "/api/v1/../v1/status", "http://evil.example/", "/%c0%ae%c0%ae/app.py",
    ],
)  # fmt: skip
def test_only_listed_paths(site: Site, path: str) -> None:
    assert site.get(path).status == 404


@fault("A08")
@pytest.mark.parametrize(
    ("request_line", "codes"),
    [
        (b"GET / HTTP/2.0", (b"400", b"505")),
        (b"GET / HTTP/0.9", (b"400", b"505")),
        (b"GET /", (b"400",)),
        (b"BREW / HTTP/1.1", (b"405",)),
        (b"PRI * HTTP/2.0", (b"400", b"405")),
        (b"GET /nowhere HTTP/1.1", (b"404",)),
        (b"POST /nowhere HTTP/1.1", (b"405",)),
        (b"\x16\x03\x01\x02\x00\x01", (b"400",)),
    ],
)
def test_odd_requests(site: Site, request_line: bytes, codes: tuple[bytes, ...]) -> None:
    answer = site.raw(request_line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ")[1] in codes, answer


def test_a_request_has_no_body(site: Site) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    assert b" 413 " in site.raw(head + b"Content-Length: 5\r\n\r\n12345")
    assert b" 413 " in site.raw(head + b"Content-Length: 99999999999\r\n\r\n")
    assert b" 413 " in site.raw(head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


def test_a_head_that_is_too_large(site: Site) -> None:
    answer = site.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
    assert answer.split(b" ")[1] in (b"400", b"431")


def test_a_websocket_is_not_spoken(site: Site) -> None:
    asks = {"Upgrade": "websocket", "Connection": "Upgrade, close", "Sec-WebSocket-Version": "13"}
    assert site.get("/api/ws/live", **asks).status == 404


def test_a_bug_of_ours_is_told_once_and_answered_with_500() -> None:
    broken = replace(NOW, shares=None)  # type: ignore[arg-type]
    with served(NOW) as made:
        made.now = broken
        for _ in range(3):
            assert made.get("/2/summary").status == 500
        assert made.get("/api/v1/history").status == 200
        (told,) = made.complaints
        made.complaints.clear()
    assert "/2/summary" in told and "NoneType" in told


@fault("A03")
def test_a_browser_that_asks_before_it_reaches_into_a_home(site_at_home: Site) -> None:
    asks = {"Origin": "http://192.168.1.20", "Access-Control-Request-Method": "GET"}
    asks["Access-Control-Request-Private-Network"] = "true"
    told = site_at_home.get("/api/system/info", method="OPTIONS", **asks)
    assert (told.status, told.body) == (204, b"")
    assert told.headers["access-control-allow-private-network"] == "true"
    assert told.headers["access-control-allow-methods"] == "GET, HEAD"
    assert told.headers["vary"] == "Origin"


def test_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with served(NOW, "::1") as made:
        assert made.get("/healthz", Host=f"[::1]:{made.place.port}").status == 200
        assert made.get("/healthz", Host="[fe80::1]").status == 421
