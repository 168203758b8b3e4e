"""Difficulty keeps time."""

from collections.abc import Iterator
from statistics import mean

from miner.bitcoin.target import (
    EASIEST_NBITS,
    PERIOD,
    PERIOD_S,
    nbits_from_target,
    next_target,
    target_from_nbits,
)  # fmt: skip
from miner.learn.chain import retargets
from miner.learn.live import Live, Series, Shown, word
from miner.learn.retarget import MEAN_INTERVAL_S, simulate, steady_target
from miner.learn.steps import Setting

PERIODS, QUICK_PERIODS = 2_000, 400  # of simulated time: 77 and 15 years
SHOWN = 12
JUMP = 10  # times the hashrate
BASE_RATE = 1e15  # hashes a second; any figure above difficulty 1 gives the same picture
NAMES = ("first", "limit", "harder", "easier")  # of the adjustments in the data


def screens(setting: Setting) -> Iterator[Live]:
    """The rule, real periods, a step in hashrate, and the missing interval."""
    yield Live("rule", seconds=PERIOD_S, code=next_target)
    yield _real_periods()
    yield _step_up(setting)
    yield _slow_clock(setting)


def _real_periods() -> Live:
    limit = target_from_nbits(EASIEST_NBITS["main"])
    rows: list[tuple[Shown, ...]] = []
    exact = True
    for name, period in zip(NAMES, retargets(), strict=True):
        span = period["last_time"] - period["first_time"]
        got = nbits_from_target(
            next_target(target_from_nbits(int(period["old_nbits"], 16)), span, limit)
        )
        exact &= f"{got:08x}" == period["new_nbits"]
        rows.append((word(name), span, period["old_nbits"], f"{got:08x}"))
    return Live("real", periods=rows, exact=exact)


def _step_up(setting: Setting) -> Live:
    def rate(period: int) -> float:
        return BASE_RATE * (JUMP if 2 <= period < 8 else 1)

    periods = simulate(SHOWN, rate, setting.seed, steady_target(BASE_RATE))
    return Live(
        "step",
        jump=JUMP,
        waits=Series(
            [
                word("period", number=one.number, times=round(one.hashrate_hs / BASE_RATE))
                for one in periods
            ],
            [one.interval_s for one in periods],
        ),
        clamped=abs(periods[3].difficulty / periods[2].difficulty - 4) < 0.01,
        code=simulate,
    )


def _slow_clock(setting: Setting) -> Live:
    count = QUICK_PERIODS if setting.quick else PERIODS
    periods = simulate(count, lambda _: BASE_RATE, setting.seed, steady_target(BASE_RATE))[1:]
    waits = [period.interval_s for period in periods]
    error = 600 / (PERIOD * len(waits)) ** 0.5 * 2**0.5  # this span's luck and the last one's
    return Live(
        "clock",
        mean=MEAN_INTERVAL_S,
        count=len(waits),
        got=mean(waits),
        error=error,
        slow=abs(mean(waits) - MEAN_INTERVAL_S) < 4 * error,
    )
