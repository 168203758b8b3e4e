"""Asks a miner one question: HTTP GET or one command of the cgminer API; each with a deadline.

Nothing is followed, nothing is written, and an answer that is long, late or no JSON is an error.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import h11

from miner.errors import ConnectFailed, DeadlinePassed, RemoteProtocolError
from miner.strictjson import refuse
from miner.text import scrub

ANSWER_S = 2.0  # from the connection to the last byte
MOST_BYTES = 256 << 10
PIECE = 1 << 16
AGENT = "homehash board"


async def get_json(host: str, port: int, path: str, within_s: float = ANSWER_S) -> Any:
    """The JSON at this path. Raises ConnectFailed, DeadlinePassed or RemoteProtocolError."""

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        return await http_body(reader, writer, host, port, path)

    return parsed(await exchange(host, port, ask, within_s))


async def cgminer(host: str, port: int, command: str, within_s: float = ANSWER_S) -> Any:
    """The JSON answer to one command, or to several joined by "+". Raises as `get_json`."""

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(json.dumps({"command": command}).encode())
        await writer.drain()
        answer = bytearray()
        while (piece := await reader.read(PIECE)) and b"\0" not in piece:
            answer += within(piece, answer)
        answer += within(piece, answer)
        return bytes(answer).partition(b"\0")[0]

    return parsed(await exchange(host, port, ask, within_s))


async def exchange(
    host: str,
    port: int,
    ask: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]],
    within_s: float,
) -> bytes:
    """One connection for one question. Raises as `get_json`."""
    try:
        async with asyncio.timeout(within_s):
            address = await resolve(host, port)
            reader, writer = await asyncio.open_connection(*address)
            try:
                return await ask(reader, writer)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise DeadlinePassed(f"no answer within {within_s:g} s") from None
    except OSError as error:
        raise ConnectFailed(error.strerror or str(error)) from None


async def resolve(host: str, port: int) -> tuple[str, int]:
    """An address of the name. In a thread that nobody waits for: a name service that hangs holds
    up neither the deadline nor the end of the program."""
    with suppress(OSError):  # a literal address: at once
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return str(found[0][4][0]), port
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def tell(act: Callable[[Any], None], value: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda: None if answer.done() else act(value))

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            tell(answer.set_result, str(found[0][4][0]))
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "no such name"
            tell(answer.set_exception, ConnectFailed(f"the name is not known: {why}"))

    threading.Thread(target=look_up, name="board look-up", daemon=True).start()
    return await answer, port


async def http_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, path: str
) -> bytes:
    """The body of a 200 answer."""
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=16 << 10)
    shown = f"[{host}]" if ":" in host else host
    headers = [("Host", f"{shown}:{port}"), ("User-Agent", AGENT), ("Accept", "application/json")]
    request = h11.Request(method="GET", target=path, headers=[*headers, ("Connection", "close")])
    writer.write((wire.send(request) or b"") + (wire.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    body = bytearray()
    try:
        while True:
            event = wire.next_event()
            if event is h11.NEED_DATA:
                wire.receive_data(await reader.read(PIECE))
            elif isinstance(event, h11.Response):
                check_status(event.status_code)
            elif isinstance(event, h11.Data):
                body += within(bytes(event.data), body)
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                raise RemoteProtocolError("the answer ended early")
    except h11.RemoteProtocolError as error:
        raise RemoteProtocolError(f"no HTTP: {scrub(error, 80)}") from None


def check_status(code: int) -> None:
    if 300 <= code < 400:
        raise RemoteProtocolError(f"HTTP {code}: it points elsewhere, which is not followed")
    if code != 200:
        raise RemoteProtocolError(f"HTTP {code}")


def within(piece: bytes, before: bytearray) -> bytes:
    if len(before) + len(piece) > MOST_BYTES:
        raise RemoteProtocolError(f"an answer above {MOST_BYTES >> 10} KiB")
    return piece


def parsed(body: bytes) -> Any:
    """Raises RemoteProtocolError for anything but JSON."""
    try:
        return json.loads(body, parse_constant=refuse, strict=False)
    except (ValueError, RecursionError):
        raise RemoteProtocolError("the answer is no JSON") from None
