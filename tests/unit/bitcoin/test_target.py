"""nbits, targets and difficulty, exact in both directions."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.bitcoin.header import Header
from miner.bitcoin.target import (
    DIFF1_TARGET,
    EASIEST_NBITS,
    UINT256_MAX,
    difficulty,
    exact_difficulty,
    expected_hashes,
    nbits_from_target,
    next_target,
    target_from_difficulty,
    target_from_nbits,
)  # fmt: skip

DATA = json.loads(
    (Path(__file__).parent.parent.parent / "vectors" / "mainnet_headers.json").read_text()
)


@pytest.mark.parametrize("row", DATA["headers"], ids=lambda row: str(row["height"]))
def test_a_real_header_proves_itself(row: dict[str, Any]) -> None:
    header = Header.parse(bytes.fromhex(row["header"]))
    assert header.hash_hex == row["hash"]
    assert header.meets(target_from_nbits(header.nbits))
    assert header.pack().hex() == row["header"]
    assert f"{header.version:08x}" == row["version"] and header.nonce == row["nonce"]


@pytest.mark.parametrize("row", DATA["retargets"], ids=lambda row: row["note"])
def test_real_retargets_come_out_exactly(row: dict[str, Any]) -> None:
    old = target_from_nbits(int(row["old_nbits"], 16))
    span = int(row["last_time"]) - int(row["first_time"])
    limit = target_from_nbits(EASIEST_NBITS["main"])
    assert f"{nbits_from_target(next_target(old, span, limit)):08x}" == row["new_nbits"]


# Bitcoin Core, src/test/arith_uint256_tests.cpp: what SetCompact accepts and refuses.
@pytest.mark.parametrize(
    ("nbits", "word"),
    [
        (0, "zero"), (0x00123456, "zero"), (0x01003456, "zero"), (0x03000000, "zero"),
        (0x04923456, "sign"), (0x01FEDCBA, "sign"), (0xFF123456, "overflow"),
        (0x2200FFFF, "overflow"), (0x23000100, "overflow"), (2**32, "32-bit"), (-1, "32-bit"),
    ],
)  # fmt: skip
def test_what_consensus_refuses_is_refused(nbits: int, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        target_from_nbits(nbits)


@pytest.mark.parametrize(
    ("nbits", "target"),
    [
        (0x01123456, 0x12), (0x02123456, 0x1234), (0x03123456, 0x123456), (0x04123456, 0x12345600),
        (0x05009234, 0x92340000), (0x20123456, 0x123456 << 232), (0x207FFFFF, 0x7FFFFF << 232),
        (0x1D00FFFF, DIFF1_TARGET), (0x2100FFFF, 0xFFFF << 240),
    ],
)  # fmt: skip
def test_compact_form_of_known_targets(nbits: int, target: int) -> None:
    assert target_from_nbits(nbits) == target


@given(st.integers(1, UINT256_MAX))
def test_nbits_round_trip_keeps_three_bytes(target: int) -> None:
    back = target_from_nbits(nbits_from_target(target))
    assert back <= target
    assert target - back < 1 << max(target.bit_length() - 16, 0)
    assert nbits_from_target(back) == nbits_from_target(target)


# Shares: difficulty as pools send it, target as they judge it.
@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("1", "00000000ffff0000"), ("0.001", "000003e7fc180000"), ("0.000001", "000f4230bdc00000"),
        ("0.9999847", "00000001000000b100992746a41ddf32c1c76f4585463ab8571c907475ac80b3"),
        ("1e-10", "f" * 64),
    ],
)  # fmt: skip
def test_share_targets_are_exact(text: str, start: str) -> None:
    assert f"{target_from_difficulty(Fraction(text)):064x}".startswith(start)


def test_target_from_difficulty_clamps_and_refuses() -> None:
    assert target_from_difficulty(Fraction(10) ** 300) == 1
    assert target_from_difficulty(Fraction(1, 10**320)) == UINT256_MAX
    for bad in (0, Fraction(-1)):
        with pytest.raises(ValueError, match="above 0"):
            target_from_difficulty(bad)


def test_difficulty_of_block_125552() -> None:
    target = target_from_nbits(0x1A44B9F2)
    assert difficulty(target) == pytest.approx(244112.487774)
    assert exact_difficulty(DIFF1_TARGET) == 1
    assert expected_hashes(UINT256_MAX) == 1 and expected_hashes(2**255 - 1) == 2
    assert int(expected_hashes(DIFF1_TARGET)) == 4295032833


@pytest.mark.parametrize(
    ("target", "nbits"),
    [
        (1, 0x01010000), (0x7F, 0x017F0000), (0x80, 0x02008000), (0xFF, 0x0200FF00),
        (0x100, 0x02010000), (0x7FFF, 0x027FFF00), (0x8000, 0x03008000), (0x7FFFFF, 0x037FFFFF),
        (0x800000, 0x04008000), (0x12345678, 0x04123456), (DIFF1_TARGET, 0x1D00FFFF),
        (UINT256_MAX, 0x2100FFFF),
    ],
)  # fmt: skip
def test_compact_form_keeps_the_sign_bit_free(target: int, nbits: int) -> None:
    assert nbits_from_target(target) == nbits


@pytest.mark.parametrize("target", [-1, 0, UINT256_MAX + 1])
def test_a_target_is_between_1_and_256_bits(target: int) -> None:
    with pytest.raises(ValueError, match=f"target {target:#x} is not in 1 .. 2"):
        nbits_from_target(target)
