"""Shares of a Stratum session: submits, answers of every shape, and resumed sessions."""

from dataclasses import replace
from typing import Any

import pytest

from miner.bitcoin.target import DIFF1_TARGET
from miner.errors import ConfigError
from miner.protocol.pool import Dropped, Ready, ShareAnswered
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.secret import Secret
from miner.work.found import Answer, Share
from tests.faults import fault
from tests.unit.protocol.stratum_lines import (
    GOLDEN_HASH,
    SETTINGS,
    SUBSCRIPTION,
    call,
    jobs,
    line,
    notify,
    opened,
    reply,
    sent,
    share_of,
    subscribed,
)


def test_golden_vector_from_wire_to_hash_and_back() -> None:
    session = subscribed(mask=None)
    session.receive(call("mining.set_difficulty", 1), 1.0)
    (job,) = jobs(session.receive(notify(ntime="504e86ed"), 1.0))
    share = share_of(job, 0xB2957C02, extranonce2=1)
    assert share.hash_hex == GOLDEN_HASH
    assert share.value <= job.target == DIFF1_TARGET
    session.submit(share, 2.0)
    (message,) = sent(session)
    assert message["method"] == "mining.submit"
    assert message["params"] == ["user.w1", "bf", "00000001", "504e86ed", "b2957c02"]
    (answer,) = session.receive(reply(message["id"], True), 2.25)
    assert isinstance(answer, ShareAnswered)
    assert answer.verdict.answer is Answer.ACCEPTED
    assert answer.verdict.latency_s == pytest.approx(0.25)
    assert answer.verdict.difficulty == 1.0


@fault("S24")
def test_the_first_of_two_replies_counts() -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    session.submit(share_of(job), 0.0)
    (message,) = sent(session)
    (first,) = session.receive(reply(message["id"], True), 0.1)
    assert isinstance(first, ShareAnswered)
    assert session.receive(reply(message["id"], False, [23, "low", None]), 0.2) == []
    for strange in (None, "4", 4.0, True, 10**9, -1, [1]):
        assert session.receive(reply(strange, True), 0.3) == []


@fault("S24")
def test_ids_rise_through_a_resumed_session() -> None:
    first = subscribed()
    (job,) = jobs(first.receive(notify(), 0.0))
    first.submit(share_of(job), 0.0)
    highest = sent(first)[0]["id"]
    left = first.leave()
    _, asked = opened(number=2, leftovers=left)
    assert min(asked.values()) > highest


@pytest.mark.parametrize(
    ("message", "answer", "reason"),
    [
        ({"result": True, "error": None}, Answer.ACCEPTED, None),
        ({"result": True}, Answer.ACCEPTED, None),
        ({"result": False, "error": None}, Answer.REJECTED, "other"),
        ({"result": None, "error": None}, Answer.REJECTED, "other"),
        ({"error": None}, Answer.REJECTED, "other"),
        ({"result": "true"}, Answer.REJECTED, "other"),
        ({"result": 1}, Answer.REJECTED, "other"),
        ({"result": None, "error": [21, "Job not found", None]}, Answer.STALE, "stale"),
        ({"result": None, "error": [20, "stale-prevblk", None]}, Answer.STALE, "stale"),
        ({"result": None, "error": "stale-work"}, Answer.STALE, "stale"),
        ({"result": None, "error": [22, "Duplicate share", None]}, Answer.REJECTED, "duplicate"),
        ({"result": False, "error": [23, "Above target", None]}, Answer.REJECTED, "low-difficulty"),
        ({"result": None, "error": [23, "", None]}, Answer.REJECTED, "low-difficulty"),
        ({"result": None, "error": "H-not-zero"}, Answer.REJECTED, "low-difficulty"),
        ({"result": None, "error": "high-hash"}, Answer.REJECTED, "low-difficulty"),
        ({"result": None, "error": "bad-version"}, Answer.REJECTED, "bad-version"),
        ({"result": None, "error": {"code": 20, "message": "time-too-old"}}, Answer.REJECTED,
         "bad-time"),
        ({"result": None, "error": {"code": 22, "message": None}}, Answer.REJECTED, "duplicate"),
        ({"result": False, "reject-reason": "Stale"}, Answer.STALE, "stale"),
        ({"result": None, "error": [-3, "Method not found"]}, Answer.REJECTED, "other"),
        ({"result": None, "error": [[1], {"a": 2}]}, Answer.REJECTED, "other"),
        ({"result": None, "error": [20]}, Answer.REJECTED, "other"),
        ({"result": None, "error": {}}, Answer.REJECTED, "other"),
        ({"result": None, "error": 23}, Answer.REJECTED, "low-difficulty"),
        ({"result": None, "error": "unknown-work"}, Answer.REJECTED, "unknown-work"),
        ({"result": False, "error": [20, "x" * 5000 + "\x1b[2J\n", None]}, Answer.REJECTED,
         "other"),
    ],
)  # fmt: skip
@fault("S28")
def test_every_shape_of_an_answer(message: Any, answer: Answer, reason: str | None) -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    session.submit(share_of(job), 0.0)
    (submit,) = sent(session)
    events = session.receive(line({"id": submit["id"], **message}), 0.1)
    event = events[0]
    assert isinstance(event, ShareAnswered)
    assert event.verdict.answer is answer
    assert (event.reason.value if event.reason else None) == reason
    assert event.verdict.reason == (reason or "")
    assert len(event.verdict.explanation) < 300
    assert event.verdict.explanation.isprintable()


