"""A Stratum session at the edges of its deadlines, counts and tables; clocks start anywhere."""

import json
from dataclasses import replace
from typing import Any

import pytest

from miner.protocol.pool import Dropped, Notice, PoolEvent, Reason, Refused, ShareAnswered
from miner.protocol.stratum import shares as stratum_shares
from miner.protocol.stratum.answers import PoolError, classify, error_of, share_error
from miner.protocol.stratum.session import StratumSession
from miner.work.found import Answer, FoundBlock
from miner.work.job import Job
from tests.unit.protocol.stratum_lines import (
    SETTINGS,
    SUBSCRIPTION,
    call,
    ids,
    jobs,
    line,
    notify,
    opened,
    reply,
    sent,
    share_of,
    subscribed,
)  # fmt: skip

STALE = [21, "Job not found", None]


def drops(events: list[PoolEvent]) -> list[str]:
    return [event.why for event in events if isinstance(event, Dropped)]


def notices(events: list[PoolEvent]) -> list[Notice]:
    return [event for event in events if isinstance(event, Notice)]


def with_job(**changes: Any) -> tuple[StratumSession, Job]:
    session = subscribed()
    (job,) = jobs(session.receive(notify(**changes), 0.0))
    return session, job


def answer(session: StratumSession, job: Job, nonce: int, error: Any = None) -> list[PoolEvent]:
    """The events of a share that is submitted and answered."""
    session.submit(share_of(job, nonce), 0.0)
    (message,) = sent(session)
    return session.receive(reply(message["id"], error is None or None, error), 0.1)


# -- deadlines, from a clock that does not start at 0 --------------------------------------------
def test_deadlines_of_the_handshake_count_from_its_start() -> None:
    session = StratumSession(SETTINGS, 1, 1000.0)
    session.open()
    asked = ids(sent(session))
    assert session.tick(1014.9) == []
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 1014.9)
    session.receive(reply(asked["mining.authorize"], True), 1014.9)
    assert drops(session.tick(1074.9)) == []
    assert drops(session.tick(1075.0)) == ["no job since the login"]
    late = StratumSession(SETTINGS, 1, 1000.0)
    late.open()
    assert "mining.subscribe in time" in drops(late.tick(1015.0))[0]


def alive(session: StratumSession, now: float) -> None:
    session.receive(call("mining.set_difficulty", 1), now)


def test_a_job_may_get_twice_as_old_as_the_usual_gap() -> None:
    """Gaps of 100 and 200 s: the usual one is 130 s."""
    session = subscribed()
    for number, now in enumerate((1000.0, 1100.0, 1300.0)):
        assert jobs(session.receive(notify(job_id=str(number)), now))
    for now in (1400.0, 1500.0):
        alive(session, now)
        assert session.tick(now) == []
    alive(session, 1559.0)
    assert session.tick(1559.9) == []
    assert drops(session.tick(1560.0)) == ["no new job for 260 s"]


def test_a_block_sent_again_has_a_deadline_of_its_own() -> None:
    session, _ = with_job()
    session.receive(notify(job_id="2"), 1000.0)
    params = ["user.w1", "bf", "00000001", "504e86ed", "b2957c02"]
    payload = json.dumps({"method": "mining.submit", "params": params})
    block = FoundBlock("pool", "ab" * 32, 7, bytes(80), "stratum", payload)
    session.submit(block, 1000.0)
    alive(session, 1100.0)
    assert session.tick(1119.9) == []
    (event,) = session.tick(1120.0)
    assert isinstance(event, ShareAnswered)
    assert (event.verdict.answer, event.verdict.is_block) == (Answer.UNKNOWN, True)


@pytest.mark.parametrize(("now", "again"), [(1120.0, 1), (1120.1, 0)])
def test_a_share_of_up_to_120_s_is_sent_again(now: float, again: int) -> None:
    old, job = with_job()
    old.submit(share_of(job, 3), 1000.0)
    session, asked = opened(leftovers=old.leave())
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), now)
    session.receive(reply(asked["mining.authorize"], True), now)
    assert len(sent(session)) == again
    if again:
        session.receive(notify(), now + 100)
        assert session.tick(now + 119.9) == []
        assert len(session.tick(now + 120.0)) == 1


