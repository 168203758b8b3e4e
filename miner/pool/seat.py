"""One member's place in the room: the work given out, and the difficulty."""

from dataclasses import dataclass, field

from miner.pool.values import Member
from miner.protocol.stratum.vardiff import Vardiff
from miner.work.claim import WorkBook


@dataclass(frozen=True, slots=True)
class Entry:
    """What a connection holds before its member has a name; who shows the token comes back."""

    token: str  # secret between the room and the member
    extranonce1: bytes


@dataclass(slots=True)
class Seat:
    """Everything of one member; the room alone changes it."""

    member: Member
    entry: Entry
    vardiff: Vardiff
    book: WorkBook = field(default_factory=WorkBook)
    idle_since_s: float | None = None  # when it came, until its first good share
    wished: str = ""  # the name before a number came behind it
    removed: bool = False  # by the teacher

    @property
    def here(self) -> bool:
        """Connected?"""
        return self.member.left_s is None
