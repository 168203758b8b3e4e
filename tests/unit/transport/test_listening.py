"""Where a listener may be, and what is said when it cannot be there."""

import errno
import socket

import pytest

from miner.errors import ConfigError
from miner.transport.listening import (
    ListenAddress,
    bind,
    bound,
    listen_address,
    open_url,
    remedy,
)

PARSE = listen_address(8080)


@pytest.mark.parametrize(
    ("value", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        (8081, "127.0.0.1", 8081),
        (True, "127.0.0.1", 8080),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:8080", "::1", 8080),
        ("desk.lan:0", "desk.lan", 0),
    ],
)
def test_places(value: object, host: str, port: int) -> None:
    assert PARSE(value) == ListenAddress(host, port)


def test_no_place() -> None:
    assert PARSE(False) is None


@pytest.mark.parametrize(
    "value",
    ["", ":8080", "::1:8080", "[::1]", "a b:80", "65536", "-1", "x", 1.5, None, "h:"],
)
def test_what_is_no_place(value: object) -> None:
    with pytest.raises(ValueError, match="HOST:"):
        PARSE(value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("localhost.evil", False)],
)  # fmt: skip
def test_loopback(host: str, loopback: bool) -> None:
    assert ListenAddress(host, 1).is_loopback == loopback


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EADDRINUSE, "another program listens there"),
        (errno.EACCES, "choose a port above 1023"),
        (errno.EPERM, "choose a port above 1023"),
        (errno.EADDRNOTAVAIL, "no address of this computer"),
        (errno.ENOBUFS, "choose another address or port"),
    ],
)
def test_each_error_has_a_remedy(number: int, words: str) -> None:
    assert words in remedy(OSError(number, "what the system says"))


def test_a_taken_port_is_refused_and_a_free_one_is_told() -> None:
    with bind(ListenAddress("127.0.0.1", 0), "--web") as first:
        place = bound(first)
        assert place.port > 0
        with pytest.raises(ConfigError, match=f"--web 127.0.0.1:{place.port}: another program"):
            bind(place, "--web")


def test_the_url_that_people_can_open() -> None:
    assert open_url(ListenAddress("0.0.0.0", 80), ["192.168.1.5"]) == "http://192.168.1.5:80/"
    assert open_url(ListenAddress("::1", 80), []) == "http://[::1]:80/"
    assert open_url(ListenAddress("::", 80), []) == f"http://{socket.gethostname()}:80/"
