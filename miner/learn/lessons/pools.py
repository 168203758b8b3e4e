"""Pools and luck."""

from collections.abc import Iterator

import numpy as np

from miner.gap import arithmetic, economics
from miner.learn import network, payout
from miner.learn.live import Live, Series, Shown, Si, Span, word
from miner.learn.mining import bench_unit, open_quick, rate
from miner.learn.steps import Setting
from miner.work.payout import Outlook

DAY_S = 86_400
YEAR_S = 365.25 * DAY_S
TRIALS, QUICK_TRIALS = 20_000, 4_000
POOL_BLOCKS = 30  # a month of a pool with one block a day
OWN_PART = 0.01
SHARES_PER_BLOCK = 20_000.0
WINDOWS = (100, 1_000)
TIMED_S = 0.3
HOP_AT = (0.2, 0.435, 0.7, 1.0, 50.0)
NEVER = 10  # round lengths: whoever waits so long does not hop
FEE, RUIN, WALKS = 0.05, 0.05, 2_000  # of the pools that are played to their ruin or safety


def screens(setting: Setting) -> Iterator[Live]:
    """Own chances, four ways of paying, hopping, ruin."""
    setting.progress(word("trial"))
    backend = open_quick(setting.backend)
    try:
        unit = bench_unit(backend.info.versions_wanted, 0)
        speed = setting.figures.get("rate") or rate(backend, unit, TIMED_S)
        name = backend.info.name
    finally:
        backend.close()
    yield _alone(speed, name, setting)
    yield _schemes(setting)
    rounds = 60_000 if setting.quick else 400_000
    gains = [payout.hopping_gain(at, rounds, setting.seed) for at in HOP_AT]
    labels = [word("leaves", at=at) if at < NEVER else word("never") for at in HOP_AT]
    yield Live(
        "hopping",
        gains=Series(labels, gains),
        gain=gains[1] - 1,
        rosenfeld=abs(gains[1] - 1.28) < 0.02,
        code=payout.hopping_gain,
    )
    yield _ruin(setting)


def _alone(speed: float, name: str, setting: Setting) -> Live:
    known = network.difficulty(setting)
    hashes = arithmetic.hashes_for(known.value)
    day, year = (arithmetic.chance(span, speed, hashes) for span in (DAY_S, YEAR_S))
    return Live(
        "alone",
        name=name,
        speed=Si(speed, "H/s"),
        difficulty=known.value,
        date=known.as_of,
        source=known.source_url,
        hashes=hashes,
        mean_time=Span(hashes / speed),
        day=day,
        year=year,
        times=year / day,
        tiny=360 < year / day < 365.26,
        code=arithmetic.chance,
    )


def _name(scheme: payout.Scheme) -> Shown:
    return word(scheme.key, window=scheme.window)


def _schemes(setting: Setting) -> Live:
    trials = QUICK_TRIALS if setting.quick else TRIALS
    setting.progress(word("trials", trials=trials))
    rng = np.random.default_rng(setting.seed)
    outlook = Outlook(OWN_PART * POOL_BLOCKS, POOL_BLOCKS, SHARES_PER_BLOCK)
    results = [
        payout.solo(outlook, trials, rng),
        payout.proportional(outlook, trials, rng),
        *(payout.last_n_shares(outlook, window, trials, rng) for window in WINDOWS),
        payout.pay_per_share(outlook, trials, rng),
    ]
    near = [abs(one.mean - one.want_mean) < 4 * one.want_sd / trials**0.5 for one in results]
    return Live(
        "schemes",
        trials=trials,
        part=OWN_PART,
        blocks=POOL_BLOCKS,
        schemes=[
            (_name(one), *(round(x, 4) for x in (one.mean, one.sd, one.want_sd, one.nothing)))
            for one in results
        ],
        means=all(near),
        spreads=all(abs(one.sd / one.want_sd - 1) < 0.15 for one in results)
        and results[3].sd < results[2].sd,
        code=payout.last_n_shares,
    )


def _ruin(setting: Setting) -> Live:
    known = economics.load()
    price = known["btc_price"]
    coins = payout.reserve_for(0.02, 0.0001) * float(arithmetic.network_from(known).subsidy.value)
    reserve = payout.reserve_for(FEE, RUIN)
    ruined = payout.ruined_part(FEE, reserve, WALKS, setting.seed)
    return Live(
        "ruin",
        reserves=[
            (word("fee", fee=fee), *(round(payout.reserve_for(fee, ruin)) for ruin in (0.01, 1e-4)))
            for fee in (0.01, 0.02, 0.04)
        ],
        walks=WALKS,
        fee=FEE,
        ruined=ruined,
        walk=RUIN / 2 < ruined < RUIN * 1.4,
        reserve=payout.reserve_for(0.02, 0.0001),
        worth=coins * price.value / 1e6,
        price_date=price.as_of,
        code=payout.reserve_for,
    )
