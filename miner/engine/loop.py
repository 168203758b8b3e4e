"""The engine's one thread: takes messages from sources, workers and the journal, and keeps time.

It owns the current work, the pipeline's bookkeeping and the supervisor: what they write, this
thread writes, and nobody else. Others put messages into the mailbox and never wait for an answer.
"""

import queue
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from miner.bitcoin.encoding import display_hex
from miner.engine.announcer import Announcer
from miner.engine.current import CurrentWork
from miner.engine.durable import Written
from miner.engine.goal import Goal
from miner.engine.pipeline import Pipeline
from miner.engine.pool_blocks import BUILT_ON, PoolBlocks
from miner.engine.replay import Replay
from miner.engine.supervisor import Supervisor
from miner.engine.unanswered import Unanswered
from miner.engine.vitals import Vitals
from miner.engine.worker import Finding
from miner.errors import MinerError
from miner.sources.base import Health, SourceState, WorkSource
from miner.state.activity import Activity
from miner.state.events import JobArrived, SourceChanged
from miner.state.status import Status
from miner.work.found import Answer, FoundBlock, Verdict
from miner.work.job import Job

TICK_S = 0.1
STOOD_S = 5.0  # between two ticks: not the devices but the whole process stood still (Ctrl-Z)
HEAD_START_S = 2.0  # for blocks of an earlier run, where new ones are found faster than sent


class Finish(NamedTuple):
    """The run shall end."""

    reason: str
    error: MinerError | None


class Pause(NamedTuple):
    """The user pauses the run, or lets it go on."""

    paused: bool


class SourceAlarm(NamedTuple):
    """A source says that the user should act."""

    text: str


class Drain(NamedTuple):
    """Handle what came before this, blocks on their way to the disk included, then say so."""

    done: threading.Event


class Order(Enum):
    GIVE_UP = "examine no further finding"
    END = "end the thread"


