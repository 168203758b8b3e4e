"""Several sources in order of priority, as one WorkSource.

The first mines; the next is connected when every better one has failed. The work goes back to a
better one only after it gave a real job and held for a while, during which the other goes on. The
engine sees the states of the source that has the work; another is READY only in here.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from miner.errors import ConfigError
from miner.sources.base import Health, SourceSink, SourceState, WorkSource
from miner.sources.homes import waits_for
from miner.sources.pool.policy import RejectWatch
from miner.sources.pool.queue import kept, lost
from miner.sources.pool.tips import BehindWatch, Elsewhere, nowhere, tip_of
from miner.work.found import FoundBlock, Share, Verdict
from miner.work.job import Job

TICK_S = 0.5
GONE = "its {} is not connected any more"
HOPEFUL = (Health.CONNECTING, Health.WAITING)


class Member(WorkSource, Protocol):
    """A source that can stand by for others."""

    standby: bool  # another one has the work

    def takes(self, block: FoundBlock) -> bool:
        """May this packed block be sent here now? Any thread."""

    def renew(self, why: str) -> None:
        """Connect anew; never waits."""

    def ask_to_stop(self, grace_s: float) -> None:
        """Begin to stop; never waits."""

    def join(self) -> None:
        """Wait for the end of what `ask_to_stop` began."""


@dataclass(frozen=True, slots=True)
class Times:
    """When the work moves, seconds."""

    stable_s: float = 60.0  # a better source must hold that long before it gets the work back
    penalty_s: float = 300.0  # one that rejected half of 20 shares gets none while another is up
    rest_s: float = 300.0  # so long after the work went back, those behind are disconnected
    farewell_s: float = 2.0  # for the open submits of one that is disconnected


@dataclass(slots=True)
class PoolSlot:
    """One source and what is known of it. Guarded by the lock of Failover."""

    name: str
    make: Callable[[], Member]
    source: Member | None = None  # while it is open
    newest: Member | None = None  # open or not: it can pack what was found for it
    state: SourceState | None = None
    job: Job | None = None  # the newest
    ready_since: float | None = None  # monotonic, with a real job
    penalty_until: float = 0.0
    rejects: RejectWatch = field(default_factory=RejectWatch)

    @property
    def fatal(self) -> Exception | None:
        return self.state.fatal if self.state else None

    def usable(self) -> bool:
        """Has it a job that may be hashed now?"""
        return self.ready_since is not None and self.job is not None


class Failover:
    """A WorkSource over others; one is the ordinary case. Nothing is connected before `start`.

    Jobs, verdicts and states carry the name of the source they come from. Raises ConfigError when
    there is none.
    """

    def __init__(
        self,
        slots: Sequence[PoolSlot],
        times: Times,
        clock: Callable[[], float] = time.monotonic,
        *,
        noun: str = "pool",
        elsewhere: Elsewhere = nowhere,
    ) -> None:
        """`elsewhere`: the last block as somebody who gives no work knows it."""
        if not slots:
            raise ConfigError("no pool given: add --pool URL --user NAME")
        self._slots, self._times, self._clock = list(slots), times, clock
        self._active: PoolSlot | None = None
        self._active_since = 0.0
        self._gone, self._elsewhere, self._behind = GONE.format(noun), elsewhere, BehindWatch()
        self._sink: SourceSink = _Nobody()
        self._lock = threading.RLock()  # states arrive while one of them is being answered
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pools", daemon=True)

    @property
    def name(self) -> str:
        """The source that has the work, or the first one."""
        return (self._active or self._slots[0]).name

    def start(self, sink: SourceSink) -> None:
        """Connect the first source in the background and begin to call the sink."""
        self.begin(sink)
        self._thread.start()

    def begin(self, sink: SourceSink) -> None:
        """The same for a caller that calls `tick` itself, at least every half second."""
        self._sink = sink
        with self._lock:
            self._open(self._slots[0])

    def submit(self, share: Share) -> None:
        """To the source whose job it is; any thread; never waits."""
        source = self._slot_of(share.unit.job.source).source
        if source is None:
            self._sink.verdict(lost(share.unit.job.source, share, self._gone))
        else:
            source.submit(share)

    def pack(self, share: Share) -> FoundBlock:
        """Everything needed to send a block again. Raises ValueError for a share of nobody."""
        newest = self._slot_of(share.unit.job.source).newest
        if newest is None:
            raise ValueError(f"{share.unit.job.source} gave no work")
        return newest.pack(share)

    def send(self, block: FoundBlock) -> None:
        """To the source that packed it; again, to each in whose session it is in force."""
        packed_now = block.origin is not None
        slots = [self._slot_of(block.source)] if packed_now else self._slots
        sources = [slot.source for slot in slots if slot.source is not None]
        here = [source for source in sources if packed_now or source.takes(block)]
        for source in here:
            source.send(block)
        if not here and packed_now:
            self._sink.verdict(lost(block.source, block, self._gone))
        elif not here:
            self._sink.verdict(kept(block, waits_for(block)))

    def stop(self, grace_s: float) -> None:
        """Stop every source; together they get `grace_s` for open submits."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(grace_s)
        sources = [slot.source for slot in self._slots if slot.source is not None]
        for source in sources:  # no thread is made for this: the system may have none left
            source.ask_to_stop(grace_s)
        for source in sources:
            source.join()

    # --- what the sources say, from their threads -------------------------------------------

    def slot_job(self, slot: PoolSlot, job: Job) -> None:
        """A source's job: to the engine if that source has the work."""
        with self._lock:
            slot.job = job
            if slot is self._active:
                self._sink.job(job)

    def slot_verdict(self, slot: PoolSlot, verdict: Verdict) -> None:
        """Every verdict counts, whoever has the work now."""
        self._sink.verdict(verdict)
        with self._lock:
            if slot.rejects.add(verdict) == "fail":
                slot.penalty_until = self._clock() + self._times.penalty_s
                self._choose()

    def slot_state(self, slot: PoolSlot, state: SourceState) -> None:
        """Follow a source's health; the engine hears of the one with the work, or of all."""
        with self._lock:
            before, slot.state = slot.state, state
            if state.health is not Health.READY:
                slot.ready_since = None
            elif slot.ready_since is None:
                slot.ready_since = self._clock()
            news = before is None or before.health is not state.health
            silent = state.health is Health.READY and slot is not self._active  # told with the work
            if slot is self._active or (self._active is None and not silent):
                self._tell(state)
            elif state.fatal is not None and news:
                self._tell(state)
                self._tell(self._active.state if self._active else None)  # the screen: the newest
            self._choose()

    def slot_alarm(self, text: str) -> None:
        """Whoever has the work: the user should hear of it."""
        self._sink.alarm(text)

    # --- who has the work -------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self.tick()

    def tick(self) -> None:
        """Look at what only time changes."""
        with self._lock:
            self._choose()
            self._leave_old_work()
            idle = self._unneeded()
        for source in idle:
            source.stop(self._times.farewell_s)

    def _leave_old_work(self) -> None:
        """A source whose work others have moved past gets a new connection."""
        jobs = [slot.job for slot in self._slots if slot.usable() and slot.job is not None]
        for slot in self._slots:
            if slot.job in jobs and slot.job is not None and slot.source is not None:
                tips = [tip_of(job) for job in jobs if job.source != slot.job.source]
                why = self._behind.see(slot.job, [self._elsewhere(), *tips], self._clock())
                if why:
                    slot.source.renew(why)

    def _choose(self) -> None:
        """Give the work to the best source that is up. Called with the lock held."""
        if self._stop.is_set():
            return
        now = self._clock()
        up = [slot for slot in self._slots if slot.usable()]
        innocent = [slot for slot in up if slot.penalty_until <= now]
        best = next(iter(innocent or up), None)
        if best is None or (self._active is not None and self._active.penalty_until > now):
            self._open_next()
        if best is self._active:
            return
        if best is not None and self._active in (innocent or up) and not self._stable(best, now):
            return
        self._give_work(best, now)

    def _stable(self, slot: PoolSlot, now: float) -> bool:
        return slot.ready_since is not None and now - slot.ready_since >= self._times.stable_s

    def _give_work(self, best: PoolSlot | None, now: float) -> None:
        before, self._active = self._active, best
        self._active_since = now
        for slot in self._slots:
            if slot.source is not None:
                slot.source.standby = best is not None and slot is not best
        if best is None or best.job is None or best.state is None:
            return
        self._sink.job(best.job)
        self._sink.state(best.state)
        if before is not None and before.ready_since is not None:
            text = f"standby; the work goes to {best.name}"
            self._sink.state(SourceState(before.name, Health.WAITING, text))
            self._sink.state(best.state)

    def _open_next(self) -> None:
        """Connect the next source once none of the connected ones can be waited for."""
        opened = [slot for slot in self._slots if slot.source is not None]
        if opened and (opened[-1].state is None or opened[-1].state.health in HOPEFUL):
            return
        closed = next((slot for slot in self._slots if slot.source is None), None)
        if closed is not None:
            self._open(closed)

    def _open(self, slot: PoolSlot) -> None:
        try:
            source = slot.make()
            source.standby = self._active is not None
            slot.source = slot.newest = source
            source.start(_SlotSink(self, slot))
        except (OSError, RuntimeError) as error:  # no descriptor or no thread is left: see later
            slot.source = None
            if slot.state is None:
                slot.state = SourceState(slot.name, Health.DOWN, f"cannot be tried now: {error}")
                self._sink.state(slot.state)

    def _unneeded(self) -> list[Member]:
        """Sources behind one that has held the work for a while."""
        rested = self._clock() - self._active_since >= self._times.rest_s
        if self._active is None or not rested or self._active.ready_since is None:
            return []
        behind = self._slots[self._slots.index(self._active) + 1 :]
        idle = [slot.source for slot in behind if slot.source is not None]
        for slot in behind:
            slot.source = slot.state = slot.job = slot.ready_since = None
        return idle

    def _tell(self, state: SourceState | None) -> None:
        """To the engine; a refusal is fatal only when every source has one."""
        if state is not None:
            hopeless = all(slot.fatal is not None for slot in self._slots)
            self._sink.state(state if hopeless else replace(state, fatal=None))

    def _slot_of(self, name: str) -> PoolSlot:
        """The source of that name, the first one for a name nobody has. Takes no lock: the engine
        may hold its own when it calls us."""
        return next((slot for slot in self._slots if slot.name == name), self._slots[0])


class _SlotSink:
    """The sink of one source: adds which one speaks."""

    def __init__(self, failover: Failover, slot: PoolSlot) -> None:
        self._failover, self._slot = failover, slot

    def job(self, job: Job) -> None:
        self._failover.slot_job(self._slot, job)

    def verdict(self, verdict: Verdict) -> None:
        self._failover.slot_verdict(self._slot, verdict)

    def state(self, state: SourceState) -> None:
        self._failover.slot_state(self._slot, state)

    def alarm(self, text: str) -> None:
        self._failover.slot_alarm(text)


class _Nobody:
    """The sink before the start."""

    def job(self, job: Job) -> None: ...

    def verdict(self, verdict: Verdict) -> None: ...

    def state(self, state: SourceState) -> None: ...

    def alarm(self, text: str) -> None: ...
