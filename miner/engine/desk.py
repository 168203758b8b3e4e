"""The desk: every hit is hashed again by hashlib, becomes a share, and a block is journalled
before it is sent. One thread; workers only queue findings, and sources only queue sends.
"""

import queue
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from miner.backends.base import Hit
from miner.bitcoin.encoding import display_hex
from miner.crash import crash_point
from miner.engine.floor import Clock, Floor
from miner.engine.pool_blocks import facts, taken_event
from miner.engine.worker import Finding
from miner.journal import Journal
from miner.sources.base import WorkSource
from miner.sources.node.refusals import Refusals, is_easy
from miner.status import Event, Status
from miner.text import scrub
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Job
from miner.work.seen import Seen

QUEUED_FINDINGS = 16  # of a few hits each, so that a stop finds little to do; above it workers wait
DISK_RETRY_S = 5.0  # between looks at a disk that refused a block
DISK_PATIENCE_S = 0.050  # a disk slower than this is not waited for
PARENTS = 64  # blocks we found blocks on, whose fate is remembered
RIVALS = 64  # further blocks on one parent that wait for the first one's verdict
SEEN = 1_024  # newest hashes, against sending one twice; 220 bytes each

Tell = Callable[[Event], None]


class Append(NamedTuple):
    """A block on its way to the disk."""

    block: FoundBlock
    found_at: float  # monotonic
    durable: threading.Event


@dataclass(slots=True)
class Parent:
    """What became of our solo blocks on one previous block."""

    asked: str = ""  # hash of the block whose verdict is awaited
    accepted: bool = False
    rivals: deque[Share] = field(default_factory=deque)


