"""What a job in force gives out, whatever comes again. Fault S14."""

import random

from hypothesis import given
from hypothesis import strategies as st

from miner.engine.current import CurrentWork
from tests.fakes.clock import FakeClock
from tests.fakes.engine import job
from tests.fakes.jobs import changed
from tests.faults import fault

SMALL = job(extranonce2_size=0, version_mask=0, ntime_limit=7200)
Header = tuple[int, bytes, int]  # version, extranonce2, ntime: all that differs within a space


def drawn(work: CurrentWork) -> list[Header]:
    """All that the job in force gives out at this moment."""
    generation, found = work.latest, []
    assert generation is not None
    while (unit := generation.next_unit(1, work.clock())) is not None:
        found += [(version, unit.extranonce2, unit.ntime) for version in unit.versions]
    return found


def put(work: CurrentWork, changes: dict[str, object]) -> None:
    work.take(changed(SMALL, **changes), lambda: 0)


@fault("S14")
def test_a_job_said_again_each_few_seconds_does_not_hold_time_still() -> None:
    """A new difficulty every 5 s, for a minute: each second gives its one header."""
    clock = FakeClock()
    work, found = CurrentWork(clock), []
    for second in range(60):
        if second % 5 == 0:
            put(work, {"share_target": 2**200 + second})
        found += drawn(work)
        clock.move(1.0)
    assert [ntime - SMALL.ntime for _, _, ntime in found] == list(range(60))


@fault("S14")
def test_the_same_job_goes_on_after_another_one() -> None:
    clock = FakeClock()
    work = CurrentWork(clock)
    put(work, {})
    first = drawn(work)
    put(work, {"prev_hash": bytes(32)})
    assert len(drawn(work)) == 1
    put(work, {"job_id": "again", "session": 2})  # a resumed session says it again
    assert drawn(work) == []
    clock.move(1.0)
    assert [ntime for _, _, ntime in first + drawn(work)] == [SMALL.ntime, SMALL.ntime + 1]


def test_a_generation_that_another_goes_on_from_gives_out_nothing() -> None:
    work = CurrentWork(FakeClock())
    put(work, {"version_mask": 3 << 13})
    before = work.latest
    put(work, {"version_mask": 1 << 13, "job_id": "2"})
    assert before is not None and before.next_unit(1, work.clock()) is None
    assert len(drawn(work)) == 2


@given(st.integers(0, 2**32), st.integers(0, 1))
def test_nothing_is_given_out_twice_and_time_never_stands_still(seed: int, size: int) -> None:
    """Any order of repeats, masks, difficulties and pauses."""
    dice, clock = random.Random(seed), FakeClock()
    work, found = CurrentWork(clock), []
    for _ in range(12):
        put(work, {
            "extranonce2_size": size, "share_target": dice.randrange(1, 9),
            "version_mask": dice.choice((0, 1 << 13, 3 << 13)), "job_id": str(dice.random()),
        })  # fmt: skip
        clock.move(dice.choice((0.0, 1.0, 2.5)))
        found += drawn(work)
    assert len(found) == len(set(found))
    clock.move(1.0)
    assert drawn(work)
