"""A retarget: nbits of the next period."""

from miner.bitcoin.target import (
    DIFF1_TARGET,
    PERIOD,
    PERIOD_S,
    nbits_from_target,
    next_target,
    target_from_nbits,
)  # fmt: skip
from miner.learn.chain import retargets
from miner.learn.task import Case, Task, cases

FASTEST, SLOWEST = PERIOD_S // 4, PERIOD_S * 4


def right(nbits: int, first: int, last: int) -> int:
    """By the rule that the chain follows."""
    return nbits_from_target(next_target(target_from_nbits(nbits), last - first, DIFF1_TARGET))


def _span(first: int, last: int) -> int:
    return min(max(last - first, FASTEST), SLOWEST)


def _compact(target: int) -> int:
    return nbits_from_target(min(target, DIFF1_TARGET))


def inverse(nbits: int, first: int, last: int) -> int:
    return _compact(target_from_nbits(nbits) * PERIOD_S // _span(first, last))


def unlimited(nbits: int, first: int, last: int) -> int:
    return _compact(target_from_nbits(nbits) * (last - first) // PERIOD_S)


def limited_below(nbits: int, first: int, last: int) -> int:
    return _compact(target_from_nbits(nbits) * max(last - first, FASTEST) // PERIOD_S)


def limited_above(nbits: int, first: int, last: int) -> int:
    return _compact(target_from_nbits(nbits) * min(last - first, SLOWEST) // PERIOD_S)


def intervals(nbits: int, first: int, last: int) -> int:
    """Divided by 2015 waits of ten minutes: what the span holds, but not what the rule says."""
    return _compact(target_from_nbits(nbits) * _span(first, last) // (PERIOD_S // PERIOD * 2015))


def boundless(nbits: int, first: int, last: int) -> int:
    return nbits_from_target(target_from_nbits(nbits) * _span(first, last) // PERIOD_S)


def as_target(nbits: int, first: int, last: int) -> int:
    return min(target_from_nbits(nbits) * _span(first, last) // PERIOD_S, DIFF1_TARGET)


def of_nbits(nbits: int, first: int, last: int) -> int:
    return nbits * _span(first, last) // PERIOD_S


def digits_alone(nbits: int, first: int, last: int) -> int:
    """The target's digits alone are multiplied."""
    return nbits & 0xFF000000 | (nbits & 0xFFFFFF) * _span(first, last) // PERIOD_S


def made() -> tuple[Case, ...]:
    rows = retargets()  # the chain's own, and one of Bitcoin Core's tests
    real = [(int(row["old_nbits"], 16), row["first_time"], row["last_time"]) for row in rows]
    rise, limit, fast, slow = real
    week = PERIOD_S // 2
    return cases(
        right,
        rise=rise,
        longer=(fast[0], 1_400_000_000, 1_400_000_000 + 3 * week),
        fast=fast,
        slow=slow,
        limit=limit,
    )


TASK = Task(
    "retarget(nbits: int, first: int, last: int) -> int",
    right,
    made,
    {
        "inverse": inverse, "unlimited": unlimited, "below": limited_below,
        "above": limited_above, "intervals": intervals, "boundless": boundless,
        "target": as_target, "nbits": of_nbits, "digits": digits_alone,
    },
    "from miner.bitcoin.target import nbits_from_target, target_from_nbits",
    in_hex=("nbits", "answer"),
)  # fmt: skip
