"""The lesson of 45 minutes: what to say, click and ask, with the figures a room will see."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from miner import units
from miner.bitcoin.target import DIFF1_TARGET, expected_hashes
from miner.pool import stats
from miner.pool.document import beside
from miner.work.payout import Outlook

ROOMS = (5, 15, 30)
RATE_HS = 20e6  # of one: a school's laptop; the board shows the class's own
STRETCH_S = 600.0  # the race, and the pool after it
SHARES_A_MINUTE = 10  # of each: what vardiff aims at
RATE_SPAN_S = 300.0
SPLITS = (1 / 3, 0.4, 0.6)  # side B's part
LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a room of so many people sees in ten minutes at difficulty 1."""

    people: int

    @property
    def rate_hs(self) -> float:
        return self.people * RATE_HS

    @property
    def wait_s(self) -> float:
        """Between two blocks, on average."""
        return float(expected_hashes(DIFF1_TARGET)) / self.rate_hs

    @property
    def blocks(self) -> float:
        return STRETCH_S / self.wait_s

    @property
    def blocks_sigma(self) -> float:
        return math.sqrt(self.blocks)

    @property
    def empty_handed(self) -> float:
        """The chance of one of them to find none."""
        return math.exp(-self.blocks / self.people)

    @property
    def rate_sigma(self) -> float:
        """Of one rate after five minutes, as a part of it."""
        told = stats.rate([1] * round(SHARES_A_MINUTE * RATE_SPAN_S / 60), RATE_SPAN_S)
        assert told is not None
        return told.sigma_hs / told.rate_hs

    @property
    def total_sigma(self) -> float:
        return self.rate_sigma / math.sqrt(self.people)

    @property
    def longest_s(self) -> float:
        """One wait in twenty is longer."""
        return self.wait_s * math.log(20)

    @property
    def alone(self) -> float:
        """Sigma of one's income alone, in blocks."""
        return Outlook(self.blocks / self.people, self.blocks, self.shares_per_block).solo_sd

    @property
    def shares_per_block(self) -> float:
        return self.people * SHARES_A_MINUTE * self.wait_s / 60

    @property
    def pooled(self) -> float:
        """Sigma of the same income in the pool: of the shares, and of how many blocks it finds."""
        shares = stats.scatter_in_pool(1 / self.people, 1, self.shares_per_block)
        return math.sqrt(self.blocks * (shares**2 + 1 / self.people**2))


def plan(lang: str) -> str:
    """The plan as Markdown. `lang`: one of LANGUAGES."""
    text = (files("miner.pool") / "text" / f"plan.{lang}.md").read_text(encoding="utf-8")
    for name, value in values(local(lang)).items():
        text = text.replace(f"{{{name}}}", value)
    return text


def local(lang: str) -> Callable[[str], str]:
    """German writes 1,5 where English writes 1.5."""
    return (lambda text: text.replace(".", ",")) if lang == "de" else lambda text: text


def values(said: Callable[[str], str]) -> dict[str, str]:
    """Every figure of the text, by its name there: `wait_15` is that of fifteen people."""
    told = {
        "each": said(units.rate(RATE_HS)),
        "hashes": said(f"{float(expected_hashes(DIFF1_TARGET)) / 1e9:.1f}"),
        "rate_sigma": percent(Expected(1).rate_sigma),
        "s9": said(units.rate(beside()[0]["rate_hs"])),
        "s21": said(units.rate(beside()[1]["rate_hs"])),
        "network": said(units.rate(beside()[2]["rate_hs"])),
        "network_date": beside()[2]["as_of"],
    }
    for part in SPLITS:
        told[f"ahead_{100 * part:.0f}"] = percent(stats.catch_up(part, 0))
        told[f"behind_{100 * part:.0f}"] = percent(stats.catch_up(part, 2))
    for people in ROOMS:
        one = Expected(people)
        for name, value in {
            "rate": said(units.rate(one.rate_hs)),
            "wait": said(f"{one.wait_s:.0f} s" if one.wait_s >= 10 else f"{one.wait_s:.1f} s"),
            "longest": f"{one.longest_s:.0f} s",
            "blocks": f"{one.blocks:.0f} ± {one.blocks_sigma:.0f}",
            "each_blocks": said(f"{one.blocks / people:.1f}"),
            "none": percent(one.empty_handed),
            "none_people": said(f"{people * one.empty_handed:.1f}"),
            "total_sigma": said(f"{100 * one.total_sigma:.1f} %"),
            "alone": said(f"{one.alone:.1f}"),
            "pooled": said(f"{one.pooled:.2f}"),
            "s9_times": said(f"{beside()[0]['rate_hs'] / one.rate_hs:,.0f}".replace(",", " ")),
        }.items():
            told[f"{name}_{people}"] = value
    return told


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"
