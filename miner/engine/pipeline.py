"""From a hit to its verdict: hit -> share -> journal -> send -> verdict.

Theory of operation. Everything here runs on the engine's thread, so that nothing needs a lock. What
takes time is done by others, who answer with messages:

    worker             scans, and puts each scan's hits into the engine's mailbox (`Finding`)
    engine: examine    hashes every hit again with hashlib; a false one accuses its worker; a share
                       of a job that a clean one replaced is dropped, others go to the source
    journal's thread   makes a block durable, with all that wait, by one fsync (`durable.py`)
    engine: written    durable, or the disk's patience is over: the block is sent
    source's threads   deliver, and answer with a `Verdict`
    engine: judge      counts it, has it written, and lets rivals go (`rivals.py`)

A block is never sent before it is on disk, unless the disk takes longer than PATIENCE_S: a lost
second costs the block, so it goes out meanwhile. A full disk costs no block either: it is held in
memory, told to the user in full, and written as soon as there is room. Blocks ignore what drops
shares: they are sent however late, and no check of ours vetoes one.

Workers hold one of SLOTS places from a finding's delivery until its blocks are sent: when hits come
faster than they are handled, workers wait, and a stop finds little to do.
"""

import threading
from collections import OrderedDict, deque
from typing import NamedTuple

from miner.backends.base import Hit
from miner.crash import crash_point
from miner.engine.announcer import Announcer
from miner.engine.current import CurrentWork, Generation
from miner.engine.durable import DurableQueue, Written
from miner.engine.rivals import Rivals
from miner.engine.worker import Finding
from miner.sources.base import WorkSource
from miner.state.events import BlockFound, JournalTold, Rescue, answered
from miner.state.status import Status
from miner.text import scrub
from miner.work.found import FoundBlock, Share, Verdict
from miner.work.job import Job
from miner.work.seen import Seen

SLOTS = 16  # findings of a few hits each that may wait
PATIENCE_S = 0.050  # a disk slower than this is not waited for
MOST_UNSENT = 32  # blocks that wait for the disk; above it findings wait as well
SEEN = 1_024  # newest hashes, against sending one twice
LATENCIES = 4096


class Unsent(NamedTuple):
    """A block that is sent as soon as it is durable, or at `due`."""

    share: Share
    block: FoundBlock
    due: float  # monotonic


