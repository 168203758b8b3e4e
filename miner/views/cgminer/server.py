"""cgminer's port: one request a connection, one reply, NUL, close. Reading alone.

cgminer answers after the first segment; some clients send an object in two, so we wait until it is
whole, or nothing came for 200 ms. A browser that is made to post here is cut off.
"""

import asyncio
import re
import socket
import time
from contextlib import suppress

from miner.views.cgminer.commands import INVALID, INVALID_JSON, BadRequest, Request, answer, read
from miner.views.cgminer.format import as_json, as_text
from miner.views.cgminer.render import DESCRIPTION, answers
from miner.views.feed import Feed

MOST_CONNECTIONS = 8
MOST_BYTES = 4096
REQUEST_S, REPLY_S, QUIET_S = 2.0, 5.0, 0.2
HTTP = re.compile(rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ", re.IGNORECASE)


class CgminerServer:
    """A service on a bound socket."""

    def __init__(self, feed: Feed, listener: socket.socket) -> None:
        self._feed, self._listener = feed, listener
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._meet, sock=self._listener, limit=MOST_BYTES)
        await stop.wait()
        server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            data = await received(reader)
            if data and not HTTP.match(data):
                await self._reply(writer, data)
        except (OSError, TimeoutError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        text = self.answer(data)
        writer.transport.set_write_buffer_limits(high=0)  # drained: the system took all of it
        async with asyncio.timeout(REPLY_S):
            writer.write(text.encode() + b"\0")
            await writer.drain()

    def answer(self, data: bytes) -> str:
        """The reply to these bytes, without NUL."""
        wall_s = time.time()
        when = int(wall_s)
        if len(data) > MOST_BYTES:
            is_json = data.lstrip().startswith(b"{")
            write, reply = (as_json, INVALID_JSON) if is_json else (as_text, INVALID)
            return write(reply, when, DESCRIPTION)
        try:
            request: Request = read(data)
        except BadRequest as error:
            return as_json(error.reply, when, DESCRIPTION)
        now = self._feed.tick()
        return answer(request, answers(now, self._feed.names, wall_s), when, DESCRIPTION)


async def received(reader: asyncio.StreamReader) -> bytes:
    """One request: until it is whole, its sender is quiet or done, or it is too long.

    Raises TimeoutError when nothing came at all.
    """
    data = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(REQUEST_S):
            while len(data) <= MOST_BYTES and not is_whole(data):
                piece = await next_piece(reader, QUIET_S if data else REQUEST_S)
                if not piece:
                    break
                data += piece
    return data


async def next_piece(reader: asyncio.StreamReader, within_s: float) -> bytes:
    """Empty at the end, or when none comes in time."""
    try:
        return await asyncio.wait_for(reader.read(MOST_BYTES), within_s)
    except TimeoutError:
        return b""


def is_whole(data: bytes) -> bool:
    """Does it end as requests do: a line's end, a NUL, or the brace that closes the first?"""
    if data[-1:] in (b"\n", b"\0"):
        return True
    return data.startswith(b"{") and data.endswith(b"}") and balanced(data)


def balanced(data: bytes) -> bool:
    """As many braces closed as opened, outside of strings."""
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", data)
    return bare.count(b"{") == bare.count(b"}") and b'"' not in bare
