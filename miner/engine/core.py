"""The engine: takes jobs from a source, keeps workers on the newest, supervises them, and ends.

This is its front: it wires the parts, starts and stops their threads, and is the source's sink.
The work is done by the parts, on the engine's one thread (`loop.py`).
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from miner.backends.base import Backend
from miner.engine import sensors
from miner.engine.announcer import Announcer, Tell
from miner.engine.current import Clock, CurrentWork
from miner.engine.durable import DurableQueue
from miner.engine.goal import Goal
from miner.engine.loop import Drain, Finish, Loop, Message, Order, Parts, Pause, SourceAlarm
from miner.engine.pipeline import Pipeline
from miner.engine.pool_blocks import PoolBlocks
from miner.engine.replay import Replay
from miner.engine.rivals import Rivals
from miner.engine.supervisor import Supervisor
from miner.engine.worker import Around, Finding, WorkerOptions
from miner.errors import MinerError
from miner.journal import Journal
from miner.sources.base import SourceState, WorkSource
from miner.state.activity import Activity
from miner.state.snapshot import Snapshot
from miner.state.status import Status
from miner.work.found import Verdict
from miner.work.job import Job

SUBMIT_GRACE_S = 2.0  # for answers to open submits, at the end
WORKERS_GRACE_S = 0.5
FINDINGS_GRACE_S = 0.3
Reopen = Callable[[str], Backend]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    worker: WorkerOptions
    goals: tuple[Goal, ...] = ()
    block_interval_s: float = 0.0  # least time between two blocks of ours

    @property
    def most_blocks(self) -> int | None:
        """No more than these may be accepted; None: any number."""
        limits = [int(goal.amount) for goal in self.goals if goal.unit == "blocks"]
        return min(limits, default=None)


class Engine:
    """One run. It is the source's sink: `job`, `verdict` and `state` come from its threads."""

    def __init__(
        self,
        source: WorkSource,
        backends: Sequence[Backend],
        journal: Journal,
        status: Status,
        tell: Tell,
        clock: Clock,
        reopen: Reopen,
        options: EngineOptions,
    ) -> None:
        self.source, self.journal, self.status = source, journal, status
        self.current = CurrentWork(clock)
        self._mailbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._disk = DurableQueue(journal, self._mailbox.put, clock)
        announcer = Announcer(status, tell)
        rivals = Rivals(options.most_blocks, status.set_aside)
        self.pipeline = Pipeline(source, status, self.current, self._disk, rivals, announcer)
        around = Around(self.current, self._deliver, options.worker, reopen)
        self.supervisor = Supervisor(backends, around, status, announcer)
        parts = Parts(
            source=source,
            waiting=lambda: journal.waiting,
            status=status,
            current=self.current,
            pipeline=self.pipeline,
            supervisor=self.supervisor,
            replay=Replay(journal.left, source, tell, clock),
            pool_blocks=PoolBlocks(status, tell, clock),
            announcer=announcer,
            goals=options.goals,
            block_interval_s=options.block_interval_s,
        )
        self._loop = Loop(parts, self._mailbox)
        self._started = self._stopped = False

    @property
    def done(self) -> threading.Event:
        """Set when the run shall end."""
        return self._loop.done

    @property
    def error(self) -> MinerError | None:
        """Why the run failed, when it did."""
        return self._loop.ending.error

    @property
    def reason(self) -> str:
        """Why it ended, in words."""
        return self._loop.ending.reason

    @property
    def latest_job(self) -> Job | None:
        """The newest one."""
        latest = self.current.latest
        return None if latest is None else latest.job

    def start(self) -> None:
        """Workers first: their audits run while the source connects.

        Raises MinerError when the system has no thread left; `stop` tidies up.
        """
        self._started = True
        try:
            self._disk.start()
            self.supervisor.start()
            sensors.watch(lambda: self.supervisor.workers, self.done)
            self.source.start(self)
            self._loop.thread.start()  # last: it offers the source what earlier runs left
        except RuntimeError as error:
            raise MinerError(f"{error}: raise the limits on threads and memory") from None

    def stop(self) -> None:
        """Stop hashing, finish what was found, give open submits their grace, close everything.

        A second call, or one before `start`, does nothing.
        """
        self.finish("stopped")
        if not self._started or self._stopped:
            return
        self._stopped = True
        self.current.stop()
        self.status.activity = Activity.STOPPING
        deadline = self.current.clock() + WORKERS_GRACE_S
        for worker in self.supervisor.workers:
            if worker.thread is not None:
                worker.thread.join(max(deadline - self.current.clock(), 0.0))
        self._finish_findings()
        self.source.stop(SUBMIT_GRACE_S)
        self._mailbox.put(Order.END)
        if self._loop.thread.ident is not None:
            self._loop.thread.join(1.0)
        self._disk.close(grace_s=0.3)
        self.status.blocks_waiting = self.journal.waiting_count  # the loop has ended before
        self.journal.close()
        for worker in self.supervisor.workers:
            worker.close()

    def _finish_findings(self) -> None:
        """What was found before the stop is journalled and handed to the source, in time."""
        if not self._loop.thread.is_alive():
            return
        drained = threading.Event()
        self._mailbox.put(Drain(drained))
        if not drained.wait(FINDINGS_GRACE_S):
            self._loop.parts.announcer.alarm(
                "stopping: the last hits found could not be examined in time and are dropped"
            )
            self._mailbox.put(Order.GIVE_UP)

    def finish(self, reason: str, error: MinerError | None = None) -> None:
        """End the run; the first reason holds."""
        self._mailbox.put(Finish(reason, error))

    def pause(self, paused: bool) -> None:
        """Hash nothing until the user lets it go on; connections stay."""
        self._mailbox.put(Pause(paused))

    def snapshot(self) -> Snapshot:
        return self.status.snapshot(self.current.clock())

    # -- SourceSink, and what workers call

    def job(self, job: Job) -> None:
        self._mailbox.put(job)

    def verdict(self, verdict: Verdict) -> None:
        self._mailbox.put(verdict)

    def state(self, state: SourceState) -> None:
        self._mailbox.put(state)

    def alarm(self, text: str) -> None:
        self._mailbox.put(SourceAlarm(text))

    def _deliver(self, finding: Finding) -> None:
        """Hand a finding over; while too many wait its worker does, so that none is dropped."""
        while not self.pipeline.slots.acquire(timeout=1.0):
            if self._stopped:
                return
        self._mailbox.put(finding)
