"""From a job to the next work unit; no (extranonce2, version group, ntime) is given out twice.

Order of rolling: extranonce2 first, then the next group of versions, then ntime. Time and
randomness arrive as arguments.
"""

from miner.bitcoin.versions import count, versions_at
from miner.work.job import Job
from miner.work.unit import WorkUnit, build_unit

SMALL_SPACE = 2**16  # extranonce2 values that can be used up; a larger space never is


class Roller:
    """Gives out the units of one job. Not for several threads at once: the caller locks.

    A pass walks every extranonce2 once with one range of versions at one ntime. Within a pass
    each unit has its own extranonce2, so units may want different numbers of versions; the next
    pass starts after the widest of them.
    """

    def __init__(self, job: Job, extranonce2_start: int = 0, after: "Roller | None" = None) -> None:
        """`after`: the roller of the job before. When a pool sends the same headers again (a new
        mask or difficulty), what that one gave out is not given out again."""
        self.job = job
        self._space = 256**job.merkle.extranonce2_size
        self.next_extranonce2 = extranonce2_start % self._space  # goes on across jobs of a session
        self._left = self._space  # extranonce2 values left in this pass
        self._place = 0  # of this pass's first version in the list of all
        self._widest = 0  # most versions a unit of this pass had, counted in places
        # Versions that `after` gave out at this ntime: with every extranonce2, or with those
        # of this pass that are gone.
        self._spent: frozenset[int] = frozenset()
        self._partly: frozenset[int] = frozenset()
        self._step_s = 0  # ntime - job.ntime
        if after is not None and header_space(job) == header_space(after.job):
            self._go_on(after)

    def _go_on(self, after: "Roller") -> None:
        self.next_extranonce2 = after.next_extranonce2
        self._left, self._step_s = after._left, after._step_s
        if is_small(self.job):
            self._spent = after._spent | after._listed(0, after._place)
            self._partly = after._partly | after._listed(after._place, after._widest)

    def next(self, wants: int, elapsed_s: float) -> WorkUnit | None:
        """The next unit with `wants` versions if the mask has that many, else with one.

        `elapsed_s`: monotonic seconds since the job arrived; ntime moves at most that far, never
        back. None when everything is used up until time moves on or a new job comes.
        """
        allowed_s = min(max(int(elapsed_s), 0), self.job.ntime_limit)
        if self.job.ntime_follows_clock and allowed_s > self._step_s:
            self._start_time(allowed_s)
        versions = self._versions(wants, allowed_s)
        if not versions:
            return None
        self._left -= 1
        extranonce2 = self.next_extranonce2.to_bytes(self.job.merkle.extranonce2_size, "big")
        self.next_extranonce2 = (self.next_extranonce2 + 1) % self._space
        return build_unit(self.job, versions, extranonce2, self.job.ntime + self._step_s)

    def _versions(self, wants: int, allowed_s: int) -> tuple[int, ...]:
        """The versions of the next unit, in this pass or the next; empty when none is left."""
        total = count(self.job.version_mask)
        width = wants if 1 <= wants <= total else 1
        while True:
            if self._left:
                found, places = self._unspent(width)
                if found:
                    self._widest = max(self._widest, places)
                    return found
            if not self._next_pass(allowed_s):
                return ()

    def _unspent(self, width: int) -> tuple[tuple[int, ...], int]:
        """Up to `width` versions from this pass's place on, and how many places they span."""
        version, mask = self.job.version, self.job.version_mask
        if not self._spent:
            found = versions_at(version, mask, self._place, width)
            return found, len(found)
        kept: list[int] = []
        place, total = self._place, count(mask)
        while len(kept) < width and place < total:
            kept += (one for one in versions_at(version, mask, place, 1) if one not in self._spent)
            place += 1
        return tuple(kept), place - self._place

    def _next_pass(self, allowed_s: int) -> bool:
        """Move to the next versions, or to the next second; False when neither is left."""
        total = count(self.job.version_mask)
        self._place = min(self._place + max(self._widest, 1), total) if self._left == 0 else total
        self._widest = 0
        self._spent, self._partly = self._spent | self._partly, frozenset()
        if self._place < total:
            self._left = self._space
            return True
        if allowed_s > self._step_s and self.job.ntime + self._step_s + 1 < 2**32:
            self._start_time(self._step_s + 1)
            return True
        self._left = 0
        return False

    def _start_time(self, step_s: int) -> None:
        self._step_s = step_s
        self._left = self._space
        self._place = self._widest = 0
        self._spent = self._partly = frozenset()

    def _listed(self, place: int, places: int) -> frozenset[int]:
        return frozenset(versions_at(self.job.version, self.job.version_mask, place, places))


def is_small(job: Job) -> bool:
    """Can a search use up every extranonce2 of the job?"""
    return 8 * job.merkle.extranonce2_size < SMALL_SPACE.bit_length()


def header_space(job: Job) -> tuple[object, ...]:
    """Equal for two jobs that could give out the same header, whatever their names, masks and
    targets; a resumed session goes on in the space of the broken one."""
    return job.version, job.prev_hash, job.merkle, job.nbits, job.ntime
