"""The Stratum handshake, in every order, and the deadlines of a session."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from miner.protocol.pool import Dropped, Ready, Refused
from miner.protocol.stratum.job import context_of
from miner.protocol.stratum.session import StratumSession
from miner.secret import Secret
from tests.faults import fault
from tests.unit.protocol.stratum_lines import (
    SETTINGS,
    SUBSCRIPTION,
    call,
    ids,
    jobs,
    notify,
    opened,
    reply,
    sent,
    share_of,
    subscribed,
)


def test_the_handshake_as_sent() -> None:
    session = StratumSession(replace(SETTINGS, suggest_difficulty=0.00123456789), 1, 0.0)
    session.open()
    messages = sent(session)
    assert [message["method"] for message in messages] == [
        "mining.configure",
        "mining.subscribe",
        "mining.extranonce.subscribe",
        "mining.suggest_difficulty",
        "mining.authorize",
    ]
    configure, subscribe, extranonce, suggest, authorize = (m["params"] for m in messages)
    assert configure[0] == ["version-rolling", "subscribe-extranonce", "info"]
    assert configure[1]["version-rolling.mask"] == "1fffe000"
    assert (subscribe, extranonce) == (["homehash/test"], [])
    assert suggest == [0.00123457]
    assert authorize == ["user.w1", "x"]
    assert [message["id"] for message in messages] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@fault("S26")
def test_every_order_of_replies_difficulty_and_job(order: tuple[int, ...]) -> None:
    session, asked = opened()
    messages = [
        reply(asked["mining.subscribe"], SUBSCRIPTION),
        reply(asked["mining.authorize"], True),
        call("mining.set_difficulty", 2),
        notify(),
    ]
    events = session.receive(b"".join(messages[index] for index in order), 0.0)
    (job,) = jobs(events)
    assert job.coinbase.extranonce1 == bytes.fromhex("08000002")
    difficulty = 2 if order.index(2) < order.index(3) else 1
    assert context_of(job).terms.difficulty == difficulty
    assert [event.resumed for event in events if isinstance(event, Ready)] == [False]


@pytest.mark.parametrize("size", [-1, 2**31, 10**9, 4.0, "4", True, None, [4], 33])
@fault("S16")
def test_a_bad_extranonce2_size_refuses_the_pool(size: Any) -> None:
    session, asked = opened()
    events = session.receive(reply(asked["mining.subscribe"], [[], "00", size]), 0.0)
    (event,) = events
    assert isinstance(event, Refused)
    assert "extranonce2 size" in str(event.error)
    assert session.closed
    assert session.receive(notify(), 0.0) == []


@pytest.mark.parametrize("size", [0, 4, 32])
def test_extranonce2_sizes_at_the_ends(size: int) -> None:
    session = subscribed(size=size)
    (job,) = jobs(session.receive(notify(), 0.0))
    assert job.coinbase.extranonce2_size == size
    session.submit(share_of(job), 0.0)
    assert len(sent(session)[0]["params"][2]) == 2 * size


@pytest.mark.parametrize("extranonce1", ["0", "zz", 5, None, "00" * 33])
def test_a_bad_extranonce1_refuses_the_pool(extranonce1: Any) -> None:
    session, asked = opened()
    events = session.receive(reply(asked["mining.subscribe"], [[], extranonce1, 4]), 0.0)
    assert isinstance(events[-1], Refused)


@pytest.mark.parametrize(
    "subscriptions", [[], None, ["mining.notify", "s1"], [["mining.notify", "s1"]], "junk", [[]]]
)
def test_the_subscription_list_may_have_any_shape(subscriptions: Any) -> None:
    session, asked = opened()
    session.receive(reply(asked["mining.subscribe"], [subscriptions, "", 8]), 0.0)
    assert session.subscription is not None
    known = "s1" if subscriptions and "mining.notify" in str(subscriptions) else ""
    assert session.subscription.session_id == known


def test_a_refused_subscription_is_tried_again_without_parameters() -> None:
    session, asked = opened()
    session.receive(reply(asked["mining.subscribe"], None, [20, "what?", None]), 0.0)
    again = sent(session)
    assert [m["method"] for m in again] == ["mining.subscribe", "mining.authorize"]
    assert again[0]["params"] == []
    # The first authorize came before the subscription: its refusal says nothing.
    early = session.receive(reply(asked["mining.authorize"], None, [25, "no", None]), 0.0)
    assert early == []
    session.receive(reply(ids(again)["mining.subscribe"], SUBSCRIPTION), 0.0)
    session.receive(reply(ids(again)["mining.authorize"], True), 0.0)
    assert session.ready


@pytest.mark.parametrize(
    ("result", "error"),
    [(False, None), (None, [24, "unknown user \x1b[31m", None]), (None, "no"), (None, None)],
)
def test_a_refused_user_ends_the_session_with_the_pools_words(result: Any, error: Any) -> None:
    secret = "canary-b7c1"
    settings = replace(SETTINGS, password=Secret(secret))
    session, asked = opened(settings)
    (event,) = session.receive(reply(asked["mining.authorize"], result, error), 0.0)
    assert isinstance(event, Refused)
    text = str(event.error)
    assert "user.w1" in text
    assert "\x1b" not in text
    assert secret not in text + repr(settings) + repr(event)
    if error is not None and type(error) is list:
        assert "unknown user" in text


@pytest.mark.parametrize(("answered", "missing"), [(False, "subscribe"), (True, "authorize")])
@fault("S36")
def test_an_unanswered_handshake_ends_after_15_s(answered: bool, missing: str) -> None:
    session, asked = opened()
    if answered:
        session.receive(reply(asked["mining.subscribe"], SUBSCRIPTION), 1.0)
    assert session.tick(14.9) == []
    (event,) = session.tick(15.0)
    assert isinstance(event, Dropped)
    assert f"mining.{missing} in time" in event.why
    assert session.tick(16.0) == []


@fault("S37")
def test_a_silent_pool_is_probed_at_half_time_and_dropped_at_180_s() -> None:
    session = subscribed()
    session.receive(notify(), 0.0)
    assert session.tick(89.9) == []
    assert sent(session) == []
    session.tick(90.0)
    (probe,) = sent(session)
    assert probe["method"] == "mining.extranonce.subscribe"
    assert session.tick(120.0) == []
    assert sent(session) == []  # one probe is enough
    session.receive(reply(probe["id"], None, [20, "Not supported.", None]), 150.0)
    assert session.tick(239.0) == []
    session.tick(240.0)
    assert len(sent(session)) == 1
    (event,) = session.tick(330.0)
    assert isinstance(event, Dropped)
    assert "silent" in event.why


@fault("S38")
def test_bytes_without_a_complete_line_prove_no_life() -> None:
    session = subscribed()
    message = notify()
    for index in range(6):
        session.receive(message[index : index + 1], 30.0 * index)
    (event,) = session.tick(180.0)
    assert isinstance(event, Dropped)


def test_a_login_without_a_job_is_given_up_after_a_minute() -> None:
    session = subscribed()
    assert session.tick(74.9) == []
    (event,) = session.tick(75.0)
    assert isinstance(event, Dropped)
    assert "no job" in event.why
