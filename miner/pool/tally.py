"""The room's books, from its events alone: who did what, who is paid, how long blocks took.

A room tells its events to a tally as they happen, a replay tells the recorded ones: the same
events give the same view. Pure; times are the events' own, seconds since 1970.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from miner.pool import stats, values
from miner.pool.forks import Forks
from miner.pool.values import (
    BlockRow,
    ChainView,
    Member,
    MemberRow,
    Mode,
    RecentShare,
    RoomRules,
    RoomView,
)
from miner.work.claim import Answer
from miner.work.payout import Pplns

MOST_ROWS = 1024  # members, those who left included
MOST_SHARES, MOST_WAITS, MOST_RECENT = 256, 4096, 4096
RATE_S = 300.0  # shares of these last seconds tell a rate
Handler = Callable[[Any], None]


@dataclass(slots=True)
class Score:
    """One member's books. Work is in hashes, income in satoshi."""

    member: Member
    since_s: float  # when what `recent` holds began
    accepted: int = 0
    refused: int = 0
    work: int = 0
    recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    difficulty: Fraction = Fraction(0)
    blocks: int = 0
    best: int | None = None
    last_s: float | None = None
    alone: int = 0  # if each finder keeps the block
    pooled: int = 0  # if PPLNS splits it

    def share(self, at_s: float, difficulty: Fraction, work: int, value: int) -> None:
        self.accepted, self.work, self.last_s = self.accepted + 1, self.work + work, at_s
        self.difficulty = difficulty
        self.best = value if self.best is None else min(self.best, value)
        self.recent.append((at_s, work))
        while at_s - self.recent[0][0] > RATE_S:
            self.recent.popleft()

    def rate(self, now: float) -> stats.Rate | None:
        """Of the last five minutes, or since this member came."""
        if self.member.left_s is not None:
            return None
        span = min(now - self.since_s, RATE_S)
        told = stats.rate((work for at_s, work in self.recent if now - at_s <= RATE_S), span)
        return stats.Rate(0.0, 0.0) if told is None and self.last_s is not None else told

    def skip(self, seconds: float) -> None:
        """So much time was no time of work."""
        self.since_s += seconds
        moved = [(at_s + seconds, work) for at_s, work in self.recent]
        self.recent.clear()
        self.recent.extend(moved)


@dataclass(frozen=True, slots=True)
class Pay:
    """What a block brings, in both ways."""

    finder: int
    value: int
    split: dict[int, int]


def opening(rules: RoomRules, now: float) -> RoomView:
    """The room before anybody came, and before its chain's first template."""
    chain = ChainView(rules.chain, rules.words, 0.0, rules.class_target, 0.0, 0, "", None)
    return RoomView(
        at_s=now, change=0, started_s=now, chain=chain, mode=rules.mode, paused=False, members=(),
        blocks=(), waits_s=(), shares=(), rate_hs=None, rate_sigma_hs=None,
    )  # fmt: skip


