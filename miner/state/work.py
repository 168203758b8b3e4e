"""The work at hand as a row: the job with everything a page needs to draw its header.

Not thread-safe: its owner holds a lock.
"""

from collections.abc import Callable, Sequence

from miner.bitcoin.target import difficulty
from miner.state.snapshot import CoinbaseRow, JobRow
from miner.state.workers import WorkerMeter
from miner.text import scrub
from miner.work.job import Coinbase, Job

Decode = Callable[[Job], CoinbaseRow | None]


class WorkBook:
    """The newest job; `decode` tells what its coinbase says, once for each job that is shown."""

    def __init__(self, now: float, decode: Decode) -> None:
        self.job: Job | None = None
        self.jobs = self.clean_jobs = 0
        self._since = now
        self._decode = decode
        self._decoded: tuple[Job, CoinbaseRow | None] | None = None

    def take(self, job: Job, now: float) -> None:
        self.job, self._since = job, now
        self.jobs += 1
        self.clean_jobs += job.clean

    def row(self, meters: Sequence[WorkerMeter], now: float) -> JobRow | None:
        job = self.job
        if job is None:
            return None
        if self._decoded is None or self._decoded[0] is not job:
            self._decoded = job, self._decode(job)
        scanning = ((meter.unit, meter.nonce) for meter in meters)
        unit, nonce = next(
            ((one, at) for one, at in scanning if one is not None and one.job is job), (None, None)
        )
        merkle = job.merkle if isinstance(job.merkle, Coinbase) else None
        return JobRow(
            source=job.source,
            job_id=scrub(job.job_id),
            jobs=self.jobs,
            clean_jobs=self.clean_jobs,
            age_s=max(now - self._since, 0.0),
            clean=job.clean,
            height=job.height,
            version=job.version,
            version_mask=job.version_mask,
            prev_hash=job.prev_hash.hex(),
            nbits=job.nbits,
            ntime=job.ntime,
            network_target=f"{job.network_target:064x}",
            share_target=f"{job.target:064x}",
            network_difficulty=difficulty(job.network_target),
            share_difficulty=difficulty(job.share_target),
            versions_per_scan=max((meter.versions for meter in meters), default=0),
            transactions=job.transactions,
            branch=tuple(node.hex() for node in merkle.branch) if merkle else (),
            extranonce1=merkle.extranonce1.hex() if merkle else "",
            extranonce2=None if unit is None else unit.extranonce2.hex(),
            header=None if unit is None else unit.prefix.hex(),
            nonce=nonce,
            coinbase=self._decoded[1],
        )
