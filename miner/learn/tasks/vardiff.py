"""Vardiff: a pool sets a miner's share difficulty so that shares come at a steady pace."""

import math
from fractions import Fraction
from typing import Any

from miner.learn.task import Case, Fault, Task, cases

STEP = 4  # the most that one adjustment changes
QUIET = 2  # a pace wrong by less than this factor is left alone


def right(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    """Exactly, in fractions; as a float at the end."""
    factor = Fraction(60 * shares, seconds * wanted)
    if Fraction(1, QUIET) < factor < QUIET:
        return float(difficulty)
    return float(Fraction(difficulty) * min(max(factor, Fraction(1, STEP)), Fraction(STEP)))


def _clamped(factor: float) -> float:
    return min(max(factor, 1 / STEP), STEP)


def inverse(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return difficulty if 0.5 < factor < 2 else difficulty / _clamped(factor)


def seconds_for_minutes(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = shares / seconds / wanted
    return difficulty if 0.5 < factor < 2 else difficulty * _clamped(factor)


def unlimited(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return difficulty if 0.5 < factor < 2 else difficulty * factor


def only_up(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return difficulty if 0.5 < factor < 2 else difficulty * min(factor, STEP)


def restless(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    return difficulty * _clamped(60 * shares / seconds / wanted)


def quarter_quiet(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return difficulty if 0.25 < factor < 4 else difficulty * _clamped(factor)


def edges_quiet(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return difficulty if 0.5 <= factor <= 2 else difficulty * _clamped(factor)


def factor_alone(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return 1 if 0.5 < factor < 2 else _clamped(factor)


def whole(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares // seconds // wanted
    return difficulty if 0.5 < factor < 2 else difficulty * _clamped(factor)


def whole_pace(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares // seconds / wanted
    return difficulty if 0.5 < factor < 2 else difficulty * _clamped(factor)


def factor_or_old(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    factor = 60 * shares / seconds / wanted
    return difficulty if 0.5 < factor < 2 else _clamped(factor)


def divides(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    return difficulty / _clamped(seconds * wanted / (60 * shares))


def fault(case: Case, answer: Any, _calls: int) -> Fault | None:
    """Floats may differ in their last digits."""
    number = type(answer) in (int, float)
    if number and math.isclose(answer, case.want, rel_tol=1e-9):
        return None
    return Fault(case.want)


def made() -> tuple[Case, ...]:
    return cases(
        right,
        faster=(1000.0, 180, 300, 12),
        slower=(1000.0, 20, 300, 12),
        near=(1000.0, 75, 300, 12),
        flood=(0.5, 900, 60, 6),
        silent=(4096.0, 0, 120, 6),
        edge=(8.0, 60, 300, 6),
        few=(64.0, 7, 180, 1),
        small=(0.001, 45, 60, 10),
    )


TASK = Task(
    "next_difficulty(difficulty: float, shares: int, seconds: int, wanted: int) -> float",
    right,
    made,
    {
        "inverse": inverse, "minutes": seconds_for_minutes, "unlimited": unlimited,
        "only-up": only_up, "restless": restless, "quarter": quarter_quiet, "edges": edges_quiet,
        "factor": factor_alone, "whole": whole, "whole.2": whole_pace,
        "factor.2": factor_or_old, "silent": divides,
    },
    fault=fault,
    claim="isclose({call}, {want}, rel_tol=1e-9)",
    needs=("from math import isclose",),
)  # fmt: skip
