"""One question over the wire: bounded in time and size, and never led elsewhere."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from miner.board import wire
from miner.errors import ConnectFailed, DeadlinePassed, MinerError, RemoteProtocolError
from tests.fakes import miners


def get(reply: Callable[[bytes], bytes], within_s: float = 5.0, delay_s: float = 0.0) -> Any:
    with miners.miner(reply) as one:
        one.delay_s = delay_s
        try:
            return asyncio.run(wire.get_json("127.0.0.1", one.port, "/a", within_s))
        finally:
            (asked,) = one.asked
            assert asked.startswith(b"GET /a HTTP/1.1\r\n") and asked.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("chunked", [False, True])
def test_json_comes_back_whole(chunked: bool) -> None:
    assert get(miners.http({"/a": {"x": [1, "ü"]}}, chunked=chunked)) == {"x": [1, "ü"]}


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (miners.http({"/a": {}}, status=302), RemoteProtocolError, "not followed"),
        (miners.http({}), RemoteProtocolError, "404"),
        (miners.http({"/a": b"<html>"}), RemoteProtocolError, "no JSON"),
        (miners.http({"/a": b"NaN"}), RemoteProtocolError, "no JSON"),
        (miners.http({"/a": b"[" * 100_000}), RemoteProtocolError, "no JSON"),
        (miners.http({"/a": b"[" + b" " * (300 << 10) + b"]"}), RemoteProtocolError, "256 KiB"),
        (miners.http({"/a": b"[" + b" " * (300 << 10)}, chunked=True), RemoteProtocolError, "256"),
        (lambda _: b"SSH-2.0-x\r\n", RemoteProtocolError, "no HTTP"),
        (lambda _: b"", RemoteProtocolError, "no HTTP|early"),
        (lambda _: miners.head(200, b"x" * 99)[:-9], RemoteProtocolError, "no HTTP|early"),
        (lambda _: b"HTTP/1.1 200 OK\r\nA: " + b"x" * 99_999, RemoteProtocolError, "no HTTP"),
    ],
    ids=lambda value: "" if callable(value) else None,
)
def test_what_is_no_answer_is_one_error(
    reply: Callable[[bytes], bytes], error: type[MinerError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        get(reply)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_a_miner_that_hangs_costs_the_deadline_and_no_more() -> None:
    with pytest.raises(DeadlinePassed, match=r"0\.1 s"):
        get(miners.http({"/a": 1}), within_s=0.1, delay_s=1.0)


def test_nobody_there() -> None:
    with miners.miner(miners.http({})) as one:
        port = one.port
    with pytest.raises(ConnectFailed):
        asyncio.run(wire.get_json("127.0.0.1", port, "/"))


def test_a_cgminer_answer_ends_at_the_nul_even_if_the_peer_stays() -> None:
    with miners.miner(lambda _: b'{"STATUS":[]}\0trailing') as one:
        assert asyncio.run(wire.cgminer("127.0.0.1", one.port, "version")) == {"STATUS": []}
    with miners.miner(lambda _: b"[" + b" " * (300 << 10)) as one, pytest.raises(MinerError):
        asyncio.run(wire.cgminer("127.0.0.1", one.port, "version"))


def test_a_name_service_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    import threading

    hung, real = threading.Event(), socket.getaddrinfo

    def slow(host: str, *args: Any, **options: Any) -> Any:
        if host == "slow.example" and not options.get("flags"):
            hung.wait(10)
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        with pytest.raises(DeadlinePassed):
            asyncio.run(wire.get_json("slow.example", 80, "/", 0.1))
    finally:
        hung.set()
