"""Miners and pools as a board meets them: HTTP paths with recorded answers, and a cgminer API.

Each is a server on loopback in threads of its own; what it was asked is in `asked`.
"""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Reply = Callable[[bytes], bytes]


class Miner:
    """One server. `reply` makes the whole answer from the request's bytes."""

    def __init__(self, reply: Reply, host: str = "127.0.0.1", port: int = 0) -> None:
        self.asked: list[bytes] = []
        self.reply, self.delay_s = reply, 0.0
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(5)
                try:
                    data = self.request.recv(4096)
                    while data[:4] == b"GET " and b"\r\n\r\n" not in data:
                        data += self.request.recv(4096)
                    if data:
                        outer.asked.append(data)
                        time.sleep(outer.delay_s)
                        self.request.sendall(outer.reply(data))
                except OSError:
                    return

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                raise

        self._server = Server((host, port), Handler)
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def miner(reply: Reply, host: str = "127.0.0.1", port: int = 0) -> Iterator[Miner]:
    made = Miner(reply, host, port)
    try:
        yield made
    finally:
        made.close()


def http(paths: Mapping[str, Any], status: int = 200, chunked: bool = False) -> Reply:
    """GET of a known path gives its JSON, anything else 404."""

    def reply(request: bytes) -> bytes:
        words = request.split(b" ", 2)
        path = words[1].decode() if len(words) == 3 else ""
        if words[0] != b"GET" or path not in paths:
            return head(404, b"")
        told = paths[path]
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        if not chunked:
            return head(status, body)
        half = len(body) // 2
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (body[:half], body[half:]))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"

    return reply


def head(status: int, body: bytes) -> bytes:
    where = b"Location: http://192.0.2.1/\r\n" if status in (301, 302) else b""
    length = b"Content-Length: %d\r\n" % len(body)
    kind = b"Content-Type: application/json\r\n"
    return b"HTTP/1.1 %d X\r\n" % status + kind + where + length + b"\r\n" + body


def cgminer(recorded: Mapping[str, str], joins: bool = True) -> Reply:
    """Answers from recorded single commands; joined ones are put together as cgminer does."""

    def one(command: str) -> str:
        unknown = recorded['{"command":"nosuch"}']
        return recorded.get(json.dumps({"command": command}, separators=(",", ":")), unknown)

    def reply(request: bytes) -> bytes:
        if request[:1] != b"{":  # text, of which it knows none
            return b"STATUS=E,When=1795718658,Code=14,Msg=Invalid command|\0"
        command = json.loads(request)["command"]
        if "+" not in command or not joins:
            return one(command).encode()
        parts = [f'"{name}":[{one(name).rstrip(chr(0))}]' for name in command.split("+")]
        return ("{" + ",".join(parts) + ',"id":1}\0').encode()

    return reply
