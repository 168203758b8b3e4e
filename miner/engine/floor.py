"""The floor: the job in force, and where workers fetch units of it or wait for a better time."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from miner.work.job import Job
from miner.work.roll import Roller, header_space, is_small
from miner.work.unit import WorkUnit

FLOOD_TARGET = 2**236  # easier than one hash in a million: hits come faster than answers
LATENCIES = 4096
SPACES = 64  # small header spaces whose state is kept

Clock = Callable[[], float]


class Generation:
    """One job in force."""

    def __init__(
        self, number: int, job: Job, roller: Roller, now: float, first: float | None = None
    ) -> None:
        """`first`: when a job of the same header fields came first, if not now."""
        self.number, self.job, self.roller, self.born = number, job, roller, now
        self.first = now if first is None else first  # header time moves on from there
        self.opens = now  # no hash before (pacing)
        self.held = False  # a block of it waits for its verdict, on a chain of easy blocks
        self.hashed = False  # a worker has begun
        self.used_up = False  # every header was given out, until time moves on
        self._continued = False  # by a later job with the same header fields
        self._lock = threading.Lock()

    def go_on(self, number: int, job: Job, now: float) -> "Generation":
        """The generation of a later job with the same header fields: nothing is given out twice."""
        with self._lock:
            self._continued = True
            return Generation(number, job, Roller(job, after=self.roller), now, self.first)

    @property
    def flood(self) -> bool:
        return self.job.target > FLOOD_TARGET

    def next_unit(self, wants: int, now: float) -> WorkUnit | None:
        """None: nothing is left until time moves on, or another generation goes on from here."""
        with self._lock:
            if self._continued:
                return None
            unit = self.roller.next(wants, now - self.first)
            self.used_up = unit is None
            return unit


class Floor:
    """What workers see: `current` is the generation to hash, or None while there is nothing to do.

    `current` is read without a lock between two batches.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.current: Generation | None = None
        self.stopping = False
        self.switch_s: deque[float] = deque(maxlen=LATENCIES)  # job's arrival to its first scan
        self._latest: Generation | None = None
        self._paused = True
        self._changed = threading.Condition()
        self._numbers = 0
        self._spaces: OrderedDict[tuple[object, ...], Generation] = OrderedDict()  # newest of each

    @property
    def latest(self) -> Generation | None:
        """The newest generation, even while hashing is paused or its block is accepted."""
        return self._latest

    def replace(self, job: Job, random_start: Callable[[], int], opens: float) -> Generation:
        """Put a job in force. extranonce2 goes on where the session's last job left it.

        A job with the header fields of an earlier one goes on where that one stopped, by its
        clock: a pool that says its job again with each new difficulty would else hold time still.
        """
        with self._changed:
            last = self._latest
            same = last is not None and (last.job.source, last.job.session) == (
                job.source,
                job.session,
            )
            start = last.roller.next_extranonce2 if last and same else random_start()
            self._numbers += 1
            fresh = self._generation(job, start)
            fresh.opens = max(opens, fresh.born)
            self._latest = fresh
            self._show()
            return fresh

    def _generation(self, job: Job, extranonce2_start: int) -> Generation:
        space, now = header_space(job), self.clock()
        before = self._spaces.pop(space, None)
        if before is None:
            fresh = Generation(self._numbers, job, Roller(job, extranonce2_start), now)
        else:
            fresh = before.go_on(self._numbers, job, now)
        if is_small(job):  # of a large one nothing repeats, as the extranonce2 goes on
            self._spaces[space] = fresh
            if len(self._spaces) > SPACES:
                self._spaces.popitem(last=False)
        return fresh

    def pause(self, paused: bool) -> None:
        """No source is ready: hash nothing; the job stays for when it is again."""
        with self._changed:
            self._paused = paused
            self._show()

    def retire(self, prev_hash: bytes) -> None:
        """A block on this parent was accepted: nothing more to find until the next job."""
        with self._changed:
            if self._latest is not None and self._latest.job.prev_hash == prev_hash:
                self._latest.held = True
                self._latest.opens = float("inf")
                self._show()

    def hold(self, prev_hash: bytes, held: bool) -> None:
        """On chains of easy blocks: hash no more while a block's verdict is awaited."""
        with self._changed:
            latest = self._latest
            if latest is not None and latest.job.prev_hash == prev_hash and latest.flood:
                latest.held = held
                self._show()

    def stop(self) -> None:
        with self._changed:
            self.stopping = True
            self._show()

    def wait(self, seen: Generation | None, timeout_s: float) -> None:
        """Until the work changes or time is over; a stop wakes at once."""
        with self._changed:
            if self.current is seen and not self.stopping:
                self._changed.wait(timeout_s)

    def _show(self) -> None:
        latest = self._latest
        hidden = self._paused or self.stopping or latest is None or latest.held
        self.current = None if hidden else latest
        self._changed.notify_all()
