"""One Stratum pool as a WorkSource: connect, talk, reconnect, until it is stopped.

One thread owns the connection and the session. Other threads only put shares into a bounded queue
and wake it. What a session leaves behind goes into the next one only if the pool resumes it.
"""

import random
import threading
import time
from dataclasses import replace

from miner.bitcoin.target import expected_hashes
from miner.errors import MinerError, TransportError
from miner.protocol.peer_watch import PeerWatch
from miner.protocol.pool import (
    OURS,
    DifficultyChanged,
    Dropped,
    JobReceived,
    Notice,
    PoolEvent,
    Ready,
    ReconnectAsked,
    Redirect,
    Refused,
    ShareAnswered,
)
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.protocol.stratum.shares import RESUME_S, Leftovers
from miner.sources.base import Health, SourceSink, SourceState
from miner.sources.pool.options import Pool, PoolOptions
from miner.sources.pool.queue import Item, ShareQueue, in_force, lost, pack_share
from miner.sources.pool.watch import Backoff, Ending, RejectWatch, Sayings
from miner.sources.sleep import SleepWatch
from miner.text import scrub
from miner.transport.connect import Connector, Lookup, system_lookup
from miner.transport.lines import LineStream, Waker
from miner.work.found import Answer, FoundBlock, Share
from miner.work.job import Job
from miner.work.luck import seconds_per_share, suggested_difficulty

TICK_S = 0.25  # how often deadlines are looked at
QUEUE_TURN = 1024  # shares and blocks sent before the connection is read again
MAX_REDIRECTS = 3  # without an accepted share between them: a loop
SLOW_SHARE_S = 600.0  # a longer expected wait for a share is worth a warning
FLOOD = 100  # times more shares than we asked for are more than we want
SKEW_S = 7200.0  # a job's time further than this from ours is worth a warning
MOST_CHARS = 500  # of a text for people, the pool's part and ours
STOPPED = "the miner stopped before the pool answered"
JOIN_S = 1.0  # beyond the grace, for the thread to end


