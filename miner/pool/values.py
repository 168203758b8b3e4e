"""What the room and its doors tell each other: frozen values, no behaviour.

The room (`room.py`) decides; doors bring people in (`door.py` for Stratum miners, `phones.py` for
browsers), and a board, a desk and a record read `RoomView` and the events. One thread, that of the
listeners' loop, owns all of them. Times are seconds since 1970 by this computer's clock.
"""

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from miner.node.rules import PRIVATE as CHAIN_WORDS
from miner.work.claim import Answer, Assignment, Claim, Judged

__all__ = ["CHAIN_WORDS", "Answer", "Assignment", "Claim", "Judged"]  # and what follows

MOST_OF_A_KIND = 64  # miners at once, and browsers at once
MOST_BOARDS = 8
NAME_CHARS, NAME_BYTES = 24, 40


class Kind(Enum):
    """By which door a member came."""

    STRATUM = "miner"
    BROWSER = "browser"


class Mode(Enum):
    """Who is paid for a block, and who mines on which tip."""

    SOLO = "solo race"  # the finder: each member's coinbase pays an output made from the name
    POOL = "pool"  # one coinbase; the board splits it by the newest shares (PPLNS)
    ATTACK = "attack"  # two sides, each on a tip of its own


class Refused(Exception):
    """Nobody can enter now; the text says why, for whom it concerns."""

    def __init__(self, why: str, full: bool = False) -> None:
        """`full`: there is no place; else this name is not let in."""
        super().__init__(why)
        self.full = full


@dataclass(frozen=True, slots=True)
class RoomRules:
    """What is decided before the room opens."""

    chain: str  # Bitcoin Core's name of the chain whose rules hold
    words: str = CHAIN_WORDS  # shown wherever coins are; a pool on somebody's node has others
    payout: bytes | None = None  # output script of every coinbase; None: made from names
    class_target: int | None = None  # a block must meet it, too; None: the chain's alone
    mode: Mode = Mode.SOLO
    most_of_a_kind: int = MOST_OF_A_KIND
    tag: bytes = b"/homehash class/"


@dataclass(frozen=True, slots=True)
class Member:
    """One who mines or has mined here; `number` is for good, the name may change."""

    number: int
    name: str  # clean, unique in the room
    kind: Kind
    device: str  # as the miner or browser calls itself, scrubbed
    side: str = ""  # in an attack "A" or "B"
    joined_s: float = 0.0
    left_s: float | None = None  # None while connected
    paused: bool = False


# --- events, in the order in which they happen ------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Something that happened in the room."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Joined(RoomEvent):
    member: Member
    again: bool = False  # one who had left: the row goes on


@dataclass(frozen=True, slots=True)
class Left(RoomEvent):
    member: Member
    why: str = ""  # "" when the member went by itself; else a line for the member


@dataclass(frozen=True, slots=True)
class Renamed(RoomEvent):
    member: Member
    before: str


@dataclass(frozen=True, slots=True)
class ShareJudged(RoomEvent):
    member: Member
    answer: Answer
    difficulty: Fraction  # credited
    hash: int | None  # None when no header could be rebuilt


@dataclass(frozen=True, slots=True)
class BlockFound(RoomEvent):
    """A hash met the block target; the kernel has not spoken yet."""

    member: Member
    height: int
    hash_hex: str  # display order
    side: str = ""
    stale: bool = False  # another block at this height was first
    difficulty: Fraction = Fraction(0)  # of what counts as a block here
    value: int = 0  # satoshi that its coinbase pays


@dataclass(frozen=True, slots=True)
class BlockJudged(RoomEvent):
    """The kernel's word on a block."""

    hash_hex: str
    accepted: bool  # it alone counts
    word: str = ""  # why not, or why not yet
    final: bool = True


@dataclass(frozen=True, slots=True)
class TipChanged(RoomEvent):
    """Work builds on another block. Side "": the kernel's own tip."""

    height: int
    hash_hex: str
    side: str = ""
    difficulty: Fraction = Fraction(0)  # that the chain asks of the next block


@dataclass(frozen=True, slots=True)
class NewWork(RoomEvent):
    """Doors fetch an assignment: of one member, or of all of their own."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class ModeChanged(RoomEvent):
    mode: Mode


@dataclass(frozen=True, slots=True)
class TargetChanged(RoomEvent):
    class_target: int | None


@dataclass(frozen=True, slots=True)
class Paused(RoomEvent):
    """The room, or one member, was paused or goes on."""

    paused: bool
    member: Member | None = None


@dataclass(frozen=True, slots=True)
class SideChanged(RoomEvent):
    member: Member


@dataclass(frozen=True, slots=True)
class WasReset(RoomEvent):
    """All scores begin again; members and chain stay."""


@dataclass(frozen=True, slots=True)
class Slept(RoomEvent):
    """This computer slept, or its clock was moved: so many seconds are missing."""

    seconds: float


# --- what boards read -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One of the last blocks of the chain."""

    height: int
    hash_hex: str
    name: str  # of its finder; "" when not of this room
    number: int | None  # the finder's, None when not known
    at_s: float
    waited_s: float | None  # since the block before, None for the first
    side: str
    work: float  # expected hashes
    accepted: bool  # by the kernel, and in its chain; False: not judged yet, or see `word`
    word: str = ""  # why it does not count, or not yet


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member and the score."""

    member: Member
    accepted: int  # shares
    refused: int
    work: float  # sum of credited difficulty, in expected hashes
    rate_hs: float | None  # from shares of the last minutes; None before the first
    rate_sigma_hs: float | None
    difficulty: float  # of the newest share; display only
    blocks: int  # accepted by the kernel
    share_of_work: float  # 0 .. 1
    share_of_blocks: float
    best_hash: int | None  # lowest
    last_share_s: float | None
    alone: int  # satoshi of this chain, where the finder keeps a block
    pooled: int  # satoshi, where PPLNS splits it


@dataclass(frozen=True, slots=True)
class RecentShare:
    """A dot of the number line."""

    number: int  # of the member
    place: float  # 0 .. 1: log of the hash between 2**256 (0) and 2**160 (1)
    at_s: float
    is_block: bool


@dataclass(frozen=True, slots=True)
class ChainView:
    """The chain as the room sees it."""

    name: str  # of the rules
    words: str
    difficulty: float  # of the chain; display only
    class_target: int | None
    block_difficulty: float  # of what counts as a block here
    height: int  # of the tip
    tip_hash: str
    tip_since_s: float | None


@dataclass(frozen=True, slots=True)
class AttackView:
    """How two sides stand to each other; their tips are `RoomView.sides`."""

    fork_height: int  # of the last block that both have
    active: str = ""  # the side that the kernel follows; "" before a block of either
    reorganised: int = 0  # how often the kernel left a branch
    undone: int = 0  # blocks, the last time


@dataclass(frozen=True, slots=True)
class RoomView:
    """Everything that a board, an API or an export needs, at one moment."""

    at_s: float
    change: int  # grows with every event
    started_s: float
    chain: ChainView
    mode: Mode
    paused: bool
    members: tuple[MemberRow, ...]  # connected and gone, in the order of their numbers
    blocks: tuple[BlockRow, ...]  # the last 64, oldest first
    waits_s: tuple[float, ...]  # between all blocks since the room opened, oldest first
    shares: tuple[RecentShare, ...]  # the last 256
    rate_hs: float | None  # of all together
    rate_sigma_hs: float | None
    sides: dict[str, ChainView] = field(default_factory=dict)  # of an attack, by "A" and "B"
    attack: AttackView | None = None
