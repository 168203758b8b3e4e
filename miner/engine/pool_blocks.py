"""What becomes of blocks found for a pool: the chain tells, not the pool.

A pool answers to the share alone; whether its node took the block, and whether the network went on
from it, is seen in the jobs that follow, or by a node of one's own. A job that builds on the block
counts it accepted. Two other previous hashes at or above its height, or half an hour, say that the
chain went on without it; a later job may still prove them wrong.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from miner.bitcoin.encoding import display_hex
from miner.state.events import BlockAnswered, BlockLost, Event, of_block
from miner.state.status import Status
from miner.work.found import Answer, Verdict
from miner.work.job import Job

GIVE_UP_S = 1800.0
OTHERS = 2  # previous hashes that are not the block: one may be a rival that loses in the end
BUILT_ON = "a later job builds on it"
TIPS = 8  # newest previous hashes: a job may come before the answer to the share
MOST_BLOCKS = 1_024  # followed at the same time; on a toy chain they come by the hundred


@dataclass(slots=True)
class Followed:
    """A block that its pool took as a share."""

    verdict: Verdict
    own: bool  # found by this run
    since: float  # monotonic
    others: set[str] = field(default_factory=set)
    given_up: bool = False

    def is_passed_by(self, job: Job) -> bool:
        """Does the job build on another block at this height, or above?"""
        height = self.verdict.height
        return height is None or job.height is None or job.height > height


class PoolBlocks:
    """Follows blocks from the pool's answer to their fate. For the engine's thread."""

    def __init__(
        self, status: Status, tell: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self.own_accepted = 0  # of this run, in the chain
        self._status, self._tell, self._clock = status, tell, clock
        self._followed: OrderedDict[str, Followed] = OrderedDict()
        self._jobs: deque[Job] = deque(maxlen=TIPS)  # the first on each previous hash

    def verdict(self, verdict: Verdict, own: bool) -> None:
        """Follow the block of this verdict, if a pool took its share; or a node has it."""
        if verdict.is_block and not verdict.of_share and verdict.answer is Answer.ACCEPTED:
            self._accept(verdict.hash_hex, verdict.explanation)
        if not (verdict.is_block and verdict.of_share and verdict.answer is Answer.ACCEPTED):
            return
        block = Followed(verdict, own, self._clock())
        self._followed.setdefault(verdict.hash_hex, block)
        if len(self._followed) > MOST_BLOCKS:
            self._followed.popitem(last=False)
        # Without heights nobody can say which of the jobs before the answer are later ones.
        jobs = [job for job in self._jobs if verdict.height is not None or on(job, block)]
        events = [event for job in jobs for event in self._judge(job, [block])]
        self._say(events)

    def job(self, job: Job) -> None:
        """A job on a new previous hash says what the chain is."""
        if self._jobs and self._jobs[-1].prev_hash == job.prev_hash:
            return
        self._jobs.append(job)
        events = self._judge(job, list(self._followed.values()))
        self._say(events)

    def tick(self, now: float) -> None:
        """Give up what no job has spoken of for too long."""
        old = [b for b in self._followed.values() if now - b.since >= GIVE_UP_S]
        for block in old:
            del self._followed[block.verdict.hash_hex]
        events = [lost_event(block) for block in old if not block.given_up]
        self._say(events)

    def _judge(self, job: Job, blocks: list[Followed]) -> list[Event]:
        """What this job says of these blocks."""
        events, previous = [], display_hex(job.prev_hash)
        for block in blocks:
            if on(job, block):
                self._accept(block.verdict.hash_hex, BUILT_ON)
            elif block.is_passed_by(job):
                block.others.add(previous)
                if len(block.others) >= OTHERS and not block.given_up:
                    block.given_up = True
                    events.append(lost_event(block))
        return events

    def _accept(self, hash_hex: str, why: str) -> None:
        """It is in the chain; told once."""
        block = self._followed.pop(hash_hex, None)
        if block is not None:
            self.own_accepted += block.own
            self._status.pool_block_accepted()
            self._tell(of_block(BlockAnswered, block.verdict, Answer.ACCEPTED.value, why))

    def _say(self, events: list[Event]) -> None:
        for event in events:
            self._tell(event)


def on(job: Job, block: Followed) -> bool:
    """Does the job build on the block itself?"""
    return display_hex(job.prev_hash) == block.verdict.hash_hex


def lost_event(block: Followed) -> Event:
    why = "no job builds on it" if len(block.others) < OTHERS else "later jobs build on others"
    return of_block(BlockLost, block.verdict, Answer.STALE.value, why)
