"""Browsers that mine: what each phone is given, and what its shares become. No input or output.

A phone is known by its token, so that a reloaded page keeps name and counts. It is a member while a
stream of it is open, and for some seconds after. Every unit of work a phone ever gets has an
extranonce2 of its own, so no header is tried twice, whatever is reloaded or opened anew.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from miner.bitcoin.target import expected_hashes
from miner.pool import values
from miner.pool.allowance import Allowance, PerAddress
from miner.pool.room import Room
from miner.pool.seat import Entry
from miner.pool.values import (
    Answer,
    Assignment,
    Claim,
    Judged,
    Kind,
    Member,
    MemberRow,
    Refused,
    RoomEvent,
    RoomView,
)
from miner.work.unit import build_unit

GRACE_S = 15.0  # without a stream, before the place is free for others
MOST_KNOWN = 256  # tokens: the phones of a day come and go
MOST_POSTS = 50  # a second and phone
MOST_ENTRIES, ENTRIES_S = 20, 10.0  # of one address in so long
KEPT_JOBS = 8
MOST_FOUND = 8  # blocks a slow reader may miss no more than

Json = dict[str, Any]


@dataclass(slots=True)
class Mail:
    """What one stream has still to send: the newest work and counts alone, the last blocks, and
    why it ends."""

    work: Json | None = None
    told: Json | None = None
    found: deque[Json] = field(default_factory=lambda: deque(maxlen=MOST_FOUND))
    end: str = ""  # "moved", "removed", "unknown" or "closed"
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> list[tuple[str, Json]]:
        """Everything that is waiting, each with its event's name."""
        kinds = (("work", self.work), ("told", self.told))
        taken = [(name, one) for name, one in kinds if one is not None]
        taken += [("found", one) for one in self.found]
        if self.end:
            taken.append((self.end, {}))
        self.work = self.told = None
        self.found.clear()
        self.news.clear()
        return taken


@dataclass(slots=True)
class Phone:
    """One browser."""

    entry: Entry
    number: int  # the member's
    since_s: float  # without a stream
    mail: Mail | None = None  # of its stream
    next_unit: int = 0
    given: Assignment | None = None
    ntimes: OrderedDict[str, int] = field(default_factory=OrderedDict)  # of the newest jobs
    posts: Allowance = field(default_factory=lambda: Allowance(MOST_POSTS, 1.0))

    def take(self, given: Assignment) -> None:
        self.given = given
        self.ntimes[given.job_id] = given.job.ntime
        while len(self.ntimes) > KEPT_JOBS:
            self.ntimes.popitem(last=False)

    def unit(self) -> Json | None:
        """2**32 nonces that nobody has; None before the first template."""
        if self.given is None:
            return None
        job, number = self.given.job, self.next_unit
        self.next_unit += 1
        target = max(self.given.share_target, self.given.block_target)
        unit = build_unit(
            job, (job.version,), extranonce2(number, job.merkle.extranonce2_size), job.ntime
        )
        return {
            "job": job.job_id,
            "unit": number,
            "header": unit.prefix.hex(),
            "target": f"{target:064x}",
            "hashes": float(expected_hashes(target)),
            "height": job.height,
        }


