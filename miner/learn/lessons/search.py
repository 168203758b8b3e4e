"""Search without memory."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import mean

from miner.bitcoin.target import expected_hashes
from miner.learn import fit
from miner.learn.live import Live, Series, Shown, word
from miner.learn.mining import Found, mine_chain, open_quick
from miner.learn.steps import Setting
from miner.work.roll import Roller

BLOCKS, QUICK_BLOCKS = 600, 200
# Hashes a block needs on average: one number, so that a seed gives the same blocks on any machine;
# a few seconds by Python's hashlib, too.
EXPECTED = 2**12
WIDTH, BINS = 0.5, 9
BROKEN_BITS = 4  # a counter this short starts again long before the mean is reached
SURE = 0.00001  # a lesson that cries wolf teaches nothing
TOLD_EACH = 10  # blocks


def screens(setting: Setting) -> Iterator[Live]:
    """Mine, look at the waits, ask how much longer, and catch a broken counter."""
    backend = open_quick(setting.backend)
    try:
        count = QUICK_BLOCKS if setting.quick else BLOCKS
        target = 2**256 // EXPECTED
        expected = float(expected_hashes(target))
        yield Live(
            "before", name=backend.info.name, count=count, expected=expected, code=Roller.next
        )
        found = []
        for one in mine_chain(backend, count, target, setting.seed):
            found.append(one)
            if len(found) % TOLD_EACH == 0:
                setting.progress(word("mining", place=len(found), total=count))
    finally:
        backend.close()
    yield _mined(found, target)
    waits = [one.hashes / expected for one in found]
    yield _waits(waits)
    yield Live("still", left=_left(waits))
    yield _broken(found, expected)


def _mined(found: list[Found], target: int) -> Live:
    return Live(
        "mined",
        blocks=[
            (place, one.hashes, f"{one.share.hash_hex[:40]}..")
            for place, one in enumerate(found[:8], 1)
        ],
        count=len(found),
        linked=all(one.share.value <= target for one in found)
        and all(after.share.header[4:36] == one.share.hash for one, after in pairwise(found)),
    )


def _waits(waits: list[float]) -> Live:
    gap = fit.distance(waits)
    chance = fit.p_value(gap, len(waits))
    edges = [WIDTH * place for place in range(BINS)]
    labels = [word("range", low=low, high=low + WIDTH) for low in edges[:-1]]
    return Live(
        "waits",
        waits=Series(
            [*labels, word("up", low=edges[-1])],
            fit.histogram(waits, WIDTH, BINS),
            fit.expected(len(waits), WIDTH, BINS),
        ),
        count=len(waits),
        gap=gap,
        p=chance,
        law=chance > SURE,
        code=fit.distance,
    )


def _left(waits: list[float]) -> list[tuple[Shown, ...]]:
    rows: list[tuple[Shown, ...]] = []
    for past in (0, 1, 2):
        left = [wait - past for wait in waits if wait > past]
        if left:
            rows.append((past, len(left), round(mean(left), 2)))
    return rows


def _broken(found: list[Found], expected: float) -> Live:
    short = 1 << max(int(expected).bit_length() - BROKEN_BITS // 2, 2)
    wrong = [(one.hashes % short) / expected for one in found]
    chance = fit.p_value(fit.distance(wrong), len(wrong))
    return Live("broken", short=short, p=chance, caught=chance < SURE, code=fit.p_value)
