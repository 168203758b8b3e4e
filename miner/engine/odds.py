"""What to expect: a first guess of the rate, and an honest sentence for mainnet."""

import math
from collections.abc import Sequence

from miner.backends import speed
from miner.backends.base import Backend
from miner.bitcoin.coinbase import subsidy
from miner.bitcoin.target import difficulty, expected_hashes
from miner.work.job import Job

TRIAL_S = 0.02
YEAR_S = 365.25 * 86400
MAINNET_DIFFICULTY = 1e12  # no other chain is near; mainnet passed it in 2018
HALVING = 210_000
WORTH_NAMING = 100_000  # satoshi a year


def guess_rate(backends: Sequence[Backend]) -> float:
    """Hashes a second of all together: one instance of each name is timed for a moment."""
    rates: dict[str, float] = {}
    for backend in backends:
        if backend.info.name in rates:
            continue
        rates[backend.info.name] = speed.Timing(backend).sample(TRIAL_S)
    return sum(rates[backend.info.name] for backend in backends)


def mainnet_sentence(job: Job, rate_hs: float) -> str | None:
    """Odds a year, expected time and earning; None on other chains or without a rate."""
    if difficulty(job.network_target) < MAINNET_DIFFICULTY or rate_hs <= 0:
        return None
    years = float(expected_hashes(job.network_target)) / rate_hs / YEAR_S
    odds = 1 / -math.expm1(-1 / years)
    reward = subsidy(job.height, HALVING) / 1e8 if job.height is not None else 3.125
    earned = reward / years * 1e8
    money = f"{earned:,.0f} satoshi" if earned >= 1 else "less than a satoshi"
    rate = f"{rate_hs / 1e6:,.0f}" if rate_hs >= 1e7 else f"{rate_hs / 1e6:.2g}"
    nothing = ", in practice nothing," if earned < WORTH_NAMING else ""
    return (
        f"honestly: at about {rate} MH/s this computer finds a mainnet block once in "
        f"{years:,.0f} years on average; odds 1 in {odds:,.0f} a year; the mean earning is {money} "
        f"a year{nothing} and the electricity costs more"
    )
