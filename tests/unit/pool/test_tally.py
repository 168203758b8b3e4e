"""The room's books beside a counting of our own over the same events."""

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from miner.bitcoin.target import target_from_difficulty
from miner.pool import tally as books
from miner.pool import values
from miner.pool.tally import Tally, opening
from miner.pool.values import Kind, Member, Mode, RoomRules
from miner.work.claim import Answer

T0 = 1_000.0
REWARD = 5_000_000_000
ONE = Fraction(1, 1024)  # a share's difficulty here
HARD = Fraction(1, 64)  # a block's: sixteen shares


def member(number: int, **changes: Any) -> Member:
    return replace(Member(number, f"m{number}", Kind.STRATUM, "cpu", joined_s=T0), **changes)


class Class:
    """Events as a room tells them."""

    def __init__(self, people: int = 3) -> None:
        self.at_s = T0
        self.tally = Tally(opening(RoomRules("regtest", class_target=target(HARD)), T0))
        self.members = {number: member(number) for number in range(1, people + 1)}
        self.hashes = 0
        self.height = 7
        self.tip(self.height, f"{7:064x}")
        for one in self.members.values():
            self.tell(values.Joined(self.at_s, one))

    def tell(self, event: values.RoomEvent) -> None:
        self.tally.take(event)

    def tip(self, height: int, hash_hex: str, side: str = "") -> None:
        self.tell(values.TipChanged(self.at_s, height, hash_hex, side, Fraction(1, 10**6)))

    def share(self, number: int, value: int | None = None, answer: Answer = Answer.ACCEPTED) -> int:
        self.hashes += 1
        hashed = (1 << 235) + self.hashes if value is None else value
        credit = ONE if answer is Answer.ACCEPTED else Fraction(0)
        self.tell(values.ShareJudged(self.at_s, self.members[number], answer, credit, hashed))
        return hashed

    def found(self, number: int, side: str = "", height: int | None = None) -> str:
        """A share that is a block."""
        self.hashes += 1
        text = f"{self.share(number, (1 << 220) + self.hashes):064x}"
        height = self.height + 1 if height is None else height
        one = self.members[number]
        self.tell(values.BlockFound(self.at_s, one, height, text, side, False, HARD, REWARD))
        return text

    def block(self, number: int) -> str:
        """One that the kernel takes."""
        text = self.found(number)
        self.height += 1
        self.tip(self.height, text)
        self.tell(values.BlockJudged(self.at_s, text, True))
        return text

    def view(self) -> values.RoomView:
        return self.tally.view(self.at_s)

    def row(self, number: int) -> values.MemberRow:
        return next(row for row in self.view().members if row.member.number == number)


def target(difficulty: Fraction) -> int:
    return target_from_difficulty(difficulty)


def test_books_are_what_counting_gives() -> None:  # the counting stands beside the events
    rng, room = random.Random(2), Class(5)
    work, blocks, refused = Counter[int](), Counter[int](), Counter[int]()
    best: dict[int, int] = {}
    waits: list[float] = []
    newest: list[int] = []  # who had each share
    pooled = Counter[int]()
    last = None
    for _ in range(800):
        room.at_s += rng.expovariate(1.0)
        who = rng.randint(1, 5)
        kind = rng.random()
        if kind < 0.06:
            room.block(who)
            value = (1 << 220) + room.hashes - 1
            blocks[who] += 1
            if last is not None:
                waits.append(room.at_s - last)
            last = room.at_s
        elif kind < 0.1:
            room.share(who, answer=Answer.DUPLICATE)
            refused[who] += 1
            continue
        else:
            value = room.share(who)
        work[who] += 1
        newest.append(who)
        best[who] = min(best.get(who, value), value)
        if kind < 0.06:  # two blocks' work are thirty-two shares
            window = newest[-32:]
            for number, count in Counter(window).items():
                pooled[number] += round(REWARD * count / len(window))
    view = room.view()
    for row in view.members:
        who = row.member.number
        assert (row.accepted, row.refused, row.blocks) == (work[who], refused[who], blocks[who])
        assert row.share_of_work == pytest.approx(work[who] / work.total())
        assert row.share_of_blocks == pytest.approx(blocks[who] / blocks.total())
        assert (row.best_hash, row.alone) == (best[who], REWARD * blocks[who])
        assert abs(row.pooled - pooled[who]) <= blocks.total()  # a satoshi a block
    assert sum(row.pooled for row in view.members) == REWARD * blocks.total()
    assert view.waits_s == pytest.approx(waits)
    assert len(view.blocks) == min(blocks.total(), 64) and all(one.accepted for one in view.blocks)
    assert len(view.shares) == 256
    marked = sum(one.is_block for one in view.shares)
    assert 0 < marked == sum(one.place > 0.36 for one in view.shares)


