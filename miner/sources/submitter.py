"""Sends found blocks to one node until it has judged them: its own thread, its own connection.

Order at each try: when an earlier answer was lost, ask for the header by hash first; then submit.
A block leaves only on the node's final word, or after another node accepted it.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from miner.errors import MinerError, RpcError
from miner.protocol.verdicts import Judgement, Ruling, judge, judge_error
from miner.sources.nodes import Timing
from miner.transport.rpc import Rpc
from miner.work.values import FoundBlock

log = logging.getLogger(__name__)

BLOCK_NOT_FOUND = -5
BURIED_BLOCKS = 100  # a rival block this deep is not reorganised away in practice
MAX_WAITING = 1000  # blocks kept in memory; the journal has them all


class Board(Protocol):
    """Who collects what the nodes say; called from the submitter's thread."""

    def ruled(self, who: "Submitter", block: FoundBlock, judgement: Judgement) -> None: ...

    def is_settled(self, block: FoundBlock) -> bool: ...


@dataclass(slots=True)
class _Task:
    block: FoundBlock
    due: float = 0.0
    tries: int = 0
    ask_first: bool = False  # the node may have it already
    side: bool = False  # it has: on a side branch
    said: set[str] = field(default_factory=set)


class Submitter:
    """One node's queue of blocks. Nothing is sent before `chain` is set: chains never mix."""

    def __init__(self, name: str, lane: Rpc, board: Board, timing: Timing) -> None:
        self.name, self.chain = name, ""
        self._lane, self._board, self._timing = lane, board, timing
        self._changed = threading.Condition()  # guards what follows
        self._tasks: dict[str, _Task] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"{name} submit", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send(self, block: FoundBlock) -> None:
        """Queue a block; one that is queued already is only hurried."""
        with self._changed:
            task = self._tasks.get(block.hash_hex)
            if task is None and len(self._tasks) < MAX_WAITING:
                self._tasks[block.hash_hex] = _Task(block)
            elif task is not None:
                task.due = 0.0
            self._changed.notify_all()

    def hurry(self) -> None:
        """The node answers again: try everything now."""
        with self._changed:
            for task in self._tasks.values():
                task.due = 0.0
            self._changed.notify_all()

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
        self._lane.abort()

    def join(self, deadline: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        self._lane.close()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            judgement = self._attempt(task)
            task.tries += 1
            self._settle(task, judgement)

    def _next(self) -> _Task | None:
        """The task that is due, waiting for it; None to stop."""
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                first = min(self._tasks.values(), key=lambda task: task.due, default=None)
                if first is None or not self.chain:
                    self._changed.wait()
                elif first.due <= now:
                    return first
                else:
                    self._changed.wait(first.due - now)
            return None

    def _attempt(self, task: _Task) -> Judgement:
        """Ask or submit once. Never raises for what a node or a wire can do."""
        try:
            if not self._lane.kept() and self._ask_chain() != self.chain:
                self._lane.close()  # so that the next try asks again
                return Judgement(Ruling.RETRY, "another chain", "the node changed its chain: kept")
            if task.ask_first or task.side:
                known = self._look_up(task, "found by its hash")
                if known is not None:
                    return known
            workid = [{"workid": task.block.context}] if task.block.context else []
            answer = self._lane.call("submitblock", task.block.payload, *workid)
            judgement = judge(answer, self.chain)
            if judgement.ruling in (Ruling.ACCEPTED, Ruling.CONFIRM):
                return self._confirm(task, judgement)
            return judgement
        except MinerError as error:
            return judge_error(error)
        except Exception:
            log.exception("%s: submitting met a bug", self.name)
            return Judgement(Ruling.UNKNOWN, "internal error", "kept and sent again")

    def _confirm(self, task: _Task, judgement: Judgement) -> Judgement:
        """Believe "accepted" and "duplicate" once the node knows the header."""
        try:
            known = self._look_up(task, judgement.reason)
        except MinerError:
            known = None if judgement.ruling is Ruling.CONFIRM else judgement
        if known is None:
            meaning = "the node took the block but does not know its header"
            return Judgement(Ruling.UNKNOWN, judgement.reason, meaning)
        if known.ruling is Ruling.ACCEPTED:
            return Judgement(Ruling.ACCEPTED, judgement.reason, judgement.explanation)
        return known

    def _look_up(self, task: _Task, reason: str) -> Judgement | None:
        """What the node's block index says of the hash; None: it does not know it."""
        try:
            header = self._lane.call("getblockheader", task.block.hash_hex)
        except RpcError as error:
            if error.code == BLOCK_NOT_FOUND:
                task.side = False
                return None
            raise
        depth = header.get("confirmations") if isinstance(header, dict) else None
        if type(depth) is not int:
            return Judgement(Ruling.UNKNOWN, reason, "getblockheader gave no confirmations")
        if depth >= 0:
            return Judgement(Ruling.ACCEPTED, reason, "in the best chain")
        height = header.get("height")
        if type(height) is not int or task.block.height not in (None, height):
            return Judgement(Ruling.UNKNOWN, reason, "getblockheader gave another height")
        if self._tip() - height >= BURIED_BLOCKS:
            return Judgement(Ruling.DEAD, "stale", "another block at this height is 100 deep")
        return Judgement(Ruling.SIDE, "inconclusive", "valid, but on a side branch")

    def _ask_chain(self) -> object:
        info = self._lane.call("getblockchaininfo")
        return info.get("chain") if isinstance(info, dict) else None

    def _tip(self) -> int:
        info = self._lane.call("getblockchaininfo")
        blocks = info.get("blocks") if isinstance(info, dict) else None
        return blocks if type(blocks) is int else 0

    def _settle(self, task: _Task, judgement: Judgement) -> None:
        """Report what is new, then let the task go or say when it is due again."""
        lost = judgement.ruling is Ruling.UNKNOWN
        key = f"{judgement.ruling} {judgement.reason}"
        quiet = lost and task.tries < 2  # the header usually tells a moment later
        if key not in task.said and not quiet:
            task.said = {key}
            self._board.ruled(self, task.block, judgement)
        final = judgement.ruling in (Ruling.ACCEPTED, Ruling.DEAD)
        with self._changed:
            if final or self._board.is_settled(task.block):
                self._tasks.pop(task.block.hash_hex, None)
            task.ask_first = task.ask_first or lost
            task.side = judgement.ruling is Ruling.SIDE
            task.due = time.monotonic() + self._delay(task, judgement)
            self._changed.notify_all()

    def _delay(self, task: _Task, judgement: Judgement) -> float:
        if judgement.ruling is Ruling.SIDE:
            return self._timing.side_poll
        if judgement.ruling is Ruling.UNKNOWN and task.tries == 1:
            return 0.0
        return min(self._timing.submit_max, self._timing.submit_first * 2.0 ** min(task.tries, 10))
