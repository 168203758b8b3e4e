"""cgminer's figures of a snapshot: megahashes, difficulty-1 work, shares of a hundred."""

from collections.abc import Iterable

from miner.state.rates import Rates
from miner.state.snapshot import DeviceRow, Snapshot
from miner.views.cgminer.format import Raw, Row, decimal

DIFF1_HASHES = 2**32
SLOW_HS = 1e6  # below it two decimals would hide most of a rate


def mhs(rate_hs: float) -> Raw:
    return decimal(rate_hs / 1e6, 6 if 0 < rate_hs < SLOW_HS else 2)


def ghs(rate_hs: float) -> Raw:
    """To single hashes a second."""
    return decimal(rate_hs / 1e9, 9)


def ghs_short(rate_hs: float) -> Raw:
    return decimal(rate_hs / 1e9, 9 if 0 < rate_hs < 1000 * SLOW_HS else 2)


def rates(told: Rates, average_hs: float) -> Row:
    """`5s` is the name of the shortest window, whatever its length."""
    return [
        ("MHS av", mhs(average_hs)),
        ("MHS 5s", mhs(told.rate_10s_hs)),
        ("MHS 1m", mhs(told.rate_1min_hs)),
        ("MHS 5m", mhs(told.rate_5min_hs)),
        ("MHS 15m", mhs(told.rate_15min_hs)),
    ]


def average_hs(now: Snapshot) -> float:
    """Of the session; with waiting between paced blocks, as cgminer counts."""
    run = now.run
    if run.rate_session_hs is not None:
        return run.rate_session_hs
    return run.hashes / run.elapsed_s if run.elapsed_s else 0.0


def diff1(hashes: float) -> float:
    """How many difficulty-1 shares they are worth."""
    return hashes / DIFF1_HASHES


def percent(part: float, whole: float) -> Raw:
    return decimal(100 * part / whole if whole else 0.0, 4)


def false_hits(now: Snapshot) -> int:
    return sum(row.false_hits for row in now.devices)


def last_job_at(now: Snapshot, wall_s: float) -> float:
    return wall_s - now.job.age_s if now.job else 0.0


def warmest(devices: Iterable[DeviceRow]) -> float | None:
    told = (row.sensors.temperature_c for row in devices if row.sensors is not None)
    return max((one for one in told if one is not None), default=None)