def test_a_rate_is_of_the_last_five_minutes_and_of_who_is_here() -> None:
    room = Class(2)
    for _ in range(10):
        room.at_s += 10
        room.share(1)
    work = round(ONE * Fraction(2**256, 0xFFFF << 208))
    row = room.row(1)
    assert row.rate_hs == pytest.approx(10 * work / 100)
    assert row.rate_sigma_hs == pytest.approx(10**0.5 * work / 100)
    assert room.row(2).rate_hs is None
    room.at_s += 250  # the first five shares are older than five minutes
    assert room.row(1).rate_hs == pytest.approx(6 * work / 300)
    gone = replace(room.members[1], left_s=room.at_s)
    room.tell(values.Left(room.at_s, gone))
    assert room.row(1).rate_hs is None and room.view().rate_hs is None
    assert room.row(1).accepted == 10
    room.tell(values.Joined(room.at_s, room.members[1], True))
    room.at_s += 1000
    assert room.row(1).rate_hs == 0.0, "it was heard of, and is silent"


def test_sleep_and_pause_are_no_time_of_work() -> None:
    room = Class(1)
    room.at_s += 50
    room.block(1)
    room.tell(values.Paused(room.at_s, True))
    room.at_s += 3600
    room.tell(values.Paused(room.at_s, False))
    room.at_s += 50
    room.tell(values.Slept(room.at_s + 500, 500.0))
    room.at_s += 500
    room.block(1)
    work = round(ONE * Fraction(2**256, 0xFFFF << 208))
    assert list(room.view().waits_s) == [pytest.approx(50.0)]
    assert room.row(1).rate_hs == pytest.approx(2 * work / 100)


def test_a_block_counts_when_the_kernel_takes_it() -> None:
    room = Class(2)
    text = room.found(2)
    assert room.view().blocks == () and room.row(2).blocks == 0 and room.row(2).alone == 0
    room.tell(values.BlockJudged(room.at_s, text, False, "bad-txnmrklroot"))
    assert room.view().blocks == () and room.row(2).pooled == 0
    other = room.found(1)
    for _ in range(2):  # told twice, counted once
        room.tell(values.BlockJudged(room.at_s, other, True))
    assert room.row(1).blocks == 1
    room.tell(values.BlockJudged(room.at_s, "ab" * 32, True))  # of nobody here
    assert room.view().blocks[-1].hash_hex == other


def test_a_tip_of_nobody_here_is_a_row_too_but_not_the_first() -> None:
    room = Class(1)
    assert room.view().blocks == () and room.view().chain.tip_since_s is None
    room.at_s += 9
    room.tip(8, "cd" * 32)
    (row,) = room.view().blocks
    assert (row.height, row.name, row.number, row.accepted) == (8, "", None, True)
    assert room.view().chain.tip_since_s == room.at_s


def test_another_target_starts_other_waits_and_another_window() -> None:
    room = Class(1)
    for _ in range(3):
        room.at_s += 5
        room.block(1)
    assert len(room.view().waits_s) == 2
    room.tell(values.TargetChanged(room.at_s, target(HARD * 4)))
    chain = room.view().chain
    assert room.view().waits_s == () and chain.block_difficulty == pytest.approx(4 / 64)
    room.tell(values.TargetChanged(room.at_s, None))
    assert room.view().chain.block_difficulty == pytest.approx(1e-6)


