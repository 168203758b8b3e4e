"""Notices work that others have moved past: jobs that build on a block that is not the last.

Heights alone are compared, between sources that mine at the same difficulty, so that pools of two
chains in one list do not accuse each other. Header-only work has no height: its previous hash is
compared with the parent of the tip known elsewhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from miner.work.job import Job

BEHIND_S = 30.0  # blocks need seconds from one end of the network to the other
MOST_BEHIND = 100  # further apart it is another chain


@dataclass(frozen=True, slots=True)
class Tip:
    """The last block, as somebody else knows it. Hashes as hashed."""

    where: str
    height: int
    nbits: int
    parent: bytes | None = None  # the block before it


Elsewhere = Callable[[], Tip | None]


def nowhere() -> Tip | None:
    """Nobody else is asked."""
    return None


def tip_of(job: Job) -> Tip | None:
    """What a job says of the last block."""
    return None if job.height is None else Tip(job.source, job.height - 1, job.nbits)


class BehindWatch:
    """How long each source's work has been old. Times are monotonic and passed in."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def see(self, job: Job, tips: Iterable[Tip | None], now: float) -> str:
        """Why the job's source should be left; empty while all is well."""
        newer = next((tip for tip in tips if tip is not None and is_behind(job, tip)), None)
        if newer is None:
            self._since.pop(job.source, None)
            return ""
        if now - self._since.setdefault(job.source, now) < BEHIND_S:
            return ""
        del self._since[job.source]
        return (
            f"its work is older than the chain: {newer.where} has had block {newer.height} for "
            f"{BEHIND_S:.0f} s"
        )


def is_behind(job: Job, tip: Tip) -> bool:
    """Does the tip stand at or above the height that the job is for?"""
    if job.nbits != tip.nbits:
        return False
    if job.height is None:
        return job.prev_hash == tip.parent
    return 0 <= tip.height - job.height < MOST_BEHIND
