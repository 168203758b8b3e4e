"""A share as another computer claims it, and our own judgement of the claim.

Who gives work to others (a class, a home pool, a lesson) keeps a `WorkBook` for each of them: the
newest jobs, each judged by its own target, and the hashes that were taken already. The header is
rebuilt from the job and the few fields of the claim; nothing else of the claim is believed.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from miner.bitcoin.encoding import sha256d
from miner.work.found import Share
from miner.work.job import UINT32, Job
from miner.work.seen import Seen
from miner.work.unit import build_unit

KEPT_JOBS = 8
MOST_SEEN = 16384  # hashes; at 50 shares a second they outlast 8 jobs of 30 s each
AHEAD_S = 600  # a miner may move the time of a job this far beyond the clock


class Answer(Enum):
    """What became of a claim; the value is what its miner is told."""

    ACCEPTED = "accepted"
    STALE = "stale: a newer block has been found"
    DUPLICATE = "duplicate share"
    LOW = "low difficulty share: its hash is above the target"
    BAD_TIME = "time is out of range"
    BAD_VERSION = "version bits outside of the granted mask"
    UNKNOWN_JOB = "job not found: it is too old, or of another session"
    UNAUTHORIZED = "unauthorized worker: send mining.authorize first"
    NOT_SUBSCRIBED = "not subscribed: send mining.subscribe first"
    MALFORMED = "malformed submit"
    PAUSED = "paused by the teacher: neither shares nor blocks count until the class goes on"

    @property
    def words(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Claim:
    """The fields of a share that its miner chose."""

    job_id: str
    extranonce2: bytes
    ntime: int
    nonce: int
    version_bits: int | None = None  # inside the mask; None: the job's own version


@dataclass(frozen=True, slots=True)
class Judged:
    """The judgement of one claim."""

    answer: Answer
    difficulty: Fraction = Fraction(0)  # credited: that of the share's own job; 0 when refused
    share: Share | None = None  # None when no header could be rebuilt
    is_block: bool = False  # to be sent to the node, also when it comes too late for its miner

    @property
    def hash(self) -> int | None:
        """As the number that targets are compared with."""
        return None if self.share is None else self.share.value


@dataclass(frozen=True, slots=True)
class Assignment:
    """One job for one miner: its coinbase, extranonce1 and share target are the miner's own."""

    job: Job
    difficulty: Fraction  # of the share target, exact
    block_target: int  # a hash at or below it is a block here; never above the network's target

    @property
    def job_id(self) -> str:
        return self.job.job_id

    @property
    def clean(self) -> bool:
        """Is older work worthless?"""
        return self.job.clean

    @property
    def share_target(self) -> int:
        return self.job.share_target


class WorkBook:
    """The newest jobs given to one miner, and what came back. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Assignment] = OrderedDict()
        self._seen = Seen(MOST_SEEN)

    @property
    def newest(self) -> Assignment | None:
        return next(reversed(self._jobs.values()), None)

    def give(self, assignment: Assignment) -> None:
        """Remember a job that goes out; the oldest beyond eight is forgotten."""
        self._jobs[assignment.job_id] = assignment
        while len(self._jobs) > KEPT_JOBS:
            self._jobs.popitem(last=False)

    def judge(self, claim: Claim, tip: bytes, now: float) -> Judged:
        """Judge a claim. `tip`: the hash that work now builds on, internal order."""
        given = self._jobs.get(claim.job_id)
        if given is None:
            return Judged(Answer.UNKNOWN_JOB)
        refusal = fault(given.job, claim, now)
        if refusal is not None:
            return Judged(refusal)
        share = rebuild(given.job, claim)
        if share.value > max(given.share_target, given.block_target):
            return Judged(Answer.LOW, share=share)
        if not self._seen.is_new(share.hash):
            return Judged(Answer.DUPLICATE, share=share)
        is_block = share.value <= given.block_target
        if given.job.prev_hash != tip:
            return Judged(Answer.STALE, share=share, is_block=is_block)
        counts = share.value <= given.share_target
        return Judged(Answer.ACCEPTED, given.difficulty if counts else Fraction(0), share, is_block)


def fault(job: Job, claim: Claim, now: float) -> Answer | None:
    """Why no header of this job can be as claimed; None when one can."""
    if len(claim.extranonce2) != job.merkle.extranonce2_size or not 0 <= claim.nonce < UINT32:
        return Answer.MALFORMED
    latest = min(max(job.ntime, int(now)) + AHEAD_S, UINT32 - 1)
    if not job.ntime <= claim.ntime <= latest:
        return Answer.BAD_TIME
    if (claim.version_bits or 0) & ~job.version_mask:
        return Answer.BAD_VERSION
    return None


def rebuild(job: Job, claim: Claim) -> Share:
    """The share of a claim that has no fault: its header and hash, whatever the hash is."""
    version = job.version | (claim.version_bits or 0)
    unit = build_unit(job, (version,), claim.extranonce2, claim.ntime)
    header = unit.header(version, claim.nonce)
    return Share(unit, version, claim.nonce, header, sha256d(header))
