"""Lesson 4: search without memory."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import mean

from miner.bitcoin.target import expected_hashes
from miner.learn import fit
from miner.learn.answers import near_judge, word_judge
from miner.learn.mining import Found, bench_unit, mine_chain, open_quick, rate
from miner.learn.steps import (
    Bars,
    Check,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.work.roll import Roller

BLOCKS, QUICK_BLOCKS = 600, 200
TRIAL_S = 0.2
# Hashes a block needs on average: fixed, so that one seed gives the same blocks on any machine.
EXPECTED, SLOW_EXPECTED = 2**16, 2**12
PATIENCE_S = 20.0  # a computer slower than that takes the easier one
WIDTH, BINS = 0.5, 9
BROKEN_BITS = 4  # a counter this short wraps long before the mean is reached


def screens(setting: Setting) -> Iterator[Screen]:
    """Mine, look at the waits, ask how long still, and catch a broken counter."""
    backend = open_quick(setting.backend)
    name = backend.info.name
    try:
        count = QUICK_BLOCKS if setting.quick else BLOCKS
        speed = rate(backend, bench_unit(1, 0), TRIAL_S)
        slow = count * EXPECTED / speed > PATIENCE_S
        target = 2**256 // (SLOW_EXPECTED if slow or setting.quick else EXPECTED)
        yield _before(name, target, count)
        found = list(mine_chain(backend, count, target, setting.seed))
    finally:
        backend.close()
    waits = [one.hashes / float(expected_hashes(target)) for one in found]
    yield _mined(found, target)
    yield _waits(waits, setting)
    yield _how_long_still(waits)
    yield _broken(found, target)


def _before(name: str, target: int, count: int) -> Screen:
    return Screen(
        "A small search of your own",
        (
            Text(
                f"Your computer ({name}) now mines {count} blocks on top of each other, each with "
                f"the same target: one hash in {float(expected_hashes(target)):,.0f} meets it. "
                "Everything is real but the target: headers, coinbases, hashes."
            ),
            Question(
                "After many misses, is the next try more likely to succeed? (yes/no)",
                "no",
                word_judge("no", "n"),
                "Every try is a new draw. The screens that follow count it.",
            ),
            code(Roller.next),
        ),
    )


def _mined(found: list[Found], target: int) -> Screen:
    rows = [
        (str(place + 1), f"{one.hashes:,}", one.share.hash_hex[:40] + "..")
        for place, one in enumerate(found[:8])
    ]
    return Screen(
        "The first of them",
        (
            Table("", ("block", "tries", "hash"), tuple(rows)),
            Text("The same target, the same computer, and no two searches alike."),
            Check(
                f"all {len(found)} hashes meet the target and each header names the one before",
                all(one.share.value <= target for one in found)
                and all(
                    after.share.header[4:36] == before.share.hash
                    for before, after in pairwise(found)
                ),
                "sha256d(header) <= target, header[4:36] == hash of the header before",
            ),
        ),
    )


def _waits(waits: list[float], setting: Setting) -> Screen:
    gap = fit.distance(waits)
    chance = fit.p_value(gap, len(waits))
    labels = [f"{WIDTH * place:.1f}-{WIDTH * (place + 1):.1f}" for place in range(BINS - 1)]
    return Screen(
        "How long each search took",
        (
            Bars(
                f"{len(waits)} searches, by tries / expected tries",
                (*labels, f"{WIDTH * (BINS - 1):.1f} up"),
                tuple(float(n) for n in fit.histogram(waits, WIDTH, BINS)),
                "searches",
                tuple(fit.expected(len(waits), WIDTH, BINS)),
            ),
            Text(
                "Short searches are the most frequent, and a few take very long: the "
                "**exponential law**. The mean is 1, but most searches end before it."
            ),
            Check(
                f"Kolmogorov-Smirnov: largest gap {gap:.4f}; chance alone makes one so large with "
                f"probability {chance:.2f} (below 0.00001 would mean a broken search)",
                chance > 0.00001,
                f"miner learn search --seed {setting.seed}",
            ),
            code(fit.distance),
        ),
    )


def _how_long_still(waits: list[float]) -> Screen:
    rows = []
    for past in (0, 1, 2):
        left = [wait - past for wait in waits if wait > past]
        if left:
            rows.append((f"{past} mean times", str(len(left)), f"{mean(left):.2f} mean times"))
    return Screen(
        "How much longer?",
        (
            Table("", ("searched without success for", "searches", "still needed"), tuple(rows)),
            Question(
                "You have searched for three mean times without success. How many more mean "
                "times will it take, on average?",
                "1",
                near_judge(0.9, 1.1),
                "Always one, however long it has been: a search has no memory, no block is 'due'.",
            ),
        ),
    )


def _broken(found: list[Found], target: int) -> Screen:
    short = 1 << max(int(float(expected_hashes(target))).bit_length() - BROKEN_BITS // 2, 2)
    wrong = [(one.hashes % short) / float(expected_hashes(target)) for one in found]
    chance = fit.p_value(fit.distance(wrong), len(wrong))
    return Screen(
        "Would the test notice a fault?",
        (
            Text(
                f"The same searches, counted with a counter that wraps at {short:,}, as a careless "
                "program's would. The histogram no longer follows the law."
            ),
            Check(
                f"the broken counter is caught: probability {chance:.1e}",
                chance < 0.00001,
                "the counts modulo a power of two, through the same test",
            ),
            code(fit.p_value),
        ),
    )
