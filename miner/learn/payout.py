"""What a miner is paid, over many simulated months: solo, PPS, proportional, PPLNS.

Definitions and closed forms: M. Rosenfeld, Analysis of Bitcoin Pooled Mining Reward Systems
(2011). Amounts are in block rewards; a share's worth is share difficulty / network difficulty.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from miner.work.payout import Outlook

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a way of paying gave in the trials, beside what theory says."""

    key: str  # solo, pps, proportional or pplns
    mean: float
    sd: float
    want_mean: float
    want_sd: float
    nothing: float  # share of trials that paid nothing
    window: int = 0  # of PPLNS: N


def solo(outlook: Outlook, trials: int, rng: np.random.Generator) -> Scheme:
    """A whole block or nothing: Poisson."""
    paid = rng.poisson(outlook.own_blocks, trials).astype(float)
    return _scheme("solo", paid, outlook.own_blocks, outlook.solo_sd)


def pay_per_share(outlook: Outlook, trials: int, rng: np.random.Generator) -> Scheme:
    """A fixed price a share; the operator carries the luck."""
    shares = outlook.own_blocks * outlook.shares_per_block
    paid = rng.poisson(shares, trials) / outlook.shares_per_block
    return _scheme("pps", paid, outlook.own_blocks, outlook.pay_per_share_sd)


def proportional(outlook: Outlook, trials: int, rng: np.random.Generator) -> Scheme:
    """Each block is split by the shares of its round; the last share of a round is the block."""
    q, chance = outlook.part, 1 / outlook.shares_per_block
    paid = np.zeros(trials)
    for trial, blocks in enumerate(rng.poisson(outlook.pool_blocks, trials)):
        rounds = rng.geometric(chance, blocks)
        paid[trial] = float(np.sum(rng.binomial(rounds, q) / rounds))
    return _scheme("proportional", paid, outlook.own_blocks, outlook.proportional_sd)


def last_n_shares(outlook: Outlook, window: int, trials: int, rng: np.random.Generator) -> Scheme:
    """PPLNS: each block is split over the last `window` shares, whichever round they fell in.

    Windows of different blocks are taken as independent: true for windows far below a round.
    """
    q = outlook.part
    blocks = rng.poisson(outlook.pool_blocks, trials)
    paid = rng.binomial(blocks * window, q) / window
    sd = outlook.last_n_shares_sd(window)
    return replace(_scheme("pplns", paid, outlook.own_blocks, sd), window=window)


def hopping_gain(leave_at: float, rounds: int, seed: int) -> float:
    """A hopper's pay for a share, divided by an honest miner's, in a proportional pool.

    The hopper mines a round only until its shares reach `leave_at` of those expected, then goes
    to a fair pool. Rosenfeld: best at 0.435, gain 28 %.
    """
    rng = np.random.default_rng(seed)
    length = rng.exponential(1.0, rounds)  # round lengths in expected shares
    mined = np.minimum(length, leave_at)
    earned = float(np.sum(mined / length)) + float(np.sum(length - mined))  # fair elsewhere
    return earned / float(np.sum(length))


def reserve_for(fee: float, ruin: float) -> float:
    """Block rewards a PPS operator must hold so that ruin is this unlikely (Rosenfeld, 3.2.5)."""
    return math.log(1 / ruin) / (2 * fee)


def ruined_part(fee: float, reserve: float, pools: int, seed: int, blocks: int = 2_000) -> float:
    """The part of many PPS pools that run out of money, each played for so many blocks.

    Time is in mean waits for a block: a wait of w costs w times what a block brings, less the fee.
    """
    waits = np.random.default_rng(seed).exponential(1.0, (pools, blocks))
    paid = np.cumsum(waits, axis=1) * (1 - fee)
    return float(np.mean(np.any(reserve + np.arange(blocks) - paid < 0, axis=1)))


def _scheme(key: str, paid: Floats, mean: float, sd: float) -> Scheme:
    return Scheme(
        key, float(np.mean(paid)), float(np.std(paid)), mean, sd, float(np.mean(paid == 0))
    )
