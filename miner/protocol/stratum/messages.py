"""What a Stratum v1 pool may say, parsed whole into frozen values before anything changes.

Every parser raises RemoteProtocolError that names the message and the offending value. Byte order
on the wire: numbers are big-endian hex, the previous hash is eight byte-reversed words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from miner.bitcoin.encoding import from_hex
from miner.bitcoin.target import EASIEST_NBITS, target_from_nbits
from miner.errors import RemoteProtocolError
from miner.protocol.jsonline import encoded_size
from miner.protocol.pool import Redirect
from miner.text import scrub

MAX_JOB_ID_BYTES = 256  # as JSON; with user and extranonce2 our submit stays below 1,024 bytes
MAX_SESSION_ID_BYTES = 256
MAX_BRANCH = 32  # a tree of 2**32 transactions
MAX_EXTRANONCE = 32  # bytes, either part
MAX_HOST_CHARS = 253  # RFC 1035
MAX_WAIT_S = 300  # client.reconnect: longer waits are cut to this
EASIEST_TARGET = target_from_nbits(EASIEST_NBITS["regtest"])  # no chain allows an easier one
EXTREME = 80  # powers of ten; every target beyond is clamped at either end anyway
HOST = re.compile(r"[0-9A-Za-z._:-]+")


@dataclass(frozen=True, slots=True)
class Notify:
    """A validated mining.notify; hashes and coinbase parts as hashed."""

    job_id: str
    prev_hash: bytes
    coinbase1: bytes
    coinbase2: bytes
    branch: tuple[bytes, ...]
    version: int
    nbits: int
    network_target: int
    ntime: int
    clean: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """The reply to mining.subscribe."""

    session_id: str  # "" when the pool gave none
    extranonce1: bytes
    extranonce2_size: int


def shown(value: object) -> str:
    """A bad value as our errors quote it."""
    return scrub(value, 80)


def items(method: str, params: object, least: int) -> list[object]:
    """The params array, checked to be one with at least so many entries."""
    if type(params) is not list:
        raise RemoteProtocolError(f"{method}: params are {shown(params)}, want an array")
    if len(params) < least:
        raise RemoteProtocolError(f"{method}: {len(params)} params, want at least {least}")
    return params


def hex_bytes(name: str, value: object, size: int | None = None) -> bytes:
    """Strict hex of `size` bytes, or of any number of them."""
    if type(value) is not str:
        raise RemoteProtocolError(f"{name} is {shown(value)}, want hex text")
    try:
        return from_hex(value, size)
    except ValueError:
        want = "an even number of" if size is None else str(2 * size)
        raise RemoteProtocolError(f"{name} is '{shown(value)}', want {want} hex digits") from None


def number32(name: str, value: object) -> int:
    """Eight big-endian hex digits."""
    return int.from_bytes(hex_bytes(name, value, 4), "big")


def short_text(name: str, value: object, limit: int) -> str:
    """Text that takes at most `limit` bytes in a JSON line of ours."""
    if type(value) is not str:
        raise RemoteProtocolError(f"{name} is {shown(value)}, want text")
    if not _fits(value, limit):
        raise RemoteProtocolError(f"{name} '{shown(value)}' is longer than {limit} bytes")
    return value


def _fits(text: str, limit: int) -> bool:
    """Does it take at most `limit` bytes as JSON? A huge one is not encoded to find out."""
    return len(text) <= limit and encoded_size(text) <= limit


def parse_difficulty(params: object) -> Fraction:
    """mining.set_difficulty: a finite number above 0, exact.

    Values beyond 10**±80 come back as those: their target is clamped all the same.
    """
    value = items("mining.set_difficulty", params, 1)[0]
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise RemoteProtocolError(f"mining.set_difficulty: {shown(value)} is not a number")
    if value <= 0:
        raise RemoteProtocolError(f"mining.set_difficulty: {shown(str(value))} is not above 0")
    exponent = Decimal(value).adjusted()
    if abs(exponent) > EXTREME:
        return Fraction(10) ** max(-EXTREME, min(exponent, EXTREME))
    return Fraction(value)


def parse_class_target(params: object) -> int:
    """mining.set_class_target: 64 hex digits, big-endian."""
    method = "mining.set_class_target"
    value = int.from_bytes(hex_bytes(f"{method}: target", items(method, params, 1)[0], 32), "big")
    if value == 0:
        raise RemoteProtocolError(f"{method}: target is 0, which no hash meets")
    return value


def parse_notify(params: object) -> Notify:
    """mining.notify; more than nine entries are tolerated."""
    fields = items("mining.notify", params, 9)
    job_id = short_text("mining.notify: job id", fields[0], MAX_JOB_ID_BYTES)
    swapped = hex_bytes("mining.notify: prevhash", fields[1], 32)
    nbits = number32("mining.notify: nbits", fields[6])
    return Notify(
        job_id=job_id,
        prev_hash=b"".join(swapped[i : i + 4][::-1] for i in range(0, len(swapped), 4)),
        coinbase1=hex_bytes("mining.notify: coinb1", fields[2]),
        coinbase2=hex_bytes("mining.notify: coinb2", fields[3]),
        branch=_branch(fields[4]),
        version=number32("mining.notify: version", fields[5]),
        nbits=nbits,
        network_target=_network_target(nbits),
        ntime=number32("mining.notify: ntime", fields[7]),
        clean=_clean_flag(fields),
    )


def _branch(value: object) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > MAX_BRANCH:
        what = f"{len(value)} entries" if type(value) is list else shown(value)
        raise RemoteProtocolError(
            f"mining.notify: merkle branch is {what}, want an array of 0 to {MAX_BRANCH}"
        )
    return tuple(hex_bytes("mining.notify: merkle branch entry", node, 32) for node in value)


def _network_target(nbits: int) -> int:
    try:
        target = target_from_nbits(nbits)
    except ValueError as error:
        raise RemoteProtocolError(f"mining.notify: {error}") from None
    if target > EASIEST_TARGET:
        raise RemoteProtocolError(f"mining.notify: nbits {nbits:08x} is easier than any chain's")
    return target


def _clean_flag(fields: Sequence[object]) -> bool:
    """Index 8; some pools put more in between, then it is the last boolean."""
    flags = [value for value in (fields[8], *reversed(fields[9:])) if type(value) is bool]
    if not flags:
        raise RemoteProtocolError(
            f"mining.notify: clean_jobs is {shown(fields[8])}, want true or false"
        )
    return flags[0]


def parse_extranonce2_size(name: str, value: object) -> int:
    """0..32 bytes; anything else is refused, never clamped, and nothing is allocated from it."""
    if type(value) is not int or not 0 <= value <= MAX_EXTRANONCE:
        raise RemoteProtocolError(
            f"{name}: extranonce2 size is {shown(value)}, want 0 to {MAX_EXTRANONCE}"
        )
    return value


def parse_extranonce1(name: str, value: object) -> bytes:
    """Hex of at most 32 bytes; empty is legal."""
    extranonce1 = hex_bytes(f"{name}: extranonce1", value)
    if len(extranonce1) > MAX_EXTRANONCE:
        raise RemoteProtocolError(
            f"{name}: extranonce1 has {len(extranonce1)} bytes, want <= {MAX_EXTRANONCE}"
        )
    return extranonce1


def parse_subscription(result: object) -> Subscription:
    """The result of mining.subscribe: [subscriptions, extranonce1, extranonce2 size]."""
    fields = items("mining.subscribe", result, 3)
    return Subscription(
        _session_id(fields[0]),
        parse_extranonce1("mining.subscribe", fields[1]),
        parse_extranonce2_size("mining.subscribe", fields[2]),
    )


def _session_id(subscriptions: object) -> str:
    """The id beside mining.notify; the list may be one flat pair. "" when there is none."""
    pairs = subscriptions if type(subscriptions) is list else []
    if len(pairs) == 2 and type(pairs[0]) is str:
        pairs = [pairs]
    for pair in pairs:
        if type(pair) is list and len(pair) >= 2 and pair[0] == "mining.notify":
            session_id = pair[1]
            if type(session_id) is str and _fits(session_id, MAX_SESSION_ID_BYTES):
                return session_id
    return ""


def parse_set_extranonce(params: object) -> tuple[bytes | None, int | None]:
    """mining.set_extranonce: (extranonce1, extranonce2 size), None = unchanged."""
    name = "mining.set_extranonce"
    fields = items(name, params, 1)
    first, second = fields[0], fields[1] if len(fields) > 1 else None
    return (
        None if first is None else parse_extranonce1(name, first),
        None if second is None else parse_extranonce2_size(name, second),
    )


def parse_mask(name: str, value: object) -> int:
    """A version mask: 1 to 8 hex digits, since some pools drop leading zeros."""
    if type(value) is str and value:
        value = value.rjust(8, "0")
    return number32(f"{name}: version mask", value)


def parse_set_version_mask(params: object) -> int:
    """mining.set_version_mask (BIP 310); a bare string instead of an array is accepted."""
    name = "mining.set_version_mask"
    return parse_mask(name, params if type(params) is str else items(name, params, 1)[0])


def parse_configure(result: object) -> tuple[int | None, tuple[str, ...]]:
    """The result of mining.configure: (granted mask or None, extensions refused)."""
    if type(result) is not dict:
        raise RemoteProtocolError(f"mining.configure: result is {shown(result)}")
    refused = tuple(
        f"{scrub(name, 40)}: {shown(value)}"
        for name, value in list(result.items())[:16]
        if "." not in name and value is not True
    )
    if result.get("version-rolling") is not True:
        return None, refused
    return parse_mask("mining.configure", result.get("version-rolling.mask")), refused


def parse_reconnect(params: object) -> Redirect:
    """client.reconnect [host, port, wait]; each may be missing. The wait is cut to 300 s."""
    given = items("client.reconnect", [] if params is None else params, 0)
    host, port, wait = [*given, None, None, None][:3]
    if host in (None, ""):
        host = None
    elif type(host) is not str or len(host) > MAX_HOST_CHARS or not HOST.fullmatch(host):
        raise RemoteProtocolError(f"client.reconnect: host is {shown(host)}, want a host name")
    return Redirect(host, _port(port), _wait(wait))


def _port(value: object) -> int | None:
    if value in (None, ""):
        return None
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if type(value) is not int or not 1 <= value <= 65535:
        raise RemoteProtocolError(f"client.reconnect: port is {shown(value)}, want 1 to 65535")
    return value


def _wait(value: object) -> float:
    if value in (None, ""):
        return 0.0
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if not isinstance(value, int | Decimal) or isinstance(value, bool) or value < 0:
        raise RemoteProtocolError(f"client.reconnect: wait is {shown(value)}, want seconds")
    return float(min(value, MAX_WAIT_S))
