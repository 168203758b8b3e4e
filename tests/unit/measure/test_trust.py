import numpy as np
import pytest

from miner.measure.trust import judge

QUIET = [100 + 0.3 * x for x in np.random.default_rng(4).normal(size=30)]


def test_steady() -> None:
    found = judge(QUIET, [3000.0] * 30, {"seconds": 30, "throttles": 0, "steal_s": 0.05}, "cpu")
    assert (found.word, found.reasons, found.steady) == ("steady", (), True)


@pytest.mark.parametrize(
    ("rates", "clocks", "counters", "word", "reason"),
    [
        (QUIET, [], {"throttles": 2}, "throttled", "2 thermal throttle events"),
        (QUIET, [3000.0] * 10 + [2500.0] * 20, {}, "throttled", "3000 to 2500 MHz"),
        (QUIET, [], {"steal_s": 1.5, "seconds": 30}, "shared machine", "5%"),
        (QUIET, [], {"seconds": 30, "cpu_s": 12}, "shared machine", "we got 40% of a CPU"),
        (QUIET, [], {"quota_stops": 3}, "shared machine", "fewer --threads"),
        ([100 - 0.2 * i for i in range(30)], [], {}, "drifting", "-6.0%"),
        ([*QUIET[:25], 80, 81, 79, 80, 82], [], {}, "interrupted", "17%"),
        ([95, 105, 94, 106] * 6, [], {}, "noisy", "vary by"),
        (QUIET[:5], [], {}, "too short", "raise --samples"),
        ([], [], {}, "not measured", "no slice"),
    ],
)
def test_words(
    rates: list[float], clocks: list[float], counters: dict[str, float], word: str, reason: str
) -> None:
    found = judge(rates, clocks, counters, "cpu")
    assert found.word == word
    assert any(reason in one for one in found.reasons)


def test_cpu_counters_say_nothing_about_a_gpu() -> None:
    assert judge(QUIET, [], {"throttles": 5, "quota_stops": 5}, "gpu").steady


def test_cpu_time_tells_a_busy_machine_from_a_hot_one() -> None:
    falling = [100e6 - 1e6 * i for i in range(30)]
    alone = judge(falling, [], {"seconds": 30, "cpu_s": 59.9}, "cpu", cpus=2)
    assert (alone.word, "heat" in alone.reasons[0]) == ("drifting", True)
    busy = judge(falling, [], {"seconds": 30, "cpu_s": 30}, "cpu", cpus=2)
    assert busy.word == "shared machine"
    assert busy.reasons[0] == "we got 50% of 2 CPUs, others the rest"
    assert not any("heat" in reason for reason in busy.reasons)
