"""One member's place in the room: the work given out, and the difficulty."""

from dataclasses import dataclass, field

from miner.pool.values import Member
from miner.protocol.stratum.vardiff import Vardiff
from miner.work.claim import WorkBook

RATE_S = 180.0  # a rate is told from the shares of so long
MOST_RECENT = 512


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

    @property
    def here(self) -> bool:
        """Connected?"""
        return self.member.left_s is None
