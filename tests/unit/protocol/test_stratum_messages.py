"""Stratum messages of a pool: each is taken whole or changes nothing."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from miner.bitcoin.target import DIFF1_TARGET
from miner.protocol.pool import Dropped, Notice, ReconnectAsked
from tests.faults import fault
from tests.unit.protocol.stratum_lines import (
    SETTINGS,
    call,
    jobs,
    line,
    notify,
    sent,
    share_of,
    subscribed,
)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "0", "-0.0", "-1", "-1e-9", "true", "false", '"1024"', "null",
     "[1]", "{}", "1e99999999999999999999"],
)  # fmt: skip
@fault("S10")
def test_a_difficulty_that_is_no_number_above_0_changes_nothing(text: str) -> None:
    session = subscribed()
    session.receive(call("mining.set_difficulty", 3), 0.0)
    message = b'{"id":null,"method":"mining.set_difficulty","params":[%s]}\n' % text.encode()
    (event,) = session.receive(message, 0.0)
    assert isinstance(event, Notice)
    (job,) = jobs(session.receive(notify(), 0.0))
    assert job.share_target == DIFF1_TARGET // 3


WRONG: list[Any] = [None, True, 7, 1.5, "zz", "", [], {}]


FIELDS = ("job_id", "prevhash", "coinb1", "coinb2", "branch", "version", "nbits", "ntime", "clean")


LEGAL = {("job_id", 4), ("job_id", 5), ("coinb1", 5), ("coinb2", 5), ("branch", 6), ("clean", 1)}


@pytest.mark.parametrize(("field", "index"), list(itertools.product(FIELDS, range(8))))
@fault("S08")
def test_a_notify_field_of_the_wrong_type_leaves_the_old_job(field: str, index: int) -> None:
    session = subscribed()
    (old,) = jobs(session.receive(notify(job_id="old"), 0.0))
    events = session.receive(notify(**{field: WRONG[index]}), 1.0)
    if (field, index) in LEGAL:
        assert len(jobs(events)) == 1
        return
    (event,) = events
    assert isinstance(event, Notice)
    assert event.text.startswith("ignored: mining.notify")
    assert session.job is old


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prevhash", "00" * 31),
        ("prevhash", "0" * 63),
        ("coinb1", "0"),
        ("coinb2", "0g"),
        ("branch", ["00" * 31]),
        ("branch", ["00" * 32, "0" * 65]),
        ("version", "2"),
        ("version", "0000000200"),
        ("nbits", "1d00fff"),
        ("nbits", "1d80ffff"),
        ("nbits", "00000000"),
        ("nbits", "ff00ffff"),
        ("nbits", "217fffff"),
        ("ntime", "504e86b9 "),
        ("ntime", "0x504e86"),
    ],
)
@fault("S18")
def test_odd_or_wrong_hex_is_refused_whole(field: str, value: Any) -> None:
    session = subscribed()
    session.receive(notify(job_id="old"), 0.0)
    before = session.job
    (event,) = session.receive(notify(**{field: value}), 1.0)
    assert isinstance(event, Notice)
    assert session.job is before
    assert session.bad_messages == 1


@pytest.mark.parametrize(("size", "good"), [(0, True), (1, True), (32, True), (33, False)])
@fault("S20")
def test_merkle_branches_of_0_to_32(size: int, good: bool) -> None:
    session = subscribed()
    events = session.receive(notify(branch=["11" * 32] * size), 0.0)
    assert len(jobs(events)) == good


@fault("S20")
def test_a_branch_of_10000_is_refused() -> None:
    session = subscribed()
    assert jobs(session.receive(notify(branch=["11" * 32] * 10_000), 0.0)) == []


@pytest.mark.parametrize(
    "job_id", ['"quoted"', "back\\slash", "ümlaut ✓", "", "x" * 256, "\x1b[2J"]
)
@fault("S22")
def test_job_ids_are_opaque_and_come_back_verbatim(job_id: str) -> None:
    session = subscribed(replace(SETTINGS, user="u" * 256))
    (job,) = jobs(session.receive(notify(job_id=job_id), 0.0))
    session.submit(share_of(job), 0.0)
    (message,) = sent(session)
    assert message["params"][1] == job_id


@pytest.mark.parametrize("job_id", ["x" * 257, "x" * 10_000, "✓" * 43, 7, None, ["a"]])
@fault("S22")
def test_other_job_ids_are_refused(job_id: Any) -> None:
    session = subscribed()
    assert jobs(session.receive(notify(job_id=job_id), 0.0)) == []


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"id": 9, "method": "client.get_version", "params": []}, ("homehash/test", None)),
        ({"id": "a", "method": "client.get_version"}, ("homehash/test", None)),
        ({"id": 9, "method": "mining.ping", "params": []}, ("pong", None)),
        ({"id": None, "method": "mining.ping"}, None),
        ({"id": 9, "method": "client.show_message", "params": ["hi"]}, (True, None)),
        ({"method": "client.show_message", "params": ["hi"]}, None),
        ({"id": 9, "method": "mining.dance", "params": []}, (None, [20, "Method not found", None])),
        ({"id": None, "method": "mining.dance"}, None),
        ({"id": "x" * 65, "method": "mining.ping"}, None),
        ({"id": {"a": 1}, "method": "mining.ping"}, None),
    ],
)
@fault("S34")
def test_requests_of_the_pool_are_answered_or_ignored(message: Any, answer: Any) -> None:
    session = subscribed()
    session.receive(line(message), 0.0)
    answers = sent(session)
    if answer is None:
        assert answers == []
    else:
        assert answers == [{"id": message["id"], "result": answer[0], "error": answer[1]}]


@fault("S34")
def test_messages_of_the_pool_are_scrubbed_and_capped() -> None:
    session = subscribed()
    text = "new fees\n\x1b]52;c;aGk=\x07 \x1b[31m" + "y" * 9000
    (event,) = session.receive(call("client.show_message", text), 0.0)
    assert isinstance(event, Notice)
    assert event.text.startswith("the pool says: new fees")
    assert event.text.isprintable()
    assert len(event.text) < 250


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], (None, None, 0.0)),
        (None, (None, None, 0.0)),
        (["pool.example", 3333, 5], ("pool.example", 3333, 5.0)),
        (["pool.example", "3333", "5"], ("pool.example", 3333, 5.0)),
        (["", 3334, 1e9], (None, 3334, 300.0)),
        ([None, None, None], (None, None, 0.0)),
        (["::1", 65535], ("::1", 65535, 0.0)),
    ],
)
@fault("S33")
def test_reconnect_parameters(params: Any, expected: Any) -> None:
    session = subscribed()
    message = line({"id": None, "method": "client.reconnect", "params": params})
    (event,) = session.receive(message, 0.0)
    assert isinstance(event, ReconnectAsked)
    redirect = event.redirect
    assert (redirect.host, redirect.port, redirect.wait_s) == expected


@pytest.mark.parametrize(
    "params",
    [
        ["x" * 100_000, 3333],
        ["a b", 1],
        ["evil\n.com", 1],
        [5, 1],
        ["a", 0],
        ["a", -1],
        ["a", 99999],
        ["a", 1.5],
        ["a", True],
        ["a", "0x1"],
        ["a", "٣"],
        ["a", 1, -1],
        ["a", 1, "soon"],
        ["a", 1, True],
        "junk",
        {"host": "a"},
    ],
    ids=lambda params: repr(params)[:30],
)
@fault("S33")
def test_bad_reconnects_are_refused(params: Any) -> None:
    session = subscribed()
    message = line({"id": None, "method": "client.reconnect", "params": params})
    (event,) = session.receive(message, 0.0)
    assert isinstance(event, Notice)
    assert not session.closed


@pytest.mark.parametrize(
    ("extra", "clean"), [(["x"], False), ([True, "x"], True), ([1, True], False)]
)
def test_more_than_nine_fields_are_tolerated(extra: list[Any], clean: bool) -> None:
    fields = json.loads(notify())["params"]
    if extra[0] is True:
        fields[8] = "moved"
    session = subscribed()
    session.receive(notify(job_id="first"), 0.0)
    (job,) = jobs(session.receive(call("mining.notify", *fields, *extra), 0.0))
    assert job.clean is clean


@pytest.mark.parametrize("params", [["zz", 4], ["aa", 33], [5, 4], [], "aa", ["aa", True]])
def test_a_bad_set_extranonce_changes_nothing(params: Any) -> None:
    session = subscribed()
    session.receive(line({"id": None, "method": "mining.set_extranonce", "params": params}), 0)
    (job,) = jobs(session.receive(notify(), 0.0))
    assert (job.coinbase.extranonce1.hex(), job.coinbase.extranonce2_size) == ("08000002", 4)


@fault("S06")
def test_ten_bad_messages_in_a_row_drop_the_connection() -> None:
    session = subscribed()
    session.receive(notify(), 0.0)
    for _ in range(9):
        (event,) = session.receive(b"junk\n", 0.0)
        assert isinstance(event, Notice)
    session.receive(call("mining.set_difficulty", 1), 0.0)  # a good one between
    events = session.receive(b'[]\nnull\n3\n{"a":1\n{}\n' * 2, 0.0)
    assert isinstance(events[-1], Dropped)
    assert sum(isinstance(event, Dropped) for event in events) == 1
    assert session.bad_messages == 19
    assert session.receive(notify(job_id="late"), 0.0) == []


def test_a_line_without_end_drops_the_connection() -> None:
    session = subscribed()
    (event,) = session.receive(b"x" * (1024 * 1024 + 2), 0.0)
    assert isinstance(event, Dropped)


@fault("S04")
def test_a_notify_of_200_kb_is_taken_whole() -> None:
    session = subscribed()
    coinb2 = "ab" * 100_000
    message = notify(coinb2=coinb2)
    assert len(message) > 200_000
    events = [
        e for i in range(0, len(message), 1448) for e in session.receive(message[i : i + 1448], 0.0)
    ]
    (job,) = jobs(events)
    assert job.coinbase.part2 == bytes.fromhex(coinb2)
