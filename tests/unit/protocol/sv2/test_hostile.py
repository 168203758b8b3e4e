"""Servers that cut, repeat, disorder or exaggerate: the old job goes on, or one line ends it."""

import itertools
import struct
from typing import Any

import pytest

from miner.protocol.pool import Dropped, JobReceived, Notice, Ready, ShareAnswered
from miner.protocol.sv2.terms import Stage
from miner.work.job import Job
from tests.fakes.sv2_pool import NOW, FakeSv2Pool
from tests.unit.protocol.sv2.kit import TIP, Pair, find, running, session_of


def test_a_handshake_cut_at_each_byte_is_one_line() -> None:
    pool = FakeSv2Pool()
    first = session_of()
    first.open()
    answer = pool.feed(first.data_to_send()[0])
    assert len(answer) == 234
    for cut in range(len(answer)):
        session = session_of()
        session.open()
        session.data_to_send()
        assert session.receive(answer[:cut], 0.0) == []
        end = session.hung_up()
        assert not session.ready and end is not None and "\n" not in end.why
        assert ("silent" in end.why) if cut == 0 else (f"after {cut} of 234 bytes" in end.why)


def test_a_frame_cut_at_each_byte_leaves_the_job() -> None:
    """A new tip that never comes whole."""
    for cut in itertools.count():
        pair = running()
        job = pair.mine()
        pair.give(pair.pool.send_job(101))
        whole = pair.pool.send_tip(2, bytes(32), NOW)
        if cut == len(whole):
            break
        assert pair.give(whole[:cut]) == []
        assert pair.session.job is job and pair.session.hung_up() is None
        assert pair.end is None


OPENED = {
    0x11: struct.pack("<II", 1, 9) + bytes(31) + b"\x01" + b"\0" + struct.pack("<I", 1),
    0x14: struct.pack("<II", 1, 9) + bytes(31) + b"\x01" + struct.pack("<H", 8) + b"\0"
    + struct.pack("<I", 1),
}  # fmt: skip
LATE = {
    "set-up again": (0x01, struct.pack("<HI", 2, 0), 0),
    "set-up refused": (0x02, struct.pack("<I", 0) + b"\x02no", 0),
    "extensions refused": (0x02, struct.pack("<HHH", 1, 0, 0), 1),
    "extensions required": (0x02, struct.pack("<HHHH", 1, 0, 1, 77), 1),
    "another standard channel": (0x11, OPENED[0x11], 0),
    "another extended channel": (0x14, OPENED[0x14], 0),
    "no channel": (0x12, struct.pack("<I", 1) + b"\x0cunknown-user", 0),
}


@pytest.mark.parametrize("late", LATE)
def test_answers_to_what_was_settled_long_ago_change_nothing(late: str) -> None:
    pair = running(device="desk")
    job = pair.mine()
    number, payload, extension = LATE[late]
    assert pair.give(pair.pool.send(number, payload, extension)) == []
    assert pair.session.job is job and pair.session.ready
    pair.submit(find(job))
    assert pair.answers[-1].verdict.answer.value == "accepted"


def test_messages_before_their_turn_change_nothing() -> None:
    """Work, targets and answers before the channel is open."""
    pool, session = FakeSv2Pool(), session_of()
    session.open()
    session.receive(pool.feed(session.data_to_send()[0]), 0.0)
    assert session._opening.stage is Stage.SETUP
    early = [
        pool.send_job(100), pool.send_tip(1, TIP, NOW), pool.send_target(5), pool.send_prefix(b"x"),
        pool.send_group(4, 2), pool.send_close(2, "no"), pool.send_close(1, "no"),
        pool.send(0x1C, struct.pack("<IIIQ", 2, 1, 1, 0)), pool.send(0x14, OPENED[0x14]),
    ]  # fmt: skip
    for message in early:
        assert session.receive(message, 0.0) == []
    pair = Pair.between(pool, session)
    assert any(isinstance(event, Ready) for event in pair.events)
    assert session.job is None and pair.end is None


def test_a_target_of_zero_is_refused_and_the_old_one_stays() -> None:
    pair = running()
    job = pair.mine()
    (notice,) = pair.give(pair.pool.send_target(0))
    assert isinstance(notice, Notice) and "target is 0" in notice.text
    pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW))
    assert pair.session.job is not None
    assert pair.session.job.share_target == job.share_target


@pytest.mark.parametrize("job_id", [0, 1, 2**31, 2**32 - 1])
def test_any_job_id_is_a_job_id(job_id: int) -> None:
    pair = running()
    job = pair.mine(job_id=job_id)
    assert job.job_id == str(job_id)
    pair.submit(find(job))
    assert pair.pool.shares[-1].verdict == "ok"


