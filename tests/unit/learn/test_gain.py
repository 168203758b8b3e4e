"""What lesson 13 makes of its timings."""

import pytest

from miner.learn.lessons.asicboost import Gain


def test_the_schedules_share_follows_from_gain_and_words_saved() -> None:
    gain = Gain(((1.0, 1.25),) * 5, 16)
    assert gain.saved == pytest.approx(45 / 93)
    assert gain.schedule_share == pytest.approx((1 - 1 / 1.25) / (45 / 93))
    assert gain.verdict == "real" and gain.middle <= gain.bound


def test_pairs_that_disagree_tell_nothing() -> None:
    gain = Gain(((1.0, 1.2), (1.0, 1.4), (1.0, 1.3)), 16)
    assert gain.noisy and gain.verdict == "noisy"


def test_one_version_saves_nothing() -> None:
    gain = Gain(((1.0, 1.0), (1.0, 1.01), (1.0, 1.0)), 1)
    assert (gain.saved, gain.schedule_share, gain.bound) == (0.0, 0.0, 1.0)
    assert gain.verdict == "none" and gain.middle <= gain.bound + 0.02