class StratumSource:
    """A WorkSource for one pool; see `pools.py` for several."""

    def __init__(
        self,
        pool: Pool,
        options: PoolOptions,
        name: str | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._pool, self._options = pool, options
        self._name = name or str(pool.url).partition("://")[2]
        self.standby = False  # another pool has the work: a try at least every `probe_s`
        self.health = Health.DOWN
        self._waker = Waker()
        self._connector = Connector(self._waker, lookup)
        self._backoff = Backoff(options.least_delay_s, options.most_delay_s, random.Random())
        self._rejects, self._sayings = RejectWatch(), Sayings()
        self._watch = PeerWatch()
        self._queue = ShareQueue()
        self._place = pool.url
        self._session: StratumSession | None = None
        self._leftovers: Leftovers | None = None
        self._left_at = 0.0
        self._sessions = self._failures = self._redirects = 0
        self._skip_configure = self._redone = self._welcome = False
        self._target: int | None = None  # of the newest difficulty, until its pace was judged
        self.granted: int | None = None  # mask of the newest session
        self._closing_at: float | None = None
        self._sleep = SleepWatch()
        self._thread = threading.Thread(target=self._run, name=f"pool {self._name}", daemon=True)

    # --- what the engine calls --------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    def start(self, sink: SourceSink) -> None:
        """Connect in the background and begin to call the sink."""
        self._sink = sink
        try:
            self._thread.start()
        except RuntimeError:  # the system has none left
            self._waker.close()
            raise

    def submit(self, share: Share) -> None:
        """Queue a share; any thread; never waits."""
        self._put(share)

    def resubmit(self, block: FoundBlock) -> None:
        """Queue a block again. It is sent only into the session whose extranonce1 it has."""
        self._put(block)

    def has_in_force(self, extranonce1_hex: str) -> bool:
        """May blocks found with this extranonce1 be sent now? Any thread."""
        return in_force(self._session, extranonce1_hex)

    def pack(self, share: Share) -> FoundBlock:
        """The submit message and the extranonce1 it belongs to. Pure."""
        return pack_share(self._name, self._pool, share, self.granted)

    def stop(self, grace_s: float) -> None:
        """Wait up to `grace_s` for open submits, then close the connection and the thread."""
        self.ask_to_stop(grace_s)
        self.join()

    def ask_to_stop(self, grace_s: float) -> None:
        """The thread ends after at most `grace_s`; `join` waits for it."""
        self._closing_at = time.monotonic() + grace_s
        session = self._session
        if session is None or not session.ready:
            self._waker.stop()
        self._waker.wake()

    def join(self) -> None:
        """After `ask_to_stop`."""
        if self._thread.is_alive() and self._closing_at is not None:
            self._thread.join(max(self._closing_at - time.monotonic(), 0.0) + JOIN_S)

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping():
                try:
                    ending = self._visit()
                except (MinerError, OSError) as error:  # the latter: no descriptor is left
                    ending = Ending(str(error))
                except Exception as error:  # noqa: BLE001 - a bug must not end the mining
                    ending = Ending(f"internal error, please report: {error!r:.200}")
                if not self._stopping():
                    self._pause(self._judge(ending), ending.misbehaved)
        finally:
            self._queue.close()
            self._give_up(STOPPED)
            self._waker.close()

    def _stopping(self) -> bool:
        return self._waker.stopping or self._closing_at is not None

    def _visit(self) -> Ending:
        """One connection, from the first packet to its end."""
        place, options = self._place, self._options
        self._state(Health.CONNECTING, f"connecting to {place}")
        addresses = self._connector.resolve(place.host, place.port)
        deadline = time.monotonic() + options.handshake_s
        tls = options.tls if self._pool.url.tls else None  # of the user's URL: never downgraded
        sock = self._connector.connect(addresses, place.host, tls, deadline)
        stream = LineStream(sock, self._waker)
        try:
            return self._talk(stream, deadline)
        finally:
            stream.close()

    def _talk(self, stream: LineStream, deadline: float) -> Ending:
        now = time.monotonic()
        self._sessions += 1
        settings = self._settings(deadline - now)
        session = StratumSession(settings, self._sessions, now, self._leftovers, self._watch)
        session.open()
        self._session, heard = session, False
        try:
            while True:
                stream.send(session.data_to_send())
                stream.wait(TICK_S)
                now, data = time.monotonic(), stream.read()
                heard = heard or bool(data)
                events = session.receive_data(data, now) if data else []
                events += self._send_queue(session, now) + session.tick(now)
                ending = self._handle(events) or self._reason_to_leave(session, now)
                if ending is not None:
                    stream.send(session.data_to_send())
                    return ending
        except TransportError as error:
            return Ending(str(error), hung_up=not heard and settings.configure)
        finally:
            self._session, self._leftovers, self._left_at = None, session.leave(), now

    def _settings(self, handshake_s: float) -> SessionSettings:
        options, rate_hs = self._options, self._options.rate_hs()
        suggest = options.suggest_difficulty
        if suggest is None and rate_hs is not None:
            suggest = suggested_difficulty(rate_hs)
        return SessionSettings(
            source=self._name,
            user=self._pool.user,
            password=self._pool.password,
            agent=options.agent,
            version_mask=options.version_mask,
            suggest_difficulty=suggest,
            minimum_difficulty=None if suggest is None else suggest / FLOOD,
            configure=not self._skip_configure,
            handshake_s=handshake_s,
            silence_s=options.silence_s,
            answer_s=options.answer_s,
            job_age_s=options.job_age_s,
        )

    def _reason_to_leave(self, session: StratumSession, now: float) -> Ending | None:
        if self._closing_at is not None:
            idle = session.open_shares == 0 and len(self._queue) == 0
            if idle or now >= self._closing_at or self._waker.stopping:
                return Ending("stopped")
        if self._sleep.slept():
            return Ending("the clock jumped: this computer slept", at_once=True)
        if self._target is not None and session.ready:
            self._judge_pace(session)
        return None

    def _put(self, item: Item) -> None:
        if (dropped := self._queue.put(item)) is not None:
            late = self._queue.closed
            self._lose(dropped, STOPPED if late else "dropped: shares come faster than they go out")
        self._waker.wake()

    def _send_queue(self, session: StratumSession, now: float) -> list[PoolEvent]:
        events: list[PoolEvent] = []
        if session.subscription is None or session.closed:
            return events
        for _ in range(QUEUE_TURN):
            if (item := self._queue.take()) is None:
                break
            if isinstance(item, FoundBlock):
                if self.has_in_force(item.context):
                    events += session.resubmit(item, now)
                else:
                    self._lose(item, "its pool session is over: only the pool knows its fate")
            elif item.unit.job.session == session.number:
                events += session.submit(item, now)
            else:
                self._lose(item, "its pool session is over")
        else:
            self._waker.wake()  # the rest in a moment: the pool may have something to say
        return events

    def _lose(self, item: Item, why: str) -> None:
        self._sink.verdict(lost(self._name, item, why))

    def _give_up(self, why: str) -> None:
        """Nothing of the last session will be answered any more."""
        left, self._leftovers = self._leftovers, None
        for answered in left.book.lost(why) if left else []:
            self._sink.verdict(answered.verdict)
        while (item := self._queue.take()) is not None:
            self._lose(item, why)

    def _handle(self, events: list[PoolEvent]) -> Ending | None:
        """Act on events; of several jobs only the newest is worth handing on."""
        received = [event.job for event in events if isinstance(event, JobReceived)]
        if received:
            self._give(replace(received[-1], clean=any(job.clean for job in received)))
        endings = [self._handle_one(event) for event in events]  # verdicts behind an ending count
        return next((ending for ending in endings if ending is not None), None)

    def _handle_one(self, event: PoolEvent) -> Ending | None:
        match event:
            case ShareAnswered():
                return self._answered(event)
            case Notice(kind, text):
                self._say(kind, text)
            case DifficultyChanged(_, target):
                self._target = target
            case Ready():
                self._failures, self._welcome = 0, True
                if self.health is not Health.READY:
                    self._state(Health.WAITING, "logged in, waiting for a job")
            case ReconnectAsked(redirect):
                return self._redirected(redirect)
            case Refused(error):
                return Ending(str(error), refused=error)
            case Dropped(why, at_once, misbehaved):
                return Ending(why, at_once, misbehaved)
        return None

    def _give(self, job: Job) -> None:
        session = self._session
        self.granted = session.granted if session else None
        if abs(skew_s := job.ntime - time.time()) > SKEW_S:
            self._say("skew", f"the pool's block time is {skew_s:+.0f} s from ours")
        self._sink.job(job)
        if self.health is not Health.READY:
            rolling = "with" if self.granted is not None else "without"
            self._state(Health.READY, f"mining, {rolling} version rolling")

    def _answered(self, event: ShareAnswered) -> Ending | None:
        verdict = event.verdict
        self._sink.verdict(verdict)
        if verdict.answer is Answer.ACCEPTED:
            self._backoff.reset()
            self._redirects, self._redone = 0, False
        elif event.reason in OURS:
            self._say(f"reject {verdict.reason}", f"share rejected: {verdict.explanation}")
        judgement = self._rejects.add(verdict)
        if judgement == "warn":
            self._say("rejects", f"a tenth of the shares is rejected, as {verdict.explanation}")
        if judgement == "fail":
            return Ending(f"half of the last 20 shares were rejected, as {verdict.explanation}")
        return None

    def _judge_pace(self, session: StratumSession) -> None:
        """Say once per difficulty when shares will be rare; suggest a better one."""
        rate_hs = self._options.rate_hs()
        if rate_hs is None or self._target is None or rate_hs <= 0:
            return
        wait_s = seconds_per_share(float(expected_hashes(self._target)), rate_hs)
        self._target = None
        if wait_s is not None and wait_s > SLOW_SHARE_S:
            better = suggested_difficulty(rate_hs) or 0.0
            self._say(
                f"pace {wait_s:.0f}",
                f"a share takes {wait_s / 60:.0f} min at this difficulty; {better:.3g} would fit",
            )
            if self._options.suggest_difficulty is None:
                session.suggest_difficulty(better)

    def _redirected(self, redirect: Redirect) -> Ending | None:
        """client.reconnect: to the same host, or to one the user allowed; TLS stays as it is."""
        host, port = redirect.host or self._place.host, redirect.port or self._place.port
        allowed = {self._pool.url.host, self._place.host, *self._options.allow_redirect}
        if host.lower() not in {name.lower() for name in allowed}:
            self._say("redirect", f"refused to go to {host}:{port}; allow it by --allow-redirect")
            return None
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            return Ending(f"the pool sends us in circles, last to {host}:{port}")
        place = replace(self._place, host=host, port=port)
        return Ending(f"the pool sends us to {place}", redirect=(place, redirect.wait_s))

    # --- between connections ----------------------------------------------------------------

    def _judge(self, ending: Ending) -> float:
        """Tell how the visit ended and return the pause before the next one, seconds."""
        skipped, self._skip_configure = self._skip_configure, False
        if ending.redirect is not None:
            self._place, wait_s = ending.redirect
            self._state(Health.DOWN, f"{ending.why} in {wait_s:.0f} s")
            return wait_s
        self._place = self._pool.url
        if ending.misbehaved:
            self._failures, self._watch = self._failures + 1, PeerWatch()
            alone_s = self._options.alone_s
            self._state(Health.DOWN, f"{ending.why}: left alone for at least {alone_s:.0f} s")
            return alone_s
        if ending.hung_up and not skipped:
            self._skip_configure = True
            self._state(Health.DOWN, f"{ending.why}; trying without mining.configure")
            return 0.0
        if ending.at_once and not self._redone:
            self._redone = True
            self._state(Health.DOWN, f"{ending.why}; connecting again")
            return 0.0
        self._failures += 1
        pause_s = self._backoff.next_s()
        if self.standby:
            pause_s = min(pause_s, self._options.probe_s)
        health = Health.DOWN if ending.refused is None else Health.REFUSED
        # A pool that took us before has a trouble of its own: a login service that is down, say.
        fatal: MinerError | None = None if self._welcome else ending.refused
        retries = self._options.retries
        if fatal is None and retries is not None and self._failures > retries:
            fatal = TransportError(f"pool {self._name}: {ending.why}; {retries} retries failed")
        again = "" if fatal else f"; next try in {pause_s:.0f} s"
        self._state(health, f"{ending.why}{again}", fatal)
        return pause_s

    def _pause(self, seconds: float, misbehaved: bool) -> None:
        """Wait so long; for a pool that misbehaved longer while another one has the work."""
        since = time.monotonic()
        while not self._stopping():
            long = misbehaved and self.standby
            left = (self._options.penalty_s if long else seconds) - (time.monotonic() - since)
            if left <= 0:
                return
            self._waker.wait(min(left, 1.0))
            if time.monotonic() - self._left_at > RESUME_S:
                self._give_up("no connection to the pool for too long")

    def _state(self, health: Health, text: str, fatal: Exception | None = None) -> None:
        self.health = health
        self._sink.state(SourceState(self._name, health, scrub(text, MOST_CHARS), fatal))

    def _say(self, kind: str, text: str) -> None:
        """One line for people, once for each kind."""
        if self._sayings.is_new(kind):
            self._sink.state(SourceState(self._name, self.health, scrub(text, MOST_CHARS)))
