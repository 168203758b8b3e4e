"""Lesson 9: difficulty keeps time."""

from collections.abc import Callable, Iterator
from statistics import mean

from miner.bitcoin.target import (
    EASIEST_NBITS,
    PERIOD,
    PERIOD_S,
    nbits_from_target,
    next_target,
    target_from_nbits,
)  # fmt: skip
from miner.learn.answers import near_judge, number_judge
from miner.learn.chain import retargets
from miner.learn.retarget import MEAN_INTERVAL_S, Period, simulate, steady_target
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

PERIODS, QUICK_PERIODS = 2_000, 400  # of simulated time: 77 and 15 years
SHOWN = 12
JUMP = 10.0  # times the hashrate
BASE_RATE = 1e15  # hashes a second; any figure above difficulty 1 gives the same picture


def screens(setting: Setting) -> Iterator[Screen]:
    """The rule, real periods, a step in hashrate, and the missing interval."""
    yield _rule()
    yield _real_periods()
    yield _step_up(setting)
    yield _off_by_one(setting)


def _rule() -> Screen:
    return Screen(
        "Every 2016 blocks the target is set anew",
        (
            Text(
                "Nobody decides how hard mining is. Each node looks at the clock times in the last "
                f"{PERIOD:,} headers: they should span two weeks, {PERIOD_S:,} seconds. If they "
                "span half of that, the target is halved; if they span twice that, it doubles.\n\n"
                "One rule on top: never by more than a factor of **four** at once."
            ),
            Question(
                "A period took one week instead of two. The difficulty is then multiplied by..?",
                "2",
                number_judge(2),
                "Half the target is twice the difficulty; the next period takes two weeks again.",
            ),
            code(next_target),
        ),
    )


def _real_periods() -> Screen:
    limit = target_from_nbits(EASIEST_NBITS["main"])
    rows, exact = [], True
    for period in retargets():
        span = period["last_time"] - period["first_time"]
        got = nbits_from_target(
            next_target(target_from_nbits(int(period["old_nbits"], 16)), span, limit)
        )
        exact &= f"{got:08x}" == period["new_nbits"]
        note = period["note"].replace("retarget at", "first rise, height")
        rows.append((note, f"{span:,} s", period["old_nbits"], f"{got:08x}"))
    return Screen(
        "Real adjustments, recomputed",
        (
            Table(
                "",
                ("", "span", "old nbits", "new nbits"),
                tuple(rows),
                "times and nbits: Bitcoin mainnet headers; 'constructed' rows are labelled",
            ),
            Check(
                "the real ones are the chain's, the constructed one is Bitcoin Core's own test's",
                exact,
                "next_target(target_from_nbits(old), last_time - first_time, limit)",
            ),
            Text(
                "The period that was clamped is from July 2010: hashrate had grown so fast that "
                "2016 blocks took little more than three days, and still the rule allowed only "
                "a factor of four."
            ),
        ),
    )


def _step_up(setting: Setting) -> Screen:
    rate: Callable[[int], float] = lambda n: BASE_RATE * (JUMP if 2 <= n < 8 else 1.0)  # noqa: E731
    periods = simulate(SHOWN, rate, setting.seed, steady_target(BASE_RATE))
    return Screen(
        f"The hashrate jumps {JUMP:.0f} times, then falls back",
        (
            Bars(
                "mean wait for a block in each period",
                tuple(_label(period) for period in periods),
                tuple(period.interval_s for period in periods),
                "seconds",
                note="simulated: 2016 exponential waits a period, targets by the real rule",
            ),
            Text(
                "When ten times the miners come in, they find a block every minute, until two "
                "adjustments (4 x 2.5) catch up. When they leave, blocks take a hundred minutes: "
                "a period at that pace lasts twenty weeks. So a sudden loss of miners hurts more."
            ),
            Check(
                "the first period after the jump is clamped to a factor of four",
                abs(periods[3].difficulty / periods[2].difficulty - 4) < 0.01,
                "miner learn retarget: difficulty of period 3 / period 2",
            ),
            code(simulate),
        ),
    )


def _label(period: Period) -> str:
    return f"period {period.number}, x{period.hashrate_hs / BASE_RATE:.0f}"


def _off_by_one(setting: Setting) -> Screen:
    count = QUICK_PERIODS if setting.quick else PERIODS
    periods = simulate(count, lambda n: BASE_RATE, setting.seed, steady_target(BASE_RATE))[1:]
    waits = [period.interval_s for period in periods]
    error = 600 / (PERIOD**0.5 * len(waits) ** 0.5) * 2**0.5  # this span's luck and the last one's
    return Screen(
        "Bitcoin's clock is half a second slow",
        (
            Text(
                "From the first to the last of 2016 blocks there are only **2015** waits, yet they "
                "are compared with the time for 2016. And dividing by a span that is itself random "
                "adds as much again: with steady hashrate the mean wait is "
                f"{MEAN_INTERVAL_S:.4f} s (two weeks / 2014), not 600. The bug is as old as "
                "Bitcoin and stays: changing it would be a hard fork."
            ),
            Check(
                f"{len(waits):,} simulated periods: {mean(waits):.2f} s, within four standard "
                f"errors ({error:.2f} s) of {MEAN_INTERVAL_S:.2f}",
                abs(mean(waits) - MEAN_INTERVAL_S) < 4 * error,
                f"miner learn retarget --seed {setting.seed}",
            ),
            Question(
                "How many waits lie between the first and the last of 2016 blocks?",
                "2015",
                number_judge(2015),
                "Ten fingers have nine gaps.",
            ),
            Question(
                "Regtest, where you mine in these lessons, never retargets. Blocks there take as "
                "long as your computer needs for how many hashes, on average?",
                "2",
                near_judge(1.99, 2.01),
                "Its target is half of all numbers: every second hash is a block.",
            ),
        ),
    )