Message = (
    Job | Verdict | SourceState | SourceAlarm | Finding | Written | Finish | Pause | Drain | Order
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop drives."""

    source: WorkSource
    waiting: Callable[[], tuple[FoundBlock, ...]]  # blocks in the journal without a verdict
    status: Status
    current: CurrentWork
    pipeline: Pipeline
    supervisor: Supervisor
    replay: Replay
    pool_blocks: PoolBlocks
    announcer: Announcer
    goals: tuple[Goal, ...]
    block_interval_s: float  # least time between two blocks of ours


class Loop:
    """The thread and its mailbox; `done` is set when the run shall end, `ending` says why."""

    def __init__(self, parts: Parts, mailbox: "queue.SimpleQueue[Message]") -> None:
        self.parts, self._mailbox = parts, mailbox
        self.done = threading.Event()
        self.ending = Finish("", None)
        self.thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._vitals = Vitals(parts.status, parts.current, parts.announcer)
        self._unanswered = Unanswered()
        self._started = self._ticked = parts.current.clock()
        if parts.replay.asking:
            parts.current.flood_opens = self._started + HEAD_START_S
        self._drain: threading.Event | None = None
        self._clogged: deque[Finding] = deque()  # wait until the disk has taken some blocks
        self._handlers: dict[type, Callable[[Any], None]] = {
            Job: self.take_job,
            Finding: self._take_finding,
            Written: parts.pipeline.written,
            Verdict: self._take_verdict,
            SourceState: self._take_state,
            SourceAlarm: lambda alarm: parts.announcer.alarm_once(alarm.text),
            Finish: self._finish,
            Pause: lambda pause: parts.current.pause(Activity.PAUSED, pause.paused),
            Drain: self._begin_to_drain,
            Order: self._obey,
        }

    def _run(self) -> None:
        message: Message | None = None
        self.parts.replay.offer()
        while message is not Order.END:
            message = self._next()
            try:
                if message is not None:
                    self._handlers[type(message)](message)
                self._keep_time()
            except Exception as error:  # noqa: BLE001 - the engine itself never dies
                self.parts.announcer.bug("engine", error)
        self.parts.pipeline.close()
        self.parts.status.activity = Activity.STOPPED

    def _next(self) -> Message | None:
        """The next message, or None when it is time to look at the clock."""
        now = self.parts.current.clock()
        wait_s = max(self._ticked + TICK_S - now, 0.0)
        disk_s = self.parts.pipeline.wait_s(now)
        try:
            return self._mailbox.get(timeout=wait_s if disk_s is None else min(wait_s, disk_s))
        except queue.Empty:
            return None

    # -- messages

    def take_job(self, job: Job) -> None:
        """The job first: a worker begins while the rest is told."""
        parts = self.parts
        before = parts.current.latest
        fresh = parts.current.take(job, new_extranonce2)
        parts.replay.job(job)
        parts.pool_blocks.job(job)
        self._settle_parent(job)
        if job.reopens:
            parts.pipeline.reopen(job)
        if fresh is None:
            return  # sent again: the search goes on
        parts.pipeline.new_job(fresh, before)
        parts.status.job(job, fresh.born)
        parts.announcer.tell(JobArrived.of(job))

    def _settle_parent(self, job: Job) -> None:
        """A job builds on a block of ours whose fate nobody could tell: it is in the chain."""
        name = display_hex(job.prev_hash)
        if self._unanswered.waits(name) or self.parts.replay.waits(name):
            height = None if job.height is None else job.height - 1
            self._take_verdict(
                Verdict(job.source, name, Answer.ACCEPTED, True, "", BUILT_ON, height)
            )

    def _take_finding(self, finding: Finding) -> None:
        if self.parts.pipeline.clogged:
            self._clogged.append(finding)
            return
        try:
            self.parts.pipeline.examine(finding)
        finally:
            self.parts.pipeline.slots.release()

    def _ignore(self, finding: Finding) -> None:
        """The grace of a stop is over."""
        self.parts.pipeline.slots.release()

    def _take_verdict(self, verdict: Verdict) -> None:
        parts = self.parts
        if parts.replay.verdict(verdict):
            return
        parts.pipeline.judge(verdict)
        parts.pool_blocks.verdict(verdict, own=verdict.hash_hex not in parts.replay.earlier)
        self._check_goals(parts.current.clock())
        self._unanswered.verdict(verdict, parts.current.clock())

    def _take_state(self, state: SourceState) -> None:
        parts = self.parts
        parts.status.source(state.source, state.health.value, state.text)
        parts.announcer.tell(SourceChanged(state.source, state.health.value, state.text))
        ready = state.health is Health.READY
        parts.current.pause(Activity.NO_WORK, not ready)
        if isinstance(state.fatal, MinerError) and not ready:
            self._finish(Finish(state.text, state.fatal))

    def _begin_to_drain(self, drain: Drain) -> None:
        self._drain = drain.done

    def _obey(self, order: Order) -> None:
        if order is Order.GIVE_UP:
            self._handlers[Finding] = self._ignore
            self._clogged.clear()

    def _finish(self, why: Finish) -> None:
        """The first reason holds. Hashing stops at once."""
        if not self.done.is_set():
            self.ending = why
            self.parts.current.stop()
            self.done.set()

    # -- time

    def _keep_time(self) -> None:
        now, pipeline = self.parts.current.clock(), self.parts.pipeline
        if pipeline.wait_s(now) == 0.0:
            pipeline.send_late(now)
        while self._clogged and not pipeline.clogged:
            self._take_finding(self._clogged.popleft())
        if self._drain is not None and pipeline.idle and not self._clogged:
            self._drain.set()
        self._pace()
        if now - self._ticked >= TICK_S:
            self._tick(now)

    def _pace(self) -> None:
        """Later jobs wait for the time of the next block."""
        sent, pace_s = self.parts.pipeline.last_block_sent, self.parts.block_interval_s
        if sent is not None:
            self.parts.current.opens = sent + pace_s if pace_s > 0 else 0.0
            self.parts.current.flood_opens = 0.0

    def _tick(self, now: float) -> None:
        stood, self._ticked = now - self._ticked > STOOD_S, now
        if self.done.is_set():
            return
        parts = self.parts
        self._check_goals(now)
        fault = parts.supervisor.tick(now, stood)
        if fault is not None:
            self._finish(Finish("no backend left", fault))
        self._ask_again(now)
        parts.replay.tick(now)
        parts.pool_blocks.tick(now)
        if not parts.replay.asking:
            parts.current.flood_opens = 0.0
        self._vitals.tick(now, stood)

    def _check_goals(self, now: float) -> None:
        parts = self.parts
        reached = {
            "s": now - self._started,
            "shares": parts.status.accepted,
            "blocks": parts.pipeline.rivals.accepted + parts.pool_blocks.own_accepted,
        }
        for goal in parts.goals:
            if reached[goal.unit] >= goal.amount:
                self._finish(Finish(f"goal reached: {goal.amount:g} {goal.unit}", None))

    def _ask_again(self, now: float) -> None:
        due = self._unanswered.take_due(now)
        for block in self.parts.waiting() if due else ():
            if block.hash_hex in due:
                self.parts.source.send(block.again)


def new_extranonce2() -> int:
    """Where a session's extranonce2 begins."""
    return random.SystemRandom().getrandbits(256)
