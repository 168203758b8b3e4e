"""Lesson 10: pools and luck."""

from collections.abc import Iterator

import numpy as np

from miner.gap import arithmetic, economics
from miner.learn import payout
from miner.learn.answers import near_judge, word_judge
from miner.learn.mining import bench_unit, open_quick, rate
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
from miner.units import si

DAY_S = 86_400
TRIALS, QUICK_TRIALS = 20_000, 4_000
POOL_BLOCKS = 30.0  # a month of a pool with one block a day
OWN_PART = 0.01
SHARES_PER_BLOCK = 20_000.0
WINDOWS = (100, 1_000)
TIMED_S = 0.3
HOP_AT = (0.2, 0.435, 0.7, 1.0, 50.0)


def screens(setting: Setting) -> Iterator[Screen]:
    """Own chances, four ways of paying, hopping, ruin."""
    backend = open_quick(setting.backend)
    try:
        speed = setting.figures.get("rate") or rate(
            backend, bench_unit(backend.info.versions_wanted, 0), TIMED_S
        )
        name = backend.info.name
    finally:
        backend.close()
    yield _alone(speed, name)
    yield _schemes(setting)
    yield _hopping(setting)
    yield _ruin()


def _alone(speed: float, name: str) -> Screen:
    known = economics.load()
    difficulty = known["network_difficulty_derived"]
    hashes = arithmetic.hashes_for(difficulty.value)
    day = arithmetic.chance(DAY_S, speed, hashes)
    year = arithmetic.chance(365.25 * DAY_S, speed, hashes)
    return Screen(
        "Alone against the network",
        (
            Text(
                f"Measured a moment ago, one core of this computer ({name}): "
                f"**{si(speed, 'H/s', 3)}**."
            ),
            Table(
                "",
                ("", ""),
                (
                    ("network difficulty", f"{difficulty.value:.4g}"),
                    ("hashes for a block", f"{hashes:.3g}"),
                    ("mean time to a block", f"{hashes / speed / 86400 / 365.25:,.3g} years"),
                    ("chance in a day", f"{day:.2g}"),
                    ("chance in a year", f"{year:.2g}"),
                ),
                f"difficulty: {difficulty.as_of}, {difficulty.source_url}",
            ),
            Text(
                "The mean says little about a lottery: after it has passed, a third of all such "
                "searches still have nothing. That is why pools exist."
            ),
            Check(
                "a day's chance is a 365th of a year's, nearly: both are tiny",
                abs(day * 365.25 / year - 1) < 0.01,
                "1 - exp(-time x hashrate / hashes)",
            ),
            code(arithmetic.chance),
        ),
    )


def _schemes(setting: Setting) -> Screen:  # one screen, mostly its text
    trials = QUICK_TRIALS if setting.quick else TRIALS
    rng = np.random.default_rng(setting.seed)
    outlook = payout.Outlook(OWN_PART * POOL_BLOCKS, POOL_BLOCKS, SHARES_PER_BLOCK)
    results = [
        payout.solo(outlook, trials, rng),
        payout.proportional(outlook, trials, rng),
        *(payout.last_n_shares(outlook, window, trials, rng) for window in WINDOWS),
        payout.pay_per_share(outlook, trials, rng),
    ]
    rows = tuple(
        (one.name, f"{one.mean:.4f}", f"{one.sd:.4f}", f"{one.want_sd:.4f}", f"{one.nothing:.1%}")
        for one in results
    )
    return Screen(
        "Four ways to be paid",
        (
            Text(
                f"{trials:,} months of a miner with {OWN_PART:.0%} of a pool that finds "
                f"{POOL_BLOCKS:.0f} blocks a month. In block rewards a month:"
            ),
            Table("", ("", "mean", "spread", "theory", "empty months"), rows),
            Text(
                "**Solo**: all or nothing. **Proportional**: each block is split by the shares of "
                "its round. **PPLNS**: over the last N shares. **PPS**: a fixed price a share, the "
                "pool carries the luck. The mean is the same; only the luck is shared."
            ),
            Check(
                "every mean is within four standard errors of theory",
                all(
                    abs(one.mean - one.want_mean) < 4 * one.want_sd / trials**0.5 for one in results
                ),
                f"miner learn pools --seed {setting.seed}",
            ),
            Check(
                "every spread is within 15 % of its formula; longer PPLNS windows spread less",
                all(abs(one.sd / one.want_sd - 1) < 0.15 for one in results)
                and results[3].sd < results[2].sd,
                "variance = blocks x (q^2 + q (1 - q) / N)",
            ),
            code(payout.last_n_shares),
            Question(
                "Does any of these schemes raise what a miner earns on average? (yes/no)",
                "no",
                word_judge("no", "n"),
                "A pool sells steadiness, and takes a fee for it.",
            ),
        ),
    )


def _hopping(setting: Setting) -> Screen:
    rounds = 60_000 if setting.quick else 400_000
    gains = [payout.hopping_gain(at, rounds, setting.seed) for at in HOP_AT]
    return Screen(
        "Why proportional pools died",
        (
            Text(
                "In a proportional pool a share is worth more early in a round: fewer to split "
                "with. A **hopper** leaves when the round gets old and mines elsewhere, at the "
                "cost of those who stay."
            ),
            Bars(
                "what a hopper earns, times an honest miner",
                tuple(f"leaves at {at:g}" if at < 10 else "never leaves" for at in HOP_AT),
                tuple(gains),
                "x; leaving point in expected round lengths",
            ),
            Check(
                f"at 0.435 the gain is {gains[1] - 1:.1%}; M. Rosenfeld (2011) computed 28 %",
                abs(gains[1] - 1.28) < 0.02,
                f"hopping_gain(0.435, {rounds}, {setting.seed})",
            ),
            code(payout.hopping_gain),
        ),
    )


def _ruin() -> Screen:
    rows = tuple(
        (
            f"{fee:.0%}",
            f"{payout.reserve_for(fee, 0.01):,.0f}",
            f"{payout.reserve_for(fee, 0.0001):,.0f}",
        )
        for fee in (0.01, 0.02, 0.04)
    )
    known = economics.load()
    price = known["btc_price"]
    coins = payout.reserve_for(0.02, 0.0001) * float(arithmetic.network_from(known).subsidy.value)
    worth = coins * price.value
    return Screen(
        "Who pays for bad luck?",
        (
            Text(
                "A PPS pool pays for every share, found block or not. A long unlucky stretch can "
                "ruin it, so it needs a reserve, in block rewards:"
            ),
            Table("", ("fee", "ruin below 1 %", "ruin below 0.01 %"), rows,
                  "ln(1 / ruin) / (2 x fee): M. Rosenfeld, 2011"),
            Check(
                "half the fee needs twice the reserve",
                abs(payout.reserve_for(0.01, 0.01) / payout.reserve_for(0.02, 0.01) - 2) < 1e-9,
                "reserve_for(0.01, 0.01) / reserve_for(0.02, 0.01)",
            ),
            code(payout.reserve_for),
            Question(
                "A pool takes a fee of 2 % and wants to survive with a chance of 99.99 %. How many "
                "block rewards must it hold, roughly?",
                f"{payout.reserve_for(0.02, 0.0001):.0f}",
                near_judge(220, 240),
                f"About {worth / 1e6:.0f} million USD at the price of {price.as_of}: a small PPS "
                "pool is a bet.",
            ),
        ),
    )  # fmt: skip
