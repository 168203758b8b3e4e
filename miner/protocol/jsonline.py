"""JSON objects, one per line: framing, strict decoding, encoding, all with bounds.

Numbers keep their exact value: integers are int, all others Decimal, so no difficulty is rounded
on its way in. Sans-IO: bytes in, values out.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import cast

from miner import strictjson
from miner.errors import LocalProtocolError, RemoteProtocolError
from miner.text import scrub

MAX_LINE_BYTES = 1024 * 1024  # a 200 KB mining.notify is legal; beyond this a peer fills memory
MAX_DEPTH = 16  # the deepest legal message, mining.subscribe's reply, has 4
MAX_NUMBER_CHARS = 400  # 1e300 written out fits; converting longer ones costs quadratic time
OWN_LINE_BYTES = 1023  # some pools read into a 1,024-byte buffer
# The closing quote is optional, or text that never ends would be scanned again from each quote.
BRACKET_OR_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]')

Message = dict[str, object]


class LineSplitter:
    """Cuts a byte stream at LF; a CR before it and blank lines are dropped.

    Where the stream is cut into segments makes no difference to what comes out.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._tail = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield every line completed by `data`; RemoteProtocolError at one above the limit."""
        start, searched = 0, len(self._tail)
        self._tail += data
        try:
            while (end := self._tail.find(b"\n", max(start, searched))) >= 0:
                line = bytes(self._tail[start:end]).removesuffix(b"\r")
                start = end + 1
                if len(line) > self._limit:
                    raise RemoteProtocolError(f"a line of {len(line)} bytes, want <= {self._limit}")
                if line.strip(b" \t"):
                    yield line
            if len(self._tail) - start > self._limit + 1:  # + 1: a CR may still be its last byte
                raise RemoteProtocolError(f"a line above {self._limit} bytes")
        finally:
            del self._tail[:start]


def decode(line: bytes) -> Message:
    """One JSON object. Raises RemoteProtocolError: not UTF-8, not JSON, too deep, not an object,
    a key twice."""
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _too_deep(line):
        raise RemoteProtocolError(f"JSON nested deeper than {MAX_DEPTH}")
    try:
        value = strictjson.loads(line.decode(), parse_float=_decimal, parse_int=_integer)
    except UnicodeDecodeError:
        raise RemoteProtocolError(f"not UTF-8: {_quoted(line)}") from None
    except strictjson.Repeated as error:
        raise RemoteProtocolError(f"{error}: {_quoted(line)}") from None
    except (ValueError, RecursionError):
        raise RemoteProtocolError(f"not JSON: {_quoted(line)}") from None
    if type(value) is not dict:
        raise RemoteProtocolError(f"a JSON object is wanted, not {_quoted(line)}")
    return cast(Message, value)


def encode(message: Message) -> bytes:
    """One ASCII line with its LF. Raises LocalProtocolError above 1,023 bytes or if not JSON."""
    try:
        line = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"cannot be written as JSON: {error}") from None
    if len(line) + 1 > OWN_LINE_BYTES:
        raise LocalProtocolError(f"our line has {len(line) + 1} bytes, want <= {OWN_LINE_BYTES}")
    return line + b"\n"


def encoded_size(text: str) -> int:
    """Bytes the text takes inside a line of ours, quotes not counted."""
    return len(json.dumps(text)) - 2


def _too_deep(line: bytes) -> bool:
    depth = 0
    for token in BRACKET_OR_TEXT.finditer(line):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in (b"]", b"}"):
            depth -= 1
    return False


def _quoted(line: bytes) -> str:
    """The beginning of a line that is no message, fit to show."""
    return f"'{scrub(line.decode(errors='replace'), 80)}'"


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARS:
        raise ValueError("number too long")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_CHARS:
        raise ValueError("number too long")
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal can hold
        raise ValueError("number out of range") from None
    if not value.is_finite():
        raise ValueError("number out of range")
    return value
