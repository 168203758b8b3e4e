"""Rolling at its edges: the end of time, the clock standing still, headers sent a second time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.work.roll import Roller
from tests.fakes.jobs import changed
from tests.unit.work.test_roll import JOB

Given = list[tuple[bytes, int, int]]


def take(roller: Roller, units: int, wants: int, elapsed_s: float) -> Given:
    """Up to so many units, as (extranonce2, version, ntime)."""
    found: Given = []
    for _ in range(units):
        unit = roller.next(wants, elapsed_s)
        if unit is None:
            break
        found += [(unit.extranonce2, version, unit.ntime) for version in unit.versions]
    return found


def test_the_last_second_of_the_32_bit_clock_is_used_and_no_other() -> None:
    job = changed(JOB, ntime=2**32 - 3, ntime_limit=100, extranonce2_size=0)
    times = [ntime for _, _, ntime in take(Roller(job), 10, 1, 50)]
    assert times == [2**32 - 3, 2**32 - 2, 2**32 - 1]


def test_a_clock_that_stands_still_gives_nothing_twice() -> None:
    job = changed(JOB, extranonce2_size=0, ntime_limit=10, ntime_follows_clock=True)
    roller = Roller(job)
    assert [len(take(roller, 5, 1, elapsed)) for elapsed in (0.0, 0.9, 1.0, 1.9, 3.0)] == [
        1, 0, 1, 0, 1,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wants", "widths"),
    [(1, [1] * 4), (2, [2, 2]), (3, [3, 1]), (4, [4]), (5, [1] * 4), (0, [1] * 4), (-1, [1] * 4)],
)
def test_a_unit_has_as_many_versions_as_wanted_if_the_mask_has_them(
    wants: int, widths: list[int]
) -> None:
    roller = Roller(changed(JOB, extranonce2_size=0, version_mask=0b11 << 13))
    found: list[int] = []
    while (unit := roller.next(wants, 0)) is not None and len(found) < 9:
        found.append(len(unit.versions))
    assert found == widths


@given(
    st.integers(0, 1), st.integers(0, 3), st.integers(0, 7), st.integers(0, 9), st.integers(1, 3)
)
def test_headers_sent_again_are_finished_not_repeated(
    size: int, first_bits: int, then_bits: int, units: int, wants: int
) -> None:
    """What both jobs gave out is all that the later mask allows, each once."""
    first = changed(JOB, extranonce2_size=size, version_mask=first_bits << 13)
    then = changed(first, version_mask=then_bits << 13, job_id="again")
    before = Roller(first, 5)
    seen = take(before, units, wants, 0)
    seen += take(Roller(then, 5, before), 5000, 1, 0)
    assert len(seen) == len(set(seen))
    if size == 0:
        versions = {version for _, version, _ in seen}
        submasks = {n << 13 for n in range(8) if n & ~then_bits == 0}
        assert {JOB.version | bits for bits in submasks} <= versions


def test_all_versions_of_a_wider_mask_follow_those_of_the_narrow_one() -> None:
    first = changed(JOB, extranonce2_size=0, version_mask=0b011 << 13)
    before = Roller(first)
    seen = take(before, 3, 1, 0)  # three of four
    then = Roller(changed(first, version_mask=0b111 << 13, job_id="2"), 0, before)
    pairs = [unit.versions for _ in range(9) if (unit := then.next(2, 0)) is not None]
    assert [version - JOB.version >> 13 for _, version, _ in seen] == [0, 1, 2]
    assert [[version - JOB.version >> 13 for version in pair] for pair in pairs] == [
        [3, 4], [5, 6], [7],
    ]  # fmt: skip


def test_a_pass_half_done_is_finished_before_its_versions_are_left_out() -> None:
    """256 extranonces: 100 had version 0, the other 156 get it next; then comes version 1."""
    first = changed(JOB, extranonce2_size=1)
    before = Roller(first)
    seen = take(before, 100, 1, 0)
    then = Roller(changed(first, version_mask=1 << 13, job_id="2"), 0, before)
    seen += take(then, 1000, 1, 0)
    assert len(seen) == len(set(seen)) == 2 * 256
