"""From templates to jobs, and from a share of them to the block that is sent."""

from collections.abc import Callable
from dataclasses import replace

from miner.bitcoin.coinbase import push
from miner.errors import ConfigError
from miner.protocol.gbt.job import KIND, MiningPlan, block_hex, make_job, template_of
from miner.protocol.gbt.template import Template
from miner.work.found import FoundBlock, Share
from miner.work.job import Job

MAX_TAG_BYTES = 60  # leaves room for height, extranonce and the node's own data in 100 bytes


class Jobs:
    """Numbers the jobs of one source. `plan`: what the user decided."""

    def __init__(self, source: str, plan: MiningPlan, wall_clock: Callable[[], float]) -> None:
        """Raises ConfigError for a tag that is too long."""
        if len(push(plan.tag[:255])) > MAX_TAG_BYTES:
            raise ConfigError(f"coinbase tag of {len(plan.tag)} bytes: at most {MAX_TAG_BYTES - 1}")
        self._source, self._plan, self._wall_clock = source, plan, wall_clock
        self.newest: Job | None = None
        self._count = 0

    def is_newer(self, template: Template) -> bool:
        """Has it a newer tip than the newest job?"""
        return self.newest is None or template.height > (self.newest.height or 0)

    def make(self, template: Template, *, reopens: bool) -> Job:
        """Raises RemoteProtocolError when no job can be made of the template."""
        self._count += 1
        clean = self.newest is None or self.newest.prev_hash != template.prev_hash
        number = f"{self._count:x}"
        job = make_job(template, self._plan, source=self._source, job_id=number, clean=clean)
        self.newest = replace(job, reopens=reopens)
        return self.newest

    def pack(self, share: Share) -> FoundBlock:
        """The whole block; what is journalled and what is sent."""
        return FoundBlock(
            source=self._source,
            hash_hex=share.hash_hex,
            height=share.unit.job.height,
            header=share.header,
            kind=KIND,
            payload=block_hex(share),
            context=template_of(share.unit.job).workid,
            found_at=int(self._wall_clock()),
            origin=share,
        )
