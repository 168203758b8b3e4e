"""One call to the fake node, and the faults that may spoil it."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class AnsweringNode(Protocol):
    stopping: threading.Event

    def answer(self, method: str, params: list[Any], id_: Any) -> tuple[int, bytes]: ...


class Failure(Exception):
    """A JSON-RPC error the node answers."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Exchange:
    """One call, in the hands of a fault."""

    node: "AnsweringNode"
    sock: socket.socket
    method: str
    params: list[Any]
    id: Any

    def process(self) -> bytes:
        """Do what was asked; the whole honest HTTP answer."""
        status, body = self.node.answer(self.method, self.params, self.id)
        return http(status, body)

    def hold(self, seconds: float) -> None:
        self.node.stopping.wait(seconds)


Fault = Callable[[Exchange], bytes | None]  # the bytes to send; None closes the connection


def http(status: int, body: bytes, kind: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}"
    return head.encode() + b"\r\n" + body


def fixed(raw: bytes) -> Fault:
    """Answer these bytes without doing anything."""
    return lambda exchange: raw


def busy() -> Fault:
    return fixed(http(503, b"Work queue depth exceeded", "text/html"))


def failure(code: int, message: str, status: int = 500) -> Fault:
    def fault(exchange: Exchange) -> bytes:
        error = {"code": code, "message": message}
        return http(
            status, json.dumps({"result": None, "error": error, "id": exchange.id}).encode()
        )

    return fault


def result(value: Any) -> Fault:
    """Answer this result without doing anything."""
    return lambda exchange: http(
        200, json.dumps({"result": value, "error": None, "id": exchange.id}).encode()
    )


def accept_then(then: Callable[[Exchange, bytes], bytes | None]) -> Fault:
    """Do the work, then spoil the answer."""
    return lambda exchange: then(exchange, exchange.process())


def accept_then_hang(seconds: float) -> Fault:
    def hang(exchange: Exchange, _: bytes) -> None:
        exchange.hold(seconds)

    return accept_then(hang)


def accept_then_close() -> Fault:
    return accept_then(lambda _, __: None)


def accept_then_truncate(keep: int) -> Fault:
    return accept_then(lambda _, answer: answer[:keep] + b"\0CUT")


def drop() -> Fault:
    """Close without doing anything."""
    return lambda exchange: None
