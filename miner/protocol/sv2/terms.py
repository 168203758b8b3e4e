"""What the user wants of a Stratum v2 pool, and what a session keeps count of."""

from dataclasses import dataclass
from enum import Enum

from miner.bitcoin.versions import BIP320_MASK
from miner.protocol.pool import ShareAnswered
from miner.protocol.sv2.shares import SequenceBook


class Stage(Enum):
    """How far the session is; the value is what is awaited."""

    HANDSHAKE = "the handshake's answer"
    SETUP = "an answer to SetupConnection"
    EXTENSIONS = "an answer to RequestExtensions"
    OPENING = "the opening of a channel"
    RUNNING = "work"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants of a pool."""

    source: str  # name of the pool, as jobs and verdicts carry it
    user: str
    host: str
    port: int
    agent: str = "homehash"
    device: str = ""  # named with each share by extension 0x0002; empty: not
    device_id: str = ""  # named once, when the connection is set up
    standard: bool = False  # header-only work instead of extended
    version_mask: int = BIP320_MASK
    rate_hs: float = 1e6  # measured; the pool's first share target follows from it
    handshake_s: float = 15.0
    silence_s: float = 180.0
    job_age_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the next session should know about this server."""

    no_rolling: bool = False  # it refused a client that wants version rolling
    no_extended: bool = False  # it opens standard channels alone
    no_extensions: bool = False  # it does not answer RequestExtensions


@dataclass(slots=True)
class Leftovers:
    """What a session leaves behind: nothing of Stratum v2 can be resumed."""

    learnt: Learnt
    book: SequenceBook
    keep_s: float = 0.0

    def give_up(self, why: str) -> list[ShareAnswered]:
        """The verdicts on what was never answered; once."""
        return self.book.lost(why)


@dataclass(slots=True)
class Progress:
    """Moments (monotonic seconds) and counts that decide about going on."""

    opened: float
    heard: float
    told_at: float
    told_hs: float
    job_at: float | None = None
    payout: tuple[bytes, bool] | None = None  # the newest coinbase's end, and was it an alarm?
    probed: bool = False
    bad_messages: int = 0
    bad_row: int = 0
    stale_row: int = 0
