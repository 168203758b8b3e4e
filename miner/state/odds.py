"""What to expect of chance at a rate, on this chain and for comparison on mainnet."""

import math
from fractions import Fraction

from miner.bitcoin.target import expected_hashes, target_from_difficulty
from miner.state.snapshot import Odds
from miner.work.job import Job

DAY_S, YEAR_S = 86_400.0, 365.25 * 86_400


def odds(job: Job | None, rate_hs: float | None, mainnet_difficulty: float | None) -> Odds:
    """Waiting times are means of an exponential law; chances are those of at least one block."""
    rate_hs = rate_hs or None
    hashes = float(expected_hashes(job.network_target)) if job is not None else None
    share_s = wait_s(job.target if job is not None else None, rate_hs)
    block_s = wait_s(job.network_target if job is not None else None, rate_hs)
    main_s = None
    if mainnet_difficulty is not None:
        main_s = wait_s(target_from_difficulty(Fraction(mainnet_difficulty)), rate_hs)
    return Odds(
        rate_hs=rate_hs,
        share_s=share_s,
        block_s=block_s,
        block_hashes=hashes,
        block_a_day=chance(block_s, DAY_S),
        mainnet_difficulty=mainnet_difficulty,
        mainnet_block_s=main_s,
        mainnet_block_a_year=chance(main_s, YEAR_S),
    )


def wait_s(target: int | None, rate_hs: float | None) -> float | None:
    """Mean time to a hash at or below the target."""
    if target is None or rate_hs is None or rate_hs <= 0:
        return None
    return float(expected_hashes(target)) / rate_hs


def chance(mean_s: float | None, within_s: float) -> float | None:
    """Of at least one in that time."""
    return -math.expm1(-within_s / mean_s) if mean_s else None
