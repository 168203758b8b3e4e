"""From a validated mining.notify to a Job, and from a share to the submit that names it."""

from dataclasses import dataclass
from fractions import Fraction

from miner.bitcoin.target import DIFF1_TARGET, target_from_difficulty
from miner.bitcoin.versions import effective_mask, version_bits
from miner.protocol.decode import height_of
from miner.protocol.stratum.messages import Notify
from miner.secret import Secret
from miner.text import LEAST_SECRET
from miner.work.found import Share
from miner.work.job import Coinbase, Job

NTIME_LIMIT_S = 600  # a job older than this is not hashed, so its time never moves further
UINT32_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds when a notify arrives; the job keeps it for its whole life."""

    extranonce1: bytes
    extranonce2_size: int
    difficulty: Fraction  # exact
    granted_mask: int | None  # None: version rolling was not granted
    configured_mask: int
    class_target: int | None = None  # what a class counts as a block, where the chain is easier


@dataclass(frozen=True, slots=True)
class JobContext:
    """The source's own part of a Job."""

    terms: Terms
    notify: Notify
    received: float  # monotonic seconds


def make_job(source: str, session: int, context: JobContext, clean: bool) -> Job:
    """The job of a notify under its terms."""
    notify, terms = context.notify, context.terms
    mask = effective_mask(terms.granted_mask or 0, terms.configured_mask, notify.version)
    return Job(
        source=source,
        session=session,
        job_id=notify.job_id,
        clean=clean,
        version=notify.version,
        version_mask=mask,
        prev_hash=notify.prev_hash,
        merkle=Coinbase(
            notify.coinbase1,
            terms.extranonce1,
            terms.extranonce2_size,
            notify.coinbase2,
            notify.branch,
        ),
        nbits=notify.nbits,
        ntime=notify.ntime,
        ntime_limit=min(NTIME_LIMIT_S, UINT32_MAX - notify.ntime),
        ntime_follows_clock=False,
        share_target=target_from_difficulty(terms.difficulty),
        network_target=block_target(notify.network_target, terms.class_target),
        height=height_of(notify.coinbase1),
        context=context,
    )


def block_target(network: int, class_target: int | None) -> int:
    """At or below it a hash is a block. A class target counts on toy chains alone, so that nobody
    can pass a real block off as a share."""
    toy = network > DIFF1_TARGET
    return min(network, class_target) if toy and class_target is not None else network


def context_of(job: Job) -> JobContext:
    """The context this module put into a job; TypeError for a job of another source."""
    if not isinstance(job.context, JobContext):
        raise TypeError(f"job {job.job_id!r} is not of a Stratum pool")
    return job.context


def submit_params(user: str, share: Share, granted_now: int | None) -> list[str]:
    """The params of mining.submit, every field padded.

    The sixth is there if and only if rolling is granted. It repeats the job's own bits inside the
    mask, so that both rules by which pools rebuild the version agree. A share keeps the mask its
    header was built with; `granted_now` counts only for a job older than the grant.
    """
    unit = share.unit
    nonce = f"{share.nonce:08x}"
    params = [user, unit.job.job_id, unit.extranonce2.hex(), f"{unit.ntime:08x}", nonce]
    granted = context_of(unit.job).terms.granted_mask
    if granted is None:
        granted = granted_now
    if granted is not None:
        params.append(f"{version_bits(share.version, granted):08x}")
    return params


def redacted(params: list[str], password: Secret) -> list[str | list[str]]:
    """Params for the journal: one that holds the password (the pool may have put it into a job
    id) is kept as the pieces around it."""
    word = password.reveal()
    if len(word) < LEAST_SECRET:
        return list(params)
    return [param.split(word) if word in param else param for param in params]


def restored(params: list[str | list[str]], password: Secret) -> list[str]:
    """The params as they were, for the wire."""
    word = password.reveal()
    return [param if isinstance(param, str) else word.join(param) for param in params]
