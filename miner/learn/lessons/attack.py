"""Lesson 14: retargeting and attack arithmetic in depth, with your own numbers."""

import math
from collections.abc import Iterator

from miner.bitcoin.target import DIFF1_TARGET, PERIOD_S, difficulty, next_target
from miner.learn.answers import near_judge, number_judge
from miner.learn.attack import confirmations_for, exact_success, nakamoto_success, race
from miner.learn.retarget import simulate, steady_target
from miner.learn.steps import (
    Axis,
    Bars,
    Check,
    Mark,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.45)
PAPER = ((0, 1.0), (1, 0.2045873), (2, 0.0509779), (5, 0.0009137), (10, 0.0000012))  # q = 0.1
TRIALS, QUICK_TRIALS = 60_000, 8_000
RISK = 0.001
GROWTH = 1.05  # a period: hashrate keeps growing


def screens(setting: Setting) -> Iterator[Screen]:
    """Catching up, confirmations, a simulated race, growth, and moving the clock."""
    share = setting.figures.get("share", 0.3)
    yield _catching_up()
    yield _own_share(share, setting)
    yield _growth(setting)
    yield _clock()


def _catching_up() -> Screen:
    rows = tuple((str(z), f"{nakamoto_success(0.1, z):.7f}", f"{paper:.7f}") for z, paper in PAPER)
    return Screen(
        "Why six confirmations?",
        (
            Text(
                "You are paid, and wait until z blocks are on top. The payer secretly mines a "
                "chain without the payment, with a part q of all hashrate. If it ever has more "
                "work, the payment is gone. Nakamoto's paper computes the chance; here q = 10 %."
                "\n\n"
                "z counts the blocks **after** the payment's own. Below 0.1 % lies z = 5: with its "
                "own block the payment then has **six confirmations**. That is where six comes "
                "from."
            ),
            Table(
                "",
                ("z blocks after it", "computed here", "printed in the paper"),
                rows,
                "S. Nakamoto, Bitcoin: A Peer-to-Peer Electronic Cash System, 2008, section 11",
            ),
            Check(
                "every figure agrees with the paper's to all its digits",
                all(abs(nakamoto_success(0.1, z) - paper) < 6e-8 for z, paper in PAPER),
                "nakamoto_success(0.1, 5)",
            ),
            code(nakamoto_success),
            Question(
                "With half of the hashrate, the attacker's chance of catching up is..? (in %)",
                "100",
                number_judge(100),
                "Sooner or later, from any distance. Confirmations then buy only time.",
            ),
        ),
    )


def _own_share(share: float, setting: Setting) -> Screen:
    trials = QUICK_TRIALS if setting.quick else TRIALS
    won = race(share, 6, trials, setting.seed)
    exact = exact_success(share, 6)
    error = math.sqrt(exact * (1 - exact) / trials)
    return Screen(
        "Races, run one by one",
        (
            Bars(
                f"blocks after the payment's until the risk is below {RISK:.1%}",
                tuple(f"q = {q:.0%}" for q in SHARES),
                tuple(float(confirmations_for(q, RISK)) for q in SHARES),
                "blocks",
            ),
            Text(
                f"Now {trials:,} races with q = {share:.0%} and z = 6, block by block. "
                "The paper's formula takes the honest blocks' time as average; the exact one does "
                "not, and the races side with it."
            ),
            Table(
                "",
                ("", "attacker wins"),
                (
                    ("simulated", f"{won:.4f}"),
                    ("exact (Rosenfeld 2012)", f"{exact:.4f}"),
                    ("paper (Nakamoto 2008)", f"{nakamoto_success(share, 6):.4f}"),
                ),
            ),
            Check(
                f"the races agree with the exact form within four standard errors ({error:.4f})",
                abs(won - exact) <= 4 * error + 1e-9,
                f"race({share}, 6, {trials}, {setting.seed})",
            ),
            code(race),
        ),
    )


def _growth(setting: Setting) -> Screen:
    rate = 1e15
    periods = simulate(120, lambda n: rate * GROWTH**n, setting.seed, steady_target(rate))[20:]
    waits = [period.interval_s for period in periods]
    mean = sum(waits) / len(waits)
    return Screen(
        "A growing network is always early",
        (
            Text(
                "The target looks back two weeks. If hashrate grows 5 % a period, the target is "
                "always one period too easy, and blocks come faster than every 600 s for ever. "
                "Halvings arrive early for the same reason."
            ),
            Table(
                "",
                ("", "mean wait"),
                (
                    ("steady hashrate", "600.6 s"),
                    ("growing 5 % a period, theory", f"{600.6 / GROWTH:.1f} s"),
                    ("growing 5 % a period, simulated", f"{mean:.1f} s"),
                ),
            ),
            Check(
                "simulated and theory within 1 %",
                abs(mean * GROWTH / 600.6 - 1) < 0.01,
                "simulate(120, lambda n: rate * 1.05**n, seed, target)",
            ),
            code(simulate),
        ),
    )


def _clock() -> Screen:
    start = DIFF1_TARGET // 1000
    marks, target = [Mark("start", difficulty(start))], start
    for week in range(1, 5):
        target = next_target(target, 8 * PERIOD_S, DIFF1_TARGET)
        marks.append(Mark(f"after {week} adjustments", difficulty(target), "found"))
    return Screen(
        "Lying about the time",
        (
            Text(
                "Spans come from header times, which miners write. With more than half of the "
                "hashrate, and because periods do not overlap (the missing wait again), times can "
                "be arranged so that each period seems to last eight weeks: the **time warp**. "
                "Difficulty then falls by four at each adjustment. testnet4 forbids it (BIP 94); "
                "for mainnet it is proposed (BIP 54)."
            ),
            Axis("difficulty under the time warp", "difficulty", tuple(marks)),
            Check(
                "after four adjustments the difficulty is 256 times lower",
                abs(difficulty(start) / difficulty(target) / 256 - 1) < 1e-4,
                "next_target(target, 8 weeks, limit), four times",
            ),
            Question(
                "By which factor does one such adjustment lower the difficulty, at most?",
                "4",
                near_judge(4, 4),
                "The clamp holds for liars too.",
            ),
        ),
    )
