"""What every session with a pool says, whatever protocol it speaks: events, refusals, redirects."""

from dataclasses import dataclass
from enum import Enum

from miner.errors import SourceRefused
from miner.work.found import Verdict
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
    """A line for people. `kind` is a bounded class, so that a log can name each once."""

    kind: str
    text: str


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
