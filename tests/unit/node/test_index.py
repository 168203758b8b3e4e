"""Headers and what follows from them: median time, work, the earliest next time."""

import random

import pytest

from miner.bitcoin.header import Header
from miner.node.index import BlockIndex

NO, YES = 0x20000000, 0x30000000  # header versions without and with testdummy's bit


def extend(index: BlockIndex, version: int, time: int) -> None:
    previous = index.tip.hash if index.active else bytes(32)
    header = Header(version, previous, bytes(32), time, 0x207FFFFF, 0)
    index.active.append(index.add(header, header.hash, 1, 250))


def chain(times: list[int]) -> BlockIndex:
    index = BlockIndex()
    for time in times:
        extend(index, NO, time)
    return index


def test_median_time_is_the_sixth_of_eleven() -> None:
    times = [1000 + 7 * n for n in range(30)]
    random.Random(1).shuffle(times)
    index = chain(times)
    for height in range(10, 30):
        assert index.active[height].median_time == sorted(times[height - 10 : height + 1])[5]
    assert index.active[0].median_time == times[0]
    assert index.active[1].median_time == max(times[:2]), "of two, the later, as in Core"
    assert index.next_min_time() == index.tip.median_time + 1


def test_first_block_of_a_period_may_not_go_far_back() -> None:
    """BIP 94: not more than 600 s before its parent."""
    index = chain([1000 + n for n in range(143)] + [50_000])
    assert index.tip.height == 143
    assert index.next_min_time() == 50_000 - 600
    index = chain([1000 + n for n in range(142)] + [50_000])
    assert index.next_min_time() == index.tip.median_time + 1


def test_work_adds_up_and_side_branches_are_kept_apart() -> None:
    index = chain([1000, 1001, 1002])
    assert index.tip.chainwork == 6  # 2 a block, as in the recorded getblockheader
    side = Header(1, index.active[1].hash, bytes(32), 1005, 0x207FFFFF, 9)
    row = index.add(side, side.hash, 3, 400)
    assert (row.height, row.chainwork, index.is_active(row)) == (2, 6, False)
    assert index.add(side, side.hash, 3, 400) is row
    assert index.best_height == 2


def test_transactions_and_bytes_add_up() -> None:
    index = BlockIndex()
    assert (index.bytes_stored, index.best_height) == (0, 0)
    previous = bytes(32)
    for count, size in ((1, 285), (3, 500), (2, 400)):
        header = Header(NO, previous, bytes(32), 1000, 0x207FFFFF, count)
        row = index.add(header, header.hash, count, size)
        index.active.append(row)
        previous = row.hash
    assert [row.chain_tx_count for row in index.active] == [1, 4, 6]
    assert index.bytes_stored == 285 + 500 + 400 + 3 * 8
    assert [index.is_active(row) for row in index.active] == [True] * 3
    tip = index.active.pop()
    assert not index.is_active(tip)


# -- version bits: periods of 144 blocks, 108 signals lock in (BIP 9) -------------------------
def signalled(*periods: list[int]) -> list[str]:
    """testdummy's state for the next block, asked after each block of these periods."""
    index = BlockIndex()
    states = []
    for period in periods:
        assert len(period) == 144
        for version in period:
            extend(index, version, 1000 + len(index.active))
            states.append(index.testdummy_state())
    return states


def test_a_rule_starts_locks_in_and_becomes_active_at_the_ends_of_periods() -> None:
    states = signalled([NO] * 144, [YES] * 108 + [NO] * 36, [NO] * 144, [NO] * 144)
    assert states == (
        ["defined"] * 143 + ["started"] * 144 + ["locked_in"] * 144 + ["active"] * 145
    )


@pytest.mark.parametrize(
    ("window", "state"),
    [
        ([YES] * 107 + [NO] * 37, "started"), ([NO] * 36 + [YES] * 108, "locked_in"),
        ([YES] * 144, "locked_in"), ([0x70000000] * 144, "started"),  # not BIP 9's top bits
        ([0x10000000] * 144, "started"), ([0x2FFFFFFF] * 144, "started"),
        ([0x3FFFFFFF] * 144, "locked_in"), ([YES, *([NO] * 36), *([YES] * 107)], "locked_in"),
    ],
    ids=["107", "last", "all", "top", "none", "others", "every bit", "first"],
)  # fmt: skip
def test_signals_of_exactly_one_period_count(window: list[int], state: str) -> None:
    assert signalled([YES] * 144, window)[-1] == state


def test_a_state_first_asked_for_late_is_the_same() -> None:
    """Nothing depends on when it was asked before."""
    index = BlockIndex()
    for height in range(3 * 144):
        extend(index, YES, 1000 + height)
    assert index.testdummy_state() == "active"
    for _ in range(144):
        index.active.pop()
    assert index.testdummy_state() == "locked_in"
    del index.active[143:]
    assert index.testdummy_state() == "defined"
