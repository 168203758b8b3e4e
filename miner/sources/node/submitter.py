"""Sends found blocks to one node until it has judged them.

Two threads, each with its own connection: one submits, one looks blocks up by their hash, so that a
next block never waits behind a look-up. A block is looked up after the node said it took it, when
an answer was lost, while it is on a side branch, and first of all when an earlier run found it: a
node that does not know its parent is not asked to judge it. It leaves only on the node's final
word, or after another node accepted it.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from miner.errors import MinerError, RpcError, RpcNotReady
from miner.protocol.gbt.verdicts import Judgement, Ruling, judge, judge_error
from miner.sources.node.belongs import header_of, tip_height, why_elsewhere
from miner.sources.node.refusals import PAUSE_S, Refusals, is_easy
from miner.sources.node.setup import Timing
from miner.transport.rpc import Rpc
from miner.work.found import FoundBlock

log = logging.getLogger(__name__)

BURIED_BLOCKS = 100  # a rival block this deep is not reorganised away in practice
MAX_WAITING = 1000  # blocks kept in memory; the journal has them all


class Board(Protocol):
    """Who collects what the nodes say; called from the submitter's threads."""

    def ruled(self, who: "Submitter", block: FoundBlock, judgement: Judgement) -> None: ...

    def is_settled(self, block: FoundBlock) -> bool: ...


class Step(Enum):
    """What a block needs next; each has a thread and a connection."""

    SUBMIT = "submit"
    LOOK_UP = "look-up"


@dataclass(slots=True)
class _Task:
    block: FoundBlock
    replayed: bool  # from the journal: it is never let go unsent
    step: Step = Step.SUBMIT
    due: float = 0.0
    tries: int = 0
    under_way: bool = False
    skipped: bool = False  # a newer block takes its turn
    taken: Judgement | None = None  # the node's word that it took it, until the look-up
    side: bool = False  # it has it: on a side branch
    said: set[str] = field(default_factory=set)

    @property
    def fresh(self) -> bool:
        """Never sent, and of no other worth than a newer one?"""
        return not (self.replayed or self.tries or self.under_way) and is_easy(self.block.header)


