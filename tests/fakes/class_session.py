"""A class as its room would tell of it: members, shares and blocks by chance, from a seed."""

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from miner.bitcoin.target import DIFF1_TARGET
from miner.pool import values
from miner.pool.tally import opening
from miner.pool.values import Kind, Member, Mode, RoomEvent, RoomRules, RoomView
from miner.work.claim import Answer

HASHES = 2**256 / (DIFF1_TARGET + 1)  # of difficulty 1
REWARD = 5_000_000_000
NAMES = (
    "Ada Blaise Clara Dennis Emmy Fritz Grace Hedy Ivan Joan Kurt Lise Max Noether Otto Paula "
    "Quentin Rosa Sofja Turing Ute Vera Werner Xenia Yusuf Zuse"
).split()
START_S = 1_790_000_000.0


class Session:
    """`people` join within the first minute; a block takes `wait_s` on average."""

    def __init__(self, people: int, seconds: float, wait_s: float = 12.0, seed: int = 1) -> None:
        self.rng, self.seconds, self.wait_s = random.Random(seed), seconds, wait_s
        self.rules = RoomRules("testnet4")
        self.first: RoomView = opening(self.rules, START_S)
        self.mode = Mode.SOLO
        self.now, self.height, self.shares = START_S, 0, 0
        self.tips = {"": f"{0:064x}", "A": "", "B": ""}
        self.members = [self._member(number) for number in range(1, people + 1)]
        spread = [self.rng.lognormvariate(0, 0.7) for _ in self.members]
        total = HASHES / wait_s
        self.rates = [total * one / sum(spread) for one in spread]

    def _member(self, number: int) -> Member:
        name = NAMES[(number - 1) % len(NAMES)] + (
            "" if number <= len(NAMES) else f" {1 + (number - 1) // len(NAMES)}"
        )
        kind = Kind.BROWSER if number % 3 == 0 else Kind.STRATUM
        device = "Firefox on Android" if kind is Kind.BROWSER else "homehash/1.0 native:avx2"
        return Member(number, name, kind, device, joined_s=START_S + number / 4)

    def events(self) -> Iterator[RoomEvent]:
        """All of them, in order."""
        yield values.TipChanged(self.now, 0, self.tips[""], "", Fraction(1))
        for one in self.members:
            yield values.Joined(one.joined_s, one)
        until = START_S + self.seconds
        self.now = START_S + len(self.members) / 4
        every_s = 6.0 / len(self.members)  # ten shares a minute of each
        while True:
            self.now += self.rng.expovariate(1 / every_s)
            if self.now > until:
                return
            (one,) = self.rng.choices(self.members, [1.0] * len(self.members))
            yield from self.share(one)

    def share(self, one: Member) -> Iterator[RoomEvent]:
        """A share by this member, at its own difficulty; a block now and then."""
        self.shares += 1
        difficulty = Fraction(self.rates[one.number - 1] * 6.0 / HASHES).limit_denominator(10**9)
        value = int(DIFF1_TARGET / difficulty * self.rng.random())
        is_block = value <= DIFF1_TARGET
        yield values.ShareJudged(self.now, one, Answer.ACCEPTED, difficulty, value)
        if is_block:
            yield from self.block(one, value)

    def block(self, one: Member, value: int) -> Iterator[RoomEvent]:
        text = f"{value:064x}"
        self.height += 1
        yield values.BlockFound(self.now, one, self.height, text, "", False, Fraction(1), REWARD)
        self.tips[""] = text
        yield values.TipChanged(self.now, self.height, text, "", Fraction(1))
        yield values.BlockJudged(self.now, text, True)

    def attack(self, blocks: str) -> Iterator[RoomEvent]:
        """The class is split by turns; `blocks`: whose block comes next, such as "ABB"."""
        here = [place for place, one in enumerate(self.members) if one.left_s is None]
        for place in here:
            one = self.members[place]
            side = "AB"[place % 2]
            self.members[place] = replace(one, side=side)
            yield values.SideChanged(self.now, self.members[place])
        self.mode = Mode.ATTACK
        yield values.ModeChanged(self.now, Mode.ATTACK)
        heights = {"A": self.height, "B": self.height}
        for side in blocks:
            self.now += self.wait_s
            one = next(member for member in self.members if member.side == side)
            value = int(DIFF1_TARGET * self.rng.random())
            text = f"{value:064x}"
            heights[side] += 1
            yield values.ShareJudged(self.now, one, Answer.ACCEPTED, Fraction(1), value)
            yield values.BlockFound(
                self.now, one, heights[side], text, side, False, Fraction(1), REWARD
            )
            yield values.TipChanged(self.now, heights[side], text, side, Fraction(1))
            ahead = heights[side] > self.height
            if ahead:
                self.height = heights[side]
                yield values.TipChanged(self.now, self.height, text, "", Fraction(1))
            word = "" if ahead else "inconclusive"
            yield values.BlockJudged(self.now, text, ahead, word, ahead)