class Tally:
    """`first`: the room as it opens, with nobody in it."""

    def __init__(self, first: RoomView) -> None:
        self._now, self._change = first, first.change  # mode and pause are in it
        self._scores: dict[int, Score] = {}
        self._forks = Forks(first.chain)
        self._forks.aim(first.chain.class_target)
        self._waits: deque[float] = deque(first.waits_s, maxlen=MOST_WAITS)
        self._shares: deque[RecentShare] = deque(maxlen=MOST_SHARES)
        self._pay: dict[str, Pay] = {}  # by block
        self._pool = Pplns(1)
        self._last_s: float | None = None  # when the newest accepted block was found
        self._paused_s: float | None = None
        self.restore(first.blocks)
        self._handlers: dict[type[values.RoomEvent], Handler] = {
            values.Joined: self._joined,
            values.Left: self._known,
            values.Renamed: self._known,
            values.SideChanged: self._known,
            values.ShareJudged: self._share,
            values.BlockFound: self._found,
            values.BlockJudged: self._judged,
            values.TipChanged: self._tip,
            values.ModeChanged: self._mode,
            values.TargetChanged: self._target,
            values.Paused: self._pause,
            values.WasReset: self._reset,
            values.Slept: lambda event: self._skip(event.seconds),
        }

    def restore(self, rows: Iterable[BlockRow]) -> None:
        """Blocks of the chain as it was before, oldest first."""
        for row in rows:
            self._forks.put(row)

    def standing(self, number: int) -> tuple[int, int]:
        """By work, then by number: who left with the least is forgotten first, and before them
        whoever has no score since all began anew."""
        known = self._scores.get(number)
        return -1 if known is None else known.work, number

    def take(self, event: values.RoomEvent) -> None:
        """Book one event."""
        if handler := self._handlers.get(type(event)):
            handler(event)
        self._change += 1

    def view(self, now: float) -> RoomView:
        """Everything, at this moment."""
        rates = {number: one.rate(now) for number, one in self._scores.items()}
        total = stats.together(rates.values())
        work = sum(one.work for one in self._scores.values())
        blocks = sum(one.blocks for one in self._scores.values())
        return replace(
            self._now,
            at_s=now,
            change=self._change,
            chain=self._forks.chain,
            members=tuple(
                row(self._scores[number], rates[number], work, blocks)
                for number in sorted(self._scores)
            ),
            blocks=self._forks.shown(),
            waits_s=tuple(self._waits),
            shares=tuple(self._shares),
            rate_hs=None if total is None else total.rate_hs,
            rate_sigma_hs=None if total is None else total.sigma_hs,
            sides=dict(self._forks.sides),
            attack=self._forks.attack,
        )

    def _rewindow(self) -> None:
        """PPLNS looks back so many blocks' work."""
        hashes = stats.WINDOW_BLOCKS * stats.hashes(self._forks.difficulty)
        self._pool.resize(max(hashes, 1))

    def _joined(self, event: values.Joined) -> None:
        known = self._scores.get(event.member.number)
        if known is None:
            self._make_room()
            self._scores[event.member.number] = Score(event.member, event.at_s)
        else:
            known.member, known.since_s = event.member, event.at_s
            known.recent.clear()

    def _make_room(self) -> None:
        if len(self._scores) >= MOST_ROWS:
            gone = [n for n, one in self._scores.items() if one.member.left_s is not None]
            del self._scores[min(gone, key=self.standing)]

    def _known(self, event: values.Left | values.Renamed | values.SideChanged) -> None:
        if known := self._scores.get(event.member.number):
            known.member = event.member

    def _share(self, event: values.ShareJudged) -> None:
        score = self._scores.get(event.member.number)
        if score is None or event.answer is Answer.PAUSED:  # it is nobody's fault
            return
        if event.answer is not Answer.ACCEPTED or event.hash is None:
            score.refused += 1
            return
        work = stats.hashes(event.difficulty)
        score.share(event.at_s, event.difficulty, work, event.hash)
        if work:
            self._pool.share(event.member.number, work)
        known = self._forks.row(f"{event.hash:064x}") is not None
        dot = RecentShare(event.member.number, stats.place(event.hash), event.at_s, known)
        self._shares.append(dot)

    def _found(self, event: values.BlockFound) -> None:
        member, place = event.member, stats.place(int(event.hash_hex, 16))
        self._forks.put(
            BlockRow(
                height=event.height,
                hash_hex=event.hash_hex,
                name=member.name,
                number=member.number,
                at_s=event.at_s,
                waited_s=None,
                side=event.side,
                work=float(stats.hashes(event.difficulty)),
                accepted=False,
            )
        )
        for at in range(len(self._shares) - 1, -1, -1):
            if (self._shares[at].number, self._shares[at].place) == (member.number, place):
                self._shares[at] = replace(self._shares[at], is_block=True)
                break
        split = self._pool.split(event.value)
        self._pay[event.hash_hex] = Pay(member.number, event.value, split)
        while len(self._pay) > MOST_SHARES:
            del self._pay[next(iter(self._pay))]

    def _judged(self, event: values.BlockJudged) -> None:
        row = self._forks.row(event.hash_hex)
        if row is None or row.accepted:
            return
        if not event.accepted:
            self._forks.put(replace(row, word=event.word))
            return
        waited = None if self._last_s is None else max(row.at_s - self._last_s, 0.0)
        self._forks.put(replace(row, accepted=True, word="", waited_s=waited))
        self._last_s = row.at_s
        if waited is not None and self._forks.attack is None:  # a side's waits are longer ones
            self._waits.append(waited)
        self._settle(event.hash_hex, 1)

    def _settle(self, hash_hex: str, sign: int) -> None:
        """Pay for a block, or take its pay back."""
        pay = self._pay.get(hash_hex)
        if pay is None:
            return
        if finder := self._scores.get(pay.finder):
            finder.blocks += sign
            finder.alone += sign * pay.value
        for number, amount in pay.split.items():
            if score := self._scores.get(number):
                score.pooled += sign * amount

    def _tip(self, event: values.TipChanged) -> None:
        if event.side:
            self._forks.side_tip(event)
            return
        begins = not self._forks.chain.tip_hash
        for one in self._forks.kernel_tip(event):
            self._settle(one.hash_hex, 1 if one.accepted else -1)
        self._rewindow()
        if not begins and self._forks.row(event.hash_hex) is None:  # of nobody here
            self._forks.put(
                BlockRow(
                    height=event.height,
                    hash_hex=event.hash_hex,
                    name="",
                    number=None,
                    at_s=event.at_s,
                    waited_s=None,
                    side="",
                    work=0.0,
                    accepted=True,
                )
            )

    def _mode(self, event: values.ModeChanged) -> None:
        if event.mode is Mode.ATTACK and self._now.mode is not Mode.ATTACK:
            self._forks.part_ways()
        elif event.mode is not Mode.ATTACK:
            self._forks.join_ways()
        self._now = replace(self._now, mode=event.mode)

    def _target(self, event: values.TargetChanged) -> None:
        """Waits by another target are another distribution."""
        self._forks.aim(event.class_target)
        self._rewindow()
        self._waits.clear()

    def _pause(self, event: values.Paused) -> None:
        if event.member is not None:
            if known := self._scores.get(event.member.number):
                known.member = event.member
            return
        if event.paused and self._paused_s is None:
            self._paused_s = event.at_s
        elif not event.paused and self._paused_s is not None:
            self._skip(event.at_s - self._paused_s)
            self._paused_s = None
        self._now = replace(self._now, paused=event.paused)

    def _skip(self, seconds: float) -> None:
        for score in self._scores.values():
            score.skip(seconds)
        if self._last_s is not None:
            self._last_s += seconds

    def _reset(self, event: values.WasReset) -> None:
        here = {n: one.member for n, one in self._scores.items() if one.member.left_s is None}
        self._scores = {number: Score(member, event.at_s) for number, member in here.items()}
        self._waits.clear()
        self._shares.clear()
        self._pay.clear()
        self._pool = Pplns(self._pool.window)


def row(score: Score, rate: stats.Rate | None, work: int, blocks: int) -> MemberRow:
    """A member's row; `work` and `blocks`: of all together."""
    return MemberRow(
        member=score.member,
        accepted=score.accepted,
        refused=score.refused,
        work=float(score.work),
        rate_hs=None if rate is None else rate.rate_hs,
        rate_sigma_hs=None if rate is None else rate.sigma_hs,
        difficulty=float(score.difficulty),
        blocks=score.blocks,
        share_of_work=score.work / work if work else 0.0,
        share_of_blocks=score.blocks / blocks if blocks else 0.0,
        best_hash=score.best,
        last_share_s=score.last_s,
        alone=score.alone,
        pooled=score.pooled,
    )