def test_scores_begin_anew_and_who_is_here_stays() -> None:
    room = Class(2)
    room.block(1)
    room.tell(values.Left(room.at_s, replace(room.members[2], left_s=room.at_s)))
    room.tell(values.WasReset(room.at_s))
    (row,) = room.view().members
    assert (row.member.number, row.accepted, row.blocks, row.alone) == (1, 0, 0, 0)
    assert room.view().waits_s == () and room.view().shares == ()
    assert len(room.view().blocks) == 1, "the chain stays"


def test_a_branch_with_more_work_undoes_the_other() -> None:
    room = Class(2)
    room.block(1)
    room.tell(values.ModeChanged(room.at_s, Mode.ATTACK))
    fork = room.height
    for side in "AB":
        room.tip(fork, f"{fork:064x}", side)
    for height in (fork + 1, fork + 2):  # side A first: the kernel takes each
        text = room.found(1, "A", height)
        room.tip(height, text, "A")
        room.tip(height, text)
        room.tell(values.BlockJudged(room.at_s, text, True))
    before = room.row(1)
    assert (before.blocks, before.alone) == (3, 3 * REWARD)
    texts = []
    for height in (fork + 1, fork + 2):  # side B keeps up: no more work than A's
        texts.append(room.found(2, "B", height))
        room.tip(height, texts[-1], "B")
        room.tell(values.BlockJudged(room.at_s, texts[-1], False, "inconclusive", False))
    attack = room.view().attack
    assert attack is not None and (attack.active, attack.reorganised) == ("A", 0)
    assert room.row(2).blocks == 0
    text = room.found(2, "B", fork + 3)
    room.tip(fork + 3, text, "B")
    room.tip(fork + 3, text)  # the kernel goes over
    for one in (*texts, text):
        room.tell(values.BlockJudged(room.at_s, one, True))
    view = room.view()
    assert view.attack == values.AttackView(fork, "B", 1, 2)
    assert {side: one.height - fork for side, one in view.sides.items()} == {"A": 2, "B": 3}
    assert (room.row(1).blocks, room.row(1).alone) == (1, REWARD)
    assert (room.row(2).blocks, room.row(2).alone) == (3, 3 * REWARD)
    assert sum(row.pooled for row in view.members) == 4 * REWARD
    states = {(one.side, one.height): (one.accepted, one.word) for one in view.blocks}
    assert states["A", fork + 1] == (False, "undone: the kernel follows the other branch")
    assert states["B", fork + 1] == (True, "")
    room.tell(values.ModeChanged(room.at_s, Mode.SOLO))
    assert room.view().attack is None and room.view().sides == {}


def test_late_news_of_a_tip_is_no_reorganisation() -> None:
    """Verdicts come from the kernel at once, tips by way of the node's templates."""
    room = Class(2)
    room.tell(values.ModeChanged(room.at_s, Mode.ATTACK))
    fork = room.height
    first = [room.found(1, "A", fork + 1), room.found(1, "A", fork + 2)]
    second = [room.found(2, "B", fork + height) for height in (1, 2, 3)]
    for text in (*first, *second):
        room.tell(values.BlockJudged(room.at_s, text, True))
    for height, text in ((1, first[0]), (2, first[1]), (3, second[2])):
        room.tip(fork + height, text)
    assert room.view().attack == values.AttackView(fork, "B", 1, 2)
    assert (room.row(1).blocks, room.row(2).blocks) == (0, 3)


def test_a_room_forgets_who_left_with_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_ROWS", 3)
    room = Class(3)
    room.share(1)
    for number in (1, 2):
        room.tell(values.Left(room.at_s, replace(room.members[number], left_s=room.at_s)))
    room.tell(values.Joined(room.at_s, member(4)))
    assert [row.member.number for row in room.view().members] == [1, 3, 4]
