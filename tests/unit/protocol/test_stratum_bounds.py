"""Every table of a Stratum session is bounded; what falls out of one gets a verdict."""

import json
from dataclasses import replace

import pytest

from miner.protocol.pool import PoolEvent, ShareAnswered
from miner.protocol.stratum import session as stratum
from miner.protocol.stratum import shares as stratum_shares
from miner.protocol.stratum.job import context_of
from miner.protocol.stratum.requests import MAX_WAITING, Requests
from miner.protocol.stratum.settings import SessionSettings
from miner.work.found import Answer, FoundBlock, Share
from miner.work.job import Job
from tests.faults import fault
from tests.unit.protocol.stratum_lines import (
    SETTINGS,
    SUBSCRIPTION,
    call,
    jobs,
    notify,
    opened,
    reply,
    sent,
    share_of,
    subscribed,
)


def blockish(job: Job, nonce: int) -> Share:
    """A share whose hash meets the network target, by decree."""
    return replace(share_of(job, nonce), hash=nonce.to_bytes(32, "little"))


def given_up(events: list[PoolEvent]) -> list[str]:
    return [
        event.verdict.hash_hex
        for event in events
        if isinstance(event, ShareAnswered) and event.verdict.answer is Answer.UNKNOWN
    ]


@fault("S56")
def test_unanswered_shares_are_bounded_and_blocks_stay_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stratum_shares, "MAX_OPEN", 4)
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    first = blockish(job, 0)
    events = session.submit(first, 0.0)
    shares = [share_of(job, nonce) for nonce in range(1, 7)]
    for share in shares:
        events += session.submit(share, 0.0)
    assert given_up(events) == [share.hash_hex for share in shares[:3]]
    blocks = [blockish(job, nonce) for nonce in range(10, 16)]
    events = [event for block in blocks for event in session.submit(block, 1.0)]
    assert given_up(events)[:3] == [share.hash_hex for share in shares[3:]]
    assert given_up(events)[3] == first.hash_hex  # nothing but blocks is left
    assert session.open_shares == 4


def test_submitted_shares_are_remembered_for_the_newest_jobs_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stratum_shares, "MAX_JOBS", 2)
    monkeypatch.setattr(stratum_shares, "MAX_SUBMITTED", 3)
    session = subscribed()
    given = [jobs(session.receive(notify(job_id=name), 0.0))[0] for name in "abc"]
    for job in given:
        for nonce in range(5):
            session.submit(share_of(job, nonce), 0.0)
    sent(session)
    twice = [session.submit(share_of(given[2], nonce), 0.0) for nonce in (2, 3, 4)]
    assert all(len(events) == 1 for events in twice)
    assert sent(session) == []
    session.submit(share_of(given[2], 0), 0.0)  # forgotten: sent, the pool knows better
    session.submit(share_of(given[0], 4), 0.0)
    assert len(sent(session)) == 2


def test_requests_the_pool_never_answers_are_forgotten() -> None:
    asked = Requests(1)
    ids = [asked.ask("mining.subscribe", [], lambda message, now: []) for _ in range(500)]
    assert ids == list(range(1, 501))
    assert len(asked.data_to_send()) == 500
    assert sum(asked.take(request_id) is not None for request_id in ids) == MAX_WAITING
    assert asked.take(ids[-1]) is None  # a second reply finds nobody


def test_a_packed_block_is_sent_as_it_was_and_its_duplicate_counts() -> None:
    session = subscribed()
    params = ["user.w1", "bf", "00000001", "504e86ed", "b2957c02", "00000000"]
    payload = json.dumps({"method": "mining.submit", "params": params})
    block = FoundBlock("pool", "ab" * 32, 7, bytes(80), "stratum", payload, "08000002")
    assert session.submit(block, 0.0) == []
    (message,) = sent(session)
    assert message["params"] == params
    (answer,) = session.receive(reply(message["id"], None, [22, "Duplicate", None]), 0.5)
    assert isinstance(answer, ShareAnswered)
    assert (answer.verdict.answer, answer.verdict.is_block) == (Answer.ACCEPTED, True)


def test_a_minimum_difficulty_is_a_number_of_few_digits() -> None:
    settings = SessionSettings("pool", "u", minimum_difficulty=1 / 3e7)
    session = stratum.StratumSession(settings, 1, 0.0)
    session.open()
    extensions, values = sent(session)[0]["params"]
    assert "minimum-difficulty" in extensions
    assert values["minimum-difficulty.value"] == 3.33333e-08


def test_a_job_of_another_source_is_our_own_mistake() -> None:
    (job,) = jobs(subscribed().receive(notify(), 0.0))
    with pytest.raises(TypeError, match="not of a Stratum pool"):
        context_of(replace(job, context=None))


def test_a_mask_before_the_first_job_waits_for_it() -> None:
    session = subscribed(SETTINGS, mask="1fffe000")
    assert session.receive(call("mining.set_version_mask", "00006000"), 0.0) == []
    (job,) = jobs(session.receive(notify(version="20000000"), 0.0))
    assert job.version_mask == 0x6000


def test_set_extranonce_before_the_subscription_is_ignored() -> None:
    session, asked = opened()
    (notice,) = session.receive(call("mining.set_extranonce", "ff", 2), 0.0)
    assert "before the subscription" in str(notice)
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 0.0)
    (job,) = jobs(session.receive(notify(), 0.0))
    assert job.coinbase.extranonce1.hex() == "08000002"
