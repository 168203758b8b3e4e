"""The wire of the scripted node: sockets, the order of calls, and who answers them."""

import base64
import contextlib
import json
import os
import queue
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from tests.fakes.exchange import Exchange, Fault, http


class NodeWire:
    """Answers JSON-RPC over HTTP; what the answers say is the subclass's."""

    folder: Path
    chain: str
    host: str
    workers: int | None
    calls: list[tuple[float, str, list[Any]]]
    held: list[tuple[str, float]]
    watch: Callable[[str, str], None]

    def open_wire(self) -> None:
        """Before anything else."""
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.stopping, self.changed = threading.Event(), threading.Condition()
        self.lock = threading.RLock()
        self.cookie = self.folder / f"{self.chain}.cookie"
        self.password = ""
        self.port = 0
        self._server: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._queue: queue.Queue[tuple[Exchange, Future[bytes | None]]] = queue.Queue()

    def answer(self, method: str, params: list[Any], id_: Any) -> tuple[int, bytes]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen (on the same port after a restart) and write a new cookie."""
        self.stopping.clear()
        self.rotate_cookie()
        self._server = socket.create_server((self.host, self.port), family=self._family)
        self._server.settimeout(0.05)
        self.port = self._server.getsockname()[1]
        self._spawn(self._accept)
        for _ in range(self.workers or 0):
            self._spawn(self._work)

    def stop(self) -> None:
        """Die: every connection ends, the cookie goes."""
        self.stopping.set()
        with self.changed:
            self.changed.notify_all()
        if self._server is not None:
            self._server.close()
        with self.lock:
            for sock in self._open:
                _shut(sock)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive(), "a fake node's thread is still running"
        self._threads.clear()
        self.cookie.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def rotate_cookie(self) -> None:
        self.password = os.urandom(16).hex()
        swap = self.cookie.with_suffix(".tmp")
        swap.write_text(f"__cookie__:{self.password}")
        swap.replace(self.cookie)

    def fault(self, method: str, *faults: Fault, times: int = 1) -> None:
        """The next calls of `method` meet these, in order, the whole row `times` over."""
        with self.lock:
            self.faults[method].extend(faults * times)

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        server = self._server
        assert server is not None
        while not self.stopping.is_set():
            try:
                sock, _ = server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with self.lock:
                self._open.add(sock)
            self.watch("connect", "")
            self._spawn(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(None)
        try:
            with sock, sock.makefile("rb") as reader:
                while not self.stopping.is_set() and self._one(sock, reader):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self._open.discard(sock)

    def _one(self, sock: socket.socket, reader: Any) -> bool:
        """One request; may the connection go on?"""
        if not reader.readline().strip():
            return False
        headers = {}
        while line := reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        start = reader.read(size // 2)
        self.watch("half", "submitblock" if b'"submitblock"' in start else "")
        body = json.loads(start + reader.read(size - len(start)))
        self.watch("read", body["method"])
        self.calls.append((time.monotonic(), body["method"], body["params"]))
        wanted = base64.b64encode(f"__cookie__:{self.password}".encode()).decode()
        if headers.get("authorization") != f"Basic {wanted}":
            sock.sendall(http(401, b"", "text/html; charset=ISO-8859-1"))
            return True
        exchange = Exchange(self, sock, body["method"], body["params"], body["id"])
        answer = self._in_turn(exchange)
        self.watch("judged", exchange.method)
        if answer is None:
            return False
        sock.sendall(answer.removesuffix(b"\0CUT"))
        return not answer.endswith(b"\0CUT")

    def _in_turn(self, exchange: Exchange) -> bytes | None:
        """By a worker of the pool, if there is one: the first free, in the order of arrival."""
        if self.workers is None:
            return self._do(exchange)
        answer: Future[bytes | None] = Future()
        self._queue.put((exchange, answer))
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                return answer.result(0.1)
        return None

    def _work(self) -> None:
        """A worker: it goes on to the end of its call, whether the client has hung up or not."""
        while not self.stopping.is_set():
            with contextlib.suppress(queue.Empty):
                exchange, answer = self._queue.get(timeout=0.1)
                answer.set_result(self._do(exchange))

    def _do(self, exchange: Exchange) -> bytes | None:
        with self.lock:
            row = self.faults[exchange.method]
            fault = row.popleft() if row else Exchange.process
        began = time.monotonic()
        try:
            return fault(exchange)
        finally:
            self.held.append((exchange.method, time.monotonic() - began))


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
