"""Version masks: which bits may be rolled, and the list of versions they give."""

import random

import pytest

from miner.bitcoin.versions import (
    BIP320_MASK,
    count,
    effective_mask,
    spread,
    version_bits,
    versions_at,
)


def test_version_masks() -> None:
    assert effective_mask(0xFFFFFFFF, BIP320_MASK, 0x3FFF0000) == 0x0000E000
    assert count(BIP320_MASK) == 65536
    assert version_bits(0x30006000, BIP320_MASK) == 0x10006000
    rng = random.Random(1)
    for _ in range(50):
        mask = rng.getrandbits(32)
        spreads = [spread(index, mask) for index in range(min(count(mask), 64))]
        assert spreads == sorted(set(spreads)) and all(bits & ~mask == 0 for bits in spreads)


@pytest.mark.parametrize(
    ("granted", "configured", "version", "mask"),
    [
        (0xFFFFFFFF, 0xFFFFFFFF, 0, 0x1FFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF, 0x20000001, 0x1FFFFFFE),
        (0x6000, 0x2000, 0, 0x2000), (0x2000, 0x6000, 0x2000, 0), (0, 0xFFFFFFFF, 0, 0),
    ],
)  # fmt: skip
def test_a_bit_is_rolled_if_granted_and_configured_and_not_set(
    granted: int, configured: int, version: int, mask: int
) -> None:
    assert effective_mask(granted, configured, version) == mask


@pytest.mark.parametrize(("mask", "number"), [(0, 1), (1, 2), (0xE000, 8), (0x80000001, 4)])
def test_a_mask_gives_two_versions_for_each_bit(mask: int, number: int) -> None:
    assert count(mask) == number


def test_an_index_is_laid_into_the_bits_of_the_mask() -> None:
    assert [spread(index, 0b1010_1000) for index in range(8)] == [
        0, 0b1000, 0b10_0000, 0b10_1000, 0b1000_0000, 0b1000_1000, 0b1010_0000, 0b1010_1000,
    ]  # fmt: skip
    assert spread(8, 0b1010_1000) == 0  # bits that find no place


def test_versions_are_a_part_of_the_ascending_list() -> None:
    assert versions_at(0x20000000, 0x6000, 0, 9) == (
        0x20000000, 0x20002000, 0x20004000, 0x20006000,
    )  # fmt: skip
    assert versions_at(0x20000000, 0x6000, 1, 2) == (0x20002000, 0x20004000)
    assert versions_at(0x20000000, 0x6000, 3, 2) == (0x20006000,)
    assert versions_at(0x20000000, 0x6000, 4, 2) == ()
    assert versions_at(1, 0, 0, 5) == (1,)


def test_a_submit_carries_the_granted_bits_alone() -> None:
    assert version_bits(0x3FFFFFFF, 0x6000) == 0x6000
    assert version_bits(0x20002000, 0x6000) == 0x2000