@fault("S54")
def test_three_unknown_jobs_in_a_row_subscribe_again() -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    events = []
    for nonce in range(3):
        session.submit(share_of(job, nonce), 0.0)
        (message,) = sent(session)
        events = session.receive(reply(message["id"], None, [21, "Job not found", None]), 0.1)
    stale, dropped = events
    assert isinstance(stale, ShareAnswered)
    assert stale.verdict.answer is Answer.STALE
    assert isinstance(dropped, Dropped)
    assert dropped.at_once


@pytest.mark.parametrize("code", [24, 25])
def test_an_unknown_worker_or_subscription_redoes_the_handshake(code: int) -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    session.submit(share_of(job), 0.0)
    (message,) = sent(session)
    events = session.receive(reply(message["id"], None, [code, "", None]), 0.1)
    assert isinstance(events[-1], Dropped)
    assert events[-1].at_once


def test_no_share_is_sent_twice() -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    assert session.submit(share_of(job, 5), 0.0) == []
    (event,) = session.submit(share_of(job, 5), 0.0)
    assert isinstance(event, ShareAnswered)
    assert (event.verdict.reason, event.verdict.is_block) == ("duplicate", False)
    assert len(sent(session)) == 1


def test_a_submit_unanswered_for_120_s_is_unknown() -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    session.submit(share_of(job), 1.0)
    session.receive(call("mining.set_difficulty", 1), 100.0)
    assert session.tick(120.9) == []
    (event,) = session.tick(121.0)
    assert isinstance(event, ShareAnswered)
    assert event.verdict.answer is Answer.UNKNOWN
    assert not event.verdict.final
    assert session.open_shares == 0


def broken() -> tuple[StratumSession, Share]:
    session = subscribed(number=7)
    (job,) = jobs(session.receive(notify(), 0.0))
    share = share_of(job, 3)
    session.submit(share, 10.0)
    return session, share


@fault("S39")
def test_a_resumed_session_gets_its_unanswered_shares_again() -> None:
    old, share = broken()
    before = sent(old)[0]
    session, asked = opened(number=8, leftovers=old.leave())
    assert session.subscription is None
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 100.0)
    events = session.receive(reply(asked["mining.authorize"], True), 100.0)
    assert events == [Ready(7, True, False)]
    (again,) = sent(session)
    assert again["params"] == before["params"]
    assert again["id"] != before["id"]
    (event,) = session.submit(share, 101.0)  # the same share is still known
    assert isinstance(event, ShareAnswered)
    assert event.verdict.reason == "duplicate"
    (answer,) = session.receive(reply(again["id"], True), 102.0)
    assert isinstance(answer, ShareAnswered)
    assert answer.verdict.hash_hex == share.hash_hex


