"""A source with one given job, or several one after the other: no network, its own judge.

For benches, lessons and tests: the engine runs as it does on a node.
"""

from miner.bitcoin.encoding import sha256d
from miner.sources.base import Health, SourceSink, SourceState
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Coinbase, Job


def never_found(job_id: str = "1", version_mask: int = 0x1FFFE000) -> Job:
    """A job whose target no hash meets, so that nothing but hashing happens."""
    return Job(
        source="fixed",
        session=1,
        job_id=job_id,
        clean=True,
        version=0x20000000,
        version_mask=version_mask,
        prev_hash=sha256d(job_id.encode()),
        merkle=Coinbase(b"homehash", b"", 8, b"", ()),
        nbits=0x1700FFFF,
        ntime=1_700_000_000,
        ntime_limit=0,
        ntime_follows_clock=False,
        share_target=1,
        network_target=1,
    )


class FixedSource:
    """Gives `job`, later ones through `give`; accepts every share that meets its target."""

    def __init__(self, job: Job, name: str = "fixed") -> None:
        self.name, self._job = name, job
        self._sink: SourceSink | None = None

    def start(self, sink: SourceSink) -> None:
        self._sink = sink
        sink.state(SourceState(self.name, Health.READY, "one given job"))
        sink.job(self._job)

    def give(self, job: Job) -> None:
        """Replace the job. Raises ValueError before `start`."""
        if self._sink is None:
            raise ValueError("the source has not been started")
        self._job = job
        self._sink.job(job)

    def submit(self, share: Share) -> None:
        if self._sink is None:
            raise ValueError("the source has not been started")
        value = int.from_bytes(sha256d(share.header), "little")
        good = value <= share.unit.job.target
        self._sink.verdict(
            Verdict(
                self.name,
                share.hash_hex,
                Answer.ACCEPTED if good else Answer.REJECTED,
                is_block=value <= share.unit.job.network_target,
                reason="" if good else "high-hash",
                explanation="" if good else "the hash is above the target",
                height=share.unit.job.height,
            )
        )

    def pack(self, share: Share) -> FoundBlock:
        height = share.unit.job.height
        return FoundBlock(
            self.name, share.hash_hex, height, share.header, "fixed", "", origin=share
        )

    def send(self, block: FoundBlock) -> None:
        if block.origin is not None:
            self.submit(block.origin)
        elif self._sink is not None:
            why = "it is of another source"
            self._sink.verdict(
                Verdict(self.name, block.hash_hex, Answer.PENDING, True, explanation=why)
            )

    def stop(self, grace_s: float) -> None:
        self._sink = None
