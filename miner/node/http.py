"""HTTP/1.1 requests off one socket, under deadlines and size limits; responses as bytes.

Just what JSON-RPC needs: no chunked bodies, no header folding, no trailers. A header line may end
in a bare LF, as ckpool's do (RFC 9112, section 2.2). Every deadline counts for a whole header or
body on the monotonic clock, so a byte now and then buys a slow client nothing (RFC 9112 leaves such
limits to the server).
"""

import re
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus

HEADER_S = 5.0  # from the connection, or the first byte of a later request, to the blank line
BODY_S = 30.0  # from the blank line to the last byte; 4 MB of hex from this very machine
IDLE_S = 30.0  # Bitcoin Core's -rpcservertimeout
SEND_S = 30.0  # a client that does not read its answer is dropped
MAX_HEADER = 8192  # Bitcoin Core's limit for the whole header
MAX_BODY = 32 * 1024 * 1024  # Bitcoin Core's MAX_SIZE
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEAD_END = re.compile(rb"\r?\n\r?\n")
ONCE = ("host", "authorization", "content-length", "transfer-encoding")


class Refused(Exception):
    """A request answered with a plain status; the connection closes after it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Gone(Exception):
    """The peer closed, or was too slow to deserve an answer."""


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and headers; names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    keep_alive: bool

    def body_size(self) -> int:
        """Raises Refused unless the length is stated and within MAX_BODY."""
        if "transfer-encoding" in self.headers:
            raise Refused(400, "chunked requests are not supported")
        text = self.headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise Refused(400, "bad Content-Length")
        if int(text) > MAX_BODY:
            raise Refused(413, f"body above {MAX_BODY} bytes")
        return int(text)


class Channel:
    """One connection: requests come out whole or not at all."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()
        self._first = True

    def read_head(self) -> Head:
        """The next request's head. Raises Gone or Refused."""
        if not self._buffer:
            self._fill(time.monotonic() + (HEADER_S if self._first else IDLE_S))
        self._first = False
        deadline = time.monotonic() + HEADER_S
        while (end := HEAD_END.search(self._buffer)) is None and len(self._buffer) <= MAX_HEADER:
            self._fill(deadline)
        size = len(self._buffer) if end is None else end.start()
        if end is None or size > MAX_HEADER:
            raise Refused(400, f"header above {MAX_HEADER} bytes")
        text = bytes(self._buffer[:size]).decode("latin-1")
        del self._buffer[: end.end()]
        return parse_head(text)

    def read_body(self, head: Head) -> bytes:
        """Raises Gone or Refused."""
        size = head.body_size()
        if head.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        deadline = time.monotonic() + BODY_S
        while len(self._buffer) < size:
            self._fill(deadline)
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    def send(self, data: bytes) -> None:
        """All of it within SEND_S, or Gone."""
        deadline, view = time.monotonic() + SEND_S, memoryview(data)
        try:
            while view:
                self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
                view = view[self.sock.send(view) :]
        except OSError:
            raise Gone from None

    def peer_closed(self) -> bool:
        """Has the client hung up while we make it wait?"""
        try:
            self.sock.settimeout(0)
            return self.sock.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _fill(self, deadline: float) -> None:
        try:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self.sock.recv(65536)
        except OSError:
            raise Gone from None
        if not chunk:
            raise Gone
        self._buffer += chunk


def parse_head(text: str) -> Head:
    """Strict but for bare LFs: one space between the words of the request line, no folding, no
    repeated keys that matter. Raises Refused."""
    request_line, *lines = (line.removesuffix("\r") for line in text.split("\n"))
    words = request_line.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.0", "HTTP/1.1") or "\r" in request_line:
        raise Refused(400, "bad request line")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not TOKEN.fullmatch(name) or any(c in value for c in "\r\n\0"):
            raise Refused(400, "bad header line")
        if name in headers and name in ONCE:
            raise Refused(400, f"repeated {name}")
        headers[name] = value.strip(" \t")
    wishes = [wish.strip() for wish in headers.get("connection", "").lower().split(",")]
    keep = "close" not in wishes and (words[2] == "HTTP/1.1" or "keep-alive" in wishes)
    return Head(words[0], words[1], headers, keep)


def response(
    status: int, body: bytes, kind: str, *, keep_alive: bool, extra: tuple[str, ...] = ()
) -> bytes:
    """A whole response; `extra` are further header lines."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
        *extra,
    ]
    if status == HTTPStatus.NO_CONTENT:  # RFC 9110: no body, so no length of one either
        del lines[1:3]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
