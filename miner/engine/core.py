"""The engine: takes jobs from a source, keeps workers on the newest, supervises them, and ends."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from miner.backends.base import Backend
from miner.config import Goal
from miner.engine import sensors
from miner.engine.desk import Desk, Tell
from miner.engine.floor import FLOOD_TARGET, Clock, Floor
from miner.engine.pool_blocks import PoolBlocks
from miner.engine.pulse import HINTS, Pulse
from miner.engine.replay import Replay
from miner.engine.worker import STRIKES, Worker, WorkerOptions
from miner.errors import BackendFault, MinerError
from miner.journal import Journal
from miner.sources.base import Health, SourceState, WorkSource
from miner.state.activity import Activity
from miner.status import Event, Status, StatusSnapshot
from miner.text import scrub
from miner.work.found import Answer, Verdict
from miner.work.job import Job

TICK_S = 0.1
STOOD_S = 5.0  # between two ticks: not the devices but the whole process stood still (Ctrl-Z)
RESTART_S = (0.0, 5.0)  # pause after a first and a second fault: a driver's reset takes seconds
SUBMIT_GRACE_S = 2.0  # for answers to open submits, at the end
RETRY_S = (5.0, 60.0)  # first and longest pause before asking again after "unknown"
HEAD_START_S = 2.0  # for blocks of an earlier run, where new ones are found faster than sent
SAVE_S = 60.0
LOST_SIGMAS = -5.0  # this few shares for the hashes counted: a backend loses hits

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
        self.source, self.journal, self.status, self.options = source, journal, status, options
        self.floor = Floor(clock)
        self.desk = Desk(source, journal, status, self.floor, tell)
        self.desk.most_blocks = options.most_blocks
        self.replay = Replay(journal.left, source, tell, clock)
        self.pool_blocks = PoolBlocks(status, tell, clock)
        self.done = threading.Event()
        self.error: MinerError | None = None  # why the run failed, when it did
        self.reason = ""  # why it ended, in words
        self._tell, self._clock = tell, clock
        self._dice = random.SystemRandom()
        self._lock = threading.Lock()
        self._start = self._saved = self._ticked = clock()
        self._retries: dict[str, tuple[float, float]] = {}  # block hash: (due, pause)
        self._alarmed: set[str] = set()
        self._pulse = Pulse(self._start)
        self._ready = self._started = self._stopped = False  # ready: some pool or node is
        self.workers = [
            Worker(
                backend,
                status.backend(backend.info.name, backend.info.device, self._start),
                self.floor,
                self.desk.put,
                options.worker,
                reopen,
            )
            for backend in backends
        ]
        self._ticker = threading.Thread(target=self._tick_all, name="engine", daemon=True)

    def start(self) -> None:
        """Workers first: their audits run while the source connects. Then replay the journal.

        Raises MinerError when the system has no thread left; `stop` tidies up.
        """
        self._started = True
        try:
            self._start_threads()
        except RuntimeError as error:
            raise MinerError(f"{error}: raise the limits on threads and memory") from None
        self.replay.offer()

    def _start_threads(self) -> None:
        self.desk.start()
        for worker in self.workers:
            worker.start()
        self._ticker.start()
        sensors.watch(self.workers, self.done)
        self.source.start(self)

    def stop(self) -> None:
        """Stop hashing, finish the desk, give open submits their grace, close what was opened.

        A second call, or one before `start`, does nothing.
        """
        self.finish("stopped")
        if not self._started or self._stopped:
            return
        self._stopped = True
        self.status.state_text = Activity.STOPPING.value
        self.floor.stop()
        deadline = self._clock() + 0.5
        for worker in self.workers:
            if worker.thread is not None:
                worker.thread.join(max(deadline - self._clock(), 0.0))
        self.desk.stop(grace_s=0.3)
        self.source.stop(SUBMIT_GRACE_S)
        self.desk.close(grace_s=0.3)
        if self._ticker.ident is not None:
            self._ticker.join(1.0)
        self.status.save_best()
        self.status.state_text = Activity.STOPPED.value
        self.journal.close()
        for worker in self.workers:
            worker.close()

    def finish(self, reason: str, error: MinerError | None = None) -> None:
        """End the run; the first reason holds. Hashing stops at once."""
        with self._lock:
            if self.done.is_set():
                return
            self.reason, self.error = reason, error
            self.floor.stop()
            self.done.set()

    def snapshot(self) -> StatusSnapshot:
        return self.status.snapshot(self._clock())

    # -- SourceSink

    def job(self, job: Job) -> None:
        self.replay.job(job)
        self.pool_blocks.job(job)
        if job.reopens:
            self.desk.reopen(job.prev_hash)
        before = self.floor.latest
        same_work = (
            before is not None and before.job == job and job.prev_hash == before.job.prev_hash
        )
        if same_work and not self.desk.settled_parent(job.prev_hash):
            return  # sent again: the search goes on
        sent, pace = self.desk.last_block_sent, self.options.block_interval_s
        opens = sent + pace if sent is not None and pace > 0 else 0.0
        if job.target > FLOOD_TARGET and sent is None and self.replay.asking:
            opens = self._start + HEAD_START_S
        fresh = self.floor.replace(job, lambda: self._dice.getrandbits(256), opens)
        if job.clean or before is None or before.job.prev_hash != job.prev_hash:
            self.desk.drop_before(fresh.number)
        if self.desk.settled_parent(job.prev_hash):
            self.floor.retire(job.prev_hash)
        self.desk.tip_is(job)
        self._set_ready(ready=True)
        self.status.job(job, self._clock())
        where = "" if job.height is None else f", height {job.height}"
        self._tell(
            Event("job", f"new job from {job.source}{where}", data={
                "job_id": scrub(job.job_id), "height": job.height, "clean": job.clean,
                "version_mask": f"{job.version_mask:08x}", "nbits": f"{job.nbits:08x}",
            })
        )  # fmt: skip

    def verdict(self, verdict: Verdict) -> None:
        if self.replay.verdict(verdict):
            return
        self.desk.verdict(verdict)
        self.pool_blocks.verdict(verdict, own=verdict.hash_hex not in self.replay.earlier)
        self._check_goals()
        with self._lock:
            if verdict.final or not verdict.is_block:
                self._retries.pop(verdict.hash_hex, None)
            elif verdict.answer is Answer.UNKNOWN:
                _, pause = self._retries.get(verdict.hash_hex, (0.0, RETRY_S[0] / 2))
                pause = min(2 * pause, RETRY_S[1])
                self._retries[verdict.hash_hex] = (self._clock() + pause, pause)

    def state(self, state: SourceState) -> None:
        self.status.source(state.source, state.health.value, state.text)
        level = "info" if state.health in (Health.READY, Health.CONNECTING) else "warning"
        data = {"source": state.source, "health": state.health.value}
        text = state.text if state.source in state.text else f"{state.source}: {state.text}"
        self._tell(Event("state", text, level, data))  # type: ignore[arg-type]
        self._set_ready(ready=state.health is Health.READY)
        if isinstance(state.fatal, MinerError) and not self._ready:
            self.finish(state.text, state.fatal)

    def _set_ready(self, ready: bool) -> None:
        with self._lock:
            self._ready = ready
            self.floor.pause(not ready)

    # -- the engine's thread

    def _tick_all(self) -> None:
        while not self.done.wait(TICK_S):
            try:
                self._tick(self._clock())
            except Exception as error:  # noqa: BLE001 - the supervisor itself never dies
                self._alarm_once(f"engine: {type(error).__name__}: {scrub(error)}")

    def _tick(self, now: float) -> None:
        self.status.tick(now)
        self._check_goals()
        stood, self._ticked = now - self._ticked > STOOD_S, now
        self._supervise(now, stood)
        self._ask_again(now)
        self.replay.tick(now)
        self.pool_blocks.tick(now)
        self._name_state(now, stood)
        if now - self._saved > SAVE_S:
            self._saved = now
            self.status.save_best()
            self._check_luck()

    def _supervise(self, now: float, stood: bool) -> None:
        for worker in tuple(self.workers):
            if stood:
                worker.excused = now
            alive = worker.thread is not None and worker.thread.is_alive()
            sick_s = worker.sick_s if alive else None
            if worker.quarantined or self.floor.stopping:
                continue
            if alive and (hung := worker.hung) is not None:
                self._replace(worker, hung, now)
            elif sick_s is not None:
                worker.meter.state = f"sick: a scan takes {sick_s:.0f} s"
            elif alive and worker.meter.state.startswith("sick"):
                worker.meter.state = "ok"
            elif not alive and worker.meter.state != "restarting":
                self._note_failure(worker, now)
            elif not alive and now - worker.last_fault >= RESTART_S[worker.strikes - 1]:
                self._restart(worker, now)
        if all(worker.quarantined for worker in self.workers):
            last = self.workers[-1]
            self.finish("no backend left", BackendFault(last.name, last.meter.state))

    def _note_failure(self, worker: Worker, now: float) -> None:
        worker.fault(now)
        failure = worker.failure
        what = scrub(failure.what if isinstance(failure, BackendFault) else repr(failure))
        if worker.quarantined:
            self._quarantine(worker, what)
            return
        worker.meter.state = "restarting"
        self._alarm(f"{worker.name}: {what}; re-tested, strike {worker.strikes} of 3")

    def _restart(self, worker: Worker, now: float) -> None:
        """A new instance, self-tested as it opens; one that fails again is a further strike."""
        worker.meter.restarts += 1
        try:
            worker.close()
            worker.start(afresh=True)
        except Exception as error:  # noqa: BLE001 - a broken driver may raise anything
            worker.failure = error
            self._note_failure(worker, now)

    def _replace(self, worker: Worker, what: str, now: float) -> None:
        """Abandon a thread that hangs in its backend; the third time give the backend up."""
        worker.hangs += 1
        worker.meter.faults += 1
        if worker.hangs >= STRIKES:
            worker.abandoned = True
            self._quarantine(worker, what)
            return
        fresh = self.workers[self.workers.index(worker)] = worker.successor()
        self._alarm(f"{worker.name}: {what}; replaced, hang {worker.hangs} of {STRIKES}")
        fresh.meter.restarts += 1
        try:
            fresh.start(afresh=True)
        except RuntimeError as error:  # no thread is left: a fault like any other
            fresh.failure = error
            self._note_failure(fresh, now)

    def _quarantine(self, worker: Worker, why: str) -> None:
        worker.quarantined = True
        worker.meter.state = f"quarantined: {why}"
        self._alarm(f"{worker.name} is quarantined: {why}; the others go on")

    def _check_goals(self) -> None:
        reached = {
            "s": self._clock() - self._start,
            "shares": self.status.accepted,
            "blocks": self.desk.own_accepted + self.pool_blocks.own_accepted,
        }
        for goal in self.options.goals:
            if reached[goal.unit] >= goal.amount:
                self.finish(f"goal reached: {goal.amount:g} {goal.unit}")

    def _ask_again(self, now: float) -> None:
        with self._lock:
            due = {name for name, (at, _) in self._retries.items() if at <= now}
            for name in due:
                self._retries[name] = (now + RETRY_S[1], self._retries[name][1])
        for block in self.journal.waiting if due else ():
            if block.hash_hex in due:
                self.source.resubmit(block)

    def _name_state(self, now: float, stood: bool) -> None:
        activity = self._activity(now)
        excused = stood or activity in (Activity.NO_WORK, Activity.PACED)
        self._pulse.see(self.status.hashes, excused, now)
        if activity is Activity.MINING and not self._pulse.beats(now):
            activity = self._why_not(now)
        self.status.state_text = activity.value
        silent_s = self._pulse.silence(now)
        if silent_s is not None:
            why = HINTS.get(activity, "see `miner doctor`")
            self._alarm(f"no hash for {silent_s:.0f} s: {activity.value}; {why}")

    def _activity(self, now: float) -> Activity:
        """What the work at hand allows."""
        latest = self.floor.latest
        if latest is None or not self._ready:
            return Activity.NO_WORK
        if latest.opens == float("inf"):
            return Activity.NO_JOB
        if latest.opens > now:
            return Activity.PACED
        return Activity.VERDICT if latest.held else Activity.MINING

    def _why_not(self, now: float) -> Activity:
        """No hash is counted, though the job is there."""
        latest = self.floor.latest
        if latest is not None and latest.used_up:
            return Activity.USED_UP
        return Activity.BACKEND if self._pulse.began else Activity.STARTING

    def _check_luck(self) -> None:
        sigmas = self.status.luck_sigmas()
        if sigmas is not None and sigmas < LOST_SIGMAS:
            self._alarm_once(
                f"shares fall {-LOST_SIGMAS:.0f} standard deviations and more short of the hashes "
                "counted: a backend loses hits; see `miner devices` and try another"
            )

    def _alarm_once(self, text: str) -> None:
        if text not in self._alarmed and len(self._alarmed) < 100:
            self._alarmed.add(text)
            self._alarm(text)

    def _alarm(self, text: str) -> None:
        self.status.alarm(text)
        self._tell(Event("alarm", text, "warning"))
