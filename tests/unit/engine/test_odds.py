import re
from dataclasses import replace

import pytest

from miner.backends import speed
from miner.bitcoin.target import target_from_difficulty
from miner.engine.odds import guess_rate, mainnet_sentence
from miner.sources.fixed import never_found
from tests.fakes.backend import FakeBackend


def test_the_mainnet_sentence_has_odds_time_and_earning() -> None:
    target = target_from_difficulty(120 * 10**12)
    job = replace(never_found(), network_target=target, height=900_000)
    years = 120e12 * 4295032833 / 60e6 / (365.25 * 86400)
    sentence = mainnet_sentence(job, 60e6)
    assert sentence is not None
    assert "at about 60 MH/s" in sentence
    found = re.search(r"once in ([\d,]+) years.*odds 1 in ([\d,]+) a year", sentence)
    assert found is not None
    assert [int(text.replace(",", "")) for text in found.groups()] == pytest.approx(
        [years] * 2, 1e-3
    )
    assert "1 satoshi a year, in practice nothing" in sentence  # 3.125 BTC over 272 million years
    assert "\n" not in sentence


def test_a_quick_machine_earns_more_than_one_satoshi() -> None:
    job = replace(never_found(), network_target=target_from_difficulty(120 * 10**12))
    sentence = mainnet_sentence(job, 60e12) or ""
    assert "satoshi a year and" in sentence
    assert re.search(r"1,14\d,\d{3} satoshi", sentence)


@pytest.mark.parametrize(("difficulty", "rate"), [(1, 60e6), (10**11, 60e6), (120 * 10**12, 0.0)])
def test_other_chains_and_no_rate_need_no_sentence(difficulty: int, rate: float) -> None:
    job = replace(never_found(), network_target=target_from_difficulty(difficulty))
    assert mainnet_sentence(job, rate) is None


def test_the_first_guess_counts_every_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []

    class Timing:
        def __init__(self, backend: FakeBackend) -> None:
            self.name = backend.info.name

        def sample(self, seconds: float) -> float:
            timed.append(self.name)
            return {"a": 1000.0, "b": 7.0}[self.name]

    monkeypatch.setattr(speed, "Timing", Timing)
    assert guess_rate([FakeBackend("a"), FakeBackend("b"), FakeBackend("a")]) == 2007.0
    assert timed == ["a", "b"]  # one of each name
