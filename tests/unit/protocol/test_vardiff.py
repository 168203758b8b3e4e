"""Vardiff: ten shares a minute from any speed, and no change for noise."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from miner.protocol.stratum.vardiff import EASIEST, START, Vardiff, short, short_below

HASHES = 2**48 / 0xFFFF
FAR = Fraction(10**12)


def mined(vardiff: Vardiff, rate_hs: float, seconds: float, hardest: Fraction, seed: int) -> int:
    """Shares found in so long by a miner of this speed, which follows at once."""
    dice, now, shares = random.Random(seed), 0.0, 0
    while now < seconds:
        wait_s = dice.expovariate(rate_hs / (float(vardiff.difficulty) * HASHES))
        while wait_s > 1.0:  # the room looks once a second
            now, wait_s = now + 1.0, wait_s - 1.0
            if vardiff.turn(hardest, now):
                wait_s = dice.expovariate(rate_hs / (float(vardiff.difficulty) * HASHES))
        now += wait_s
        vardiff.share(vardiff.difficulty, now)
        vardiff.turn(hardest, now)
        shares += 1
    return shares


@pytest.mark.parametrize("rate_hs", [1e4, 1e5, 5e7, 1e9, 1e12, 2e14])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_speed_comes_to_ten_shares_a_minute(rate_hs: float, seed: int) -> None:
    vardiff = Vardiff(0.0)
    mined(vardiff, rate_hs, 600.0, FAR, seed)
    expected_s = float(vardiff.difficulty) * HASHES / rate_hs
    assert 6 / 2.6 < expected_s < 6 * 2.6
    assert vardiff.difficulty == Fraction(Decimal(str(float(vardiff.difficulty))))  # as JSON has it


def test_a_steady_miner_is_left_alone() -> None:
    vardiff = Vardiff(0.0)
    for number in range(1, 1000):
        vardiff.share(START, 6.0 * number)
        assert not vardiff.turn(FAR, 6.0 * number)


@pytest.mark.parametrize(
    ("every_s", "moves"),
    [(4.0, False), (9.0, False), (2.4, True), (3.6, True), (10.0, True), (15.0, True)],
)
def test_only_more_than_chance_moves_it(every_s: float, moves: bool) -> None:
    vardiff = Vardiff(0.0)
    turned = []
    for number in range(1, 60):
        vardiff.share(START, every_s * number)
        turned.append(vardiff.turn(FAR, every_s * number))
    assert any(turned) is moves


def test_silence_makes_shares_easier_step_by_step_and_never_too_easy() -> None:
    vardiff = Vardiff(0.0)
    seen = [float(vardiff.difficulty)]
    for second in range(600):
        if vardiff.turn(FAR, float(second)):
            seen.append(float(vardiff.difficulty))
    assert seen[:3] == [0.001, 0.00025, 6.2e-05]
    assert seen[-1] == float(EASIEST) and seen == sorted(seen, reverse=True)


def test_a_share_is_no_harder_than_a_block_unless_shares_would_flood() -> None:
    slow, fast = Vardiff(0.0), Vardiff(0.0)
    mined(slow, 3e9, 300.0, Fraction(1), 5)  # alone it would be at 4.2
    assert slow.difficulty == 1
    shares = mined(fast, 1e12, 300.0, Fraction(1), 5)  # 233 blocks a second
    assert 116 / 2.5 < fast.difficulty < 116 * 2.5  # two a second
    assert shares < 300 * 5
    easy = Vardiff(0.0)
    assert easy.turn(Fraction(1, 4096), 0.0)
    assert easy.difficulty == Fraction("0.00024")


def test_after_a_wish_no_block_is_missed_for_shares_that_came_too_fast_before() -> None:
    block = Fraction(1, 1000)
    vardiff = Vardiff(0.0, block)
    for second in range(40):
        vardiff.share(vardiff.difficulty, second / 10)
        vardiff.turn(block, second / 10)
    assert vardiff.difficulty > block
    vardiff.ask(Fraction(5), 5.0)
    vardiff.turn(block, 5.0)
    assert vardiff.difficulty == block


def test_a_bunch_of_shares_is_no_measure_of_speed() -> None:
    vardiff = Vardiff(0.0)
    for _ in range(8):
        vardiff.share(START, 10.0)
    vardiff.turn(FAR, 10.0)
    assert vardiff.difficulty <= START * 16
    burst = Vardiff(0.0)
    for _ in range(100):
        burst.share(START, 0.0)
    burst.turn(FAR, 0.0)
    assert burst.difficulty == START * 16


def test_a_wish_is_followed_until_shares_tell_otherwise() -> None:
    vardiff = Vardiff(0.0)
    vardiff.ask(Fraction(1234567, 1000), 0.0)
    assert vardiff.difficulty == 1200
    vardiff.ask(Fraction(1, 10**9), 0.0)
    assert vardiff.difficulty == EASIEST


@pytest.mark.parametrize(
    ("value", "near", "below"),
    [
        ("0.00098437", "0.00098", "0.00098"),
        ("0.00098637", "0.00099", "0.00098"),
        ("0.997", "1", "0.99"),
        ("1.6", "2", "1"),
        ("12600", "13000", "12000"),
        ("1", "1", "1"),
        ("0.0010000001", "0.001", "0.001"),
        ("4.65e-10", "4.6e-10", "4.6e-10"),
    ],
)
def test_difficulties_are_short_decimals(value: str, near: str, below: str) -> None:
    assert short(Fraction(value)) == Fraction(near)
    assert short_below(Fraction(value)) == Fraction(below)


def test_chance_moves_it_seldom() -> None:
    vardiff, dice, now, turns = Vardiff(0.0), random.Random(7), 0.0, 0
    for _ in range(2000):
        now += dice.expovariate(1 / 6.0)
        vardiff.share(vardiff.difficulty, now)
        turns += vardiff.turn(FAR, now)
    assert turns < 20  # in 200 minutes
