"""Retargeting and attack arithmetic in depth, with the learner's own numbers."""

import math
from collections.abc import Iterator
from statistics import mean

from miner.bitcoin.target import DIFF1_TARGET, PERIOD_S, difficulty, next_target
from miner.learn.attack import confirmations_for, exact_success, nakamoto_success, race
from miner.learn.live import Live, Point, Series, word
from miner.learn.retarget import MEAN_INTERVAL_S, simulate, steady_target
from miner.learn.steps import Setting

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.45)
PAPER = ((0, 1.0), (1, 0.2045873), (2, 0.0509779), (5, 0.0009137), (10, 0.0000012))  # q = 0.1
TRIALS, QUICK_TRIALS = 60_000, 8_000
RISK = 0.001
GROWTH = 1.05  # a period: hashrate keeps growing
RATE = 1e15


def screens(setting: Setting) -> Iterator[Live]:
    """Catching up, confirmations, a simulated race, growth, and moving the clock."""
    ours = [(z, nakamoto_success(0.1, z), paper) for z, paper in PAPER]
    yield Live(
        "catching",
        paper=[(z, word("chance", p=own), word("chance", p=paper)) for z, own, paper in ours],
        agrees=all(abs(own - paper) < 6e-8 for _, own, paper in ours),
        code=nakamoto_success,
    )
    yield _races(setting.figures.get("share", 0.3), setting)
    yield _growth(setting)
    yield _clock()


def _races(share: float, setting: Setting) -> Live:
    trials = QUICK_TRIALS if setting.quick else TRIALS
    setting.progress(word("racing", trials=trials))
    won = race(share, 6, trials, setting.seed)
    exact = exact_success(share, 6)
    error = math.sqrt(exact * (1 - exact) / trials)
    return Live(
        "races",
        wait=Series(
            [word("share", q=q) for q in SHARES], [confirmations_for(q, RISK) for q in SHARES]
        ),
        risk=RISK,
        trials=trials,
        share=share,
        won=won,
        exact=exact,
        paper=nakamoto_success(share, 6),
        error=error,
        sides=abs(won - exact) <= 4 * error + 1e-9,
        code=race,
    )


def _growth(setting: Setting) -> Live:
    def rate(period: int) -> float:
        return RATE * GROWTH**period

    periods = simulate(120, rate, setting.seed, steady_target(RATE))[20:]
    waits = mean(period.interval_s for period in periods)
    theory = MEAN_INTERVAL_S / GROWTH
    return Live(
        "growth",
        steady=MEAN_INTERVAL_S,
        theory=theory,
        mean=waits,
        early=abs(waits / theory - 1) < 0.01,
        code=simulate,
    )


def _clock() -> Live:
    start = DIFF1_TARGET // 1000
    points, target = [Point(word("start"), difficulty(start))], start
    for count in range(1, 5):
        target = next_target(target, 8 * PERIOD_S, DIFF1_TARGET)
        points.append(Point(word("after", weeks=count), difficulty(target), "found"))
    return Live(
        "clock",
        warp=points,
        warped=abs(difficulty(start) / difficulty(target) / 256 - 1) < 1e-4,
    )
