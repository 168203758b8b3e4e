"""One pool's connection without a socket: login, jobs, shares, resumption."""

import json
from dataclasses import replace

import pytest

from miner.errors import ConnectFailed, TransportError
from miner.sources.base import Health
from miner.sources.pool import connection as module
from miner.work.found import Answer, FoundBlock, Share
from miner.work.job import Job
from tests.faults import fault
from tests.unit.protocol.stratum_lines import SUBSCRIPTION, call, notify, share_of
from tests.unit.sources.pool.kit import (
    NAME,
    WALL,
    ListStream,
    bench,
    finding,
    flood,
    logged_in,
    to,
    together,
)

CLOSED = TransportError("the server closed the connection")


def block_of(job: Job, nonce: int = 0) -> Share:
    """A share that says it is a block."""
    return replace(share_of(job, nonce), hash=nonce.to_bytes(32, "little"))


# --- from the first packet to a share --------------------------------------------------------


def test_a_login_a_job_a_share_and_its_verdict() -> None:
    login_alone = together(to("mining.subscribe", SUBSCRIPTION), to("mining.authorize", True))
    grant = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    stream = ListStream(to("mining.configure", grant), login_alone, notify())
    made = bench(stream)
    stream.steps += [finding(made, share_of), to("mining.submit", True)]
    log = made.run()
    assert stream.closed
    assert made.link.opened[0] == ("pool.example", 3333, False)
    assert log.healths()[:3] == [Health.CONNECTING, Health.WAITING, Health.READY]
    assert log.said("mining, with version rolling")
    assert [job.source for job in log.jobs] == [NAME]
    assert log.answers() == [Answer.ACCEPTED]
    (submit,) = stream.asked("mining.submit")
    assert submit["params"][:2] == ["alice.w1", "bf"]
    assert made.connection.name == NAME


def test_tls_is_asked_of_the_link_for_a_tls_url() -> None:
    made = bench(CLOSED, url="stratum+ssl://pool.example:3334")
    made.run()
    assert made.link.opened[0] == ("pool.example", 3334, True)


def test_of_several_jobs_in_a_segment_the_newest_is_given_and_clean_if_any_is() -> None:
    three = notify(job_id="b", clean=True) + notify(job_id="c")
    made = bench(ListStream(together(logged_in(), three), 0.1))
    log = made.run()
    assert [(job.job_id, job.clean) for job in log.jobs] == [("c", True)]


def test_without_a_grant_it_says_so() -> None:
    refused = to("mining.configure", None, [20, "unknown", None])
    log = bench(ListStream(refused, logged_in(version="3fffe000"))).run()
    assert log.said("mining, without version rolling")
    assert log.said("no extensions")


@fault("S46")
def test_a_job_from_another_time_is_told_once() -> None:
    stream = ListStream(logged_in(ntime="00000001"), notify(job_id="c", ntime="00000002"))
    log = bench(stream).run()
    assert len(log.said("the pool's block time is -13")) == 1
    assert len(log.jobs) == 2


@fault("S26")
def test_shares_wait_for_the_login() -> None:
    """A job came before the reply to authorize; what is found meanwhile is sent after it."""
    stream = ListStream(together(to("mining.subscribe", SUBSCRIPTION), notify()))
    made = bench(stream)
    stream.steps += [
        finding(made, lambda job: share_of(job, 1)),
        finding(made, lambda job: block_of(job, 2)),
        lambda s: None if s.asked("mining.submit") else to("mining.authorize", True)(s),
        0.1,
    ]
    made.run()
    assert [m["params"][4] for m in stream.asked("mining.submit")] == ["00000002", "00000001"]


def test_the_measured_rate_reaches_the_session() -> None:
    stream = ListStream(together(logged_in(), call("mining.set_difficulty", 1)), 0.1, 0.1)
    log = bench(stream, rate_hs=lambda: 1000.0).run()
    assert len(log.said("a share takes")) == 1
    told = [message["params"] for message in stream.asked("mining.suggest_difficulty")]
    assert len(told) == 2
    assert told[0] == told[1]
    mute = ListStream(together(logged_in(), call("mining.set_difficulty", 1)), 0.1)
    assert not bench(mute, rate_hs=lambda: 0.0, suggest_difficulty=1.0).run().said("a share takes")


# --- shares that find no way -----------------------------------------------------------------


