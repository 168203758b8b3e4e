"""Stratum jobs: difficulty, extranonce and version mask bind as they should."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from miner.bitcoin.target import DIFF1_TARGET, UINT256_MAX
from miner.protocol.pool import DifficultyChanged, Dropped, JobReceived, Notice, ShareAnswered
from miner.protocol.stratum.job import context_of
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


@fault("S12")
def test_a_difficulty_binds_to_the_next_job_and_each_job_keeps_its_own() -> None:
    session = subscribed()
    session.receive(call("mining.set_difficulty", 4), 0.0)
    (first,) = jobs(session.receive(notify(job_id="a"), 0.0))
    (changed,) = session.receive(call("mining.set_difficulty", 8), 0.0)
    assert isinstance(changed, DifficultyChanged)
    assert changed.target == DIFF1_TARGET // 8
    assert session.job is first
    (second,) = jobs(session.receive(notify(job_id="b"), 0.0))
    assert (first.share_target, second.share_target) == (DIFF1_TARGET // 4, DIFF1_TARGET // 8)
    session.submit(share_of(first), 1.0)
    (message,) = sent(session)
    (answer,) = session.receive(reply(message["id"], True), 1.0)
    assert isinstance(answer, ShareAnswered)
    assert answer.verdict.difficulty == 4.0


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("1", 0xFFFF << 208),
        ("0.001", 0x000003E7FC18 << 208),
        ("1e-6", 0x000F4230BDC0 << 208),
        ("0.9999847", 0x00000001000000B100992746A41DDF32C1C76F4585463AB8571C907475AC80B3),
        ("1e-10", UINT256_MAX),
        ("1e-320", UINT256_MAX),
        ("1e300", 1),
        ("1e-999999", UINT256_MAX),
        ("9" * 390, 1),
        ("26959535291011309493156476344723991336010898738574164086137773096960", 1),
        ("1024", DIFF1_TARGET // 1024),
    ],
)
@fault("S11")
def test_exact_targets_of_every_difficulty(text: str, target: int) -> None:
    session = subscribed()
    message = b'{"id":null,"method":"mining.set_difficulty","params":[%s]}\n' % text.encode()
    (event,) = session.receive(message, 0.0)
    assert isinstance(event, DifficultyChanged)
    assert event.target == target
    (job,) = jobs(session.receive(notify(), 0.0))
    assert job.share_target == target


@fault("S42")
def test_a_mask_belongs_to_its_job_and_a_change_issues_the_job_again() -> None:
    session = subscribed(mask="1fffe000")
    (wide,) = jobs(session.receive(notify(version="20000000"), 0.0))
    assert wide.version_mask == 0x1FFFE000
    (narrow,) = jobs(session.receive(call("mining.set_version_mask", "00006000"), 1.0))
    assert (narrow.version_mask, narrow.job_id, narrow.clean) == (0x6000, "bf", False)
    (none,) = jobs(session.receive(call("mining.set_version_mask", "0"), 2.0))
    assert none.version_mask == 0
    assert session.receive(call("mining.set_version_mask", "0"), 2.0) == []
    for job, version, bits in (
        (wide, 0x20000000 | 0x8000, "00008000"),
        (narrow, 0x20004000, "00004000"),
        (none, 0x20000000, "00000000"),
    ):
        session.submit(share_of(job, 1, version), 3.0)
        assert sent(session)[0]["params"][5] == bits


@pytest.mark.parametrize(
    "answer",
    [
        ({"version-rolling": False}, None),
        ({"version-rolling": "not here"}, None),
        ({}, None),
        (None, [20, "Unknown method", None]),
        ("junk", None),
        ({"version-rolling": True, "version-rolling.mask": 5}, None),
        ({"version-rolling": True}, None),
    ],
)
@fault("S42")
def test_no_sixth_parameter_without_a_grant(answer: Any) -> None:
    session, asked = opened()
    session.receive(reply(asked["mining.configure"], *answer), 0.0)
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 0.0)
    session.receive(reply(asked["mining.authorize"], True), 0.0)
    (job,) = jobs(session.receive(notify(), 0.0))
    assert job.version_mask == 0
    session.submit(share_of(job), 1.0)
    assert len(sent(session)[0]["params"]) == 5


@fault("S42")
def test_a_late_grant_counts_for_the_running_job_too() -> None:
    session, asked = opened()
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 0.0)
    session.receive(reply(asked["mining.authorize"], True), 0.0)
    (job,) = jobs(session.receive(notify(version="20006000"), 0.0))
    grant = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    (again,) = jobs(session.receive(reply(asked["mining.configure"], grant), 0.5))
    assert again.version_mask == 0x1FFF8000
    session.submit(share_of(job), 1.0)
    assert sent(session)[0]["params"][5] == "00006000"  # the job's own bits, repeated


@pytest.mark.parametrize("version", ["20000000", "30000000", "3fffe000", "00000002", "ffffffff"])
@pytest.mark.parametrize("mask", ["1fffe000", "ffffffff", "00000000", "18000000"])
@fault("S44")
def test_both_rebuild_rules_give_the_header_version(version: str, mask: str) -> None:
    session = subscribed(mask=mask)
    (job,) = jobs(session.receive(notify(version=version), 0.0))
    granted, base = int(mask, 16), int(version, 16)
    assert job.version_mask & ~0x1FFFE000 == 0
    for rolled in {base, base | job.version_mask, base | job.version_mask & 0x5555_5555}:
        session.submit(share_of(job, rolled & 0xFFFF, rolled), 1.0)
        bits = int(sent(session)[0]["params"][5], 16)
        assert base & ~granted | bits == rolled  # BIP 310
        assert base | bits == rolled  # ckpool
        assert bits & ~granted == 0


def test_vector_of_version_bits() -> None:
    session = subscribed(mask="1fffe000")
    (job,) = jobs(session.receive(notify(version="30000000"), 0.0))
    session.submit(share_of(job, 0, 0x30006000), 1.0)
    assert sent(session)[0]["params"][5] == "10006000"


@pytest.mark.parametrize(("ntime", "limit"), [("00000000", 600), ("ffffffff", 0), ("fffffff0", 15)])
@fault("S46")
def test_time_rolls_forward_a_little_and_never_over(ntime: str, limit: int) -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(ntime=ntime), 0.0))
    assert (job.ntime, job.ntime_limit) == (int(ntime, 16), limit)
    assert not job.ntime_follows_clock


def test_a_changed_previous_hash_is_clean_and_a_repeated_job_is_nothing_new() -> None:
    session = subscribed()
    (first,) = jobs(session.receive(notify(), 0.0))
    assert first.clean
    assert session.receive(notify(), 1.0) == []
    assert session.receive(notify(clean=True), 1.0) == []
    (other,) = jobs(session.receive(notify(job_id="c0"), 2.0))
    assert not other.clean
    (moved,) = jobs(session.receive(notify(job_id="c1", prevhash="11" * 32), 3.0))
    assert moved.clean
    session.receive(call("mining.set_difficulty", 5), 4.0)
    (harder,) = jobs(session.receive(notify(job_id="c1", prevhash="11" * 32), 4.0))
    assert harder.share_target != moved.share_target


def test_set_extranonce_binds_to_the_next_job() -> None:
    session = subscribed()
    (old,) = jobs(session.receive(notify(job_id="a"), 0.0))
    assert session.receive(call("mining.set_extranonce", "aabb", 2), 0.0) == []
    (new,) = jobs(session.receive(notify(job_id="b"), 0.0))
    session.receive(call("mining.set_extranonce", None, 3), 0.0)
    (third,) = jobs(session.receive(notify(job_id="c"), 0.0))
    found = [
        (job.coinbase.extranonce1.hex(), job.coinbase.extranonce2_size) for job in (old, new, third)
    ]
    assert found == [("08000002", 4), ("aabb", 2), ("aabb", 3)]


def test_an_old_job_is_given_up_after_twice_the_usual_gap() -> None:
    session = subscribed()
    for index in range(4):
        session.receive(notify(job_id=str(index)), 100.0 * index)
    probed = call("mining.set_difficulty", 1)
    for now in (400.0, 490.0):
        session.receive(probed, now)
        assert session.tick(now) == []
    session.receive(probed, 499.0)
    (event,) = session.tick(500.0)
    assert isinstance(event, Dropped)
    assert "no new job for 200 s" in event.why


def test_a_lone_job_is_given_up_after_ten_minutes() -> None:
    session = subscribed()
    session.receive(notify(), 0.0)
    for now in range(60, 600, 60):
        session.receive(call("mining.set_difficulty", 1), float(now))
        assert session.tick(float(now)) == []
    (event,) = session.tick(600.0)
    assert isinstance(event, Dropped)


def test_without_rolling_none_is_asked_for_and_a_mask_is_ignored() -> None:
    session, asked = opened(replace(SETTINGS, version_mask=0))
    session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 0.0)
    session.receive(reply(asked["mining.authorize"], True), 0.0)
    (event,) = session.receive(call("mining.set_version_mask", "1fffe000"), 0.0)
    assert isinstance(event, Notice)
    (job,) = jobs(session.receive(notify(), 0.0))
    assert job.version_mask == 0


def test_jobs_before_the_subscription_keep_their_difficulty() -> None:
    session, asked = opened()
    session.receive(call("mining.set_difficulty", 6) + notify(job_id="a"), 0.0)
    session.receive(call("mining.set_difficulty", 9), 0.0)
    events = session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 0.0)
    (job,) = jobs(events)
    assert context_of(job).terms.difficulty == Fraction(6)
    assert isinstance(events[0], JobReceived)


@pytest.mark.parametrize(
    ("nbits", "network", "believed"),
    [("207fffff", 0x7FFFFF << 232, True), ("1d00ffff", DIFF1_TARGET, False)],
)
def test_a_class_target_binds_to_the_next_job_of_a_toy_chain_alone(
    nbits: str, network: int, believed: bool
) -> None:
    """Nobody can pass a real block off as a share."""
    session = subscribed()
    (first,) = jobs(session.receive(notify(job_id="a", nbits=nbits), 0.0))
    assert session.receive(call("mining.set_class_target", f"{1 << 200:064x}"), 0.0) == []
    assert session.job is first and first.network_target == network
    (second,) = jobs(session.receive(notify(job_id="b", nbits=nbits), 0.0))
    assert second.network_target == (1 << 200 if believed else network)
    assert session.receive(call("mining.set_class_target", "ff" * 32), 0.0) == []
    (third,) = jobs(session.receive(notify(job_id="c", nbits=nbits), 0.0))
    assert third.network_target == network  # never easier than the chain


@pytest.mark.parametrize("params", [[], [1], ["00" * 32], ["ff" * 31], ["0x" + "ff" * 31], [None]])
def test_a_bad_class_target_changes_nothing(params: list[Any]) -> None:
    session = subscribed()
    (notice,) = session.receive(call("mining.set_class_target", *params), 0.0)
    assert isinstance(notice, Notice) and "mining.set_class_target" in notice.text
    (job,) = jobs(session.receive(notify(nbits="207fffff"), 0.0))
    assert job.network_target == 0x7FFFFF << 232


@pytest.mark.parametrize(("difficulty", "told"), [(10**7, True), (10**12, False)])
def test_a_pool_that_wants_no_shares_is_left_alone(difficulty: int, told: bool) -> None:
    """A class in a pause; a wait of an hour is told, and a better difficulty is suggested."""
    session = subscribed()
    session.receive(call("mining.set_difficulty", difficulty), 0.0)
    session.receive(notify(), 0.0)
    session.data_to_send()
    session.tell_rate(1e7, 1.0)
    notices = [one for one in session.tick(1.0) if isinstance(one, Notice)]
    assert [one.text.startswith("a share takes") for one in notices] == [True] * told
    assert (b"mining.suggest_difficulty" in b"".join(session.data_to_send())) is told
