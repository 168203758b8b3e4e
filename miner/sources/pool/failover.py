"""Several pools in order of priority, as one WorkSource.

The first pool mines; the next is connected when every better one has failed. The work goes back to
a better pool only after it gave a real job and held for a while, during which the other goes on.
The engine sees the states of the pool that has the work; another is READY only in here.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from miner.errors import ConfigError
from miner.protocol.stratum.settings import SessionSettings
from miner.sources.base import Health, SourceSink, SourceState
from miner.sources.pool.connection import StratumSource
from miner.sources.pool.options import Pool, PoolOptions, pool_names
from miner.sources.pool.queue import kept, lost, pack_share
from miner.sources.pool.watch import RejectWatch
from miner.work.found import FoundBlock, Share, Verdict
from miner.work.job import Job

TICK_S = 0.5
GONE = "its pool is not connected any more"
OTHER_SESSION = "it needs pool {} to give extranonce1 {} again"
REST_S = 300.0  # so long after the work went back, the pools behind are disconnected


@dataclass(slots=True)
class _Seat:
    """One pool and what is known of it. Guarded by the lock of StratumPools."""

    pool: Pool
    name: str
    source: StratumSource | None = None  # None until it is needed
    state: SourceState | None = None
    job: Job | None = None  # the newest
    ready_since: float | None = None  # monotonic, with a real job
    penalty_until: float = 0.0
    rejects: RejectWatch | None = None

    @property
    def fatal(self) -> Exception | None:
        return self.state.fatal if self.state else None


class StratumPools:
    """`StratumPools(pools, options)`: a WorkSource; one pool is the ordinary case.

    pools     in order of priority, never empty: `[make_pool(url, user, password), ...]`
    options   `PoolOptions(...)`: version mask, redirects, TLS, retries, `rate_hs` (a function that
              gives the measured rate), timers

    Nothing is connected before `start`. Raises ConfigError for what cannot be used. Jobs, verdicts
    and states carry the name of their pool, "host:port".
    """

    def __init__(self, pools: Sequence[Pool], options: PoolOptions) -> None:
        if not pools:
            raise ConfigError("no pool given: add --pool URL --user NAME")
        options.tls.context()  # a bad --tls-ca is an error at once
        self._options = options
        self._seats = [
            _Seat(pool, name) for pool, name in zip(pools, pool_names(pools), strict=True)
        ]
        for seat in self._seats:  # a login too long for a line is an error at once, too
            SessionSettings(seat.name, seat.pool.user, seat.pool.password, options.agent)
        self._active: _Seat | None = None
        self._lock = threading.RLock()  # states arrive while one of them is being answered
        self._stop = threading.Event()
        self._active_since = 0.0
        self._thread = threading.Thread(target=self._run, name="pools", daemon=True)

    @property
    def name(self) -> str:
        """The pool that has the work, or the first one."""
        return (self._active or self._seats[0]).name

    def start(self, sink: SourceSink) -> None:
        """Connect the first pool in the background and begin to call the sink."""
        self._sink = sink
        self._open(self._seats[0])
        self._thread.start()

    def submit(self, share: Share) -> None:
        """To the pool whose job it is; any thread; never waits."""
        source = self._seat_of(share.unit.job.source).source
        if source is None:
            self._sink.verdict(lost(share.unit.job.source, share, GONE))
        else:
            source.submit(share)

    def pack(self, share: Share) -> FoundBlock:
        """Everything needed to send a block again."""
        seat = self._seat_of(share.unit.job.source)
        granted = seat.source.granted if seat.source is not None else None
        return pack_share(seat.name, seat.pool, share, granted)

    def resubmit(self, block: FoundBlock) -> None:
        """To each pool in whose session its extranonce1 is in force."""
        if block.kind != "stratum":
            self._sink.verdict(kept(block, "it is a whole block: start with --node on its chain"))
            return
        sources = [seat.source for seat in self._seats if seat.source is not None]
        here = [source for source in sources if source.has_in_force(block.context)]
        for source in here:
            source.resubmit(block)
        if not here:
            self._sink.verdict(kept(block, OTHER_SESSION.format(block.source, block.context)))

    def stop(self, grace_s: float) -> None:
        """Stop every pool; together they get `grace_s` for open submits."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(grace_s)
        sources = [seat.source for seat in self._seats if seat.source is not None]
        for source in sources:  # no thread is made for this: the system may have none left
            source.ask_to_stop(grace_s)
        for source in sources:
            source.join()

    # --- what the pools say, from their threads ---------------------------------------------

    def pool_job(self, seat: _Seat, job: Job) -> None:
        """A pool's job: to the engine if that pool has the work."""
        with self._lock:
            seat.job = job
            if seat is self._active:
                self._sink.job(job)

    def pool_verdict(self, seat: _Seat, verdict: Verdict) -> None:
        """Every verdict counts, whoever has the work now."""
        self._sink.verdict(verdict)
        with self._lock:
            seat.rejects = seat.rejects or RejectWatch()
            if seat.rejects.add(verdict) == "fail":
                seat.penalty_until = time.monotonic() + self._options.penalty_s
                self._choose()

    def pool_state(self, seat: _Seat, state: SourceState) -> None:
        """Follow a pool's health; the engine hears of the one with the work, or of all if none."""
        with self._lock:
            before, seat.state = seat.state, state
            if state.health is not Health.READY:
                seat.ready_since = None
            elif seat.ready_since is None:
                seat.ready_since = time.monotonic()
            news = before is None or before.health is not state.health
            silent = state.health is Health.READY and seat is not self._active  # told with the work
            if seat is self._active or (self._active is None and not silent):
                self._tell(state)
            elif state.fatal is not None and news:
                self._tell(state)
                self._tell(self._active.state if self._active else None)  # the screen: the newest
            self._choose()

    # --- who has the work -------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            with self._lock:
                self._choose()
                idle = self._unneeded()
            for source in idle:
                source.stop(self._options.answer_s / 60)

    def _choose(self) -> None:
        """Give the work to the best pool that is up. Called with the lock held."""
        if self._stop.is_set():
            return
        up = [seat for seat in self._seats if seat.ready_since is not None and seat.job is not None]
        now = time.monotonic()
        innocent = [seat for seat in up if seat.penalty_until <= now]
        best = next(iter(innocent or up), None)
        if best is None or self._penalised(now):
            self._open_next()
        if best is self._active:
            return
        if best is not None and self._active in (innocent or up) and not self._stable(best, now):
            return
        self._give_work(best, now)

    def _penalised(self, now: float) -> bool:
        return self._active is not None and self._active.penalty_until > now

    def _stable(self, seat: _Seat, now: float) -> bool:
        return seat.ready_since is not None and now - seat.ready_since >= self._options.stable_s

    def _give_work(self, best: _Seat | None, now: float) -> None:
        before, self._active = self._active, best
        self._active_since = now
        for seat in self._seats:
            if seat.source is not None:
                seat.source.standby = best is not None and seat is not best
        if best is not None and best.job is not None and best.state is not None:
            self._sink.job(best.job)
            self._sink.state(best.state)
        if before is not None and before.ready_since is not None and best is not None:
            self._sink.state(
                SourceState(before.name, Health.WAITING, f"standby; the work goes to {best.name}")
            )
            self._sink.state(best.state or SourceState(best.name, Health.READY, "mining"))

    def _open_next(self) -> None:
        """Connect the next pool once none of the connected ones can be waited for."""
        opened = [seat for seat in self._seats if seat.source is not None]
        hopeful = (Health.CONNECTING, Health.WAITING)
        fresh = [seat for seat in opened if seat.state is None or seat.state.health in hopeful]
        if any(seat is opened[-1] for seat in fresh):
            return
        closed = next((seat for seat in self._seats if seat.source is None), None)
        if closed is not None:
            self._open(closed)

    def _open(self, seat: _Seat) -> None:
        try:
            source = StratumSource(seat.pool, self._options, seat.name)
            source.standby = self._active is not None
            seat.source = source
            source.start(_SeatSink(self, seat))
        except (OSError, RuntimeError) as error:  # no descriptor or no thread is left: see later
            seat.source = None
            if seat.state is None:
                seat.state = SourceState(seat.name, Health.DOWN, f"cannot be tried now: {error}")
                self._sink.state(seat.state)

    def _unneeded(self) -> list[StratumSource]:
        """Pools behind one that has held the work for a while."""
        rested = time.monotonic() - self._active_since >= REST_S
        if self._active is None or not rested or self._active.ready_since is None:
            return []
        behind = self._seats[self._seats.index(self._active) + 1 :]
        idle = [seat.source for seat in behind if seat.source is not None]
        for seat in behind:
            seat.source = seat.state = seat.job = seat.ready_since = None
        return idle

    def _tell(self, state: SourceState | None) -> None:
        """To the engine; a refusal is fatal only when every pool has one."""
        if state is not None:
            hopeless = all(seat.fatal is not None for seat in self._seats)
            self._sink.state(state if hopeless else replace(state, fatal=None))

    def _seat_of(self, name: str) -> _Seat:
        """The pool of that name, the first one for a name nobody has. Takes no lock: the engine
        may hold its own when it calls us."""
        return next((seat for seat in self._seats if seat.name == name), self._seats[0])


class _SeatSink:
    """The sink of one pool: adds which pool speaks."""

    def __init__(self, pools: StratumPools, seat: _Seat) -> None:
        self._pools, self._seat = pools, seat

    def job(self, job: Job) -> None:
        self._pools.pool_job(self._seat, job)

    def verdict(self, verdict: Verdict) -> None:
        self._pools.pool_verdict(self._seat, verdict)

    def state(self, state: SourceState) -> None:
        self._pools.pool_state(self._seat, state)
