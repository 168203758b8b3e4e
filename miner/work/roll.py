"""From a job to the next work unit; no (extranonce2, version group, ntime) is given out twice.

Order of rolling: extranonce2 first, then the next group of versions, then ntime. Time and
randomness arrive as arguments.
"""

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.merkle import root_from_branch
from miner.bitcoin.versions import count, versions_at
from miner.work.values import Job, WorkUnit


class Roller:
    """Gives out the units of one job. Not for several threads at once: the caller locks.

    A pass walks every extranonce2 once with one range of versions at one ntime. Within a pass
    each unit has its own extranonce2, so units may want different numbers of versions; the next
    pass starts after the widest of them.
    """

    def __init__(self, job: Job, extranonce2_start: int = 0) -> None:
        self.job = job
        self._space = 256**job.extranonce2_size
        self.next_extranonce2 = extranonce2_start % self._space  # goes on across jobs of a session
        self._left = self._space  # extranonce2 values left in this pass
        self._first_version = 0
        self._widest = 0
        self._step_s = 0  # ntime - job.ntime

    def next(self, wants: int, elapsed_s: float) -> WorkUnit | None:
        """The next unit with `wants` versions if the mask has that many, else with one.

        `elapsed_s`: monotonic seconds since the job arrived; ntime moves at most that far, never
        back. None when everything is used up until time moves on or a new job comes.
        """
        allowed_s = min(max(int(elapsed_s), 0), self.job.ntime_limit)
        if self.job.ntime_follows_clock and allowed_s > self._step_s:
            self._start_time(allowed_s)
        if self._left == 0 and not self._next_pass(allowed_s):
            return None
        total = count(self.job.version_mask)
        width = wants if 1 <= wants <= total else 1
        versions = versions_at(self.job.version, self.job.version_mask, self._first_version, width)
        self._widest = max(self._widest, len(versions))
        self._left -= 1
        extranonce2 = self.next_extranonce2.to_bytes(self.job.extranonce2_size, "big")
        self.next_extranonce2 = (self.next_extranonce2 + 1) % self._space
        return build_unit(self.job, versions, extranonce2, self.job.ntime + self._step_s)

    def _next_pass(self, allowed_s: int) -> bool:
        """Move to the next versions, or to the next second; False when neither is left."""
        self._first_version += self._widest
        self._widest = 0
        if self._first_version < count(self.job.version_mask):
            self._left = self._space
            return True
        if allowed_s > self._step_s and self.job.ntime + self._step_s + 1 < 2**32:
            self._start_time(self._step_s + 1)
            return True
        self._first_version = count(self.job.version_mask)  # stay exhausted
        return False

    def _start_time(self, step_s: int) -> None:
        self._step_s = step_s
        self._left = self._space
        self._first_version = self._widest = 0


def build_unit(job: Job, versions: tuple[int, ...], extranonce2: bytes, ntime: int) -> WorkUnit:
    """The unit of exactly these choices; byte order as hashed."""
    coinbase = job.coinbase1 + job.extranonce1 + extranonce2 + job.coinbase2
    root = root_from_branch(sha256d(coinbase), job.branch)
    prefix = (
        versions[0].to_bytes(4, "little")
        + job.prev_hash
        + root
        + ntime.to_bytes(4, "little")
        + job.nbits.to_bytes(4, "little")
    )
    return WorkUnit(prefix, versions, job.target, job, extranonce2, ntime)
