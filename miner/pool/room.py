"""The room: who mines here, what each is given, what each share is worth. It decides, without input
or output: time and random bytes are passed in, found blocks are handed on, and whoever subscribed
hears of every event in order. One thread owns it.

A share is judged by the difficulty of its own job. A hash that meets the block target goes to the
node, whoever found it and however late; it counts when the kernel has taken it.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

from miner.bitcoin.target import exact_difficulty
from miner.pool import values as told
from miner.pool.names import clean, unique
from miner.pool.seat import Entry, Seat
from miner.pool.state import RoomState
from miner.pool.tally import Tally, opening
from miner.pool.values import (
    Answer,
    Assignment,
    BlockRow,
    Claim,
    Judged,
    Kind,
    Member,
    Mode,
    Refused,
    RoomEvent,
    RoomRules,
    RoomView,
)
from miner.pool.work import EXTRANONCE1_BYTES, Work
from miner.protocol.gbt.job import template_of
from miner.protocol.gbt.template import Template
from miner.protocol.stratum.vardiff import Vardiff
from miner.text import scrub
from miner.work.found import Share

IDLE_S = 180.0  # without a share a seat is kept, until another wants it
RESTING = Fraction(10**12)  # of shares in a pause: no miner finds one, so none is refused
SLEPT_S = 20.0  # between two ticks of a second: this computer slept
MOST_ROWS = 1024  # members, those who left included
DEVICE_CHARS = 40
TOKEN_BYTES = 12
log = logging.getLogger(__name__)
MORE = "for more than {} use ckpool, public-pool or datum on this node"


class Room:
    """Doors call `enter`, `assignment`, `submit` and `leave`; the chain's side calls `template` and
    `block_judged`; the desk calls `rename` to `set_side`; a clock calls `tick` once a second."""

    def __init__(
        self,
        rules: RoomRules,
        send_block: Callable[[Share], None],
        random: Callable[[int], bytes],
        now: float,
    ) -> None:
        """`send_block` takes a block to the journal, then to the node; its answer comes back by
        `block_judged`. `random` gives so many unpredictable bytes."""
        self.rules, self._send_block, self._random = rules, send_block, random
        self._tally = Tally(opening(rules, now))
        self._seats: dict[int, Seat] = {}
        self._works: dict[str, Work] = {}  # by side
        self._readers: list[Callable[[RoomEvent], None]] = []
        self._state = RoomState(rules.mode, rules.class_target, now, now)
        self._state.next_extranonce = int.from_bytes(random(EXTRANONCE1_BYTES), "big")
        self._state.prefix = random(2).hex()

    # --- doors ------------------------------------------------------------------------------
    def new_entry(self) -> Entry:
        """For a connection: an extranonce1 that nobody else has, and a token to come back with."""
        number = self._state.next_extranonce
        self._state.next_extranonce = (number + 1) % 256**EXTRANONCE1_BYTES
        extranonce1 = number.to_bytes(EXTRANONCE1_BYTES, "big")
        return Entry(self._random(TOKEN_BYTES).hex(), extranonce1)

    def known(self, token: str) -> Entry | None:
        """The entry of a member who comes back; None for a token of nobody here."""
        seat = self._seat_of(token)
        return None if seat is None else seat.entry

    def enter(self, kind: Kind, wished: str, device: str, entry: Entry, now: float) -> Member:
        """Take a seat. A token that is known, or the name of one who left, goes on in the same row;
        a connection that had the seat before is told to close. Raises Refused."""
        name = clean(wished)
        seat = self._seat_of(entry.token) or self._left_by(name, kind)
        if name.casefold() in self._state.banned if seat is None else seat.removed:
            who = name if seat is None else seat.member.name
            raise Refused(f"the teacher removed {who}: ask to be let in again")
        if seat is not None and seat.here:
            self._leave(seat, "replaced by a newer connection of the same miner", now)
        here = [one for one in self._seats.values() if one.here and one.member.kind is kind]
        if len(here) >= self.rules.most_of_a_kind and not self._free_one(here, now):
            most = self.rules.most_of_a_kind
            raise Refused(f"{most} {kind.value}s are here already; {MORE.format(most)}", full=True)
        again, device = seat is not None, scrub(device, DEVICE_CHARS)
        if seat is None:
            seat = self._new_seat(Member(0, name, kind, device), entry, now)
        seat.wished = name
        seat.member = replace(seat.member, device=device, left_s=None)
        seat.entry, seat.idle_since_s = entry, now
        seat.vardiff.rest(now)
        self._tell(told.Joined(now, seat.member, again))
        return seat.member

    def leave(self, number: int, now: float) -> None:
        """The connection of a member ended."""
        seat = self._seats.get(number)
        if seat is not None and seat.here:
            self._leave(seat, "", now)

    def token(self, number: int) -> str:
        """The secret of a member, for that member alone."""
        return self._seats[number].entry.token

    def assignment(self, number: int, now: float) -> Assignment | None:
        """A job for a member, remembered for judging; None before the first template."""
        seat = self._seats[number]
        work = self._work_of(seat.member)
        if work is None:
            return None
        state = self._state
        seat.vardiff.turn(work.block_difficulty(state.class_target), now)
        newest = seat.book.newest
        state.jobs += 1
        given = work.assign(
            work.name_for(state.mode, seat.member.name),
            seat.entry.extranonce1,
            f"{state.prefix}{state.jobs:x}",
            RESTING if self._rests(seat) else seat.vardiff.difficulty,
            state.class_target,
            newest is None or newest.job.prev_hash != work.tip,
            now,
        )
        seat.book.give(given)
        return given

    def suggest(self, number: int, difficulty: Fraction, now: float) -> None:
        """A miner says which difficulty suits it; new work follows."""
        seat = self._seats[number]
        seat.vardiff.ask(difficulty, now)
        self._tell(told.NewWork(now, number))

    def submit(self, number: int, claim: Claim, now: float) -> Judged:
        """Judge a share, count it, and send it on when it is a block."""
        seat = self._seats.get(number)
        if seat is None:
            return Judged(Answer.UNAUTHORIZED)
        work = self._work_of(seat.member)
        if work is None:
            return Judged(Answer.UNKNOWN_JOB)
        judged = seat.book.judge(claim, work.tip, now)
        if judged.answer is Answer.ACCEPTED:
            seat.idle_since_s = None
        if self._rests(seat):  # it is known, and cannot count later
            judged = Judged(Answer.PAUSED, share=judged.share)
        self._tell(
            told.ShareJudged(now, seat.member, judged.answer, judged.difficulty, judged.hash)
        )
        if judged.is_block and judged.share is not None:
            self._found(seat, judged.share, judged.answer is Answer.STALE, now)
        if judged.difficulty:
            seat.vardiff.share(judged.difficulty, now)
            if seat.vardiff.turn(work.block_difficulty(self._state.class_target), now):
                self._tell(told.NewWork(now, number))
        return judged

    # --- chain ------------------------------------------------------------------------------
    def template(self, template: Template, now: float, side: str = "") -> None:
        """Newest work, on a new tip or on the old one."""
        before = self._works.get(side)
        work = self._works[side] = Work(template, self.rules)
        if before is None or before.tip != work.tip:
            height, asked = template.height - 1, exact_difficulty(template.target)
            self._tell(told.TipChanged(now, height, template.prev_hash_hex, side, asked))
        self._tell(told.NewWork(now))

    def block_judged(
        self, hash_hex: str, accepted: bool, word: str, final: bool, now: float
    ) -> None:
        """The kernel's word on a block, or why it was not asked."""
        self._tell(told.BlockJudged(now, hash_hex, accepted, scrub(word), final))

    def restore(self, rows: Iterable[BlockRow]) -> None:
        """Blocks of an earlier run of the same folder, oldest first."""
        self._tally.restore(rows)

    # --- the teacher ------------------------------------------------------------------------
    def rename(self, number: int, wished: str, now: float) -> Member:
        """Give a member another name; the coinbase follows. Raises KeyError."""
        seat = self._seats[number]
        before = seat.member.name
        taken = {one.member.name.casefold() for one in self._seats.values() if one is not seat}
        seat.member = replace(seat.member, name=unique(clean(wished), taken))
        self._tell(told.Renamed(now, seat.member, before))
        self._tell(told.NewWork(now, number))
        return seat.member

    def remove(self, number: int, now: float) -> None:
        """Send a member out, who may come back after `reset`: until then neither the row nor
        newcomers of these names are let in. Raises KeyError."""
        seat = self._seats[number]
        seat.removed = True
        self._state.banned |= {seat.member.name.casefold(), seat.wished.casefold()}
        if seat.here:
            self._leave(seat, "removed by the teacher", now)

    def pause(self, paused: bool, now: float, number: int | None = None) -> None:
        """Take no shares, of one or of all, until further notice: a class's chain stands still.
        A block that pays a real address counts all the same. Raises KeyError."""
        member = None
        if number is None:
            self._state.paused = paused
        else:
            seat = self._seats[number]
            member = seat.member = replace(seat.member, paused=paused)
        self._rest(now)
        self._tell(told.Paused(now, paused, member))
        self._tell(told.NewWork(now, number))

    def reset(self, now: float) -> None:
        """All scores begin anew; the removed may come back."""
        self._state.banned.clear()
        for seat in self._seats.values():
            seat.removed = False
        self._state.started_s = now
        self._tell(told.WasReset(now))

    def set_mode(self, mode: Mode, now: float) -> None:
        """Jobs given before keep what they pay. After an attack there is one chain again."""
        self._state.mode = mode
        if mode is not Mode.ATTACK:
            self._works = {side: work for side, work in self._works.items() if not side}
        self._tell(told.ModeChanged(now, mode))
        self._tell(told.NewWork(now))

    def set_target(self, class_target: int | None, now: float) -> None:
        """What counts as a block; None: what the chain asks for."""
        self._state.class_target = class_target
        self._tell(told.TargetChanged(now, class_target))
        self._tell(told.NewWork(now))

    def set_side(self, number: int, side: str, now: float) -> None:
        """In an attack: whose tip a member mines on. Raises KeyError."""
        seat = self._seats[number]
        seat.member = replace(seat.member, side=side)
        self._tell(told.SideChanged(now, seat.member))
        self._tell(told.NewWork(now, number))

    # --- clock and readers ------------------------------------------------------------------
    def tick(self, now: float) -> None:
        """Look at everybody's pace; notice that this computer slept."""
        gap_s = now - self._state.ticked_s
        self._state.ticked_s = now
        if abs(gap_s) > SLEPT_S:
            self._rest(now)
            self._tell(told.Slept(now, gap_s))
        for number, seat in self._seats.items():
            work = self._work_of(seat.member)
            if seat.here and work is not None and not (self._state.paused or seat.member.paused):
                hardest = work.block_difficulty(self._state.class_target)
                if seat.vardiff.turn(hardest, now):
                    self._tell(told.NewWork(now, number))

    def subscribe(self, reader: Callable[[RoomEvent], None]) -> None:
        """Call it for every event from now on, in this thread."""
        self._readers.append(reader)

    def view(self, now: float) -> RoomView:
        """Everything, as it is now."""
        return self._tally.view(now)

    def member(self, number: int) -> Member | None:
        seat = self._seats.get(number)
        return None if seat is None else seat.member

    @property
    def mode(self) -> Mode:
        return self._state.mode

    @property
    def paused(self) -> bool:
        return self._state.paused

    # --- inside -----------------------------------------------------------------------------
    def _new_seat(self, member: Member, entry: Entry, now: float) -> Seat:
        self._make_room()
        taken = {seat.member.name.casefold() for seat in self._seats.values()}
        self._state.last_number += 1
        member = replace(
            member,
            number=self._state.last_number,
            name=unique(member.name, taken),
            joined_s=now,
        )
        seat = Seat(member, entry, Vardiff(now))
        self._seats[member.number] = seat
        return seat

    def _free_one(self, here: list[Seat], now: float) -> bool:
        """A full room: the seat that was longest without any share, if too long, is another's."""
        waiting = [seat for seat in here if seat.idle_since_s is not None]
        idle = min(waiting, key=lambda seat: seat.idle_since_s or 0.0, default=None)
        if idle is None or self._state.paused or now - (idle.idle_since_s or now) < IDLE_S:
            return False
        self._leave(idle, f"no share in {IDLE_S:g} s, and the room is full", now)
        return True

    def _make_room(self) -> None:
        """Forget one who left, the least first, when there are too many rows."""
        if len(self._seats) >= MOST_ROWS:
            gone = [seat for seat in self._seats.values() if not seat.here]
            least = min(gone, key=lambda seat: self._tally.standing(seat.member.number))
            del self._seats[least.member.number]

    def _seat_of(self, token: str) -> Seat | None:
        return next((seat for seat in self._seats.values() if seat.entry.token == token), None)

    def _left_by(self, name: str, kind: Kind) -> Seat | None:
        """The row of one of this name who left."""
        for seat in self._seats.values():
            same = seat.member.name.casefold() == name.casefold()
            if same and seat.member.kind is kind and not seat.here:
                return seat
        return None

    def _leave(self, seat: Seat, why: str, now: float) -> None:
        seat.member = replace(seat.member, left_s=now)
        self._tell(told.Left(now, seat.member, why))

    def _rests(self, seat: Seat) -> bool:
        """Does what it finds count for nothing? Never where a block pays a real address."""
        return self.rules.payout is None and (self._state.paused or seat.member.paused)

    def _work_of(self, member: Member) -> Work | None:
        return self._works.get(member.side) or self._works.get("")

    def _found(self, seat: Seat, share: Share, stale: bool, now: float) -> None:
        """A block: to the readers, to the node."""
        work, job, member = self._work_of(seat.member), share.unit.job, seat.member
        assert work is not None and job.height is not None
        side = template_of(job).workid  # as it was when the job was given
        self._tell(
            told.BlockFound(
                now, member, job.height, share.hash_hex, side if side in self._works else "", stale,
                work.block_difficulty(self._state.class_target), work.template.coinbase_value,
            )
        )  # fmt: skip
        self._send_block(share)

    def _rest(self, now: float) -> None:
        for seat in self._seats.values():
            seat.vardiff.rest(now)

    def _tell(self, event: RoomEvent) -> None:
        self._tally.take(event)
        for reader in self._readers:
            try:
                reader(event)
            except Exception:  # a bug of ours in one reader: judging and the others go on
                log.exception("a reader of the room failed at %s", type(event).__name__)
