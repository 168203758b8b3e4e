"""An independent judge of shares: rebuilds each header from the submitted fields.

It imports nothing of the miner. A version can be rebuilt by two rules, (job AND NOT mask) OR bits
(BIP 310) and job OR bits (ckpool); a share counts only if it is good by both.
"""

import re
import struct
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

DIFF1 = 0xFFFF * 2**208
LOWER_HEX = re.compile(r"[0-9a-f]*")


def double_sha(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def target_of(difficulty: str | float) -> int:
    """floor(diff1 / d), d taken from its decimal text, within 256 bits."""
    exact = Fraction(Decimal(str(difficulty)))
    return max(1, min(2**256 - 1, DIFF1 * exact.denominator // exact.numerator))


@dataclass(frozen=True)
class PoolJob:
    """A job as sent: the nine fields of mining.notify, and the terms it was given under."""

    fields: list[Any]
    extranonce1: str
    size: int
    target: int
    mask: int | None  # None: rolling not granted when it was sent


@dataclass(frozen=True)
class Judged:
    """One line of the ledger."""

    session: int
    job_id: str
    headers: tuple[bytes, ...]  # one for each rule; equal when the bits are right
    value: int  # the hash as a number, by BIP 310's rule
    error: list[Any] | None  # None: accepted
    params: list[Any] = field(default_factory=list)


def header_of(job: PoolJob, extranonce2: str, ntime: str, nonce: str, version: int) -> bytes:
    """The 80 bytes, from hex fields as they went over the wire."""
    _, prevhash, coinb1, coinb2, branch, _, nbits, _, _ = job.fields[:9]
    root = double_sha(bytes.fromhex(coinb1 + job.extranonce1 + extranonce2 + coinb2))
    for node in branch:
        root = double_sha(root + bytes.fromhex(node))
    words = struct.unpack(">8I", bytes.fromhex(prevhash))
    return (
        struct.pack("<I", version)
        + struct.pack("<8I", *words)
        + root
        + struct.pack("<III", int(ntime, 16), int(nbits, 16), int(nonce, 16))
    )


def judge(
    session: int, job: PoolJob | None, params: Any, seen: set[bytes], user: str | None
) -> Judged:
    """Accept or refuse a mining.submit, with the codes pools use."""
    if type(params) is not list or not all(type(value) is str for value in params):
        return Judged(session, "?", (), 0, [20, "params must be strings", None])
    if user is not None and (not params or params[0] != user):
        return Judged(session, "?", (), 0, [24, "Unauthorized worker", None], params)
    job_id = params[1] if len(params) > 1 else "?"
    if job is None:
        return Judged(session, job_id, (), 0, [21, "Job not found", None], params)
    error = malformed(job, params)
    if error:
        return Judged(session, job_id, (), 0, [20, error, None], params)
    base, mask = int(job.fields[5], 16), job.mask or 0
    bits = int(params[5], 16) if len(params) == 6 else 0
    versions = ((base & ~mask) | bits, base | bits) if len(params) == 6 else (base, base)
    headers = tuple(header_of(job, params[2], params[3], params[4], v) for v in versions)
    values = [int.from_bytes(double_sha(header), "little") for header in headers]
    if max(values) > job.target:
        return Judged(session, job_id, headers, values[0], [23, "Above target", None], params)
    if headers[0] in seen:
        return Judged(session, job_id, headers, values[0], [22, "Duplicate share", None], params)
    seen.add(headers[0])
    return Judged(session, job_id, headers, values[0], None, params)


def malformed(job: PoolJob, params: list[str]) -> str:
    """Why the fields are not what this job wants; "" when they are."""
    wanted = 5 if job.mask is None else 6
    if len(params) != wanted:
        return f"{len(params)} params, want {wanted}"
    sizes = (2 * job.size, 8, 8, 8)
    for value, size in zip(params[2:], sizes, strict=False):
        if len(value) != size or not LOWER_HEX.fullmatch(value):
            return f"malformed field {value!r}, want {size} hex digits"
    if job.mask is not None and int(params[5], 16) & ~job.mask:
        return "version bits outside the mask"
    offset = int(params[3], 16) - int(job.fields[7], 16)
    return "" if 0 <= offset <= 7000 else "time-too-old" if offset < 0 else "time-too-new"