class Submitter:
    """One node's queue of blocks. Nothing is sent before `chain` is set: chains never mix."""

    def __init__(self, name: str, lanes: tuple[Rpc, Rpc], board: Board, timing: Timing) -> None:
        self.name, self.chain = name, ""
        self._lanes = dict(zip(Step, lanes, strict=True))
        self._board, self._timing = board, timing
        self._changed = threading.Condition()  # guards what follows
        self._tasks: dict[str, _Task] = {}  # oldest first
        self._refusals, self._sent_at = Refusals(), float("-inf")
        self._stopping = False
        self._threads = [
            threading.Thread(
                target=self._run, args=(step,), name=f"{name} {step.value}", daemon=True
            )
            for step in Step
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def send(self, block: FoundBlock, *, replayed: bool = False) -> None:
        """Queue a block; one that is queued already is only hurried."""
        with self._changed:
            task = self._tasks.get(block.hash_hex)
            if task is not None:
                task.due = 0.0
            elif len(self._tasks) < MAX_WAITING:
                self._tasks[block.hash_hex] = task = _Task(block, replayed)
                task.step = Step.LOOK_UP if replayed else Step.SUBMIT
                if self._refusals.hopeless and task.fresh:
                    self._keep_newest()
            self._changed.notify_all()

    def _keep_newest(self) -> None:
        """Of the blocks that were never sent, one waits: the last of the greatest height."""
        fresh = [task for task in self._tasks.values() if task.fresh and not task.skipped]
        newest = max(reversed(fresh), key=lambda task: task.block.height or 0)
        for task in fresh:
            task.skipped = task is not newest

    def hurry(self) -> None:
        """The node answers again: try everything now."""
        with self._changed:
            for task in self._tasks.values():
                task.due = 0.0
            self._changed.notify_all()

    @property
    def queued(self) -> int:
        """Blocks that the node has not judged for good."""
        return len(self._tasks)

    def wait_open(self, deadline: float) -> None:
        """Wait until nothing is undelivered or unanswered, or the deadline (monotonic)."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(task.side for task in self._tasks.values()),
                max(0.0, deadline - time.monotonic()),
            )

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for lane in self._lanes.values():
            lane.abort()

    def join(self, deadline: float) -> None:
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        for lane in self._lanes.values():
            lane.close()

    def _run(self, step: Step) -> None:
        while (task := self._next(step)) is not None:
            self._settle(task, self._attempt(task))

    def _next(self, step: Step) -> _Task | None:
        """The task of this step that is due, waiting for it; None to stop."""
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                tasks = [task for task in self._tasks.values() if task.step is step]
                if self._refusals.hopeless:
                    tasks.reverse()  # the newest first
                first = min(tasks, key=self._due, default=None)
                if first is None or not self.chain:
                    self._changed.wait()
                elif self._due(first) <= now:
                    first.under_way = True
                    if step is Step.SUBMIT and not first.skipped:
                        self._sent_at = now
                    return first
                else:
                    self._changed.wait(self._due(first) - now)
            return None

    def _due(self, task: _Task) -> float:
        """When it may be tried, on the monotonic clock."""
        waits = task.step is Step.SUBMIT and not task.skipped and self._refusals.hopeless
        if waits and is_easy(task.block.header):
            return max(task.due, self._sent_at + PAUSE_S)
        return task.due

    def _attempt(self, task: _Task) -> Judgement | None:
        """Submit or look up once; None: the other step is next. Never raises for what a node or a
        wire can do."""
        lane = self._lanes[task.step]
        if task.skipped:
            return Judgement(Ruling.NOT_SENT, "not sent", str(self._refusals))
        try:
            if not lane.kept() and self._ask_chain(lane) != self.chain:
                lane.close()  # so that the next try asks again
                return Judgement(Ruling.RETRY, "another chain", "the node changed its chain: kept")
            return self._submit(task, lane) if task.step is Step.SUBMIT else self._confirm(task)
        except MinerError as error:
            return judge_error(error)
        except Exception:
            log.exception("%s: submitting met a bug", self.name)
            return Judgement(Ruling.UNKNOWN, "internal error", "kept and sent again")

    def _submit(self, task: _Task, lane: Rpc) -> Judgement | None:
        """The node's answer; None: it says that it took the block."""
        workid = [{"workid": task.block.context}] if task.block.context else []
        try:
            judgement = judge(lane.call("submitblock", task.block.payload, *workid), self.chain)
        except RpcNotReady:
            raise
        except RpcError as error:
            judgement = judge_error(error)
        with self._changed:
            took = judgement.ruling in (Ruling.ACCEPTED, Ruling.CONFIRM, Ruling.SIDE)
            self._refusals.note("" if took else judgement.reason)
        if judgement.ruling not in (Ruling.ACCEPTED, Ruling.CONFIRM):
            return judgement
        task.taken = judgement
        return None

    def _confirm(self, task: _Task) -> Judgement | None:
        """What the node's index says of a block. "Accepted" and "duplicate" are believed once it
        knows the header; None: it never heard of it."""
        taken = task.taken
        if taken is None:
            known = self._look_up(task, "found by its hash")
            if known is None and task.replayed:
                return self._judge_place(task)
            return known
        try:
            known = self._look_up(task, taken.reason)
        except MinerError:
            known = None if taken.ruling is Ruling.CONFIRM else taken
        if known is None:
            meaning = "the node took the block but does not know its header"
            return Judgement(Ruling.UNKNOWN, taken.reason, meaning)
        if known.ruling is Ruling.ACCEPTED:
            return Judgement(Ruling.ACCEPTED, taken.reason, taken.explanation)
        return known

    def _judge_place(self, task: _Task) -> Judgement | None:
        """None: a block of this node's chain, to be submitted."""
        why = why_elsewhere(self._lanes[Step.LOOK_UP], self.name, task.block)
        return Judgement(Ruling.ELSEWHERE, "another chain", why) if why else None

    def _look_up(self, task: _Task, reason: str) -> Judgement | None:
        """What the node's block index says of the hash; None: it does not know it."""
        lane = self._lanes[Step.LOOK_UP]
        header = header_of(lane, task.block.hash_hex)
        if header is None:
            task.side = False
            return None
        depth = header.get("confirmations")
        if type(depth) is not int:
            return Judgement(Ruling.UNKNOWN, reason, "getblockheader gave no confirmations")
        if depth >= 0:
            return Judgement(Ruling.ACCEPTED, reason, "in the best chain")
        height = header.get("height")
        if type(height) is not int or task.block.height not in (None, height):
            return Judgement(Ruling.UNKNOWN, reason, "getblockheader gave another height")
        if tip_height(lane) - height >= BURIED_BLOCKS:
            return Judgement(Ruling.DEAD, "stale", "another block at this height is 100 deep")
        return Judgement(Ruling.SIDE, "inconclusive", "valid, but on a side branch")

    def _ask_chain(self, lane: Rpc) -> object:
        info = lane.call("getblockchaininfo")
        return info.get("chain") if isinstance(info, dict) else None

    def _settle(self, task: _Task, judgement: Judgement | None) -> None:
        """Report what is new, then let the task go or say what is due and when."""
        if judgement is None:
            self._hand_over(task)
            return
        task.tries += 1
        lost = judgement.ruling is Ruling.UNKNOWN
        key = f"{judgement.ruling} {judgement.reason}"
        quiet = lost and task.tries < 2  # the header usually tells a moment later
        if key not in task.said and not quiet:
            task.said = {key}
            self._board.ruled(self, task.block, judgement)
        with self._changed:
            if judgement.ruling in FINAL or self._board.is_settled(task.block):
                self._tasks.pop(task.block.hash_hex, None)
            task.side = judgement.ruling is Ruling.SIDE
            task.step = Step.LOOK_UP if lost or task.side else Step.SUBMIT
            task.taken, task.under_way = None, False
            task.due = time.monotonic() + self._delay(task, judgement)
            self._changed.notify_all()

    def _hand_over(self, task: _Task) -> None:
        """To the other step, at once."""
        with self._changed:
            task.step = Step.SUBMIT if task.step is Step.LOOK_UP else Step.LOOK_UP
            task.under_way, task.due = False, 0.0
            self._changed.notify_all()

    def _delay(self, task: _Task, judgement: Judgement) -> float:
        if judgement.ruling is Ruling.SIDE:
            return self._timing.side_poll
        if judgement.ruling is Ruling.UNKNOWN and task.tries == 1:
            return 0.0
        return min(self._timing.submit_max, self._timing.submit_first * 2.0 ** min(task.tries, 10))


FINAL = (Ruling.ACCEPTED, Ruling.DEAD, Ruling.ELSEWHERE, Ruling.NOT_SENT)