class Desk:
    """From hit to verdict. `put` for workers, `verdict` for the source, the rest is its thread."""

    def __init__(
        self, source: WorkSource, journal: Journal, status: Status, floor: Floor, tell: Tell
    ) -> None:
        self._source, self._journal, self._status = source, journal, status
        self._floor, self._tell = floor, tell
        self._clock: Clock = floor.clock
        self.most_blocks: int | None = None  # no more than this many may be accepted
        self.own_accepted = 0  # blocks found by this run
        self.last_block_sent: float | None = None
        self._refusals = Refusals()
        self.durable_s: deque[float] = deque(maxlen=4096)  # from find to fsynced
        self._lock = threading.Lock()
        self._parents: OrderedDict[bytes, Parent] = OrderedDict()
        self._own: OrderedDict[str, bytes] = OrderedDict()  # our blocks: hash to parent
        self._open: dict[str, int | None] = {}  # solo blocks that may yet be accepted: height
        self._kept: deque[Share] = deque()  # blocks beyond most_blocks, should one fail
        self._seen = Seen(SEEN)
        self._findings: queue.SimpleQueue[Finding | Share | None] = queue.SimpleQueue()
        self._to_disk: queue.SimpleQueue[Append | Verdict | None] = queue.SimpleQueue()
        self._given_up = False  # the grace of a stop is over
        self._drop_before = 0  # shares of older generations are not sent any more
        self._desk = threading.Thread(target=self._work, name="desk", daemon=True)
        self._disk = threading.Thread(target=self._write, name="journal", daemon=True)

    def start(self) -> None:
        self._desk.start()
        self._disk.start()

    def stop(self, grace_s: float) -> None:
        """Finish what is queued, at most `grace_s`; verdicts are still taken."""
        if self._desk.ident is None:
            return
        self._findings.put(None)
        self._desk.join(grace_s)
        if self._desk.is_alive():
            self._alarm(f"stopping with about {self._findings.qsize()} findings unexamined")
            self._given_up = True
            self._desk.join(0.1)

    def close(self, grace_s: float) -> None:
        """After the source's last verdict: let the journal's thread finish, count what waits."""
        with self._lock:
            for waiting in [self._kept, *(parent.rivals for parent in self._parents.values())]:
                self._not_sent(waiting)
        self._status.close()
        self._to_disk.put(None)
        if self._disk.ident is not None:
            self._disk.join(grace_s)

    def put(self, finding: Finding) -> None:
        """Queue a finding; while the queue is long its worker waits, so nothing is dropped."""
        self._findings.put(finding)
        while self._findings.qsize() > QUEUED_FINDINGS and self._desk.is_alive():
            time.sleep(0.005)

    def drop_before(self, generation: int) -> None:
        """A clean job came: queued shares of older generations are stale, blocks are not."""
        self._drop_before = generation

    def tip_is(self, job: Job) -> None:
        """Open blocks that the new tip left behind count no longer towards `most_blocks`."""
        with self._lock:
            tip, parent = job.height, display_hex(job.prev_hash)
            left = [
                name
                for name, height in self._open.items()
                if height is not None and tip is not None and height < tip and name != parent
            ]
            for name in left:
                del self._open[name]
            again = list(self._kept) if left else []
            if left:
                self._kept.clear()
        for share in again:
            self._findings.put(share)

    def settled_parent(self, prev_hash: bytes) -> bool:
        """Was a solo block of ours on this parent accepted?"""
        with self._lock:
            parent = self._parents.get(prev_hash)
            return parent is not None and parent.accepted

    def reopen(self, prev_hash: bytes) -> None:
        """The accepted block on this parent is lost: another one is wanted."""
        with self._lock:
            parent = self._parents.get(prev_hash)
            if parent is None or not parent.accepted:
                return
            parent.accepted = False
        self._alarm("the node no longer has our accepted block: mining again upon its parent")

    def verdict(self, verdict: Verdict) -> None:
        """The source's answer: settle the journal, free or drop what waited for it."""
        crash_point("reply")
        if verdict.is_block:
            self._to_disk.put(verdict)
            self._answer_parent(verdict)
        if self._status.verdict(verdict):
            taken = verdict.is_block and verdict.of_share and verdict.answer is Answer.ACCEPTED
            self._tell(taken_event(verdict) if taken else verdict_event(verdict))

    # -- the desk's thread

    def _work(self) -> None:
        while (item := self._findings.get()) is not None and not self._given_up:
            try:
                if isinstance(item, Share):
                    self._solo_block(item, self._source.pack(item))
                else:
                    self._examine(item)
            except Exception as error:  # noqa: BLE001 - nothing ends the desk
                self._trouble(error)

    def _examine(self, finding: Finding) -> None:
        for hit in finding.hits:
            if self._given_up:
                return
            try:
                self._take(finding, hit)
            except Exception as error:  # noqa: BLE001 - one bad hit must not cost its neighbours
                self._trouble(error)

    def _take(self, finding: Finding, hit: Hit) -> None:
        """From one hit to a share on its way."""
        share = self._confirmed(finding, hit)
        if share is None:
            return
        if not self._seen.is_new(share.hash):
            if not finding.worker.abandoned:  # what hung is searched again by its successor
                self._alarm(f"{finding.worker.name} found {share.hash_hex} twice; sent once")
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

    def _block(self, share: Share, found_at: float) -> None:
        try:
            block = self._source.pack(share)
        except Exception as error:  # noqa: BLE001 - our own check may warn, never veto
            self._alarm(f"block {share.hash_hex} cannot be packed ({error}); sent unjournalled")
            self._source.submit(share)
            return
        if share.unit.job.one_block_per_parent:
            self._solo_block(share, block, found_at)
        else:
            self._send(share, block, found_at)

    def _solo_block(self, share: Share, block: FoundBlock, found_at: float | None = None) -> None:
        """One block on each parent at a time; accepted makes the others surplus."""
        prev_hash = share.unit.job.prev_hash
        with self._lock:
            parent = self._parents.setdefault(prev_hash, Parent())
            if len(self._parents) > PARENTS:
                self._not_sent(self._parents.popitem(last=False)[1].rivals)
            if parent.accepted:
                self._status.set_aside(share, "surplus")
                return
            if parent.asked:
                if self._refusals.hopeless and is_easy(share.header):
                    self._not_sent(parent.rivals)  # the newest waits
                if len(parent.rivals) < RIVALS:
                    parent.rivals.append(share)
                else:
                    self._status.set_aside(share, "surplus")
                return
            most = self.most_blocks
            if most is not None and self.own_accepted + len(self._open) >= most:
                if len(self._kept) == RIVALS:
                    self._status.set_aside(self._kept.popleft(), "not_sent")
                self._kept.append(share)
                return
            parent.asked = block.hash_hex
            self._open[block.hash_hex] = block.height
        self._floor.hold(prev_hash, held=True)
        self._send(share, block, found_at)

    def _not_sent(self, rivals: deque[Share]) -> None:
        while rivals:
            self._status.set_aside(rivals.popleft(), "not_sent")

    def _send(self, share: Share, block: FoundBlock, found_at: float | None) -> None:
        with self._lock:
            self._own[block.hash_hex] = share.unit.job.prev_hash
            if len(self._own) > SEEN:
                self._own.popitem(last=False)
        durable = threading.Event()
        since = self._clock() if found_at is None else found_at
        self._to_disk.put(Append(block, since, durable))
        if not durable.wait(DISK_PATIENCE_S):
            self._alarm(f"the disk keeps block {block.hash_hex} waiting; it is sent meanwhile")
        self.last_block_sent = self._clock()
        crash_point("send")
        self._source.submit(share)
        self._tell(found_event(share))

    # -- the journal's thread: a stalled disk stalls nothing else

    def _write(self) -> None:
        while True:
            try:
                item = self._to_disk.get(timeout=DISK_RETRY_S)
            except queue.Empty:
                self._catch_up()
                continue
            if item is None:
                return
            try:
                if isinstance(item, Append):
                    self._append(item)
                else:
                    self._journal.settle(item)
            except OSError as error:
                text = f"journal: {error.strerror or error}"
                self._alarm(f"{text}; the block is asked for again at the next start")
            self._status.blocks_waiting = self._journal.waiting_count

    def _catch_up(self) -> None:
        """Room on the disk again? A crash must not cost the blocks held in memory."""
        with suppress(OSError):
            if count := self._journal.catch_up():
                self._tell(Event("journal", f"journal: {count} blocks held in memory are on disk"))

    def _append(self, item: Append) -> None:
        try:
            self._journal.append(item.block)
            self.durable_s.append(self._clock() - item.found_at)
        except OSError as error:
            name = item.block.hash_hex
            self._alarm(f"journal: {error.strerror or error}; block {name} is held in memory")
            self._tell(Event("rescue", f"block {name}: {item.block.payload}", "result"))
        finally:
            item.durable.set()

    # -- verdicts, from the source's thread

    def _answer_parent(self, verdict: Verdict) -> None:
        with self._lock:
            mine = self._own.get(verdict.hash_hex)
            if mine is None:
                return  # replayed from an earlier run
            if not verdict.final:
                return  # not delivered, or a side branch: its rivals would fare no better
            del self._own[verdict.hash_hex]
            self._open.pop(verdict.hash_hex, None)
            accepted = verdict.answer is Answer.ACCEPTED
            self.own_accepted += accepted and not verdict.of_share
            if verdict.answer is not Answer.NOT_SENT:
                self._refusals.note("" if accepted else verdict.reason or verdict.answer.value)
            parent = self._parents.get(mine)
            again: list[Share] = []
            if parent is not None:
                if parent.asked == verdict.hash_hex:
                    parent.asked = ""
                if accepted:
                    parent.accepted = True
                    while parent.rivals:
                        self._status.set_aside(parent.rivals.popleft(), "surplus")
                elif parent.rivals and not parent.asked:
                    again.append(parent.rivals.popleft())
            if not accepted:
                again += self._kept
                self._kept.clear()
        if accepted and parent is not None:
            self._floor.retire(mine)
        elif not again:
            self._floor.hold(mine, held=False)
        for share in again:
            self._findings.put(share)

    def _trouble(self, error: Exception) -> None:
        self._alarm(f"desk: {type(error).__name__}: {scrub(error)}")

    def _alarm(self, text: str) -> None:
        self._status.alarm(text)
        self._tell(Event("alarm", text, "warning"))


def found_event(share: Share) -> Event:
    job: Job = share.unit.job
    where = "" if job.height is None else f" at height {job.height}"
    data = {"hash": share.hash_hex, "height": job.height, "found_at_s": time.time()}
    return Event("found", f"block found{where}: {share.hash_hex}", data=data)


def verdict_event(verdict: Verdict) -> Event:
    """One line: what, where, the answer, the source's word and its meaning."""
    kind = "block" if verdict.is_block else "share"
    where = "" if verdict.height is None else f" {verdict.height}"
    took = "" if verdict.latency_s is None else f" ({1000 * verdict.latency_s:.0f} ms)"
    answer = verdict.answer.value
    words = [word for word in (verdict.reason, verdict.explanation) if word and word != answer]
    why = f": {', '.join(words)}" if words else ""
    text = f"{kind}{where} {answer} {verdict.hash_hex}{why}{took}"
    data = facts(verdict, answer, verdict.explanation)
    good = verdict.answer is Answer.ACCEPTED
    return Event(kind, text, "result" if good or verdict.is_block else "warning", data)
