"""TCP connections: addresses of both families race with a short stagger (RFC 8305), so that a dead
one costs little. A `Waker` that is stopping ends the race at once.
"""

import os
import selectors
import socket
from contextlib import suppress
from time import monotonic

from miner.errors import ConnectFailed
from miner.transport.resolve import Address
from miner.transport.waker import Selector, Waker

STAGGER_S = 0.25  # RFC 8305's Connection Attempt Delay
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))  # seconds, probes


def connect(addresses: list[Address], waker: Waker, deadline: float) -> socket.socket:
    """The first connection that succeeds, non-blocking; the others are closed.

    Raises ConnectFailed.
    """
    errors: list[str] = []
    waiting = list(addresses)
    with Selector() as selector:
        selector.register(waker, selectors.EVENT_READ)
        try:
            while True:
                if waiting:
                    _try_next(waiting.pop(0), selector, errors)
                if not waiting and len(selector.get_map()) == 1:
                    raise ConnectFailed("; ".join(dict.fromkeys(errors)) or "no address")
                limit = deadline - monotonic()
                winner = _winner(
                    selector, waker, min(limit, STAGGER_S) if waiting else limit, errors
                )
                if winner is not None:
                    return winner
                if monotonic() >= deadline:
                    raise ConnectFailed("; ".join([*errors, "no connection in time"]))
        finally:
            for key in list(selector.get_map().values()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.close()


def _try_next(address: Address, selector: selectors.BaseSelector, errors: list[str]) -> None:
    try:
        sock = socket.socket(address[0], socket.SOCK_STREAM)
    except OSError as error:
        errors.append(f"{address[1][0]}: {error.strerror or error}")
        return
    try:
        sock.setblocking(False)
        _set_options(sock)
        with suppress(BlockingIOError):
            sock.connect(address[1])
        selector.register(sock, selectors.EVENT_WRITE, address[1][0])
    except OSError as error:
        sock.close()
        errors.append(f"{address[1][0]}: {error.strerror or error}")


def _winner(
    selector: selectors.BaseSelector, waker: Waker, timeout_s: float, errors: list[str]
) -> socket.socket | None:
    for key, _ in selector.select(max(timeout_s, 0.0)):
        if not isinstance(key.fileobj, socket.socket):
            waker.clear()
            if waker.stopping:
                raise ConnectFailed("stopped while connecting")
            continue
        selector.unregister(key.fileobj)
        code = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            return key.fileobj
        key.fileobj.close()
        errors.append(f"{key.data}: {os.strerror(code)}")
    return None


def _set_options(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a share must not wait for an ACK
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):  # names differ between systems
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
