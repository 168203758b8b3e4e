"""A client that says what a web server of ours tells it, byte for byte, and a server to ask."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from miner.transport.listening import ListenAddress, bind, bound
from miner.views.listeners import Listeners
from miner.views.web.server import Site, WebServer


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Asker:
    """Asks the server at a place."""

    place: ListenAddress
    complaints: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://{self.place}"

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place, timeout=20)

    def raw(self, request: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        with self.connect() as link:
            link.sendall(request)
            return b"".join(iter(lambda: link.recv(65536), b""))

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        return self.send(method, path, b"", headers)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        told = {"Host": f"127.0.0.1:{self.place.port}", "Connection": "close"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
        head = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
        return parse(self.raw(head + body))

    def post(self, path: str, told: Any, **headers: str) -> Reply:
        """As a page of this server does; `headers` instead of its own, "" for none."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        own = {"Content_Type": "application/json", "Content_Length": str(len(body))}
        return self.send("POST", path, body, own | {"Origin": self.origin} | headers)


def parse(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = unchunked(body)
    return Reply(int(first.split()[1]), headers, body)


def unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        found, body = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return found


@contextmanager
def listening(app: Site, asker: Asker | None = None) -> Iterator[Asker]:
    """The application on a free port of its asker's place, loopback by default; nothing may be
    complained of."""
    asker = asker or Asker(ListenAddress("127.0.0.1", 0))
    listener = bind(asker.place, "--web")
    host = "127.0.0.1" if asker.place.host == "0.0.0.0" else asker.place.host
    asker.place = ListenAddress(host, bound(listener).port)
    listeners = Listeners([WebServer(app, listener)], asker.complaints.append)
    listeners.start()
    try:
        yield asker
    finally:
        listeners.stop()
        listener.close()
    assert asker.complaints == []
