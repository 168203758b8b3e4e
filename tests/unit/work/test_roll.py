"""No (extranonce2, version, ntime) is given out twice, and everything is used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.work.found import Share
from miner.work.job import Coinbase, FixedRoot, Job
from miner.work.roll import Roller
from miner.work.unit import build_unit
from tests.fakes.jobs import changed

JOB = Job(
    source="test", session=1, job_id="1", clean=True, version=0x20000000, version_mask=0,
    prev_hash=bytes(32), merkle=Coinbase(b"one", b"\xaa", 1, b"two", ()), nbits=0x207FFFFF,
    ntime=1_700_000_000, ntime_limit=0,
    ntime_follows_clock=False, share_target=2**250, network_target=2**240,
)  # fmt: skip


def draw(roller: Roller, wants: list[int], elapsed_s: float) -> list[tuple[bytes, int, int]]:
    """Everything a roller gives until it is exhausted, as (extranonce2, version, ntime)."""
    given_out = []
    turn = 0
    while (unit := roller.next(wants[turn % len(wants)], elapsed_s)) is not None:
        given_out += [(unit.extranonce2, version, unit.ntime) for version in unit.versions]
        turn += 1
        assert turn < 200_000
    return given_out


@given(
    st.integers(0, 1), st.integers(0, 5), st.integers(0, 3), st.lists(st.integers(1, 9), min_size=1)
)
def test_nothing_twice_with_any_mix_of_wants(
    size: int, bits: int, limit: int, wants: list[int]
) -> None:
    job = changed(
        JOB, extranonce2_size=size, version_mask=((1 << bits) - 1) << 13, ntime_limit=limit
    )
    seen = draw(Roller(job, 77), wants[:3], 100)
    assert len(seen) == len(set(seen))
    assert {ntime - job.ntime for _, _, ntime in seen} == set(range(limit + 1))
    assert {extranonce2 for extranonce2, _, _ in seen} == {
        n.to_bytes(size, "big") for n in range(256**size)
    }


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_constant_want_uses_the_whole_space(size: int) -> None:
    job = changed(JOB, extranonce2_size=size, version_mask=0b11 << 13, ntime_limit=1)
    assert len(set(draw(Roller(job), [4], 9))) == 256**size * 4 * 2


def test_time_moves_only_as_far_as_the_clock() -> None:
    job = changed(JOB, extranonce2_size=0, ntime_limit=60)
    roller = Roller(job)
    assert roller.next(1, 0.0) is not None and roller.next(1, 0.99) is None
    unit = roller.next(1, 1.0)
    assert unit is not None and unit.ntime == job.ntime + 1 and roller.next(1, 1.9) is None


def test_solo_time_follows_the_clock_and_never_goes_back() -> None:
    roller = Roller(changed(JOB, extranonce2_size=8, ntime_follows_clock=True, ntime_limit=7200))
    times = [roller.next(1, elapsed) for elapsed in (0.0, 5.5, 3.0, 9000.0)]
    assert [unit.ntime - JOB.ntime for unit in times if unit] == [0, 5, 5, 7200]


def test_more_versions_than_the_mask_has_means_one() -> None:
    roller = Roller(changed(JOB, version_mask=1 << 13))
    unit, pair = roller.next(4, 0), roller.next(2, 0)
    assert unit is not None and unit.versions == (0x20000000,)
    assert pair is not None and pair.versions == (0x20000000, 0x20002000)


def test_the_counter_starts_where_told_and_goes_on() -> None:
    roller = Roller(JOB, extranonce2_start=255)
    first, second = roller.next(1, 0), roller.next(1, 0)
    assert first is not None and second is not None
    assert (first.extranonce2, second.extranonce2) == (b"\xff", b"\x00")
    assert roller.next_extranonce2 == 1


def test_unit_is_the_golden_stratum_vector() -> None:
    """The widely known Stratum example, a share at difficulty 1."""
    words = bytes.fromhex("4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000")
    prev_hash = b"".join(words[i : i + 4][::-1] for i in range(0, 32, 4))
    job = changed(
        JOB, version=2, prev_hash=prev_hash, extranonce1=bytes.fromhex("08000002"),
        extranonce2_size=4, nbits=0x1C2AC4AF, ntime=0x504E86ED, share_target=0xFFFF << 208,
        part1=bytes.fromhex(
            "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff20"
            "020862062f503253482f04b8864e5008"
        ),
        part2=bytes.fromhex(
            "072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327"
            "048ed988ac00000000"
        ),
    )  # fmt: skip
    share = Share.from_hit(
        build_unit(job, (2,), bytes.fromhex("00000001"), job.ntime), 2, 0xB2957C02
    )
    assert share is not None
    assert share.hash_hex == "000000002076870fe65a2b6eeed84fa892c0db924f1482243a6247d931dcab32"
    assert Share.from_hit(share.unit, 2, 0xB2957C03) is None


def test_target_never_hides_a_block_nor_floods_an_easy_chain() -> None:
    hard_pool = changed(JOB, share_target=1 << 200, network_target=1 << 210)
    assert hard_pool.target == hard_pool.network_target
    easy_chain = changed(JOB, share_target=1 << 240, network_target=1 << 255)
    assert easy_chain.target == easy_chain.share_target
    assert JOB.target == JOB.share_target


@given(
    st.integers(0, 1),
    st.lists(st.integers(0, 15), min_size=2, max_size=4),
    st.lists(st.integers(0, 90), min_size=4, max_size=4),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
)
def test_the_same_headers_sent_again_with_other_masks_repeat_nothing(
    size: int, masks: list[int], takes: list[int], wants: list[int]
) -> None:
    seen: list[tuple[bytes, int, int]] = []
    roller: Roller | None = None
    for bits, take in zip(masks, takes, strict=False):
        job = changed(JOB, extranonce2_size=size, version_mask=bits << 13, ntime_limit=1)
        roller = Roller(job, 5, roller)
        for turn in range(take):
            unit = roller.next(wants[turn % len(wants)], 1)
            if unit is None:
                break
            seen += [(unit.extranonce2, version, unit.ntime) for version in unit.versions]
    assert len(seen) == len(set(seen))


def test_a_mask_taken_back_does_not_stop_a_large_search() -> None:
    first = Roller(changed(JOB, extranonce2_size=8, version_mask=0b11 << 13), 7)
    assert first.next(4, 0) is not None
    unit = Roller(changed(JOB, extranonce2_size=8), 0, first).next(4, 0)
    assert unit is not None and unit.versions == (JOB.version,)
    assert unit.extranonce2 == (8).to_bytes(8, "big")


def test_other_headers_start_afresh() -> None:
    first = Roller(changed(JOB, extranonce2_size=0))
    assert first.next(1, 0) is not None and first.next(1, 0) is None
    other = changed(JOB, extranonce2_size=0, prev_hash=b"\1" * 32)
    assert Roller(other, 0, first).next(1, 0) is not None
    again = changed(JOB, extranonce2_size=0, job_id="2", share_target=2**249)
    assert Roller(again, 0, first).next(1, 0) is None


@given(st.integers(0, 5), st.integers(0, 3), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_a_fixed_root_rolls_versions_and_time_alone(
    bits: int, limit: int, wants: list[int]
) -> None:
    job = changed(
        JOB, merkle=FixedRoot(bytes(32)), version_mask=((1 << bits) - 1) << 13, ntime_limit=limit
    )
    seen = draw(Roller(job, 77), wants, 100)
    assert len(seen) == len(set(seen)) == 2**bits * (limit + 1)
    assert {extranonce2 for extranonce2, _, _ in seen} == {b""}