def test_the_same_job_id_again_is_another_job() -> None:
    """Seen on a real server: two jobs with one number; the newer is meant."""
    pair = running()
    pair.give(pair.pool.send_job(90, job_id=7))
    job = pair.mine(100, job_id=7)
    assert job.height == 100


@pytest.mark.parametrize("count", [0, 1, 255])
def test_merkle_paths_of_every_length(count: int) -> None:
    pair = running()
    job = pair.mine(path=tuple(bytes([n]) * 32 for n in range(count)))
    pair.submit(find(job))
    assert pair.pool.shares[-1].verdict == "ok"


def test_times_at_the_end_of_the_clock() -> None:
    pair = running()
    pair.give(pair.pool.send_job(100))
    events = pair.give(pair.pool.send_tip(1, TIP, 2**32 - 1))
    (job,) = [event.job for event in events if isinstance(event, JobReceived)]
    assert (job.ntime, job.ntime_limit) == (2**32 - 1, 0)


# --- groups ----------------------------------------------------------------------------------


def test_the_closing_of_a_group_we_left_is_not_ours() -> None:
    pair = running(FakeSv2Pool(by_group=True))
    job = pair.mine()
    pair.give(pair.pool.send_group(9, 2))
    assert pair.give(pair.pool.send_close(1, "old group closed")) == []
    assert pair.session.job is job
    pair.give(pair.pool.send_close(9, "maintenance"))
    assert isinstance(pair.end, Dropped) and "maintenance" in pair.end.why


def test_other_members_may_close_or_move() -> None:
    pair = running(FakeSv2Pool(by_group=True))
    job = pair.mine()
    assert pair.give(pair.pool.send_close(3, "gone")) == []
    assert pair.give(pair.pool.send_group(9, 3, 4)) == []
    pair.pool.group_id = 1
    pair.give(pair.pool.send_job(100, future=False, min_ntime=NOW))
    assert pair.session.job is not job, "the group is still ours"


def test_a_group_without_members_is_nobodys() -> None:
    pair = running(FakeSv2Pool(by_group=True))
    pair.mine()
    assert pair.give(pair.pool.send_group(9)) == []
    assert pair.session._work is not None and pair.session._work.group_id == 1


# --- answers to shares -----------------------------------------------------------------------


def submitted(count: int, **pool: Any) -> tuple[Pair, Job]:
    pair = running(FakeSv2Pool(batch=100, **pool))
    job = pair.mine()
    start = 0
    for _ in range(count):
        share = find(job, start)
        start = share.nonce + 1
        pair.submit(share)
    return pair, job


def success(pair: Pair, last: int, channel: int = 2) -> list[Any]:
    return pair.give(pair.pool.send(0x1C, struct.pack("<IIIQ", channel, last, 1, 0)))


def error(pair: Pair, number: int, channel: int = 2) -> list[Any]:
    payload = struct.pack("<II", channel, number) + b"\x0bstale-share"
    return pair.give(pair.pool.send(0x1D, payload))


def test_answers_to_shares_that_were_never_sent_change_nothing() -> None:
    pair, _ = submitted(2)
    for number in (0, 4, 77, 2**32 - 1):
        assert error(pair, number) == []
    assert success(pair, 0) == []
    assert success(pair, 2, channel=77) == [] and error(pair, 1, channel=77) == []
    assert pair.session.open_shares == 2


def test_each_share_is_answered_once_whatever_the_order() -> None:
    pair, _ = submitted(3)
    answers = [*error(pair, 2), *error(pair, 2), *success(pair, 2), *success(pair, 1)]
    answers += [*error(pair, 1), *success(pair, 3), *success(pair, 3), *error(pair, 3)]
    told = [event for event in answers if isinstance(event, ShareAnswered)]
    assert [one.verdict.answer.value for one in told] == ["stale", "accepted", "accepted"]
    assert len({one.verdict.hash_hex for one in told}) == 3
    assert pair.session.open_shares == 0


# --- lengths ---------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [256 * 1024 + 1, 2**24 - 1])
def test_a_length_that_is_announced_and_never_comes_is_left_at_once(length: int) -> None:
    pair = running()
    pair.mine()
    assert pair.pool._outbox is not None
    header = pair.pool._outbox.seal(b"\0\x80\x1f" + length.to_bytes(3, "little"))
    (end,) = pair.give(header)
    assert isinstance(end, Dropped) and f"announces {length} bytes" in end.why


def test_nothing_is_taken_after_the_end() -> None:
    pair = running()
    pair.mine()
    pair.give(pair.pool.send_close(2, "bye"))
    assert isinstance(pair.end, Dropped)
    assert pair.give(pair.pool.send_job(101)) == []
