"""Lines and helpers for tests of the Stratum session; the golden job is real (see SOURCE)."""

import json
from hashlib import sha256
from typing import Any

from miner.protocol.pool import JobReceived, PoolEvent
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.work.found import Share
from miner.work.job import Job
from miner.work.unit import build_unit

# Source: a testnet job of 2012 whose solution is a share at difficulty 1 (protocol documentation).
COINB1 = (
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff2002086206"
    "2f503253482f04b8864e5008"
)
COINB2 = (
    "072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988"
    "ac00000000"
)
PREVHASH = "4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000"
GOLDEN: list[Any] = [
    "bf", PREVHASH, COINB1, COINB2, [], "00000002", "1c2ac4af", "504e86b9", False,
]  # fmt: skip
GOLDEN_HASH = "000000002076870fe65a2b6eeed84fa892c0db924f1482243a6247d931dcab32"
SUBSCRIPTION = [[["mining.set_difficulty", "d"], ["mining.notify", "s1"]], "08000002", 4]
SETTINGS = SessionSettings("pool", "user.w1", agent="homehash/test")


def line(message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


def call(method: str, *params: Any, id: Any = None) -> bytes:
    return line({"id": id, "method": method, "params": list(params)})


def reply(id: Any, result: Any, error: Any = None) -> bytes:
    return line({"id": id, "result": result, "error": error})


def notify(**changes: Any) -> bytes:
    """The golden job with fields replaced by index name: job_id, prevhash, ..., clean."""
    names = ("job_id", "prevhash", "coinb1", "coinb2", "branch", "version", "nbits", "ntime")
    fields = dict(zip((*names, "clean"), GOLDEN, strict=True)) | changes
    return call("mining.notify", *fields.values())


def sent(session: StratumSession) -> list[Any]:
    """What the session wants to send, decoded; each message is one line."""
    messages = session.data_to_send()
    assert all(message.count(b"\n") == 1 and len(message) < 1024 for message in messages)
    return [json.loads(message) for message in messages]


def ids(messages: list[Any]) -> dict[str, int]:
    return {message["method"]: message["id"] for message in messages if "method" in message}


def opened(settings: SessionSettings = SETTINGS, **more: Any) -> tuple[StratumSession, Any]:
    """A session that has sent its handshake, and the id of each request."""
    session = StratumSession(settings, more.pop("number", 1), 0.0, **more)
    session.open()
    return session, ids(sent(session))


def subscribed(
    settings: SessionSettings = SETTINGS,
    extranonce1: str = "08000002",
    size: Any = 4,
    mask: str | None = "1fffe000",
    **more: Any,
) -> StratumSession:
    """A session that is logged in, without a job."""
    session, asked = opened(settings, **more)
    if mask is not None and "mining.configure" in asked:
        grant = {"version-rolling": True, "version-rolling.mask": mask}
        session.receive(reply(asked["mining.configure"], grant), 0.0)
    subscription = [[["mining.notify", "s1"]], extranonce1, size]
    session.receive(reply(asked["mining.subscribe"], subscription), 0.0)
    session.receive(reply(asked["mining.authorize"], True), 0.0)
    sent(session)
    return session


def jobs(events: list[PoolEvent]) -> list[Job]:
    return [event.job for event in events if isinstance(event, JobReceived)]


def share_of(job: Job, nonce: int = 0, version: int | None = None, extranonce2: int = 0) -> Share:
    """A share of the job that is not checked against any target."""
    version = job.version if version is None else version
    second = extranonce2.to_bytes(job.merkle.extranonce2_size, "big")
    unit = build_unit(job, (version,), second, job.ntime)
    header = unit.header(version, nonce)
    return Share(unit, version, nonce, header, sha256(sha256(header).digest()).digest())
