"""One pool as a WorkSource: connect, talk, reconnect, until stopped; any protocol, any stream.

One thread owns the stream and the session. Other threads only put shares into a bounded queue and
wake it. The session says what bytes mean (`protocol/pool.py`), `policy` what an ending means; what
a session leaves behind goes into the next one, which may resume it.
"""

import random
import threading
from dataclasses import dataclass, field, replace

from miner.errors import MinerError, TransportError
from miner.protocol.pool import (
    OURS,
    Dropped,
    Item,
    JobReceived,
    Leftovers,
    Notice,
    PoolEvent,
    PoolSession,
    Ready,
    ReconnectAsked,
    Redirect,
    Refused,
    ShareAnswered,
)
from miner.sources.base import Health, SourceSink
from miner.sources.pool.clock import Clock, SystemClock
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.policy import Ending, Pause, Policy
from miner.sources.pool.protocols import open_session
from miner.sources.pool.queue import ShareQueue, lost
from miner.sources.pool.report import Report
from miner.sources.pool.wish import OpenSession, Wish
from miner.transport.dial import Dialer, Link
from miner.transport.stream import Stream
from miner.transport.urls import PoolLogin
from miner.work.found import FoundBlock, Share
from miner.work.job import Job

TICK_S = 0.25  # how often deadlines are looked at
QUEUE_TURN = 1024  # shares and blocks sent before the stream is read again
SKEW_S = 7200.0  # a job's time further than this from ours is worth a warning
STOPPED = "the miner stopped before the {} answered"
OVER = "its {} session is over"
TOO_FAST = "dropped: shares come faster than they go out"
JOIN_S = 1.0  # beyond the grace, for the thread to end


@dataclass(frozen=True, slots=True)
class Outside:
    """What a connection is given of the world; a test gives another."""

    link: Link = field(default_factory=Dialer)
    clock: Clock = field(default_factory=SystemClock)
    dice: random.Random = field(default_factory=random.Random)
    open_session: OpenSession = open_session


@dataclass(slots=True)
class Left:
    """What the session before left behind, and when (monotonic)."""

    leftovers: Leftovers | None = None
    at: float = 0.0


