"""The messages of a Stratum v1 server: what miners send, read into values, and what they are told.

Every reader raises RemoteProtocolError that names the message and the value. The counterpart for
miners is `messages.py`.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from miner.bitcoin.target import DIFF1_TARGET, UINT256_MAX
from miner.errors import RemoteProtocolError
from miner.protocol.jsonline import Message
from miner.protocol.stratum.messages import (
    hex_bytes,
    items,
    number32,
    parse_difficulty,
    parse_mask,
    short_text,
    shown,
)
from miner.text import scrub
from miner.work.claim import Answer, Claim
from miner.work.job import Job

MAX_USER_BYTES = 256
MAX_JOB_ID_CHARS = 64  # ours are shorter
CODES = {
    Answer.STALE: 21,
    Answer.UNKNOWN_JOB: 21,
    Answer.DUPLICATE: 22,
    Answer.LOW: 23,
    Answer.UNAUTHORIZED: 24,
    Answer.NOT_SUBSCRIBED: 25,
}
OTHER = 20
KNOWN = ("minimum-difficulty", "subscribe-extranonce", "info")  # extensions beside version-rolling


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a mining.configure asks for."""

    names: tuple[str, ...]
    mask: int  # of versions
    least_bits: int
    minimum: Fraction | None  # difficulty


def read_configure(params: object) -> Wishes:
    """mining.configure [extensions, parameters] (BIP 310)."""
    names, *rest = items("mining.configure", params, 1)
    values = rest[0] if rest else {}
    if type(names) is not list or not all(type(name) is str for name in names):
        raise RemoteProtocolError(f"mining.configure: extensions are {shown(names)}, want texts")
    if type(values) is not dict:
        raise RemoteProtocolError(f"mining.configure: parameters are {shown(values)}")
    mask = values.get("version-rolling.mask", "ffffffff")
    least = values.get("version-rolling.min-bit-count", 0)
    if type(least) is not int or not 0 <= least <= 32:
        raise RemoteProtocolError(f"mining.configure: min-bit-count is {shown(least)}")
    minimum = None
    if "minimum-difficulty" in names:
        minimum = parse_difficulty([values.get("minimum-difficulty.value")])
    return Wishes(tuple(names), parse_mask("mining.configure", mask), least, minimum)


def configured(wishes: Wishes, mask: int) -> tuple[dict[str, object], int | None]:
    """The result, and the mask granted out of ours; None: rolling was not asked for or refused."""
    result: dict[str, object] = {name: True for name in wishes.names if name in KNOWN}
    result |= {scrub(name, 40): False for name in wishes.names[:16] if name not in result}
    if "version-rolling" not in wishes.names:
        return result, None
    granted = wishes.mask & mask
    if granted == 0 or granted.bit_count() < wishes.least_bits:
        return result, None
    return result | {"version-rolling": True, "version-rolling.mask": f"{granted:08x}"}, granted


def read_subscribe(params: object) -> tuple[str, str]:
    """mining.subscribe [agent, session id], each of which may be missing: both, scrubbed."""
    given = params if type(params) is list else []
    agent, session_id = [*given, None, None][:2]
    old = session_id if type(session_id) is str and len(session_id) <= MAX_JOB_ID_CHARS else ""
    return (scrub(agent, 80) if type(agent) is str else ""), old


def read_user(params: object) -> str:
    """mining.authorize [user, password]: the user; no password is asked for here."""
    return short_text(
        "mining.authorize: user", items("mining.authorize", params, 1)[0], MAX_USER_BYTES
    )


def read_suggestion(method: str, params: object) -> Fraction:
    """mining.suggest_difficulty [number] or mining.suggest_target [64 hex]: a difficulty."""
    value = items(method, params, 1)[0]
    if method == "mining.suggest_target":
        target = int.from_bytes(hex_bytes(method, value, 32), "big")
        return Fraction(DIFF1_TARGET, min(max(target, 1), UINT256_MAX))
    if type(value) is str and len(value) <= 24:  # some write the number as text
        value = number(value)
    return parse_difficulty([value])


def number(text: str) -> Decimal | str:
    """A text that is a finite number, as one."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return text
    return value if value.is_finite() else text


def read_submit(params: object, extranonce2_size: int) -> Claim:
    """mining.submit [user, job id, extranonce2, ntime, nonce, version bits]."""
    name = "mining.submit"
    fields = items(name, params, 5)
    bits = fields[5] if len(fields) > 5 else None
    job_id = fields[1]
    if type(job_id) is not str or len(job_id) > MAX_JOB_ID_CHARS:
        raise RemoteProtocolError(f"{name}: job id is {shown(job_id)}, want text")
    return Claim(
        job_id,
        hex_bytes(f"{name}: extranonce2", fields[2], extranonce2_size),
        number32(f"{name}: ntime", fields[3]),
        number32(f"{name}: nonce", fields[4]),
        None if bits is None else parse_mask(name, bits),
    )


def line(message: Message) -> bytes:
    """One ASCII line with its LF; of any length: a notify holds a whole coinbase."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def notification(method: str, *params: object) -> bytes:
    return line({"id": None, "method": method, "params": list(params)})


def reply(request_id: object, result: object, error: object = None) -> bytes:
    """To a request; an id that we would not repeat is answered with null."""
    plain = type(request_id) is int or (type(request_id) is str and len(request_id) <= 64)
    return line({"id": request_id if plain else None, "result": result, "error": error})


def refusal(answer: Answer, words: str = "") -> list[object]:
    """The error of a share: code, words, no trace."""
    return [CODES.get(answer, OTHER), words or answer.words, None]


def difficulty_line(difficulty: Fraction) -> bytes:
    """mining.set_difficulty; ours are short decimals, which JSON carries exactly."""
    whole = difficulty.denominator == 1
    return notification("mining.set_difficulty", int(difficulty) if whole else float(difficulty))


def notify_line(job: Job) -> bytes:
    """mining.notify of a job. Byte order: numbers big-endian hex, the previous hash in eight
    byte-reversed words, all else as hashed."""
    coinbase = job.coinbase
    swapped = b"".join(job.prev_hash[at : at + 4][::-1] for at in range(0, 32, 4))
    return notification(
        "mining.notify",
        job.job_id,
        swapped.hex(),
        coinbase.part1.hex(),
        coinbase.part2.hex(),
        [node.hex() for node in coinbase.branch],
        f"{job.version:08x}",
        f"{job.nbits:08x}",
        f"{job.ntime:08x}",
        job.clean,
    )
