"""The difficulty function: real retargets, the limits, the testnets' exceptions."""

import json
from pathlib import Path

import pytest

from miner.bitcoin.header import Header
from miner.node.index import Row
from miner.node.rules import CHAINS, REGTEST, TESTNET4, Difficulty
from tests.node.kit import MAINNET

VECTORS = Path(__file__).parent.parent.parent / "vectors"
RETARGETS = json.loads((VECTORS / "mainnet_headers.json").read_text())["retargets"]
TESTNET = TESTNET4.difficulty
EASY, HARD, HARDER = 0x1D00FFFF, 0x1C0FFFFF, 0x1B0FFFFF


def rows(start: int, blocks: list[tuple[int, int]]) -> Row:
    """The last of blocks with these times and bits, the first at height `start`."""
    row: Row | None = None
    for height, (time, nbits) in enumerate(blocks, start=start):
        header = Header(1, bytes(32), bytes(32), time, nbits, 0)
        row = Row(header.hash, header, row, height, time, 0, 1, 1, 100)
    assert row is not None
    return row


def period(number: int, first: tuple[int, int], last: tuple[int, int], between: int) -> Row:
    """The last block of a period."""
    return rows(2016 * number, [first, *[(first[0], between)] * 2014, last])


@pytest.mark.parametrize("case", RETARGETS, ids=[case["note"] for case in RETARGETS])
def test_real_retargets_of_mainnet(case: dict[str, str]) -> None:
    old, new = int(case["old_nbits"], 16), int(case["new_nbits"], 16)
    times = int(case["first_time"]), int(case["last_time"])
    tip = period(3, (times[0], old), (times[1], old), old)
    assert MAINNET.difficulty.next_nbits(tip, times[1] + 600) == new
    assert MAINNET.difficulty.next_nbits(tip, times[1] + 5000) == new, "no exception on mainnet"


def test_within_a_period_mainnet_keeps_its_bits() -> None:
    tip = rows(4032, [(0, HARD), (600, HARD)])
    for later in (1, 1200, 1201, 7200):
        assert MAINNET.difficulty.next_nbits(tip, 600 + later) == HARD


def test_regtest_never_changes() -> None:
    for blocks in ([(0, 0x207FFFFF)], [(n, 0x207FFFFF) for n in range(2016)]):
        tip = rows(0, blocks)
        for later in (1, 100_000):
            assert REGTEST.difficulty.next_nbits(tip, tip.header.time + later) == 0x207FFFFF


@pytest.mark.parametrize(("later", "nbits"), [(1, HARD), (1200, HARD), (1201, EASY), (9999, EASY)])
def test_a_late_block_of_testnet4_may_be_easy(later: int, nbits: int) -> None:
    tip = rows(4032, [(0, HARD), (600, HARD)])
    assert TESTNET.next_nbits(tip, 600 + later) == nbits


def test_after_easy_blocks_the_period_goes_on_as_before_them() -> None:
    tip = rows(4032, [(0, HARD), (600, HARD), (2000, EASY), (4000, EASY)])
    assert TESTNET.next_nbits(tip, 4600) == HARD
    tip = rows(4032, [(0, EASY), (600, EASY)])
    assert TESTNET.next_nbits(tip, 700) == EASY, "not past the first block of the period"


def test_a_retarget_of_testnet4_starts_from_the_first_block() -> None:
    """BIP 94: the last block may be an exception, the first never is."""
    span = 14 * 24 * 3600
    tip = period(2, (0, HARD), (span, EASY), EASY)
    assert TESTNET.next_nbits(tip, span + 1) == HARD
    assert TESTNET.next_nbits(tip, span + 5000) == HARD, "nor is the first of the next"
    old_testnet = Difficulty(EASY, easy_after_s=1200)
    assert old_testnet.next_nbits(tip, span + 1) == EASY
    quick = period(2, (0, HARD), (span // 2, EASY), EASY)
    assert TESTNET.next_nbits(quick, span) == 0x1C07FFFF, "half the time, half the target"
    assert TESTNET.next_nbits(period(2, (0, HARD), (1, HARD), HARD), span) == 0x1C03FFFF


def test_the_private_chain_stays_at_1_for_4031_blocks() -> None:
    """The genesis block of 2024 makes the first period long; the second may be quick."""
    now, genesis = 1795346728, 1714777860
    first = period(0, (genesis, EASY), (now + 2015, EASY), EASY)
    assert TESTNET.next_nbits(first, now + 2016) == EASY, "block 2,016"
    second = rows(2016, [(now + 2016 + n, EASY) for n in range(2015)])
    assert second.height == 4030
    assert TESTNET.next_nbits(second, now + 9000) == EASY, "block 4,031"
    last = rows(2016, [(now + 2016 + n, EASY) for n in range(2016)])
    assert TESTNET.next_nbits(last, now + 9000) == 0x1C3FFFC0, "block 4,032: difficulty 4"


def test_an_ancestor_is_found_or_named() -> None:
    tip = rows(10, [(n, HARD) for n in range(5)])
    assert tip.ancestor(14) is tip
    assert tip.ancestor(12).header.time == 2
    for height in (9, 15):
        with pytest.raises(ValueError, match=f"block 14 has no ancestor at height {height}"):
            tip.ancestor(height)


def test_what_sets_the_chains_apart() -> None:
    assert set(CHAINS) == {"regtest", "testnet4"}, "mainnet's rules are for tests alone"
    assert not REGTEST.private
    assert TESTNET4.private
    assert "its coins exist only here" in TESTNET4.warnings[0]
    assert TESTNET4.difficulty.limit == EASY
