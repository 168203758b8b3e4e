"""JSON-RPC 1.0, 1.1 and 2.0 as Bitcoin Core speaks it: body in, HTTP status and body out; pure.

A legacy error sets the HTTP status (404 unknown method, 400 invalid request, 500 else); version 2.0
and batches answer 200 with the error inside, and a 2.0 notification answers 204 without a body.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from miner.strictjson import refuse

Params: TypeAlias = list[Any] | dict[str, Any]
Call: TypeAlias = Callable[[str, Params], Any]

MISC = -1
TYPE = -3
INVALID_ADDRESS_OR_KEY = -5
INVALID_PARAMETER = -8
NOT_CONNECTED = -9
DESERIALIZATION = -22
VERIFY_ERROR = -25
VERIFY_REJECTED = -26
ALREADY_IN_CHAIN = -27
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
PARSE = -32700

STATUS = {INVALID_REQUEST: 400, METHOD_NOT_FOUND: 404}  # every other legacy error is a 500


class RpcFault(Exception):
    """What a method answers instead of a result; code and text as Bitcoin Core's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message}


@dataclass(slots=True)
class Envelope:
    """How one request wants to be answered; filled as far as the request could be read."""

    id: Any = None
    v2: bool = False
    notification: bool = False

    def reply(self, result: Any, fault: RpcFault | None) -> dict[str, Any]:
        error = fault.as_json() if fault else None
        if not self.v2:
            return {"result": result, "error": error, "id": self.id}
        outcome = {"error": error} if fault else {"result": result}
        return {"jsonrpc": "2.0", **outcome, "id": self.id}


def answer(body: bytes, call: Call) -> tuple[int, bytes]:
    """Run the request or batch in `body`; the HTTP status and the body of the answer."""
    try:
        request = _parse(body)
    except RpcFault as fault:
        return 500, _dump(Envelope().reply(None, fault))
    if isinstance(request, list):
        replies = [reply for _, reply in (_run(one, call) for one in request) if reply is not None]
        return (200, _dump(replies)) if replies or not request else (204, b"")
    if not isinstance(request, dict):
        return 500, _dump(Envelope().reply(None, RpcFault(PARSE, "Top-level object parse error")))
    status, reply = _run(request, call)
    return (204, b"") if reply is None else (status, _dump(reply))


def _parse(body: bytes) -> Any:
    try:  # a key may stand twice: Bitcoin Core takes it
        return json.loads(body.decode("utf-8"), parse_float=_finite, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise RpcFault(PARSE, "Parse error") from None


def _finite(text: str) -> float:
    """1e400 is JSON, but no number we could answer with."""
    if math.isinf(number := float(text)):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _dump(reply: Any) -> bytes:
    return json.dumps(reply, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _run(request: Any, call: Call) -> tuple[int, dict[str, Any] | None]:
    """Status for a lone request, and its reply; None for a notification."""
    envelope = Envelope()
    try:
        method, params = _read(request, envelope)
        result, fault = call(method, params), None
    except RpcFault as caught:
        result, fault = None, caught
    if envelope.notification:
        return 204, None
    status = STATUS.get(fault.code, 500) if fault and not envelope.v2 else 200
    return status, envelope.reply(result, fault)


def _read(request: Any, envelope: Envelope) -> tuple[str, Params]:
    if not isinstance(request, dict):
        raise RpcFault(INVALID_REQUEST, "Invalid Request object")
    envelope.id = request.get("id")
    version = request.get("jsonrpc")
    if version is not None:
        if not isinstance(version, str):
            raise RpcFault(INVALID_REQUEST, "jsonrpc field must be a string")
        if version not in ("1.0", "2.0"):
            raise RpcFault(INVALID_REQUEST, "JSON-RPC version not supported")
        envelope.v2 = version == "2.0"
    envelope.notification = envelope.v2 and "id" not in request
    method, params = request.get("method"), request.get("params")
    if method is None:
        raise RpcFault(INVALID_REQUEST, "Missing method")
    if not isinstance(method, str):
        raise RpcFault(INVALID_REQUEST, "Method must be a string")
    if params is None:
        return method, []
    if not isinstance(params, list | dict):
        raise RpcFault(INVALID_REQUEST, "Params must be an array or object")
    return method, params
