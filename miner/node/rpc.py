"""The JSON-RPC server: loopback only, one thread a connection, at most MAX_CONNECTIONS of them.

A request passes in this order: framing (400, 413), Host and Origin (403, so that a web page cannot
reach the node by rebinding a name), path (404), method (405), credentials (401 after a pause),
JSON-RPC. When all places are taken, the oldest connection that never showed the password makes
room; when all have shown it, the newcomer gets a 503.
"""

import base64
import contextlib
import hmac
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from miner.node import jsonrpc
from miner.node.http import Channel, Gone, Head, Refused, response

MAX_CONNECTIONS = 32
BAD_PASSWORD_PAUSE_S = 0.25  # as Bitcoin Core; slows guessing
LEAVE_S = 0.5  # for the thread of a connection that has to make room
STOP_GRACE_S = 0.5  # for answers on their way when the server stops
HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")  # this machine's names
HTML = "text/html; charset=ISO-8859-1"  # what Bitcoin Core's plain answers carry
JSON = "application/json"
log = logging.getLogger(__name__)


class Caller:
    """Who waits for an answer; a long poll asks it whether to go on."""

    def __init__(self, channel: Channel, stopping: threading.Event) -> None:
        self._channel, self._stopping = channel, stopping

    @property
    def stopping(self) -> bool:
        """The server is about to stop."""
        return self._stopping.is_set()

    def hung_up(self) -> bool:
        return self._channel.peer_closed()


class RpcServer:
    """Serves `call(method, params, caller)` until stop()."""

    def __init__(
        self,
        listener: socket.socket,
        credentials: str,
        call: Callable[[str, jsonrpc.Params, Caller], Any],
    ) -> None:
        self._listener, self._call = listener, call
        listener.settimeout(0.2)  # where shutdown does not wake accept()
        self._expected = b"Basic " + base64.b64encode(credentials.encode())
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)  # a connection has ended
        self._connections: dict[socket.socket, threading.Thread] = {}  # oldest first
        self._trusted: set[socket.socket] = set()  # showed the password at least once
        self._acceptor = threading.Thread(target=self._accept, name="node-accept", daemon=True)

    def start(self) -> None:
        """Raises RuntimeError when the system has no thread left."""
        try:
            self._acceptor.start()
        except RuntimeError:
            self._listener.close()
            raise

    def stop(self, announce: Callable[[], None]) -> None:
        """Answer what is under way within STOP_GRACE_S, then close every connection and thread.

        `announce` wakes the methods that wait, after `Caller.stopping` has become true.
        """
        self._stopping.set()
        announce()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept() on Linux
        self._listener.close()
        self._acceptor.join(STOP_GRACE_S)
        with self._lock:
            open_now = dict(self._connections)
        for sock in open_now:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RD)  # no further requests; answers still go out
        _join(open_now.values(), STOP_GRACE_S)
        for sock in open_now:
            _close(sock)
        _join(open_now.values(), STOP_GRACE_S)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                if self._stopping.wait(0.05):  # out of descriptors: try again, do not spin
                    return
                continue
            with self._lock:
                if not self._make_room():
                    _refuse_busy(sock)
                    continue
                thread = threading.Thread(
                    target=self._serve, args=(sock,), name="node-rpc", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError:  # the system has none left just now
                    _refuse_busy(sock)
                    continue
                self._connections[sock] = thread

    def _make_room(self) -> bool:
        """Is there a place? The oldest stranger is told to go, and its thread waited for."""
        if len(self._connections) >= MAX_CONNECTIONS:
            strangers = (sock for sock in self._connections if sock not in self._trusted)
            if (oldest := next(strangers, None)) is None:
                return False
            with contextlib.suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
            self._left.wait_for(lambda: len(self._connections) < MAX_CONNECTIONS, LEAVE_S)
        return len(self._connections) < MAX_CONNECTIONS

    def _serve(self, sock: socket.socket) -> None:
        channel = Channel(sock)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._stopping.is_set() and self._one_request(channel):
                pass
        except Refused as refused:
            with contextlib.suppress(Gone):
                channel.send(_plain(refused))
        except (Gone, OSError):
            pass
        except Exception:
            log.exception("the node's RPC failed; this connection is closed")
        finally:
            with self._lock:
                self._connections.pop(sock, None)
                self._trusted.discard(sock)
                self._left.notify()
            _close(sock)

    def _one_request(self, channel: Channel) -> bool:
        """Answer one request; False when the connection should close."""
        head = channel.read_head()
        _check_route(head)
        if not self._authorised(head):
            self._stopping.wait(BAD_PASSWORD_PAUSE_S)
            raise Refused(401, "")
        with self._lock:
            self._trusted.add(channel.sock)
        body = channel.read_body(head)
        caller = Caller(channel, self._stopping)

        def call(name: str, params: jsonrpc.Params) -> Any:
            if caller.stopping:  # between two of a batch
                raise jsonrpc.RpcFault(jsonrpc.NOT_CONNECTED, "Shutting down")
            return self._call(name, params, caller)

        status, text = jsonrpc.answer(body, call)
        channel.send(response(status, text, JSON, keep_alive=head.keep_alive))
        return head.keep_alive

    def _authorised(self, head: Head) -> bool:
        given = head.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._expected)


def listen(port: int, attempts: int = 1) -> socket.socket:
    """A loopback listener on `port`, or on the next free one of `attempts`; 0 lets the system
    choose. Raises OSError when none is free."""
    for candidate in range(port, port + attempts):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: nobody may share the port
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", candidate))
            sock.listen(128)
        except OSError:
            sock.close()
            if candidate == port + attempts - 1:
                raise
        else:
            return sock
    raise OSError(f"no port to try from {port}")


def _check_route(head: Head) -> None:
    if HOST.fullmatch(head.headers.get("host", "").lower()) is None:
        raise Refused(403, "Host is not this machine")
    if "origin" in head.headers:
        raise Refused(403, "not for web pages")
    if head.target != "/":
        raise Refused(404, "Not Found")
    if head.method != "POST":
        raise Refused(405, "JSONRPC server handles only POST requests")


def _plain(refused: Refused) -> bytes:
    extra = {401: ('WWW-Authenticate: Basic realm="jsonrpc"',), 405: ("Allow: POST",)}
    text = refused.text.encode()
    more = extra.get(refused.status, ())
    return response(refused.status, text, HTML, keep_alive=False, extra=more)


def _refuse_busy(sock: socket.socket) -> None:
    """Without waiting: the answer fits into any send buffer."""
    with contextlib.suppress(OSError):
        sock.settimeout(0)
        sock.send(_plain(Refused(503, "Work queue depth exceeded")))
    _close(sock)


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    """Wait for all of them together."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _close(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
