"""How long a batch of a worker is."""

from miner.engine.worker import Sizer
from tests.fakes.engine import NEVER
from tests.faults import fault


def test_a_backend_with_costly_steps_keeps_its_lanes_full() -> None:
    """A step of 16,384 lanes takes 20 ms however few are asked for, as numpy's does."""
    sizer = Sizer(0.004, lanes=16384)
    for _ in range(40):
        count = sizer.count(4, NEVER, 2**32)
        sizer.learn(4 * count, 0.020)
    assert sizer.count(4, NEVER, 2**32) == 4096
    assert sizer.count(3, NEVER, 2**32) == 5462 & ~255
    assert sizer.count(4, 2**255, 2**32) == 3  # a flood still bounds it
    assert sizer.count(4, NEVER, 7) == 7


@fault("B18")
def test_batches_are_about_four_milliseconds_and_expect_few_hits() -> None:
    sizer = Sizer(0.004)
    for _ in range(40):
        count = sizer.count(4, NEVER, 2**32)
        sizer.learn(4 * count, 4 * count / 10e6)  # a 10 MH/s device
    assert 0.5 * 40_000 < 4 * sizer.count(4, NEVER, 2**32) <= 40_000 * 1.1
    assert sizer.count(1, 2**255, 2**32) == 15
    assert sizer.count(100, 2**256 - 1, 2**32) == 1
    assert sizer.count(4, NEVER, 3) == 3
    for _ in range(100):
        sizer.learn(16, 0.00005)  # cut short by hits: says little about the rate
    assert sizer.rate_hs > 5e6