class Pipeline:
    """Every method is for the engine's thread, but for `slots`, which workers take."""

    def __init__(
        self,
        source: WorkSource,
        status: Status,
        current: CurrentWork,
        disk: DurableQueue,
        rivals: Rivals,
        announcer: Announcer,
    ) -> None:
        self._source, self._status, self._current = source, status, current
        self._disk, self.rivals, self._announcer = disk, rivals, announcer
        self.slots = threading.BoundedSemaphore(SLOTS)
        self.last_block_sent: float | None = None  # monotonic
        self.durable_s: deque[float] = deque(maxlen=LATENCIES)  # from find to fsynced
        self._unsent: OrderedDict[str, Unsent] = OrderedDict()  # by hash, oldest first
        self._seen = Seen(SEEN)
        self._drop_before = 0  # shares of older generations are not sent any more

    # -- jobs

    def new_job(self, fresh: Generation, before: Generation | None) -> None:
        """After a clean job, or one on another parent, queued shares of older ones are stale."""
        job = fresh.job
        if job.clean or before is None or before.job.prev_hash != job.prev_hash:
            self._drop_before = fresh.number
        self._offer(self.rivals.tip_is(job))

    def reopen(self, job: Job) -> None:
        """The node fell back behind a block of ours that it had accepted."""
        if self.rivals.reopen(job.prev_hash):
            self._announcer.alarm(
                "the node no longer has our accepted block: mining again upon its parent"
            )

    # -- hit to share

    def examine(self, finding: Finding) -> None:
        """Judge each hit alone: a bad one must not cost its neighbours."""
        try:
            hits = tuple(finding.hits)
        except TypeError as error:  # a broken driver may call anything hits
            self._trouble(error)
            return
        for hit in hits:
            try:
                self._take(finding, hit)
            except Exception as error:  # noqa: BLE001 - nothing ends the pipeline
                self._trouble(error)

    def _take(self, finding: Finding, hit: Hit) -> None:
        share = self._confirmed(finding, hit)
        if share is None:
            return
        if not self._seen.is_new(share.hash):
            if not finding.worker.abandoned:  # what hung is searched again by its successor
                self._announcer.alarm(
                    f"{finding.worker.name} found {share.hash_hex} twice; sent once"
                )
            return
        self._status.share(share)
        if share.is_block:
            crash_point("found")
            self._block(share, finding.found_at)
        elif finding.generation.number < self._drop_before:
            self._status.set_aside(share, "dropped")
        else:
            self._source.submit(share)

    def _confirmed(self, finding: Finding, hit: Hit) -> Share | None:
        """The hit hashed again; None when it is false, which its worker hears of."""
        try:
            share = Share.from_hit(finding.unit, hit.version, hit.nonce)
            asked = hit.version in finding.unit.versions
        except Exception:  # noqa: BLE001 - a broken driver may call anything a hit
            share, asked = None, False
        if share is not None and asked:
            return share
        worker = finding.worker
        worker.meter.false_hits += 1
        if not worker.accusation:
            what = "no hit, says hashlib" if asked else "outside of what was asked"
            worker.accusation = f"{scrub(hit, 80)} is {what}"
        return share if share is not None and share.is_block else None  # no check vetoes a block

    # -- share to journal

    def _block(self, share: Share, found_at: float) -> None:
        """Packed once its turn has come: what is journalled is what is sent."""
        if share.unit.job.one_block_per_parent:
            if not self.rivals.admit(share):
                return
            self._current.hold(share.unit.job.prev_hash, held=True)
        self.rivals.sent(share)
        try:
            block = self._source.pack(share)
        except Exception as error:  # noqa: BLE001 - our own check may warn, never veto
            self._announcer.alarm(
                f"block {share.hash_hex} cannot be packed ({error}); sent unjournalled"
            )
            self._source.submit(share)
            return
        self._unsent[block.hash_hex] = Unsent(share, block, self._current.clock() + PATIENCE_S)
        self._disk.append(block, found_at)

    def _offer(self, again: list[Share]) -> None:
        """Solo blocks whose turn has come."""
        now = self._current.clock()
        for share in again:
            self._block(share, now)

    # -- journal to send

    def written(self, done: Written) -> None:
        """The journal's thread has done something: send what is durable, say what is wrong."""
        self._status.blocks_waiting = done.waiting
        if done.caught_up:
            text = f"journal: {done.caught_up} blocks held in memory are on disk"
            self._announcer.tell(JournalTold(text))
        if done.error and not done.appended:
            self._announcer.alarm(
                f"journal: {done.error}; the block is asked for again at the next start"
            )
        for block, found_at in done.appended:
            if done.error:
                self._rescue(block, done.error)
            else:
                self.durable_s.append(done.at - found_at)
            if (unsent := self._unsent.pop(block.hash_hex, None)) is not None:
                self._send(unsent)

    def _rescue(self, block: FoundBlock, why: str) -> None:
        name = block.hash_hex
        self._announcer.alarm(f"journal: {why}; block {name} is held in memory")
        self._announcer.tell(Rescue(name, block.payload))

    def wait_s(self, now: float) -> float | None:
        """How long `send_late` may be left alone; None: nothing waits for the disk."""
        if not self._unsent:
            return None
        return max(next(iter(self._unsent.values())).due - now, 0.0)

    def send_late(self, now: float) -> None:
        """Send the blocks that the disk keeps waiting."""
        while self._unsent and next(iter(self._unsent.values())).due <= now:
            name, unsent = self._unsent.popitem(last=False)
            self._announcer.alarm(f"the disk keeps block {name} waiting; it is sent meanwhile")
            self._send(unsent)

    @property
    def clogged(self) -> bool:
        """Do so many blocks wait for the disk that no further finding should be examined?"""
        return len(self._unsent) >= MOST_UNSENT

    @property
    def idle(self) -> bool:
        """Does nothing wait for the disk?"""
        return not self._unsent

    def _send(self, unsent: Unsent) -> None:
        self.last_block_sent = self._current.clock()
        crash_point("send")
        self._announcer.tell(BlockFound.of(unsent.share))
        try:
            self._source.send(unsent.block)
        except Exception as error:  # noqa: BLE001 - the next block must not suffer
            self._trouble(error)

    # -- verdict

    def judge(self, verdict: Verdict) -> None:
        """The source's answer: settle the journal, free or drop what waited for it."""
        crash_point("reply")
        if self._status.verdict(verdict):
            self._announcer.tell(answered(verdict))
        if not verdict.is_block:
            return
        self._disk.settle(verdict)
        judged = self.rivals.judge(verdict)
        if judged is None:
            return
        if judged.won:
            self._current.win(judged.prev_hash)
        elif not judged.again:
            self._current.hold(judged.prev_hash, held=False)
        self._offer(judged.again)

    def close(self) -> None:
        """The run is over: count what was not sent or not answered."""
        self.rivals.close()
        self._status.close()

    def _trouble(self, error: Exception) -> None:
        self._announcer.bug("pipeline", error)
