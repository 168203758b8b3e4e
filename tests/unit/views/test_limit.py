"""Lines of shares are few, whatever a pool does; their counts are exact."""

from collections import Counter

from miner.state.events import Alarm, BlockFound, Event, answered
from miner.views.limit import LINES_A_SECOND, OF_POOLS, SUM_S, ShareLimit
from miner.views.sentences import sentence
from miner.work.found import Answer, Verdict
from tests.faults import fault


def event(answer: Answer = Answer.ACCEPTED, reason: str = "") -> Event:
    return answered(Verdict("pool", "00", answer, is_block=False, reason=reason))


@fault("S56")
def test_ten_lines_a_second_and_a_sum_every_ten_seconds() -> None:
    limit, shown, sums = ShareLimit(), 0, []
    counted: Counter[str] = Counter()
    kinds = [event(), event(Answer.REJECTED, "low-difficulty"), event(Answer.REJECTED, "bad-time")]
    for tick in range(30_000):  # 1,000 a second for half a minute
        one, now = kinds[tick % len(kinds)], 100.0 + tick / 1000
        counted[str(one.to_dict()["answer"])] += 1
        shown += limit.passes(one, now)
        if (summed := limit.due(now)) is not None:
            sums.append(summed)
    last = limit.due(130.0, last=True)
    assert last is not None
    assert limit.due(200.0, last=True) is None
    assert shown == 30 * LINES_A_SECOND
    assert len(sums) == 30 / SUM_S - 1
    told = [one.to_dict() for one in (*sums, last)]
    assert shown + sum(int(str(data["count"])) for data in told) == sum(counted.values())
    by_reason: Counter[str] = Counter()
    for data in told:
        assert isinstance(data["counts"], dict)
        for reasons in data["counts"].values():
            by_reason.update(reasons)
    assert by_reason.total() + shown == 30_000
    assert by_reason["low-difficulty"] in range(9_900, 10_000)


def test_a_sum_in_words_and_in_json() -> None:
    limit = ShareLimit()
    assert all(limit.passes(event(), 5.5) for _ in range(LINES_A_SECOND))
    assert limit.due(100.0) is None  # nothing was held back
    for _ in range(1200):
        assert not limit.passes(event(), 5.5)
    assert not limit.passes(event(Answer.REJECTED, "bad-time"), 5.5)
    assert limit.due(15.4) is None
    summed = limit.due(15.5)
    assert summed is not None
    assert summed.kind == "shares_summed"
    assert sentence(summed) == "1,201 more in 10 s: 1,200 accepted, 1 rejected (bad-time)"
    counts = {"accepted": {"": 1200}, "rejected": {"bad-time": 1}}
    told = {"count": 1201, "seconds": 10.0, "counts": counts}
    assert summed.to_dict() == {"type": summed.kind, "time_s": summed.wall_s, **told}


def test_blocks_of_a_toy_chain_are_limited_by_themselves() -> None:
    limit = ShareLimit(OF_POOLS)
    found = BlockFound("00", 7, 1.0)
    taken = answered(Verdict("pool", "00", Answer.ACCEPTED, is_block=True))
    shown = [limit.passes(one, 1.0) for _ in range(12) for one in (found, taken, event())]
    assert shown == [True] * 30 + [False] * 6
    assert limit.passes(Alarm("the disk is full"), 1.0)
    nodes = ShareLimit()  # whose blocks are judged one by one
    assert all(nodes.passes(taken, 1.0) for _ in range(1000))
    summed = limit.due(2.0, last=True)
    assert summed is not None
    assert summed.to_dict()["counts"] == {"block found": {"": 2}, "block accepted": {"": 2},
                                     "accepted": {"": 2}}  # fmt: skip


def test_a_slow_pool_is_shown_share_by_share() -> None:
    limit = ShareLimit()
    assert all(limit.passes(event(), tick / 9) for tick in range(900))
