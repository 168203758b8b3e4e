"""The lessons' pool judges each share by its own rebuilt header."""

import json
import socket
from typing import Any

import pytest

from miner.learn.mining import REGTEST_GENESIS, job_after
from miner.learn.pool import LoopbackPool
from miner.work.found import Share
from miner.work.roll import Roller
from tests.fakes.jobs import changed

EASY = 0.000001
TARGET = 0xFFFF << 208  # of difficulty 1


@pytest.fixture
def pool() -> Any:
    from fractions import Fraction

    from miner.bitcoin.target import target_from_difficulty

    target = target_from_difficulty(Fraction("0.000001"))
    job = job_after(REGTEST_GENESIS[::-1], 1, target >> 4, 1296688603)
    with LoopbackPool(job, target, EASY) as running:
        yield running


def talk(pool: LoopbackPool, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Open a session, then say this; every line that came, three of work after the login."""
    host, port = pool.url.removeprefix("stratum+tcp://").split(":")
    opening = (call(1, "mining.subscribe", "test"), call(2, "mining.authorize", "a", "x"))
    with socket.create_connection((host, int(port)), 5) as connection:
        stream = connection.makefile("rw")
        for message in (*opening, *messages):
            stream.write(json.dumps(message) + "\n")
        stream.flush()
        return [json.loads(stream.readline()) for _ in range(4 + len(messages))]


def call(number: int, method: str, *params: Any) -> dict[str, Any]:
    return {"id": number, "method": method, "params": list(params)}


def test_it_gives_work_and_takes_a_share_once(pool: LoopbackPool) -> None:
    replies = talk(pool)
    extranonce1, size = bytes.fromhex(replies[0]["result"][1]), replies[0]["result"][2]
    assert replies[2]["params"] == [EASY] and replies[3]["method"] == "mining.notify"
    # a new connection gets the next extranonce1
    following = (int.from_bytes(extranonce1, "big") + 1).to_bytes(4, "big")
    job = changed(pool.job, extranonce1=following, extranonce2_size=size,
                  share_target=pool.share_target, version_mask=0)  # fmt: skip
    unit = Roller(job).next(1, 0)
    assert unit is not None
    found = (Share.from_hit(unit, unit.versions[0], nonce) for nonce in range(1_000_000))
    share = next(one for one in found if one is not None)
    good = ("a", job.job_id, "00000000", f"{job.ntime:08x}", f"{share.nonce:08x}")
    wrong = (*good[:4], f"{share.nonce + 1:08x}")
    answers = talk(
        pool,
        call(3, "mining.submit", *good),
        call(4, "mining.submit", *good),
        call(5, "mining.submit", *wrong),
        call(6, "mining.submit", "a", "other", *good[2:]),
        call(7, "mining.submit"),
    )[4:]
    assert [one["result"] for one in answers] == [True, False, False, False, False]
    assert [one["error"][0] for one in answers[1:]] == [22, 23, 21, 20]
    assert pool.ledger.accepted == [share.header] and len(pool.ledger.rejected) == 3


def test_a_difficulty_that_is_not_the_targets_is_our_bug() -> None:
    job = job_after(REGTEST_GENESIS[::-1], 1, TARGET, 1296688603)
    with pytest.raises(ValueError, match="not the target"):
        LoopbackPool(job, TARGET, 0.5)
