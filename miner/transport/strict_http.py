"""The HTTP connection handed to python-bitcoinrpc: it answers for what the library leaves open.

Credentials are set at send time, one deadline covers the whole exchange, the body is bounded, JSON
is strict and its id checked, and HTTP statuses become typed errors before the library sees them.
"""

import http.client
import io
import json
import re
import select
import socket
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from miner import strictjson
from miner.errors import RemoteProtocolError, RpcAuthError, RpcBusy, RpcForbidden
from miner.text import scrub
from miner.transport.endpoint import Endpoint
from miner.transport.tls import TlsSettings

MAX_BODY_BYTES = 32 * 1024 * 1024  # four times a full template; Core's own limit for requests
MAX_WIRE_BYTES = MAX_BODY_BYTES + 4 * 1024 * 1024  # with headers and the sizes of its chunks
TOO_BIG = f"an answer above {MAX_BODY_BYTES} bytes; is this a Bitcoin node?"
SMALL_BODY_BYTES = 64 * 1024  # above it the library would hold the GIL twice as long, see Reply
IDLE_S = 20.0  # Core closes idle connections after 30 s: replace them before
NEEDED_METHODS = (
    "getblocktemplate, submitblock, getblockchaininfo, getmininginfo, getnetworkinfo, "
    "getbestblockhash, waitfornewblock, getblockheader, validateaddress"
)
REQUEST_ID = re.compile(r'"id": (\d+)\}$')


