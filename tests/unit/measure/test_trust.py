from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from miner.measure.trust import Observed, judge

RNG = np.random.default_rng(4)
QUIET = [100 + 0.3 * x for x in RNG.normal(size=30)]
ALONE = [1.0] * 30
STEP = [*QUIET[:22], *(0.8 * one for one in QUIET[22:])]


def seen(**known: object) -> Observed:
    return Observed(**{"rates": QUIET, "speeds": QUIET, "shares": ALONE, "seconds": 30.0} | known)  # type: ignore[arg-type]


def test_steady() -> None:
    found = judge(seen(clocks=[3000.0] * 30, steal=[0.001] * 30))
    assert (found.word, found.reasons, found.steady, found.disturbed) == ("steady", (), True, False)


@pytest.mark.parametrize(
    ("known", "word", "reason"),
    [
        ({"card_heat": 3, "gpu": True}, "throttled", "heat held the card back in 3 slices"),
        ({"speeds": STEP, "clocks": [3000.0] * 22 + [2400.0] * 8, "gpu": True,
          "card_power_cap": 9}, "clock fell", "its power cap held it"),
        ({"throttles": 2}, "throttled", "2 thermal throttle events"),
        ({"steal": [0.05] * 30}, "shared machine", "hypervisor gave 5 % of the CPU"),
        ({"shares": [0.4] * 30}, "shared machine", "others took 60 % of the CPU"),
        ({"shares": [0.5] * 30, "cpus": 2}, "shared machine", "others took 50 % of 2 CPUs"),
        ({"quota_stops": 3}, "shared machine", "fewer --threads"),
        ({"shares": [1.0] * 26 + [0.85] * 4}, "interrupted", "in 4 of 30 slices others took up"),
        ({"speeds": STEP}, "drifting", "none was measured"),
        ({"speeds": STEP, "clocks": [3000.0] * 22 + [2400.0] * 8}, "clock fell", "as the system"),
        ({"speeds": STEP, "clocks": [3000.0] * 22 + [2400.0] * 8, "counted": True}, "clock fell",
         "the clock fell by 20 %, counted in cycles"),
        ({"speeds": STEP, "clocks": [3000.0] * 30, "counted": True}, "drifting", "clock did not"),
        ({"rates": STEP, "speeds": [], "shares": []}, "drifting", "CPU time was not counted"),
        ({"speeds": [95, 105, 94, 106] * 6}, "noisy", "vary by"),
        ({"rates": QUIET[:5]}, "too short", "raise --samples"),
        ({"rates": []}, "not measured", "no slice"),
    ],
)  # fmt: skip
def test_words(known: dict[str, object], word: str, reason: str) -> None:
    found = judge(seen(**known))
    assert found.word == word
    assert any(reason in one for one in found.reasons)


def test_a_fall_that_others_caused_is_not_laid_on_heat() -> None:
    """The wall rate falls to half as others come; hashes a CPU second stay."""
    shares = [*np.linspace(1.0, 0.4, 30)]
    found = judge(seen(rates=[100 * one for one in shares], shares=shares))
    assert (found.word, len(found.reasons), found.disturbed) == ("shared machine", 1, True)


Series = Callable[[], "list[float]"]


def wandering(rho: float, sd: float) -> list[float]:
    steps = RNG.standard_normal(16)
    for i in range(1, 16):
        steps[i] += rho * steps[i - 1]
    return list(100 * (1 + sd * (1 - rho**2) ** 0.5 * steps))


@pytest.mark.parametrize(
    ("make", "right"),
    [
        (lambda: list(RNG.normal(100, 1, 16)), {"steady"}),
        (lambda: list(RNG.normal(100, 6, 16)), {"noisy"}),
        (lambda: wandering(0.8, 0.02), {"steady", "noisy"}),
        (lambda: list(np.where(np.arange(16) < 12, 100, 80) + RNG.normal(0, 0.5, 16)),
         {"drifting"}),
        (lambda: list(np.where(np.arange(16) % 2, 100, 95) + RNG.normal(0, 0.3, 16)), {"noisy"}),
    ],
)  # fmt: skip
def test_wrong_causes_are_rare(make: Series, right: set[str]) -> None:
    said = Counter(judge(seen(rates=one, speeds=one, shares=[1.0] * 16)).word
                   for one in (make() for _ in range(1000)))  # fmt: skip
    assert sum(count for word, count in said.items() if word not in right) <= 50


def fell(places: int, by: float, sd: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """A level that falls once, after so many of 16 slices."""
    return np.where(np.arange(16) < places, 1.0, 1 - by) * (1 + RNG.normal(0, sd, 16))


def clock_falls(counted: bool) -> dict[str, object]:
    """Speed follows the clock, as the clock's reading does, less exactly where it is only read."""
    clock = 3000 * fell(int(RNG.integers(4, 13)), 0.12, 0.002)
    speeds = clock / 30 * (1 + RNG.normal(0, 0.003, 16))
    read = clock if counted else clock * (1 + RNG.normal(0, 0.02, 16))
    return {"speeds": list(speeds), "clocks": list(read), "counted": counted}


def memory_slows() -> dict[str, object]:
    clock = 3000 * (1 + RNG.normal(0, 0.002, 16))
    return {"speeds": list(100 * fell(8, 0.1, 0.003)), "clocks": list(clock), "counted": True}


def others(wild: bool) -> dict[str, object]:
    """Others take a part of the CPU all the time, or a large one now and then."""
    shares = RNG.uniform(0.3, 0.9, 16) if wild else np.ones(16)
    shares[RNG.choice(16, 3, replace=False)] *= RNG.uniform(0.85, 0.89, 3)
    return {"speeds": list(RNG.normal(100, 0.5, 16)), "shares": list(shares)}


@pytest.mark.parametrize(
    ("make", "right", "reason"),
    [
        (lambda: clock_falls(True), "clock fell", "counted in cycles"),
        (lambda: clock_falls(False), "clock fell", "as the system shows it"),
        (memory_slows, "drifting", "the clock did not"),
        (lambda: others(True), "shared machine", "others took"),
        (lambda: others(False), "interrupted", "others took up to"),
        (lambda: {"steal": list(RNG.uniform(0.02, 0.2, 16))}, "shared machine", "hypervisor"),
    ],
)
def test_measured_causes_are_named(
    make: Callable[[], dict[str, object]], right: str, reason: str
) -> None:
    """Whose cause was measured: it is named, and no other is, in 950 of 1,000 at least."""
    quiet = {"rates": [100.0] * 16, "shares": [1.0] * 16, "speeds": [], "seconds": 16.0}
    good = 0
    for _ in range(1000):
        found = judge(Observed(**(quiet | make())))  # type: ignore[arg-type]
        good += found.word == right and reason in found.reasons[0] and len(found.reasons) == 1
    assert good >= 950