# -- shares ---------------------------------------------------------------------------------
def test_two_stale_shares_around_a_good_one_drop_nothing() -> None:
    session, job = with_job()
    errors = [STALE, STALE, None, STALE, STALE]
    for nonce, error in enumerate(errors):
        assert drops(answer(session, job, nonce, error)) == []
    assert drops(answer(session, job, 9, STALE)) == ["the pool does not know the job it gave us"]


def test_stale_shares_of_an_older_job_are_no_surprise() -> None:
    session, job = with_job()
    session.receive(notify(job_id="newer"), 0.0)
    for nonce in range(5):
        assert drops(answer(session, job, nonce, STALE)) == []


def test_rejects_of_another_kind_are_not_counted_as_stale() -> None:
    session, job = with_job()
    for nonce in range(5):
        assert drops(answer(session, job, nonce, [23, "Low difficulty", None])) == []


def test_a_block_sent_again_counts_for_its_job() -> None:
    session, job = with_job()
    events: list[PoolEvent] = []
    for number in range(3):
        params = ["user.w1", job.job_id, "newer", "504e86ed", "b2957c02"]
        payload = json.dumps({"method": "mining.submit", "params": params})
        session.submit(FoundBlock("pool", f"{number:064x}", 7, bytes(80), "stratum", payload), 0.0)
        (message,) = sent(session)
        events = session.receive(reply(message["id"], None, STALE), 0.1)
    assert drops(events) == ["the pool does not know the job it gave us"]


def test_as_many_jobs_as_the_table_holds_are_all_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stratum_shares, "MAX_JOBS", 2)
    session = subscribed()
    given = [jobs(session.receive(notify(job_id=name), 0.0))[0] for name in "ab"]
    for job in given:
        session.submit(share_of(job), 0.0)
    sent(session)
    assert all(len(session.submit(share_of(job), 0.0)) == 1 for job in given)
    assert sent(session) == []


@pytest.mark.parametrize(
    ("session_id", "extranonce1", "resumed"),
    [("s1", "08000002", True), ("", "08000002", False), ("s1", "", False), ("", "", False)],
)
def test_a_session_is_resumed_by_id_and_extranonce(
    session_id: str, extranonce1: str, resumed: bool
) -> None:
    """Without an id nothing was asked for; without an extranonce nothing tells sessions apart."""
    told = [[["mining.notify", session_id]], extranonce1, 4]
    old, asked = opened()
    old.receive(reply(asked["mining.subscribe"], told), 0.0)
    session, asked = opened(number=2, leftovers=old.leave())
    session.receive(reply(asked["mining.subscribe"], told), 1.0)
    assert session.resumed is resumed
    assert session.number == (1 if resumed else 2)


# -- handshake ------------------------------------------------------------------------------
def test_the_extensions_asked_for_in_order() -> None:
    session = StratumSession(replace(SETTINGS, minimum_difficulty=8.0), 1, 0.0)
    session.open()
    names, values = sent(session)[0]["params"]
    assert names == ["version-rolling", "minimum-difficulty", "subscribe-extranonce", "info"]
    assert values["version-rolling.min-bit-count"] == 2


def test_refused_extensions_are_named() -> None:
    session, asked = opened()
    told = {"version-rolling": False, "minimum-difficulty": "no"}
    (event,) = notices(session.receive(reply(asked["mining.configure"], told), 0.0))
    assert event.text == ("extensions refused: version-rolling: False, minimum-difficulty: no")
    assert session.receive(reply(asked["mining.configure"], told), 0.0) == []
    session, asked = opened()
    good = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    assert session.receive(reply(asked["mining.configure"], good), 0.0) == []
    assert session.granted == 0x1FFFE000


def test_a_mask_we_never_asked_for_is_not_used() -> None:
    session, asked = opened(replace(SETTINGS, version_mask=0))
    told = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    session.receive(reply(asked["mining.configure"], told), 0.0)
    assert session.granted is None
    (event,) = notices(session.receive(call("mining.set_version_mask", "00006000"), 0.0))
    assert "rolling is not in use" in event.text