class Connection(http.client.HTTPConnection):
    """What the library talks through instead of a connection of its own."""

    def __init__(self, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(endpoint.host, endpoint.port, **options)
        self.endpoint, self.result, self.answering = endpoint, cast(Any, None), False
        self._live: socket.socket | None = None
        self._used = time.monotonic()
        self._request_id = 0
        self._authorization, self._deadline = "", 0.0
        self.response_class = cast(Any, self._response)  # http.client calls it with our socket

    def prepare(self, authorization: str, deadline: float) -> None:
        self._authorization, self._deadline, self.answering = authorization, deadline, False
        self.result = None

    def connect(self) -> None:
        super().connect()
        self._live = self.sock
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def usable(self, now: float) -> bool:
        """Young enough, open, and with no unread byte or end of stream waiting."""
        if self.sock is None or now - self._used > IDLE_S:
            return False
        return not _readable(self.sock)

    def shut(self) -> None:
        """Wake whoever reads or writes; any thread."""
        if self._live is not None:
            try:
                socket.socket.shutdown(self._live, socket.SHUT_RDWR)  # below TLS: never waits
            except OSError:
                return  # already closed

    def request(self, method: str, url: str, body: Any = None, *_: Any, **__: Any) -> None:
        """Send the library's body under our own address and headers."""
        found = REQUEST_ID.search(body[-40:])
        self._request_id = int(found[1]) if found else json.loads(body)["id"]
        self.sock.settimeout(left(self._deadline))
        headers = {
            "Host": self.endpoint.authority,
            "Authorization": self._authorization,
            "User-Agent": "homehash",
            "Content-Type": "application/json",
        }
        super().request(method, self.endpoint.path, body, headers)

    def getresponse(self) -> Any:
        """Read the whole answer, judge it, and hand the library one it can take."""
        response = super().getresponse()
        self.answering = True
        with response:
            body = _read_body(response)
        self._used = time.monotonic()
        reply = self._parse(response.status, body)
        self.result = reply.get("result")
        if len(body) > SMALL_BODY_BYTES and reply.get("error") is None:
            body = json.dumps({"result": None, "error": None, "id": self._request_id}).encode()
        return Reply(body)

    def _response(self, sock: socket.socket, **options: Any) -> http.client.HTTPResponse:
        return http.client.HTTPResponse(cast(Any, _DeadlineSocket(sock, self._deadline)), **options)

    def _parse(self, status: int, body: bytes) -> dict[str, Any]:
        """The reply object: credentials first, then the body, then the status."""
        if status == 401:
            raise RpcAuthError(
                f"{self.endpoint} refused the credentials: check --cookie, or user and password"
            )
        if status == 403:
            raise RpcForbidden(
                f"{self.endpoint} forbids the call: allow this address (rpcallowip) and, if "
                f"rpcwhitelist is set, {NEEDED_METHODS}"
            )
        try:
            reply = strictjson.loads(body.decode(), parse_float=Decimal)
        except strictjson.Repeated as error:
            raise RemoteProtocolError(f"{self.endpoint}: {error} in the answer") from None
        except (ValueError, RecursionError):
            reply = None
        if status == 503 and not isinstance(reply, dict):
            raise RpcBusy(f"{self.endpoint} is busy (503): its RPC work queue is full")
        return self._check(status, reply)

    def _check(self, status: int, reply: Any) -> dict[str, Any]:
        if not isinstance(reply, dict) and status in range(300, 400):
            raise RemoteProtocolError(
                f"{self.endpoint} redirects (HTTP {status}), and credentials follow no redirect: "
                "give the final URL"
            )
        if not isinstance(reply, dict):
            raise RemoteProtocolError(
                f"{self.endpoint} answered HTTP {status} without a JSON object: is this a "
                "Bitcoin node's RPC port?"
            )
        error, got = reply.get("error"), reply.get("id")
        if error is None and "result" not in reply:
            raise RemoteProtocolError(f"{self.endpoint}: an answer without result and error")
        if error is not None and not _well_formed(error):
            raise RemoteProtocolError(f"{self.endpoint}: an error without code and message")
        if (got != self._request_id or type(got) is not int) and not (error and got is None):
            raise RemoteProtocolError(
                f"{self.endpoint}: the answer's id is {scrub(repr(got), 40)}, "
                f"want {self._request_id}"
            )
        return reply


class TlsConnection(Connection, http.client.HTTPSConnection):
    """The same over TLS, chain and host verified by the context."""

    def certificate(self) -> bytes | None:
        """The peer's, DER."""
        return self.sock.getpeercert(binary_form=True) if self.sock is not None else None


class Reply:
    """An answer already read and checked, shaped for AuthServiceProxy.

    A big result is not handed on: the library would parse it a second time and serialize it for
    its debug log at any log level, each while holding the GIL.
    """

    status, reason = 200, "OK"

    def __init__(self, body: bytes) -> None:
        self._body = body

    def getheader(self, name: str) -> str | None:
        return "application/json" if name == "Content-Type" else None

    def read(self) -> bytes:
        return self._body


class _DeadlineSocket:
    """Gives http.client a reader with one deadline for the whole answer, not one per read."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        raw = self._sock.makefile(cast(Any, mode), buffering=0)
        return io.BufferedReader(_DeadlineReader(self._sock, cast(Any, raw), self._deadline))


class _DeadlineReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase, deadline: float) -> None:
        self._sock, self._raw, self._deadline = sock, raw, deadline
        self._left = MAX_WIRE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(left(self._deadline))
        count = cast(Callable[[Any], int | None], cast(Any, self._raw).readinto)(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise RemoteProtocolError(TOO_BIG)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def connection_to(endpoint: Endpoint, tls: TlsSettings) -> Connection:
    if endpoint.scheme == "https":
        return TlsConnection(endpoint, context=tls.context())
    return Connection(endpoint)


def left(deadline: float) -> float:
    """Seconds until the deadline. Raises TimeoutError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _readable(sock: socket.socket) -> bool:
    # select.select refuses descriptors above 1023, and is all that Windows has
    if sys.platform != "win32" and hasattr(select, "poll"):
        poller = select.poll()
        poller.register(sock, select.POLLIN)
        return bool(poller.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


def _read_body(response: http.client.HTTPResponse) -> bytes:
    """The body, whole and bounded."""
    length = response.length
    if length is not None and length > MAX_BODY_BYTES:
        raise RemoteProtocolError(TOO_BIG)
    body = response.read() if length is not None else response.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise RemoteProtocolError(TOO_BIG)
    return body


def _well_formed(error: Any) -> bool:
    return (
        isinstance(error, dict)
        and type(error.get("code")) is int
        and isinstance(error.get("message"), str)
    )
