"""The work of one Stratum v2 channel: its terms, the jobs it holds, and the current one.

Theory of operation. A job comes either to be mined at once, upon the last previous hash, or as a
future job, which waits until SetNewPrevHash names it; that makes it current and every other job
invalid. What a job is mined with is bound at different moments:

- the extranonce prefix: when the job arrives;
- the target: when the job arrives, but for a future job when it is activated;
- the earliest time: its own, or for a future job that of SetNewPrevHash.

A target or prefix that changes later leaves the current job as it is. Messages reach the channel by
its own id or by that of its group. A standard channel may get its group's extended jobs: its merkle
root then follows from its prefix alone.

Two heights on one previous hash mean that the pool's template provider mixed up two chains of
templates (seen on sv2-tp with two clients): blocks made from that would be lost, so `Confused` asks
for a new connection. Source: Stratum v2 specification, chapter 5.
"""

from collections import OrderedDict
from dataclasses import dataclass

from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.versions import effective_mask
from miner.errors import RemoteProtocolError
from miner.protocol.decode import height_of
from miner.protocol.sv2.messages import (
    NewExtendedMiningJob,
    NewMiningJob,
    SetNewPrevHash,
)
from miner.work.job import Coinbase, FixedRoot, Job

MAX_FUTURES = 64  # future jobs held; the oldest gives way
MAX_EXTRANONCE = 32  # bytes, prefix and our own part together
NTIME_LIMIT_S = 600  # a job older than this is not hashed
UINT32_MAX = 2**32 - 1

AnyJob = NewMiningJob | NewExtendedMiningJob


class Confused(RemoteProtocolError):
    """The server's work contradicts itself: only a new connection gives work to be trusted."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What the server granted when the channel was opened."""

    source: str  # name of the pool, as jobs carry it
    session: int
    channel_id: int
    group_id: int
    standard: bool  # header-only: no extranonce of ours
    extranonce_size: int  # bytes of ours; 0 on a standard channel
    mask: int  # version bits we may roll where a job allows it


@dataclass(frozen=True, slots=True)
class JobId:
    """The source's own part of a Job."""

    channel_id: int
    job_id: int
    standard: bool
    received: float  # monotonic seconds


@dataclass(frozen=True, slots=True)
class Held:
    """A job as it came, with the prefix in force at that moment."""

    message: AnyJob
    prefix: bytes