@fault("S39")
def test_a_share_older_than_120_s_is_not_sent_again() -> None:
    old, _ = broken()
    sent(old)
    session, asked = opened(leftovers=old.leave())
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 131.0)
    session.receive(reply(asked["mining.authorize"], True) + notify(), 131.0)
    assert sent(session) == []
    (event,) = session.tick(131.0)
    assert isinstance(event, ShareAnswered)
    assert event.verdict.answer is Answer.UNKNOWN


@pytest.mark.parametrize(("extranonce1", "size"), [("08000003", 4), ("08000002", 8), ("", 4)])
@fault("S40")
def test_a_new_session_gets_nothing_of_the_old(extranonce1: str, size: int) -> None:
    old, share = broken()
    sent(old)
    session, asked = opened(number=8, leftovers=old.leave())
    subscription = [SUBSCRIPTION[0], extranonce1, size]
    events = session.receive(reply(asked["mining.subscribe"], subscription), 11.0)
    (event,) = events
    assert isinstance(event, ShareAnswered)
    assert (event.verdict.answer, event.verdict.hash_hex) == (Answer.UNKNOWN, share.hash_hex)
    events = session.receive(reply(asked["mining.authorize"], True) + notify(), 11.0)
    assert [job.session for job in jobs(events)] == [8]
    assert sent(session) == []


def test_the_old_session_id_is_asked_for() -> None:
    old, _ = broken()
    session = StratumSession(SETTINGS, 8, 20.0, old.leave())
    session.open()
    subscribe = sent(session)[1]
    assert subscribe["params"] == ["homehash/test", "s1"]


def test_leftovers_survive_a_handshake_that_failed() -> None:
    old, _ = broken()
    left = old.leave()
    middle, asked = opened(number=8, leftovers=left)
    middle.receive(b"\n", 0.0)
    after = middle.leave()
    assert (after.number, after.subscription) == (left.number, left.subscription)
    assert after.book is left.book
    assert after.next_id > max(asked.values())


def test_a_hang_up_before_a_word_may_mean_mining_configure() -> None:
    first, asked = opened()
    assert "mining.configure" in asked
    assert first.hung_up() == Dropped("trying without mining.configure", at_once=True)
    second, asked = opened(leftovers=first.leave())
    assert "mining.configure" not in asked
    assert second.hung_up() is None
    third, asked = opened(leftovers=second.leave())
    assert "mining.configure" in asked  # it was no fault of that message
    third.receive(b"\n", 0.0)
    assert third.hung_up() is None


def test_what_is_given_up_is_neither_resumed_nor_answered() -> None:
    old, share = broken()
    left = old.leave()
    (lost,) = left.give_up("too long ago")
    assert (lost.verdict.answer, lost.verdict.hash_hex) == (Answer.UNKNOWN, share.hash_hex)
    assert left.give_up("again") == []
    assert opened(leftovers=left)[0].leave().subscription is None


@pytest.mark.parametrize("field", ["user", "password", "agent"])
@fault("S50")
def test_texts_that_would_burst_a_line_are_refused_at_once(field: str) -> None:
    value: Any = "ü" * 43 if field != "agent" else "a" * 129
    value = Secret(value) if field == "password" else value
    with pytest.raises(ConfigError, match=r"longer than"):
        replace(SETTINGS, **{field: value})


@fault("S50")
def test_the_longest_submit_fits() -> None:
    settings = SessionSettings("pool", "u" * 256, agent="a" * 128)
    session = subscribed(settings, size=32)
    (job,) = jobs(session.receive(notify(job_id="j" * 256), 0.0))
    session.submit(share_of(job), 0.0)
    assert len(session.data_to_send()[0]) < 1024


@fault("S39")
def test_duplicate_means_arrived_for_a_share_that_was_sent_again() -> None:
    old, share = broken()
    sent(old)
    session, asked = opened(number=8, leftovers=old.leave())
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 20.0)
    session.receive(reply(asked["mining.authorize"], True), 20.0)
    (again,) = sent(session)
    events = session.receive(reply(again["id"], None, [22, "Duplicate share", None]), 21.0)
    (answer,) = events
    assert isinstance(answer, ShareAnswered)
    assert (answer.verdict.answer, answer.reason) == (Answer.ACCEPTED, None)
    assert answer.verdict.hash_hex == share.hash_hex
