"""The seam between pools' protocols and the one connection that speaks them all.

A session is sans-IO: bytes, time and chance come in, events and bytes go out. `sources/pool/` moves
the bytes and decides when to leave and where to go; it knows no protocol.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from miner.errors import SourceRefused
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Job


class Reason(Enum):
    """The fixed classes in which rejects are counted."""

    STALE = "stale"
    DUPLICATE = "duplicate"
    LOW_DIFFICULTY = "low-difficulty"
    BAD_VERSION = "bad-version"
    BAD_TIME = "bad-time"
    BAD_FIELD = "bad-field"
    UNAUTHORIZED = "unauthorized"
    NOT_SUBSCRIBED = "not-subscribed"
    UNKNOWN_WORK = "unknown-work"
    OTHER = "other"


PLAIN_WORDS = {
    Reason.STALE: "the job was already replaced when the share arrived",
    Reason.DUPLICATE: "the pool has had this share before: our fault",
    Reason.LOW_DIFFICULTY: "the pool computed a hash above its share target: our fault or its own",
    Reason.BAD_VERSION: "the pool does not accept the version bits we rolled",
    Reason.BAD_TIME: "the pool does not accept the block time of the share",
    Reason.BAD_FIELD: "the pool calls a field of the share malformed: our fault",
    Reason.UNAUTHORIZED: "the pool does not know the worker",
    Reason.NOT_SUBSCRIBED: "the pool lost our subscription",
    Reason.UNKNOWN_WORK: "the pool does not know the work",
    Reason.OTHER: "the pool gave no reason we know",
}
OURS = (Reason.DUPLICATE, Reason.LOW_DIFFICULTY, Reason.BAD_VERSION, Reason.BAD_FIELD)  # alarm


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the pool sends us; None means "as now"."""

    host: str | None
    port: int | None
    wait_s: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Subscribed and authorized. `resumed`: the same session as before the connection broke."""

    session: int
    resumed: bool
    rolling: bool  # version rolling granted


@dataclass(frozen=True, slots=True)
class JobReceived:
    """Work. It may come before Ready; shares wait inside the session until then."""

    job: Job


@dataclass(frozen=True, slots=True)
class ShareAnswered:
    """What became of a share; `reason` is the fixed class of a refusal."""

    verdict: Verdict
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class DifficultyChanged:
    """Binds to the next job; for the screen and for the time expected per share."""

    difficulty: float
    target: int


@dataclass(frozen=True, slots=True)
class ReconnectAsked:
    """The pool sends us elsewhere; whether it is obeyed is the owner's decision."""

    redirect: Redirect


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for people. `kind` is a bounded class, so that a log can name each once; `alarm`: they
    should act."""

    kind: str
    text: str
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The pool said no: it is out until the user changes something."""

    error: SourceRefused


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection must be closed. `at_once`: try again without a pause, the first time;
    `misbehaved`: leave the pool alone for a while."""

    why: str
    at_once: bool = False
    misbehaved: bool = False


PoolEvent = (
    Ready
    | JobReceived
    | ShareAnswered
    | DifficultyChanged
    | ReconnectAsked
    | Notice
    | Refused
    | Dropped
)


class SessionEvents:
    """What a session has to tell, in order; the last event closes it."""

    def __init__(self) -> None:
        self.closed = False
        self._events: list[PoolEvent] = []

    def _close(self, last: PoolEvent) -> None:
        if not self.closed:
            self.closed = True
            self._events.append(last)

    def _drain(self) -> list[PoolEvent]:
        events, self._events = self._events, []
        return events


class Sent(Protocol):
    """A share on its way, as its verdict needs it."""

    @property
    def hash_hex(self) -> str: ...

    @property
    def is_block(self) -> bool: ...

    @property
    def height(self) -> int | None: ...

    @property
    def difficulty(self) -> float | None: ...


def share_verdict(  # long signature: one field each
    source: str,
    share: Sent,
    answer: Answer,
    reason: str = "",
    words: str = "",
    latency_s: float | None = None,
) -> Verdict:
    """The verdict on a share that was sent to a pool."""
    return Verdict(
        source=source,
        hash_hex=share.hash_hex,
        answer=answer,
        is_block=share.is_block,
        reason=reason,
        explanation=words,
        height=share.height,
        latency_s=latency_s,
        difficulty=share.difficulty,
        of_share=True,
    )


Item = Share | FoundBlock  # what is sent: found now, or packed before


class Leftovers(Protocol):
    """What a connection that ended hands to the next one: what may be resumed, what was learnt."""

    keep_s: float  # so long the open shares may hope for a resumed session

    def give_up(self, why: str) -> list[ShareAnswered]:
        """Nothing of it will be resumed: the verdicts on the shares left open."""


class PoolSession(Protocol):
    """One connection of any protocol. Not for several threads at once, but for `takes` and `pack`.

    After `Refused` or `Dropped` the session is closed: it ignores further bytes.
    """

    @property
    def ready(self) -> bool:
        """Logged in, and not closed: `takes` knows what is its own, `submit` may be called."""

    @property
    def open_shares(self) -> int:
        """Shares sent and without an answer."""

    def open(self) -> None:
        """Queue the handshake."""

    def receive(self, data: bytes, now: float) -> list[PoolEvent]:
        """Feed bytes of any segmentation; the events, in order."""

    def takes(self, item: Item) -> bool:
        """Is it of this session, or of the one that it resumed?"""

    def submit(self, item: Item, now: float) -> list[PoolEvent]:
        """Send what `takes` said yes to; it ends in one ShareAnswered."""

    def pack(self, share: Share, found_at: int) -> FoundBlock:
        """Everything needed to send a block again; pure. `found_at`: wall clock, seconds."""

    def tell_rate(self, rate_hs: float, now: float) -> None:
        """The measured hashes a second; the pool may hear of it."""

    def tick(self, now: float) -> list[PoolEvent]:
        """Look at the deadlines."""

    def data_to_send(self) -> list[bytes]:
        """Drain the outbox: complete messages, each meant for one write."""

    def hung_up(self) -> Dropped | None:
        """The stream ended: what that says about the pool, when we were still waiting for it."""

    def leave(self) -> Leftovers:
        """The connection is over, for whatever reason."""
