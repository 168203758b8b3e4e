"""Pools that mix bad lines with good ones, or flood."""

import pytest

from miner.protocol.peer_watch import FLOOD_LINES, FLOOD_S, MOST_BAD, PeerWatch
from miner.protocol.pool import Dropped, PoolEvent
from miner.protocol.stratum.shares import Leftovers
from tests.faults import fault
from tests.unit.protocol.stratum_lines import (
    call,
    jobs,
    notify,
    opened,
    reply,
    sent,
    share_of,
    subscribed,
)


def dropped(events: list[PoolEvent]) -> list[Dropped]:
    return [event for event in events if isinstance(event, Dropped)]


@pytest.mark.parametrize(("every_s", "left"), [(0.9, True), (1.0, True), (1.01, False)])
@fault("S06")
def test_more_than_60_bad_lines_in_a_minute_among_good_ones(every_s: float, left: bool) -> None:
    session = subscribed()
    ends = []
    for number in range(MOST_BAD + 1):
        ends += dropped(session.receive(b"junk\n" + notify(), number * every_s))
    assert [end.misbehaved for end in ends] == [True] * left
    assert all("more than 60 bad messages in a minute" in end.why for end in ends)
    assert session.closed == left


@fault("S06")
def test_bad_lines_count_over_several_connections() -> None:
    watch = PeerWatch()
    for start in range(0, 63, 9):
        session, _ = opened(leftovers=Leftovers(watch=watch))
        ends = dropped(session.receive(b"junk\n" * 9, float(start) / 2))
    assert [end.misbehaved for end in ends] == [True]


@pytest.mark.parametrize(("lines", "left"), [(FLOOD_LINES, False), (FLOOD_LINES + 1, True)])
@fault("S30")
def test_a_flood_of_lines_for_ten_seconds(lines: int, left: bool) -> None:
    session = subscribed()
    data = call("mining.set_difficulty", 2) * lines
    for second in range(1, FLOOD_S + 1):
        assert not dropped(session.receive(data, float(second)))
    ends = dropped(session.receive(data, float(FLOOD_S + 1)))
    assert [end.misbehaved for end in ends] == [True] * left
    assert all("2000 lines a second for 10 s" in end.why for end in ends)


@fault("S30")
def test_a_pause_ends_a_flood() -> None:
    watch = PeerWatch()
    for second in (*range(9), *range(10, 19)):
        for _ in range(FLOOD_LINES + 1):
            watch.line(float(second))
    watch.line(20.0)
    assert watch.complaint == ""


@fault("S56")
def test_answers_to_our_own_shares_are_no_flood() -> None:
    session = subscribed()
    (job,) = jobs(session.receive(notify(), 0.0))
    nonce = 0
    for second in range(1, FLOOD_S + 3):
        for _ in range(FLOOD_LINES // 100 + 1):
            answers = b""
            for _ in range(100):
                nonce += 1
                session.submit(share_of(job, nonce), float(second))
            answers = b"".join(reply(message["id"], True) for message in sent(session))
            assert not dropped(session.receive(answers, float(second)))