class Phones:
    """All phones of a room; one thread owns them, the room's. Times are the room's."""

    def __init__(self, room: Room, clock: Callable[[], float]) -> None:
        self._room, self._clock = room, clock
        self._phones: OrderedDict[str, Phone] = OrderedDict()  # by token, the newest last
        self._entries = PerAddress(MOST_ENTRIES, ENTRIES_S)
        self._finders: OrderedDict[str, tuple[int, str, int]] = OrderedDict()  # by block
        room.subscribe(self._heard)

    def may_enter(self, address: str) -> bool:
        """Not too many newcomers at once from one address?"""
        return self._entries.take(address, self._clock())

    def enter(self, wished: str, device: str, token: str) -> Phone:
        """A newcomer, or one who is known by the token. Raises Refused."""
        now, phone = self._clock(), self._phones.get(token)
        entry = self._room.new_entry() if phone is None else phone.entry
        if phone is not None:
            self._end(phone, "moved")
        member = self._room.enter(Kind.BROWSER, wished, device, entry, now)
        if phone is None:
            phone = Phone(entry, member.number, now)
        elif member.name != wished:
            self._room.rename(member.number, wished, now)
        phone.number, phone.since_s, phone.given = member.number, now, None
        self._phones[entry.token] = phone
        self._phones.move_to_end(entry.token)
        self._forget()
        return phone

    def of(self, token: object) -> Phone | None:
        return self._phones.get(token) if isinstance(token, str) else None

    def may_post(self, phone: Phone) -> bool:
        """Not a flood?"""
        return phone.posts.take(self._clock())

    def name(self, phone: Phone) -> str:
        member = self._room.member(phone.number)
        return "" if member is None else member.name

    def open(self, phone: Phone) -> Mail:
        """For a new stream of it; the one before ends. One that had left, since its device slept,
        comes back to its row; where that is impossible it is told to enter again."""
        self._end(phone, "moved")
        if not self._returned(phone):
            return Mail(end="unknown")
        mail = phone.mail = Mail()
        self._give(phone)
        view = self._room.view(self._clock())
        mail.told = counts(next(r for r in view.members if r.member.number == phone.number), view)
        mail.news.set()
        return mail

    def closed(self, phone: Phone, mail: Mail) -> None:
        """A stream of it has ended."""
        if phone.mail is mail:
            phone.mail, phone.since_s = None, self._clock()

    def unit(self, phone: Phone) -> Json | None:
        """Further work on its newest job; None before the first template."""
        if phone.given is None:
            self._give(phone)
        return phone.unit()

    def share(self, phone: Phone, job: str, unit: int, nonce: int) -> Json:
        """What the room says of a share."""
        if self._member(phone) is None:
            return judgement(Judged(Answer.UNAUTHORIZED))
        size = 4 if phone.given is None else phone.given.job.merkle.extranonce2_size
        claim = Claim(job, extranonce2(unit, size), phone.ntimes.get(job, 0), nonce)
        return judgement(self._room.submit(phone.number, claim, self._clock()))

    def tick(self) -> None:
        """Once a second: counts go out, and who has been without a stream for long leaves."""
        now = self._clock()
        view = self._room.view(now) if self._phones else None
        rows = {row.member.number: row for row in view.members} if view is not None else {}
        for phone in list(self._phones.values()):
            if phone.mail is not None and view is not None:
                phone.mail.told = counts(rows[phone.number], view)
                phone.mail.news.set()
            elif now - phone.since_s > GRACE_S and self._member(phone) is not None:
                self._room.leave(phone.number, now)

    def close(self) -> None:
        """End every stream."""
        for phone in self._phones.values():
            self._end(phone, "closed")

    # --- inside -----------------------------------------------------------------------------
    def _member(self, phone: Phone) -> Member | None:
        """Its member, unless another device has the row by now, which came by the same name."""
        member = self._room.member(phone.number)
        own = member is not None and self._room.token(phone.number) == phone.entry.token
        return member if own else None

    def _returned(self, phone: Phone) -> bool:
        """Is it in the room, or could it be brought back?"""
        member, now = self._member(phone), self._clock()
        if member is None:
            return False
        if member.left_s is not None:
            try:
                self._room.enter(Kind.BROWSER, member.name, member.device, phone.entry, now)
            except Refused:
                return False
        return True

    def _heard(self, event: RoomEvent) -> None:
        match event:
            case values.NewWork(number=number):
                for phone in self._phones.values():
                    if phone.mail is not None and number in (None, phone.number):
                        self._give(phone)
            case values.Left(member=member, why=why) if why:
                self._removed(member.number)
            case values.BlockFound(member=member, height=height):
                self._finders[event.hash_hex] = (member.number, member.name, height)
                while len(self._finders) > MOST_KNOWN:
                    self._finders.popitem(last=False)
            case values.BlockJudged(accepted=True, hash_hex=block):
                self._block(block)

    def _give(self, phone: Phone) -> None:
        given = self._room.assignment(phone.number, self._clock())
        if given is not None:
            phone.take(given)
        if given is not None and phone.mail is not None:
            phone.mail.work = phone.unit()
            phone.mail.news.set()

    def _removed(self, number: int) -> None:
        """Its member was sent out: the token is worth nothing any more."""
        for token, phone in list(self._phones.items()):
            if phone.number == number:
                self._end(phone, "removed")
                del self._phones[token]

    def _block(self, block: str) -> None:
        finder = self._finders.pop(block, None)
        for phone in self._phones.values():
            if finder is not None and phone.mail is not None:
                number, name, height = finder
                own = number == phone.number
                phone.mail.found.append({"name": name, "height": height, "own": own})
                phone.mail.news.set()

    def _end(self, phone: Phone, why: str) -> None:
        if phone.mail is not None:
            phone.mail.end = why
            phone.mail.news.set()
            phone.mail = None

    def _forget(self) -> None:
        """Beyond the limit those without a stream go, the oldest first."""
        for token, phone in list(self._phones.items()):
            if len(self._phones) <= MOST_KNOWN:
                return
            if phone.mail is None:
                del self._phones[token]


def counts(row: MemberRow, view: RoomView) -> Json:
    """What the class knows of a phone."""
    # "" for a class's own chain: the page says it in its reader's language.
    words = "" if view.chain.words == values.CHAIN_WORDS else view.chain.words
    return {
        "name": row.member.name,
        "accepted": row.accepted,
        "refused": row.refused,
        "blocks": row.blocks,
        "best": None if row.best_hash is None else f"{row.best_hash:064x}",
        "paused": view.paused or row.member.paused,
        "chain": view.chain.name,
        "words": words,
    }


def extranonce2(unit: int, size: int) -> bytes:
    return (unit % (1 << 8 * size)).to_bytes(size, "big")


def judgement(judged: Judged) -> Json:
    """For the phone: the answer's name, for which its page has words."""
    if judged.answer is Answer.ACCEPTED:
        told = None if judged.hash is None else f"{judged.hash:064x}"
        return {"answer": "accepted", "difficulty": float(judged.difficulty), "hash": told}
    return {"answer": judged.answer.name.lower(), "error": judged.answer.words}