class ChannelWork:
    """State of one channel's work. Every method either changes it whole or raises."""

    def __init__(self, channel: Channel, target: int, prefix: bytes) -> None:
        """Raises RemoteProtocolError for terms under which no job can be mined."""
        self.channel = channel
        self.group_id = channel.group_id
        self.job: Job | None = None  # the current one
        self._target = checked_target(target)
        self._prefix = self._checked_prefix(prefix)
        self._futures: OrderedDict[int, Held] = OrderedDict()
        self._tip: SetNewPrevHash | None = None
        self._height: int | None = None  # upon the current previous hash

    def concerns(self, channel_id: int) -> bool:
        """Is a message with this id ours, directly or by the group?"""
        return channel_id in (self.channel.channel_id, self.group_id)

    def set_target(self, target: int) -> None:
        """For jobs that arrive or are activated from now on."""
        self._target = checked_target(target)

    def set_prefix(self, prefix: bytes) -> None:
        """For jobs that arrive from now on."""
        self._prefix = self._checked_prefix(prefix)

    @property
    def target(self) -> int:
        """That of the next job."""
        return self._target

    def new_job(self, message: AnyJob, now: float) -> Job | None:
        """A job arrived: the current one from now on, or None when it waits for its time."""
        held = Held(message, self._prefix)
        if message.min_ntime is None:
            self._futures.pop(message.job_id, None)
            self._futures[message.job_id] = held
            if len(self._futures) > MAX_FUTURES:
                self._futures.popitem(last=False)
            return None
        if self._tip is None:
            raise RemoteProtocolError(
                f"job {message.job_id} is to be mined before any previous hash"
            )
        ntime = max(message.min_ntime, self._tip.min_ntime)
        return self._make_current(held, self._tip, ntime, now, self._height)

    def new_prev_hash(self, message: SetNewPrevHash, now: float) -> Job:
        """A block was found: the future job it names is current, every other one is invalid."""
        held = self._futures.get(message.job_id)
        if held is None:
            raise Confused(f"SetNewPrevHash names job {message.job_id}, which was never sent")
        moved = self._tip is None or self._tip.prev_hash != message.prev_hash
        job = self._make_current(
            held, message, message.min_ntime, now, None if moved else self._height
        )
        self._tip = message
        self._futures.clear()
        return job

    def _make_current(
        self, held: Held, tip: SetNewPrevHash, ntime: int, now: float, known: int | None
    ) -> Job:
        """`known`: the height that jobs upon this previous hash were for."""
        height = checked_height(held.message, known)
        before = self.job
        clean = before is None or tip is not self._tip
        self.job = self._job(held, tip, ntime, clean, height, now)
        self._height = height
        return self.job

    def _job(
        self,
        held: Held,
        tip: SetNewPrevHash,
        ntime: int,
        clean: bool,
        height: int | None,
        now: float,
    ) -> Job:
        channel, message = self.channel, held.message
        allowed = channel.mask
        if isinstance(message, NewExtendedMiningJob) and not message.version_rolling_allowed:
            allowed = 0
        merkle = merkle_of(channel, held)
        try:
            return Job(
                source=channel.source,
                session=channel.session,
                job_id=str(message.job_id),
                clean=clean,
                version=message.version,
                version_mask=effective_mask(allowed, allowed, message.version),
                prev_hash=tip.prev_hash,
                merkle=merkle,
                nbits=tip.nbits,
                ntime=ntime,
                ntime_limit=min(NTIME_LIMIT_S, UINT32_MAX - ntime),
                ntime_follows_clock=False,
                share_target=self._target,
                network_target=target_from_nbits(tip.nbits),
                height=height,
                context=JobId(channel.channel_id, message.job_id, channel.standard, now),
            )
        except ValueError as error:
            raise RemoteProtocolError(f"job {message.job_id}: {error}") from None

    def _checked_prefix(self, prefix: bytes) -> bytes:
        size = len(prefix) + self.channel.extranonce_size
        if size > MAX_EXTRANONCE:
            raise RemoteProtocolError(
                f"an extranonce of {len(prefix)} + {self.channel.extranonce_size} bytes, "
                f"at most {MAX_EXTRANONCE} fit"
            )
        return prefix


def merkle_of(channel: Channel, held: Held) -> Coinbase | FixedRoot:
    """The root's origin; a standard channel's own jobs give nothing but the root.

    Raises RemoteProtocolError for a header-only job on an extended channel.
    """
    message = held.message
    if isinstance(message, NewExtendedMiningJob):
        prefix, suffix = message.coinbase_tx_prefix, message.coinbase_tx_suffix
        size = channel.extranonce_size  # 0 on a standard channel, which may get its group's jobs
        return Coinbase(prefix, held.prefix, size, suffix, message.merkle_path)
    if not channel.standard:
        raise RemoteProtocolError(f"job {message.job_id} is header-only, the channel is extended")
    return FixedRoot(message.merkle_root)


def checked_height(message: AnyJob, known: int | None) -> int | None:
    """The job's height. Raises Confused when jobs upon one previous hash have two of them."""
    if not isinstance(message, NewExtendedMiningJob):
        return None
    height = height_of(message.coinbase_tx_prefix)
    if height is not None and known is not None and height != known:
        raise Confused(
            f"job {message.job_id} is for height {height}, the one before it upon the same "
            f"previous hash was for {known}"
        )
    return known if height is None else height


def checked_target(target: int) -> int:
    """Raises RemoteProtocolError for 0, which no hash can meet."""
    if target == 0:
        raise RemoteProtocolError("the share target is 0, which no hash can meet")
    return target
