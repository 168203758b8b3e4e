"""Connections to pools: names, dead addresses, deadlines, socket options."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miner.errors import ConnectFailed, TransportError
from miner.transport import tcp
from miner.transport.dial import Dialer
from miner.transport.resolve import LOOKUP_S, MAX_ADDRESSES, Address, Resolver
from miner.transport.stream import READ_BYTES, SocketStream, Stream
from miner.transport.waker import Waker
from tests.faults import fault


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def here(listener: socket.socket) -> Address:
    return socket.AF_INET, listener.getsockname()


@pytest.fixture
def dialer() -> Iterator[Callable[..., Dialer]]:
    """Makes dialers and closes them."""
    made: list[Dialer] = []

    def make(*arguments: Any, **options: Any) -> Dialer:
        made.append(Dialer(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[..., Dialer]


def connect(
    dialer: Dialer, host: str = "pool.example", port: int = 9, seconds: float = 5.0
) -> Stream:
    return dialer.open(host, port, None, seconds)[0]


@fault("S52")
def test_a_socket_sends_at_once_and_is_kept_alive(waker: Waker, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with tcp.connect([(socket.AF_INET, ("127.0.0.1", port))], waker, time.monotonic() + 5) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0


@fault("S52")
def test_one_write_per_message(waker: Waker) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps boundaries
    ours.setblocking(False)
    stream = SocketStream(ours, waker)
    stream.send([b"one\n", b"two\n"])
    assert [theirs.recv(100), theirs.recv(100)] == [b"one\n", b"two\n"]
    stream.close()
    theirs.close()


@fault("S48")
def test_an_unknown_name_is_one_line(dialer: Make) -> None:
    def lookup(host: str, port: int) -> list[Address]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(ConnectFailed, match=r"cannot resolve pool\.example: Name or service"):
        connect(dialer(lookup))


@fault("S48")
def test_a_slow_resolver_has_a_deadline_and_is_not_asked_twice_at_once(
    dialer: Make, listener: socket.socket
) -> None:
    asked, answer = [], threading.Event()

    def lookup(host: str, port: int) -> list[Address]:
        asked.append(host)
        answer.wait(10.0)
        return [here(listener)]

    made = dialer(lookup, lookup_s=0.5)
    for _ in range(3):
        with pytest.raises(ConnectFailed, match="not resolved in time"):
            connect(made)
    assert asked == ["pool.example"]
    answer.set()
    connect(made).close()
    connect(made).close()
    assert len(asked) == 2  # resolved anew at each try


@fault("S48")
def test_a_dead_address_costs_little_and_all_are_tried(
    dialer: Make, listener: socket.socket
) -> None:
    dead: Address = (socket.AF_INET, ("192.0.2.1", 9))  # TEST-NET-1: answers nothing
    closed: Address = (socket.AF_INET, ("127.0.0.1", 9))
    unroutable: Address = (socket.AF_INET6, ("2001:db8::1", 9, 0, 0))

    def lookup(host: str, port: int) -> list[Address]:
        return [unroutable, dead, closed, here(listener)]

    started = time.monotonic()
    made = dialer(lookup)
    connect(made).close()
    assert time.monotonic() - started < 4.0


@fault("S48")
def test_the_address_may_change_between_tries(dialer: Make, listener: socket.socket) -> None:
    answers = [[(socket.AF_INET, ("127.0.0.1", 9))], [here(listener)]]
    made = dialer(lambda host, port: answers.pop(0))
    with pytest.raises(ConnectFailed, match="refused"):
        connect(made)
    connect(made).close()


@fault("S48")
def test_beyond_eight_addresses_the_others_have_their_turn(
    waker: Waker, dialer: Make, listener: socket.socket
) -> None:
    closed = [(socket.AF_INET, (f"127.0.0.{place}", 9)) for place in range(2, 11)]
    made = dialer(lambda host, port: [*closed, here(listener)])
    with pytest.raises(ConnectFailed, match=r"127\.0\.0\.2.*127\.0\.0\.9: [^;]*$"):
        connect(made)
    for _ in range(2):  # and what answered is tried first from now on
        connect(made).close()
    resolver = Resolver(waker, lambda host, port: [*closed, here(listener)])
    assert len(resolver.addresses("pool.example", 9, 5.0)) == MAX_ADDRESSES


@fault("S48")
def test_a_slow_name_takes_nothing_from_the_connection(
    dialer: Make, listener: socket.socket
) -> None:
    """The look-up has five seconds of its own."""

    def lookup(host: str, port: int) -> list[Address]:
        time.sleep(0.3)
        return [here(listener)]

    connect(dialer(lookup), seconds=0.2).close()
    assert LOOKUP_S == 5.0


def test_ipv6_is_spoken(dialer: Make) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    with listener:
        port = listener.getsockname()[1]
        connect(dialer(), "::1", port).close()


def test_stopping_ends_a_wait_at_once(dialer: Make) -> None:
    def slow(host: str, port: int) -> list[Address]:
        time.sleep(4.0)
        return []

    made = dialer(slow)
    threading.Timer(0.1, made.stop).start()
    started = time.monotonic()
    with pytest.raises(ConnectFailed, match="stopped"):
        connect(made)
    assert time.monotonic() - started < 3.0


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", ""])
def test_names_that_are_none_end_in_a_line(host: str, dialer: Make) -> None:
    with pytest.raises(ConnectFailed, match="cannot resolve"):
        connect(dialer(), host)


# --- the stream -----------------------------------------------------------------------------


def pair(waker: Waker) -> tuple[SocketStream, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return SocketStream(ours, waker), theirs


def test_a_closed_peer_is_noticed_after_its_last_bytes(waker: Waker) -> None:
    stream, theirs = pair(waker)
    theirs.sendall(b"last words")
    theirs.close()
    stream.wait(1.0)
    assert stream.read() == b"last words"
    stream.wait(1.0)
    with pytest.raises(TransportError, match="closed"):
        stream.read()
    stream.close()


def test_a_peer_that_does_not_read_is_given_up(waker: Waker) -> None:
    stream, theirs = pair(waker)
    with pytest.raises(TransportError, match="does not read"):
        stream.send([b"x" * 1023 + b"\n"] * 3000)
    stream.close()
    theirs.close()


def test_a_wake_ends_a_wait_and_is_used_up(waker: Waker) -> None:
    stream, theirs = pair(waker)
    threading.Timer(0.05, waker.wake).start()
    started = time.monotonic()
    stream.wait(5.0)
    assert time.monotonic() - started < 2.0
    started = time.monotonic()
    stream.wait(0.1)
    assert time.monotonic() - started >= 0.09
    stream.close()
    theirs.close()


def test_what_did_not_fit_goes_out_later_and_whole(waker: Waker) -> None:
    stream, theirs = pair(waker)
    sent = [bytes([65 + index % 26]) * 900 + b"\n" for index in range(800)]
    stream.send(sent)
    got: Any = bytearray()
    while len(got) < sum(map(len, sent)):
        got += theirs.recv(1 << 20)
        stream.wait(0.0)
        stream.flush()
    assert bytes(got) == b"".join(sent)
    stream.close()
    theirs.close()


def test_a_flood_comes_in_portions_whole_and_before_the_end(waker: Waker) -> None:
    """Days of unread lines do not become one heap of them in memory."""
    stream, theirs = pair(waker)
    sent = bytes(range(256)) * (3 * READ_BYTES // 256) + b"the last"

    def flood() -> None:
        theirs.sendall(sent)
        theirs.close()

    threading.Thread(target=flood).start()
    portions: list[bytes] = []
    while sum(map(len, portions)) < len(sent):
        stream.wait(5.0)
        portions.append(stream.read())
    stream.wait(5.0)
    with pytest.raises(TransportError, match="the server closed the connection"):
        stream.read()
    assert b"".join(portions) == sent
    assert max(map(len, portions)) <= READ_BYTES
    stream.close()