class PoolConnection:
    """A WorkSource for one pool; see `failover` for several."""

    def __init__(
        self, pool: PoolLogin, options: PoolOptions, name: str = "", outside: Outside | None = None
    ) -> None:
        name = name or str(pool.url).partition("://")[2]
        self.standby = False  # another pool has the work: a try at least every `probe_s`
        self._wish = Wish(name, pool, options)
        self._outside = outside or Outside()
        self._policy = Policy(name, pool, options, self._outside.dice)
        self._report = Report(name)
        self._queue = ShareQueue()
        self._session: PoolSession | None = None  # the newest, perhaps closed
        self._left = Left()
        self._closing_at: float | None = None
        self._old_work = ""  # why this connection should be made anew
        self._thread = threading.Thread(target=self.run, name=f"{options.noun} {name}", daemon=True)

    # --- what the engine calls --------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._report.name

    @property
    def _noun(self) -> str:
        return self._wish.options.noun

    def start(self, sink: SourceSink) -> None:
        """Connect in the background and begin to call the sink."""
        self._report.sink = sink
        try:
            self._thread.start()
        except RuntimeError:  # the system has none left
            self._outside.link.close()
            raise

    def submit(self, share: Share) -> None:
        """Queue a share; any thread; never waits."""
        self._put(share)

    def send(self, block: FoundBlock) -> None:
        """Queue a block, one that was packed just now as the share it is. It is sent only into the
        session that it belongs to."""
        self._put(block if block.origin is None else block.origin)

    def takes(self, block: FoundBlock) -> bool:
        """May this packed block be sent now? Any thread."""
        session = self._session
        return session is not None and session.takes(block)

    def pack(self, share: Share) -> FoundBlock:
        """Everything needed to send a block again. Raises ValueError for no share of this pool."""
        if self._session is None:
            raise ValueError(f"{self._noun} {self.name} gave no work")
        packed = self._session.pack(share, int(self._outside.clock.wall()))
        return replace(packed, origin=share)

    def stop(self, grace_s: float) -> None:
        """Wait up to `grace_s` for open submits, then close the stream and the thread."""
        self.ask_to_stop(grace_s)
        self.join()

    def renew(self, why: str) -> None:
        """Leave this connection for a new one; any thread."""
        self._old_work = why
        self._outside.link.wake()

    def ask_to_stop(self, grace_s: float) -> None:
        """The thread ends after at most `grace_s`; `join` waits for it."""
        self._closing_at = self._outside.clock.monotonic() + grace_s
        if self._session is None or not self._session.ready:
            self._outside.link.stop()
        self._outside.link.wake()

    def join(self) -> None:
        """After `ask_to_stop`."""
        if self._thread.is_alive() and self._closing_at is not None:
            left_s = self._closing_at - self._outside.clock.monotonic()
            self._thread.join(max(left_s, 0.0) + JOIN_S)

    # --- the thread -------------------------------------------------------------------------

    def run(self) -> None:
        """The thread's whole life: one connection after the other."""
        try:
            while not self._stopping():
                ending = self._visit_or_fail()
                if not self._stopping():
                    self._wait(self._policy.after(ending, self.standby))
        finally:
            self._queue.close()
            self._give_up(STOPPED.format(self._noun))
            self._outside.link.close()

    def _stopping(self) -> bool:
        return self._outside.link.stopping or self._closing_at is not None

    def _visit_or_fail(self) -> Ending:
        try:
            return self._visit()
        except (MinerError, OSError) as error:  # the latter: no descriptor is left
            return Ending(str(error))
        except Exception as error:  # noqa: BLE001 - a bug must not end the mining
            return Ending(f"internal error, please report: {error!r:.200}")

    def _visit(self) -> Ending:
        """One connection, from the first packet to its end."""
        place, pool, options = self._policy.place, self._wish.pool, self._wish.options
        self._report.state(Health.CONNECTING, f"connecting to {place}")
        tls = options.tls if pool.url.tls else None  # of the user's URL: never downgraded
        stream, left_s = self._outside.link.open(place.host, place.port, tls, options.handshake_s)
        try:
            return self._talk(stream, left_s)
        finally:
            stream.close()

    def _talk(self, stream: Stream, handshake_s: float) -> Ending:
        clock, policy = self._outside.clock, self._policy
        policy.connections += 1
        now = clock.monotonic()
        wish = replace(self._wish, number=policy.connections, now=now, handshake_s=handshake_s)
        session = self._outside.open_session(wish, self._left.leftovers)
        session.open()
        self._session, self._old_work = session, ""
        try:
            while True:
                stream.send(session.data_to_send())
                stream.wait(TICK_S)
                now, data = clock.monotonic(), stream.read()
                events = session.receive(data, now) if data else []
                events += self._send_queue(session, now) + session.tick(now)
                ending = self._handle(events) or self._reason_to_leave(session, now)
                if ending is not None:
                    stream.send(session.data_to_send())
                    return ending
        except TransportError as error:
            told = session.hung_up()
            return Ending(str(error)) if told is None else dropped(told, f"{error}; ")
        finally:
            self._left = Left(session.leave(), now)

    def _reason_to_leave(self, session: PoolSession, now: float) -> Ending | None:
        if self._closing_at is not None:
            idle = session.open_shares == 0 and len(self._queue) == 0
            if idle or now >= self._closing_at or self._outside.link.stopping:
                return Ending("stopped")
        if self._old_work:
            return Ending(self._old_work, at_once=True)
        if self._outside.clock.slept():
            return Ending("the clock jumped: this computer slept", at_once=True)
        if (rate_hs := self._wish.options.rate_hs()) is not None and rate_hs > 0:
            session.tell_rate(rate_hs, now)
        return None

    # --- shares out -------------------------------------------------------------------------

    def _put(self, item: Item) -> None:
        if (given_way := self._queue.put(item)) is not None:
            late = self._queue.closed
            self._lose(given_way, STOPPED.format(self._noun) if late else TOO_FAST)
        self._outside.link.wake()

    def _send_queue(self, session: PoolSession, now: float) -> list[PoolEvent]:
        """What waits for the session, once it is logged in and knows what is its own."""
        events, over = list[PoolEvent](), OVER.format(self._noun)
        if not session.ready:
            return events
        for _ in range(QUEUE_TURN):
            if (item := self._queue.take()) is None:
                return events
            if session.takes(item):
                events += session.submit(item, now)
            elif isinstance(item, FoundBlock):
                fate = f"{over}: only the {self._noun} knows its fate"
                self._lose(item, fate)
            else:
                self._lose(item, over)
        self._outside.link.wake()  # the rest in a moment: the pool may have something to say
        return events

    def _lose(self, item: Item, why: str) -> None:
        self._report.verdict(lost(self.name, item, why))

    def _give_up(self, why: str) -> None:
        """Nothing of the last session will be answered any more."""
        if self._left.leftovers is not None:
            for answered in self._left.leftovers.give_up(why):
                self._report.verdict(answered.verdict)
        while (item := self._queue.take()) is not None:
            self._lose(item, why)

    # --- events in --------------------------------------------------------------------------

    def _handle(self, events: list[PoolEvent]) -> Ending | None:
        """Act on events; of several jobs only the newest is worth handing on."""
        received = [event.job for event in events if isinstance(event, JobReceived)]
        if received:
            self._give(replace(received[-1], clean=any(job.clean for job in received)))
        ending: Ending | None = None
        for event in events:
            if ending is None or isinstance(event, ShareAnswered):  # no answer is lost
                ending = self._handle_one(event) or ending
        return ending

    def _handle_one(self, event: PoolEvent) -> Ending | None:
        match event:
            case ShareAnswered():
                return self._answered(event)
            case Notice(kind, text, alarm):
                (self._report.alarm if alarm else self._report.say)(kind, text)
            case Ready():
                self._policy.welcomed()
                if self._report.health is not Health.READY:
                    self._report.state(Health.WAITING, "logged in, waiting for a job")
            case ReconnectAsked(redirect):
                return self._redirected(redirect)
            case Refused(error):
                return Ending(str(error), refused=error)
            case Dropped():
                return dropped(event)
        return None

    def _give(self, job: Job) -> None:
        if abs(skew_s := job.ntime - self._outside.clock.wall()) > SKEW_S:
            self._report.say("skew", f"the {self._noun}'s block time is {skew_s:+.0f} s from ours")
        self._report.job(job)
        if self._report.health is not Health.READY:
            rolling = "with" if job.version_mask else "without"
            self._report.state(Health.READY, f"mining, {rolling} version rolling")

    def _answered(self, event: ShareAnswered) -> Ending | None:
        verdict = event.verdict
        self._report.verdict(verdict)
        if event.reason in OURS:
            self._report.say(f"reject {verdict.reason}", f"share rejected: {verdict.explanation}")
        judgement = self._policy.judge_share(verdict)
        if judgement == "warn":
            text = f"a tenth of the shares is rejected, as {verdict.explanation}"
            self._report.say("rejects", text)
        if judgement == "fail":
            return Ending(f"half of the last 20 shares were rejected, as {verdict.explanation}")
        return None

    def _redirected(self, redirect: Redirect) -> Ending | None:
        answer = self._policy.redirected(redirect)
        if isinstance(answer, Ending):
            return answer
        self._report.say("redirect", answer)
        return None

    # --- between connections ----------------------------------------------------------------

    def _wait(self, pause: Pause) -> None:
        self._report.state(pause.health, pause.text, pause.fatal)
        clock, keep_s = self._outside.clock, getattr(self._left.leftovers, "keep_s", 0.0)
        since = clock.monotonic()
        while not self._stopping():
            left_s = pause.left(clock.monotonic() - since, self.standby)
            if left_s <= 0:
                return
            self._outside.link.sleep(min(left_s, 1.0))
            if clock.monotonic() - self._left.at > keep_s:
                self._give_up(f"no connection to the {self._noun} for too long")


def dropped(event: Dropped, before: str = "") -> Ending:
    """The ending that a session asks for."""
    return Ending(f"{before}{event.why}", event.at_once, event.misbehaved)
