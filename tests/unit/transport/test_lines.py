"""A socket stream's waits, queue and portions, over a pair of sockets."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from miner.errors import TransportError
from miner.transport import stream as streams
from miner.transport.stream import SocketStream
from miner.transport.waker import Waker


@pytest.fixture
def ours() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end, not blocking, and the peer's."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def stream(waker: Waker, ours: tuple[socket.socket, socket.socket]) -> Iterator[SocketStream]:
    stream = SocketStream(ours[0], waker)
    yield stream
    stream.close()


Pair = tuple[socket.socket, socket.socket]


def took(wait: float, started: float) -> bool:
    """Was it a wait that ended early? Far from both, so that a slow machine does not matter."""
    return time.monotonic() - started < wait / 2


def fill(sock: socket.socket) -> None:
    """Until the peer's buffer takes nothing more."""
    try:
        while True:
            sock.send(b"\0" * 65536)
    except BlockingIOError:
        return


def test_a_thousand_wakes_are_used_up_by_one_wait(waker: Waker, stream: SocketStream) -> None:
    for _ in range(1000):
        waker.wake()
    stream.wait(5.0)
    started = time.monotonic()
    stream.wait(0.1)
    assert time.monotonic() - started >= 0.09


def test_wakes_that_find_no_room_or_no_reader_are_harmless(waker: Waker) -> None:
    for _ in range(5000):
        waker.wake()
    waker.clear()
    closed = Waker()
    closed.close()
    closed.wake()
    closed.clear()


def test_a_waker_wakes_who_sleeps_and_tells_of_the_end(waker: Waker) -> None:
    assert not waker.stopping
    threading.Timer(0.05, waker.stop).start()
    started = time.monotonic()
    waker.wait(20.0)
    assert took(20.0, started)
    assert waker.stopping
    started = time.monotonic()
    waker.wait(0.05)  # used up
    waker.wait(-1.0)  # a deadline that has passed
    assert time.monotonic() - started >= 0.04


def test_bytes_end_a_wait(stream: SocketStream, ours: Pair) -> None:
    threading.Timer(0.05, ours[1].sendall, [b"hello"]).start()
    started = time.monotonic()
    stream.wait(20.0)
    assert took(20.0, started)
    assert stream.read() == b"hello"
    assert stream.read() == b""


def test_room_for_queued_bytes_ends_a_wait_and_then_does_no_more(
    stream: SocketStream, ours: Pair
) -> None:
    fill(ours[0])
    stream.send([b"queued\n"])
    started = time.monotonic()
    stream.wait(0.1)  # the peer does not read: no room
    assert time.monotonic() - started >= 0.09
    got = bytearray()

    def drain() -> None:
        ours[1].settimeout(10.0)
        while not got.endswith(b"queued\n"):
            got.extend(ours[1].recv(1 << 20))

    reader = threading.Thread(target=drain)
    reader.start()
    started = time.monotonic()
    stream.wait(20.0)
    assert took(20.0, started)
    for _ in range(1000):
        stream.flush()
        if not reader.is_alive():
            break
        stream.wait(0.01)
    reader.join(10.0)
    assert not reader.is_alive()
    started = time.monotonic()
    stream.wait(0.1)  # nothing is queued: room alone ends no wait
    assert time.monotonic() - started >= 0.09
    ours[1].sendall(b"still heard")
    stream.wait(20.0)
    assert stream.read() == b"still heard"


def test_long_messages_go_out_in_pieces_and_in_order(stream: SocketStream, ours: Pair) -> None:
    sent = [bytes([65 + n]) * 300_000 + b"\n" for n in range(3)]
    stream.send(sent)
    got = bytearray()
    while len(got) < 900_003:
        got += ours[1].recv(100_000)
        stream.flush()
    assert bytes(got) == b"".join(sent)
    stream.send([b"after\n"])
    assert ours[1].recv(100) == b"after\n"


@pytest.mark.parametrize(("more", "good"), [(0, True), (1, False)])
def test_up_to_a_mebibyte_waits_for_a_slow_peer(
    stream: SocketStream, ours: Pair, more: int, good: bool
) -> None:
    fill(ours[0])
    messages = [b"x" * 1023 + b"\n"] * 1024 + [b"\n"] * more
    if good:
        stream.send(messages)
    else:
        with pytest.raises(TransportError, match="1048577 bytes wait for it"):
            stream.send(messages)


def test_a_full_buffer_may_have_more_behind_it(
    stream: SocketStream, ours: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS may hold bytes that select cannot see: after a full read the next wait is none."""
    monkeypatch.setattr(streams, "READ_BYTES", 10)
    stream._buffer = stream._buffer[:10]
    ours[1].sendall(b"0123456789")
    stream.wait(20.0)
    assert stream.read() == b"0123456789"
    started = time.monotonic()
    stream.wait(20.0)
    assert took(20.0, started)
    assert stream.read() == b""
    started = time.monotonic()
    stream.wait(0.1)
    assert time.monotonic() - started >= 0.09


def test_a_broken_connection_says_why(stream: SocketStream, ours: Pair) -> None:
    ours[1].close()
    with pytest.raises(TransportError, match="the connection broke: Broken pipe"):
        stream.send([b"x\n"])
    ours[0].close()
    with pytest.raises(TransportError, match="the connection broke: Bad file descriptor"):
        stream.read()
    assert (
        str(streams._gone(ConnectionResetError())) == "the connection broke: ConnectionResetError"
    )
