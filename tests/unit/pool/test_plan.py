"""The lesson plan's figures, beside simulations and sums of our own."""

import math
import random
import re
from statistics import fmean, pstdev

import pytest

from miner.pool import stats
from miner.pool.plan import LANGUAGES, RATE_HS, ROOMS, Expected, plan, values
from miner.work.payout import Pplns


@pytest.mark.parametrize("people", ROOMS)
def test_a_room_of_so_many(people: int) -> None:
    """Ten minutes of a class, many times: shares by chance, one in so many a block."""
    rng, told = random.Random(people), Expected(people)
    shares = round(people * 100)  # ten a minute of each
    chance = told.blocks / shares
    blocks, mine, pooled = [], [], []
    for _ in range(120):
        pool = Pplns(max(round(stats.WINDOW_BLOCKS / chance), 1))
        found = own = 0
        income = 0.0
        for _ in range(shares):
            me = rng.random() < 1 / people
            pool.share(me, 1)
            if rng.random() < chance:
                found, own = found + 1, own + me
                income += float(pool.parts().get(True, 0))
        blocks.append(found)
        mine.append(own)
        pooled.append(income)
    assert told.wait_s == pytest.approx(2**32 / (people * RATE_HS), rel=1e-4)
    assert fmean(blocks) == pytest.approx(told.blocks, rel=0.1)
    assert pstdev(blocks) == pytest.approx(told.blocks_sigma, rel=0.25)
    assert mine.count(0) / 120 == pytest.approx(told.empty_handed, abs=0.06)
    assert pstdev(mine) == pytest.approx(told.alone, rel=0.2)
    assert pstdev(pooled) == pytest.approx(told.pooled, rel=0.25)


def test_other_figures_by_hand() -> None:
    told = Expected(15)
    assert told.rate_sigma == pytest.approx(1 / math.sqrt(50))
    assert told.total_sigma == pytest.approx(1 / math.sqrt(50 * 15))
    assert math.exp(-told.longest_s / told.wait_s) == pytest.approx(0.05)
    said = values(lambda text: text)
    assert said["wait_5"] == "43 s" and said["wait_30"] == "7.2 s" and said["rate_30"] == "600 MH/s"
    assert (said["ahead_40"], said["behind_40"], said["behind_60"]) == ("67 %", "30 %", "100 %")
    assert (said["ahead_33"], said["behind_33"]) == ("50 %", "12 %")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_plan_is_whole(lang: str) -> None:
    text = plan(lang)
    assert not re.findall(r"[{}]", text), "every figure is put in"
    minutes = [int(one) for one in re.findall(r"^## (\d+) ", text, re.M)]
    assert minutes == [0, 6, 16, 26, 38, 43]
    assert max(len(line) for line in text.splitlines()) <= 130
    figures = [re.findall(r"\d+", line) for line in text.splitlines() if line.startswith("| ")]
    other = plan(next(one for one in LANGUAGES if one != lang))
    assert figures == [re.findall(r"\d+", line) for line in other.splitlines() if line[:2] == "| "]
    for word in ("miner class", "--easy", "--replay"):
        assert word in text