@fault("S56")
def test_too_many_shares_cost_the_oldest_and_never_wait() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)
    stream.steps += [
        flood(made, 1030),
        0.1,
        0.1,
    ]
    log = made.run()
    assert [v.explanation for v in log.verdicts[:6]] == [module.TOO_FAST] * 6
    assert len(stream.asked("mining.submit")) == 1024
    assert len(log.verdicts) == 1030  # the rest when the miner stopped


def test_a_long_queue_is_sent_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_TURN", 2)
    stream = ListStream(logged_in())
    made = bench(stream)
    seen: list[int] = []
    stream.steps += [
        flood(made, 3),
        lambda s: seen.append(len(s.asked("mining.submit"))),
        lambda s: seen.append(len(s.asked("mining.submit"))),
    ]
    made.run()
    assert seen == [2, 3]
    assert made.link.woken >= 4  # three shares, and once for the rest


@fault("S40")
def test_nothing_crosses_into_a_new_session() -> None:
    first, second = ListStream(logged_in()), ListStream(logged_in(extranonce1="08000009"))
    made = bench(first, second)
    first.steps += [finding(made, lambda job: share_of(job, 1)), 0.1]

    def find_late(_: ListStream) -> None:
        old = made.log.jobs[0]
        made.connection.submit(share_of(old, 2))
        made.connection.send(block)

    block = FoundBlock(NAME, "ab" * 32, 7, bytes(80), "stratum", "{}", "08000002")
    second.steps += [find_late, 0.1]
    log = made.run()
    assert log.answers() == [Answer.UNKNOWN] * 3
    why = [verdict.explanation for verdict in log.verdicts]
    assert why[0] == "the connection broke before the pool answered"
    assert sorted(why[1:]) == [
        "its pool session is over",
        "its pool session is over: only the pool knows its fate",
    ]
    assert second.asked("mining.submit") == []


@fault("S39")
def test_a_resumed_session_gets_its_open_share_again() -> None:
    first, second = ListStream(logged_in()), ListStream(logged_in())
    made = bench(first, second)
    first.steps += [finding(made, lambda job: share_of(job, 1)), 0.1]
    second.steps += [to("mining.submit", None, [22, "duplicate", None])]
    log = made.run()
    assert second.asked("mining.subscribe")[0]["params"] == ["homehash/test", "s1"]
    assert [message["params"] for message in second.asked("mining.submit")] == [
        first.asked("mining.submit")[0]["params"]
    ]
    assert log.answers() == [Answer.ACCEPTED]  # it had arrived


def test_what_is_open_is_given_up_when_no_connection_comes_back_in_time() -> None:
    first = ListStream(logged_in())
    made = bench(first, *[ConnectFailed("refused")] * 4, least_delay_s=50.0, most_delay_s=60.0)
    first.steps += [finding(made, lambda job: share_of(job, 1)), 0.1]
    log = made.run()
    (verdict,) = log.verdicts
    assert verdict.explanation == "no connection to the pool for too long"


def test_a_packed_block_is_sent_again_where_its_extranonce_is_in_force() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)
    packed: list[FoundBlock] = []

    def pack_and_send(_: ListStream) -> None:
        packed.append(made.connection.pack(share_of(made.log.jobs[-1], 5)))
        assert made.connection.takes(packed[0])
        assert not made.connection.takes(replace(packed[0], context="ffff"))
        assert not made.connection.takes(replace(packed[0], kind="gbt"))
        made.connection.send(packed[0].again)

    stream.steps += [pack_and_send, to("mining.submit", True)]
    log = made.run()
    (submit,) = stream.asked("mining.submit")
    assert json.loads(packed[0].payload)["params"] == submit["params"]
    assert packed[0].found_at == int(WALL)
    assert [(v.answer, v.is_block) for v in log.verdicts] == [(Answer.ACCEPTED, True)]
    assert not made.connection.takes(packed[0])  # the session is over


def test_a_pool_that_gave_no_work_packs_nothing() -> None:
    made = bench()
    with pytest.raises(ValueError, match="gave no work"):
        made.connection.pack(share_of(_golden()))
    assert not made.connection.takes(FoundBlock(NAME, "", 1, b"", "stratum", "", "08"))


def _golden() -> Job:
    made = bench(ListStream(logged_in()))
    made.run()
    return made.log.jobs[0]
