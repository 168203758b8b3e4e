"""Headers and what follows from them: median time, work, the earliest next time."""

import random

from miner.bitcoin.header import Header
from miner.node.index import BlockIndex


def chain(times: list[int]) -> BlockIndex:
    index, previous = BlockIndex(), bytes(32)
    for time in times:
        header = Header(0x20000000, previous, bytes(32), time, 0x207FFFFF, 0)
        index.active.append(index.add(header, header.hash, 1, 250))
        previous = header.hash
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
