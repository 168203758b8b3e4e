"""When to leave a pool, when to come back, and where: back-off, redirects, rejects, penalties.

Pure: endings and verdicts go in, a pause comes out; the dice are passed in.
"""

import random
from collections import deque
from dataclasses import dataclass, replace

from miner.errors import MinerError, SourceRefused, TransportError
from miner.protocol.pool import Redirect
from miner.sources.base import Health
from miner.sources.pool.options import PoolOptions
from miner.transport.urls import PoolLogin, PoolUrl
from miner.work.found import Answer, Verdict

REJECT_WINDOW = 20  # verdicts looked at
WARN_REJECTS, FAIL_REJECTS = 2, 10  # 10 % and 50 % of them
MAX_REDIRECTS = 3  # without an accepted share between them: a loop


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection to the pool ended."""

    why: str
    at_once: bool = False  # a second try needs no pause
    misbehaved: bool = False  # to be left alone for a while
    refused: SourceRefused | None = None
    redirect: tuple[PoolUrl, float] | None = None  # where to, after how many seconds


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to wait before the next connection, and what to say about it."""

    seconds: float
    text: str
    health: Health = Health.DOWN
    fatal: MinerError | None = None
    standby_s: float = 0.0  # at least so long while another pool has the work

    def left(self, waited_s: float, standby: bool) -> float:
        """Seconds still to wait."""
        return max(self.seconds, self.standby_s if standby else 0.0) - waited_s


class Backoff:
    """Exponential delays with full jitter: any time up to a bound that doubles."""

    def __init__(self, least_s: float, most_s: float, dice: random.Random) -> None:
        self._least_s, self._most_s, self._dice = least_s, most_s, dice
        self.failures = 0  # in a row

    def next_s(self) -> float:
        """The next delay."""
        bound = min(self._most_s, self._least_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return self._dice.uniform(0.0, bound)

    def reset(self) -> None:
        self.failures = 0


class RejectWatch:
    """Notices when too many of the last 20 shares were refused. Stale ones are nobody's fault."""

    def __init__(self) -> None:
        self._refused: deque[bool] = deque(maxlen=REJECT_WINDOW)
        self._warned = False

    def add(self, verdict: Verdict) -> str:
        """ "" when all is well, "warn" once at 10 %, "fail" at 50 %."""
        if verdict.answer not in (Answer.ACCEPTED, Answer.REJECTED):
            return ""
        self._refused.append(verdict.answer is Answer.REJECTED)
        refused = sum(self._refused)
        if len(self._refused) < REJECT_WINDOW:
            return ""
        if refused >= FAIL_REJECTS:
            self._refused.clear()
            self._warned = False
            return "fail"
        warn = refused >= WARN_REJECTS and not self._warned
        self._warned = refused >= WARN_REJECTS
        return "warn" if warn else ""


class Policy:
    """What one pool did so far, and what follows from it."""

    def __init__(
        self, name: str, pool: PoolLogin, options: PoolOptions, dice: random.Random
    ) -> None:
        self.place = pool.url  # where to connect next
        self.connections = 0
        self._name, self._pool, self._options = name, pool, options
        self._backoff = Backoff(options.least_delay_s, options.most_delay_s, dice)
        self._rejects = RejectWatch()
        self._failures = self._redirects = 0
        self._redone = False  # a second try without a pause was made
        self._welcome = False  # it took our login once

    def welcomed(self) -> None:
        """Logged in."""
        self._failures, self._welcome = 0, True

    def judge_share(self, verdict: Verdict) -> str:
        """ "" when all is well, "warn" or "fail" when too many shares are rejected."""
        if verdict.answer is Answer.ACCEPTED:
            self._backoff.reset()
            self._redirects, self._redone = 0, False
        return self._rejects.add(verdict)

    def redirected(self, redirect: Redirect) -> Ending | str:
        """To the same host, to one the user allowed, or to any that must prove to hold the pool's
        key; TLS and key stay as they are. Text: why not."""
        host, port = redirect.host or self.place.host, redirect.port or self.place.port
        allowed = {self._pool.url.host, self.place.host, *self._options.allow_redirect}
        known = host.lower() in {name.lower() for name in allowed}
        if not (known or self.place.pinned):
            return f"refused to go to {host}:{port}; allow it by --allow-redirect"
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            return Ending(f"the pool sends us in circles, last to {host}:{port}")
        place = replace(self.place, host=host, port=port)
        return Ending(f"the pool sends us to {place}", redirect=(place, redirect.wait_s))

    def after(self, ending: Ending, standby: bool) -> Pause:
        """What to do about an ending. `standby`: another pool has the work."""
        if ending.redirect is not None:
            self.place, wait_s = ending.redirect
            return Pause(wait_s, f"{ending.why} in {wait_s:.0f} s")
        self.place, options = self._pool.url, self._options
        if ending.misbehaved:
            self._failures += 1
            text = f"{ending.why}: left alone for at least {options.alone_s:.0f} s"
            return Pause(options.alone_s, text, standby_s=options.penalty_s)
        if ending.at_once and not self._redone:
            self._redone = True
            return Pause(0.0, f"{ending.why}; connecting again")
        return self._back_off(ending, standby)

    def _back_off(self, ending: Ending, standby: bool) -> Pause:
        self._failures += 1
        pause_s = self._backoff.next_s()
        if standby:
            pause_s = min(pause_s, self._options.probe_s)
        health = Health.DOWN if ending.refused is None else Health.REFUSED
        # A pool that took us before has a trouble of its own: a login service that is down, say.
        fatal: MinerError | None = None if self._welcome else ending.refused
        retries, noun = self._options.retries, self._options.noun
        if fatal is None and retries is not None and self._failures > retries:
            failed = "one retry" if retries == 1 else f"{retries} retries"
            fatal = TransportError(f"{noun} {self._name}: {ending.why}; {failed} failed")
        again = "" if fatal else f"; next try in {pause_s:.0f} s"
        return Pause(pause_s, f"{ending.why}{again}", health, fatal)
