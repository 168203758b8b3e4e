"""JSON-RPC to a node: the one adapter over python-bitcoinrpc.

The library (release 1.0) builds each request and raises each JSON-RPC error. Everything it leaves
open is answered by the connection it is handed (strict_http.py) and by its disposal after anything
but a clean answer. One Rpc is one lane: one connection, one call at a time.
"""

import http.client
import logging
import socket
import ssl
import threading
import time
from typing import Any

from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException

from miner.errors import (
    ConnectFailed,
    DeadlinePassed,
    MinerError,
    RemoteProtocolError,
    RpcAuthError,
    RpcError,
    RpcNotReady,
    TransportError,
)
from miner.text import scrub
from miner.transport.credentials import Credentials
from miner.transport.endpoint import Endpoint
from miner.transport.strict_http import Connection, TlsConnection, connection_to, left
from miner.transport.tls import TlsSettings, failure_cause

NOT_READY = (-28, -9, -10)  # warming up, no peers, initial block download
PLACEHOLDER_URL = "http://user:password@node/"  # the library insists on credentials in a URL

# The library formats whole results for its debug log: tens of milliseconds and every secret.
logging.getLogger("BitcoinRPC").setLevel(logging.WARNING)


class Rpc:
    """One lane to a node: a kept connection, one call at a time, typed errors.

    RpcError and RpcNotReady: the node's own clean answer. RpcAuthError, RpcForbidden, RpcBusy,
    ConnectFailed: the call was not carried out. DeadlinePassed, other TransportError,
    RemoteProtocolError: whether it was is unknown.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        timeout_s: float = 30.0,
        tls: TlsSettings | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._credentials, self._timeout_s, self._tls = credentials, timeout_s, tls or TlsSettings()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._aborted = False
        self.opened = 0  # connections made so far: a change means that the node may be another

    def call(self, method: str, *params: Any, timeout_s: float | None = None) -> Any:
        """The result: ints stay int, other numbers are Decimal.

        Cookies are read at every call and once more after a 401. A kept connection that died
        before a byte of the answer came is replaced once in silence, except for submitblock.
        """
        with self._lock:
            deadline = time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
            authorization = self._credentials.authorization()
            try:
                return self._once_or_again(method, params, authorization, deadline)
            except RpcAuthError:
                fresh = self._credentials.authorization()
                if fresh == authorization:
                    raise
                return self._once_or_again(method, params, fresh, deadline)

    def kept(self) -> bool:
        """Will the next call go over a connection that is open already?"""
        with self._lock:
            return self._drop_stale()

    def abort(self) -> None:
        """End the call in flight, and all later ones, at once; any thread."""
        self._aborted = True
        if connection := self._connection:
            connection.shut()

    def close(self) -> None:
        """Close the connection; a later call opens a new one. Not while a call is in flight."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once_or_again(
        self, method: str, params: tuple[Any, ...], authorization: str, deadline: float
    ) -> Any:
        kept = self._drop_stale()
        try:
            return self._exchange(method, params, authorization, deadline)
        except _Lost:
            if self._aborted or not kept or method == "submitblock":
                raise
        return self._exchange(method, params, authorization, deadline)

    def _exchange(
        self, method: str, params: tuple[Any, ...], authorization: str, deadline: float
    ) -> Any:
        """One request and its answer; anything but a clean JSON-RPC answer ends the connection."""
        connection = self._open(deadline)
        connection.prepare(authorization, deadline)
        proxy = AuthServiceProxy(PLACEHOLDER_URL, timeout=self._timeout_s, connection=connection)
        try:
            getattr(proxy, method)(*params)
        except JSONRPCException as error:  # its str() can fail: read `.error`, checked by us
            code, reason = error.error["code"], scrub(error.error["message"], 300)
            kind = RpcNotReady if code in NOT_READY else RpcError
            raise kind(method, code, reason) from None
        except Exception as error:  # noqa: BLE001 - the library and http.client raise anything
            self.close()
            raise self._typed(error, method, connection.answering) from None
        return connection.result

    def _open(self, deadline: float) -> "Connection":
        """The kept connection, or a new one that is already connected."""
        if self._aborted:
            raise ConnectFailed(f"{self.endpoint}: stopping")
        if self._connection is None:
            connection = connection_to(self.endpoint, self._tls)
            connection.timeout = left(deadline)
            try:
                connection.connect()
            except (OSError, UnicodeError) as error:
                connection.close()
                raise ConnectFailed(_why_unreachable(self.endpoint, error)) from None
            self._check_pin(connection)
            self._connection = connection
            self.opened += 1
            if self._aborted:
                connection.shut()
        return self._connection

    def _check_pin(self, connection: Connection) -> None:
        if not isinstance(connection, TlsConnection):
            return
        if why := self._tls.pin_failure(connection.certificate()):
            connection.close()
            raise ConnectFailed(f"{self.endpoint}: {why}: check --tls-pin")

    def _drop_stale(self) -> bool:
        """Close a kept connection that idled long or that the node closed; is one still kept?"""
        connection = self._connection
        if connection is not None and not connection.usable(time.monotonic()):
            self.close()
        return self._connection is not None

    def _typed(self, error: Exception, method: str, answering: bool) -> MinerError:
        where = f"{self.endpoint}: {method}"
        if isinstance(error, MinerError):
            return error
        if isinstance(error, TimeoutError):
            return DeadlinePassed(f"{where}: no complete answer in time; is the node hanging?")
        if isinstance(error, OSError | http.client.IncompleteRead):
            kind = TransportError if answering else _Lost
            return kind(f"{where}: the connection broke before the answer was complete")
        what = "is not HTTP" if isinstance(error, http.client.HTTPException) else "cannot be used"
        return RemoteProtocolError(f"{where}: the answer {what} ({type(error).__name__})")


class _Lost(TransportError):
    """The connection ended before the first byte of an answer."""


def _why_unreachable(endpoint: Endpoint, error: Exception) -> str:
    """One line for a failed connect: the cause and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{endpoint}: {failure_cause(error)}"
    if isinstance(error, ssl.SSLError):
        return f"{endpoint}: TLS failed ({error.reason}): does it speak https on this port?"
    if isinstance(error, socket.gaierror):
        return f"{endpoint}: the name {endpoint.host!r} has no address: check the spelling"
    if isinstance(error, ConnectionRefusedError):
        return f"{endpoint}: connection refused: start the node (server=1) or check the port"
    if isinstance(error, TimeoutError):
        return f"{endpoint}: no connection in time: check address and firewall"
    return (
        f"{endpoint}: cannot connect ({getattr(error, 'strerror', None) or type(error).__name__})"
    )
