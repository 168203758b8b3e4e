"""The current work: which job is in force, and may we hash it.

Theory of operation. One thread, the engine's, writes everything here; workers read `current`
without a lock between two scans, and sleep in `wait` while it is None. From a job's arrival to its
first scan six functions of the engine are entered:

    source's thread    Engine.job             puts the job into the engine's mailbox
    engine's thread    Loop.take_job          hands it on; status, screens and journal come after
                       CurrentWork.take       compares, makes a Generation, wakes the workers
    worker's thread    (returns from `wait`, or sees after a scan that `current` has changed)
                       Generation.next_unit   asks the Roller, under a lock
                       Worker._scan_unit      calls the backend
                       Sizer.count            for so many nonces

Below them lie the pure functions of work/ and bitcoin/: a Roller is made, and makes a unit.

A Generation is one job in force. Its number only grows, so that a hit tells whether its job was
replaced meanwhile. A job with the header fields of an earlier one goes on where that one stopped,
by the clock of its first arrival: a pool that says its job again with each new difficulty would
else hold header time still, and headers would be hashed twice.

Hashing stops, without forgetting the job, while no source is ready, while the user pauses it, while
blocks are paced, on a chain of easy blocks while one of ours waits for its verdict, and once one
was accepted, until a job on another parent comes. `activity` names the reason.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from miner.state.activity import Activity
from miner.work.job import Job
from miner.work.roll import Roller, header_space, is_small
from miner.work.unit import WorkUnit

FLOOD_TARGET = 2**236  # easier than one hash in a million: hits come faster than answers
LATENCIES = 4096
SPACES = 64  # small header spaces whose state is kept
PARENTS = 64  # blocks we found accepted blocks on

Clock = Callable[[], float]


@dataclass(slots=True, eq=False)
class Generation:
    """One job in force. Times are monotonic."""

    number: int
    job: Job
    roller: Roller
    born: float
    first: float  # when a job of the same header fields came first: header time moves on from there
    opens: float = 0.0  # no hash before (pacing)
    held: bool = False  # a block of it waits for its verdict, on a chain of easy blocks
    won: bool = False  # a block on its parent was accepted
    hashed: bool = False  # a worker has begun
    used_up: bool = False  # every header was given out, until time moves on
    continued: bool = False  # by a later job with the same header fields
    lock: threading.Lock = field(default_factory=threading.Lock)  # of the roller, and what it tells

    def go_on(self, number: int, job: Job, now: float) -> "Generation":
        """The generation of a later job with the same header fields: nothing is given out twice."""
        with self.lock:
            self.continued = True
            return Generation(number, job, Roller(job, after=self.roller), now, self.first)

    @property
    def flood(self) -> bool:
        return self.job.target > FLOOD_TARGET

    def next_unit(self, wants: int, now: float) -> WorkUnit | None:
        """None: nothing is left until time moves on, or another generation goes on from here."""
        with self.lock:
            if self.continued:
                return None
            unit = self.roller.next(wants, now - self.first)
            self.used_up = unit is None
            return unit


class CurrentWork:
    """What workers see: `current` is the generation to hash, or None while there is nothing to do.

    Methods are for the engine's thread, but for `wait` and `stop`.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.current: Generation | None = None
        self.latest: Generation | None = None  # the newest, even while it is not hashed
        self.stopping = False
        self.switch_s: deque[float] = deque(maxlen=LATENCIES)  # job's arrival to its first scan
        self.opens = self.flood_opens = 0.0  # no hash of a later job before; of an easy one
        self._pauses = {Activity.NO_WORK}
        self._changed = threading.Condition()
        self._spaces: OrderedDict[tuple[object, ...], Generation] = OrderedDict()  # newest of each
        self._won: OrderedDict[bytes, None] = OrderedDict()  # parents of accepted blocks

    def take(self, job: Job, random_start: Callable[[], int]) -> Generation | None:
        """Put a job in force: some source has work. None: it is in force already.

        extranonce2 goes on where the session's last job left it, or begins anywhere.
        """
        latest, now = self.latest, self.clock()
        if job.reopens:
            self._won.pop(job.prev_hash, None)
        if latest is not None and latest.job == job:
            self.pause(Activity.NO_WORK, paused=False)
            return None
        space = header_space(job)
        before = self._spaces.pop(space, None)
        number = latest.number + 1 if latest is not None else 1
        if before is not None:
            fresh = before.go_on(number, job, now)
        else:
            session = latest is not None and (latest.job.source, latest.job.session)
            goes_on = latest is not None and session == (job.source, job.session)
            start = latest.roller.next_extranonce2 if latest and goes_on else random_start()
            fresh = Generation(number, job, Roller(job, start), now, now)
        opens = max(self.opens, self.flood_opens if job.target > FLOOD_TARGET else 0.0)
        fresh.opens, fresh.won = max(now, opens), job.prev_hash in self._won
        with self._changed:
            self.latest = fresh
            self._pauses.discard(Activity.NO_WORK)
            self.current = None if self._pauses or self.stopping or fresh.won else fresh
            self._changed.notify_all()
        if is_small(job):  # of a large one nothing repeats, as the extranonce2 goes on
            self._spaces[space] = fresh
            if len(self._spaces) > SPACES:
                self._spaces.popitem(last=False)
        return fresh

    def pause(self, why: Activity, paused: bool) -> None:
        """Hash nothing for this reason, NO_WORK or PAUSED; the job stays for later."""
        with self._changed:
            (self._pauses.add if paused else self._pauses.discard)(why)
            self._show()

    @property
    def ready(self) -> bool:
        """Has some source work?"""
        return Activity.NO_WORK not in self._pauses

    def win(self, prev_hash: bytes) -> None:
        """A block on this parent was accepted: nothing more to find until another parent."""
        self._won[prev_hash] = None
        if len(self._won) > PARENTS:
            self._won.popitem(last=False)
        with self._changed:
            if self.latest is not None and self.latest.job.prev_hash == prev_hash:
                self.latest.won = True
                self._show()

    def hold(self, prev_hash: bytes, held: bool) -> None:
        """On chains of easy blocks: hash no more while a block's verdict is awaited."""
        with self._changed:
            latest = self.latest
            if latest is not None and latest.job.prev_hash == prev_hash and latest.flood:
                latest.held = held
                self._show()

    def stop(self) -> None:
        """For good; any thread."""
        with self._changed:
            self.stopping = True
            self._show()

    def wait(self, seen: Generation | None, timeout_s: float) -> None:
        """Until the work changes or time is over; a stop wakes at once. For workers."""
        with self._changed:
            if self.current is seen and not self.stopping:
                self._changed.wait(timeout_s)

    def activity(self, now: float) -> Activity:
        """What the work at hand allows: MINING, or why not."""
        latest = self.latest
        if Activity.PAUSED in self._pauses:
            return Activity.PAUSED
        if latest is None or not self.ready:
            return Activity.NO_WORK
        if latest.won:
            return Activity.NO_JOB
        if latest.opens > now:
            return Activity.PACED
        return Activity.VERDICT if latest.held else Activity.MINING

    def _show(self) -> None:
        latest = self.latest
        hidden = bool(self._pauses) or self.stopping or latest is None or latest.held or latest.won
        self.current = None if hidden else latest
        self._changed.notify_all()
