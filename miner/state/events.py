"""What happens in a run: one frozen class each, with its kind, its level and its fields.

`to_dict()` gives the fields as JSON has them; the sentence for people is made by the text view.
Texts that come from other computers are scrubbed before they get here.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar, Literal

from miner.text import scrub
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job

Level = Literal["result", "info", "warning"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth one line. Results go to standard output, warnings are marked."""

    kind: ClassVar[str] = ""
    weight: ClassVar[Level] = "info"
    wall_s: float = field(default_factory=time.time, kw_only=True)  # for people and logs only

    @property
    def level(self) -> Level:
        return self.weight

    def to_dict(self) -> dict[str, object]:
        """`type`, `time_s` (wall clock), then the event's own fields; plain values for JSON."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "wall_s"}
        return {"type": self.kind, "time_s": self.wall_s, **own}


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The first event of every run."""

    kind: ClassVar[str] = "start"
    version: str


@dataclass(frozen=True, slots=True)
class Told(Event):
    """A part of the run tells in its own words what it does or found."""

    text: str


@dataclass(frozen=True, slots=True)
class PayoutTold(Told):
    """Where the reward of a found block goes, or for whom a pool counts."""

    kind: ClassVar[str] = "start"


@dataclass(frozen=True, slots=True)
class NodeTold(Told):
    """The built-in node: what it is and where."""

    kind: ClassVar[str] = "node"


@dataclass(frozen=True, slots=True)
class WebTold(Told):
    """Where the run can be seen."""

    kind: ClassVar[str] = "web"


@dataclass(frozen=True, slots=True)
class BackendTold(Told):
    """Which backends were chosen, tuned or passed over, and why."""

    kind: ClassVar[str] = "backend"


@dataclass(frozen=True, slots=True)
class OddsTold(Told):
    """What to expect on the chain of the first job."""

    kind: ClassVar[str] = "odds"


@dataclass(frozen=True, slots=True)
class CoinbaseTold(Told):
    """One line about what a job's coinbase pays."""

    kind: ClassVar[str] = "coinbase"


@dataclass(frozen=True, slots=True)
class HistoryTold(Told):
    """The history of rates is not written, and why."""

    kind: ClassVar[str] = "history"


@dataclass(frozen=True, slots=True)
class JournalTold(Told):
    """The journal of found blocks did something."""

    kind: ClassVar[str] = "journal"


@dataclass(frozen=True, slots=True)
class JournalWarned(JournalTold):
    """Blocks wait in the journal, or it could not be read whole."""

    weight: ClassVar[Level] = "warning"
    file: str | None = None
    hash: str | None = None  # the first block that waits, display order
    blocks: int | None = None  # how many
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class Caution(Told):
    """A setting that is lawful and dangerous."""

    kind: ClassVar[str] = "caution"
    weight: ClassVar[Level] = "warning"


@dataclass(frozen=True, slots=True)
class Alarm(Told):
    """Something is wrong and the run goes on."""

    kind: ClassVar[str] = "alarm"
    weight: ClassVar[Level] = "warning"


@dataclass(frozen=True, slots=True)
class Rescue(Event):
    """A block that the journal could not take: its whole data, to be sent by hand."""

    kind: ClassVar[str] = "rescue"
    weight: ClassVar[Level] = "result"
    hash: str
    payload: str  # full block hex, or the submit message


@dataclass(frozen=True, slots=True)
class JobArrived(Event):
    """A source gave work."""

    kind: ClassVar[str] = "job"
    source: str
    job_id: str
    height: int | None
    clean: bool
    version_mask: str  # 8 hex digits
    nbits: str  # 8 hex digits

    @classmethod
    def of(cls, job: Job) -> "JobArrived":
        mask, nbits = f"{job.version_mask:08x}", f"{job.nbits:08x}"
        return cls(job.source, scrub(job.job_id), job.height, job.clean, mask, nbits)


@dataclass(frozen=True, slots=True)
class SourceChanged(Event):
    """A pool or node came, went or refused us."""

    kind: ClassVar[str] = "state"
    source: str
    health: str  # a value of sources.base.Health
    why: str  # in words

    @property
    def level(self) -> Level:
        return "info" if self.health in ("ready", "connecting") else "warning"


@dataclass(frozen=True, slots=True)
class BlockFound(Event):
    """A hit that is a block; it is on its way."""

    kind: ClassVar[str] = "found"
    hash: str
    height: int | None
    found_at_s: float  # wall clock

    @classmethod
    def of(cls, share: Share) -> "BlockFound":
        return cls(share.hash_hex, share.unit.job.height, time.time())


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """The source's answer to one share or block."""

    hash: str
    height: int | None
    answer: str  # a value of work.found.Answer
    reason: str  # the source's word
    explanation: str  # the same in plain words
    latency_s: float | None
    difficulty: float | None
    source: str


@dataclass(frozen=True, slots=True)
class ShareAnswered(Answered):
    kind: ClassVar[str] = "share"

    @property
    def level(self) -> Level:
        return "result" if self.answer == Answer.ACCEPTED.value else "warning"


@dataclass(frozen=True, slots=True)
class BlockAnswered(Answered):
    kind: ClassVar[str] = "block"
    weight: ClassVar[Level] = "result"


@dataclass(frozen=True, slots=True)
class BlockTaken(BlockAnswered):
    """A pool took the share whose hash is a block; of the block's fate it says nothing."""


@dataclass(frozen=True, slots=True)
class BlockLost(BlockAnswered):
    """The chain went on without the block."""

    weight: ClassVar[Level] = "warning"


def answered(verdict: Verdict) -> Answered:
    """The event of a verdict."""
    if verdict.is_block and verdict.of_share and verdict.answer is Answer.ACCEPTED:
        return of_block(BlockTaken, verdict, "share accepted", verdict.explanation)
    kind = BlockAnswered if verdict.is_block else ShareAnswered
    return of_block(kind, verdict, verdict.answer.value, verdict.explanation)


def of_block(kind: type[Answered], verdict: Verdict, answer: str, explanation: str) -> Answered:
    """What is told of a share or block, with this answer."""
    return kind(
        verdict.hash_hex,
        verdict.height,
        answer,
        verdict.reason,
        explanation,
        verdict.latency_s,
        verdict.difficulty,
        verdict.source,
    )


@dataclass(frozen=True, slots=True)
class SharesSummed(Event):
    """Answers beyond what is told one by one: how many of each, and why."""

    kind: ClassVar[str] = "shares_summed"
    count: int
    seconds: float
    counts: Mapping[str, Mapping[str, int]]  # answer to reason to number


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """The user paused the run, or let it go on."""

    kind: ClassVar[str] = "pause"
    paused: bool


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The last event of every run."""

    kind: ClassVar[str] = "stop"
    reason: str


def every_kind() -> tuple[type[Event], ...]:
    """All classes that are sent, in the order of this file."""
    found: list[type[Event]] = []
    waiting = [Event]
    while waiting:
        one = waiting.pop(0)
        found += [one] if one.kind else []
        waiting[:0] = one.__subclasses__()
    return tuple(dict.fromkeys(found))