def test_a_mask_refused_is_not_set_later() -> None:
    session, asked = opened(replace(SETTINGS, version_mask=1))
    session.receive(reply(asked["mining.configure"], {"version-rolling": False}), 0.0)
    assert notices(session.receive(call("mining.set_version_mask", "1"), 0.0))
    assert session.granted is None


def test_without_a_grant_no_bit_is_rolled() -> None:
    session = subscribed(replace(SETTINGS, version_mask=0xFFFFFFFF), mask=None)
    (job,) = jobs(session.receive(notify(version="20000000"), 0.0))
    assert job.version_mask == 0


def test_a_long_user_name_is_cut_in_the_refusal() -> None:
    session, asked = opened(replace(SETTINGS, user="u" * 100))
    (event,) = session.receive(reply(asked["mining.authorize"], False), 0.0)
    assert isinstance(event, Refused)
    assert f"refuses user {'u' * 77}...: no reason given" in str(event.error)


# -- what a pool may say -----------------------------------------------------------------------
@pytest.mark.parametrize(("id", "answered"), [("x" * 64, True), ("x" * 65, False), ("", True)])
def test_an_id_of_up_to_64_characters_is_echoed(id: str, answered: bool) -> None:
    session = subscribed()
    session.receive(line({"id": id, "method": "mining.ping"}), 0.0)
    assert bool(sent(session)) is answered


def test_the_kind_of_a_notice_is_short_and_without_values() -> None:
    session = subscribed()
    (event,) = notices(session.receive(call("mining.set_difficulty", "x" * 200), 0.0))
    assert event.kind == "bad " + ("mining.set_difficulty: " + "x" * 80)[:60]
    (event,) = notices(session.receive(call("mining.set_difficulty", -7), 0.0))
    assert event.kind == "bad mining.set_difficulty: -"
    (event,) = notices(session.receive(line({"id": 1, "method": ["y" * 200]}), 0.0))
    assert event.kind == "bad method"
    assert event.text == f"ignored: method is ['{'y' * 75}..., want text"


@pytest.mark.parametrize("bad", [9, 10])
def test_the_tenth_bad_message_in_a_row_is_the_last(bad: int) -> None:
    session = subscribed()
    events = session.receive(b"junk\n" * bad, 0.0)
    assert session.bad_messages == bad
    assert session.closed is (bad == 10)
    assert len(drops(events)) == (bad == 10)


# -- answers ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"error": None}, None), ({"error": []}, None), ({"error": {}}, None),
        ({"error": ""}, None),
        ({"error": [21, "old", None]}, PoolError(21, "old")),
        ({"error": [21]}, PoolError(21, "21")),
        ({"error": ["x", "old"]}, PoolError(None, "old")),
        ({"error": ["alone"]}, PoolError(None, "alone")),
        ({"error": {"code": 5, "message": "m"}}, PoolError(5, "m")),
        ({"error": {"code": "5", "text": "t"}}, PoolError(None, "t")),
        ({"error": {"code": 5}}, PoolError(5, "no reason given")),
        ({"error": 23}, PoolError(23, "23")), ({"error": "words"}, PoolError(None, "words")),
        ({"reject-reason": "why"}, PoolError(None, "why")),
        ({"error": "e" * 200}, PoolError(None, "e" * 117 + "...")),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_errors_of_every_shape(message: Any, error: PoolError | None) -> None:
    assert error_of(message) == error


def test_only_true_is_an_accepted_share() -> None:
    assert share_error({"result": True}) is None
    assert share_error({"result": 1}) == PoolError(None, "result 1")
    assert share_error({}) == PoolError(None, "result no reason given")


def test_an_error_is_shown_with_its_code_where_it_has_one() -> None:
    assert str(PoolError(21, "old")) == "old (21)"
    assert str(PoolError(None, "old")) == "old"
    assert classify(PoolError(22, "Duplicate share")) == (
        Answer.REJECTED,
        Reason.DUPLICATE,
        "the pool has had this share before: our fault (pool: Duplicate share (22))",
    )
