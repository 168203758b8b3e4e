"""The terms under which a pool gives work, and the current job made from them.

A difficulty or an extranonce binds to the next notify; a version mask re-issues the current job at
once (BIP 310). Jobs made earlier keep what they came with. Notifies that arrive before the
subscription wait for it.
"""

from dataclasses import replace
from fractions import Fraction

from miner.bitcoin.target import target_from_difficulty
from miner.protocol.pool import DifficultyChanged, JobReceived, Notice, PoolEvent
from miner.protocol.stratum import messages as parse
from miner.protocol.stratum.job import JobContext, Terms, context_of, make_job
from miner.protocol.stratum.settings import SessionSettings
from miner.work.job import Job

LEAST_JOB_AGE_S = 120.0  # a pool that sent two quick jobs may still pause for a while
GAP_WEIGHT = 0.3  # of the newest gap in the usual one


class PoolWork:
    """State of one session's work. Every method either changes it whole or raises."""

    def __init__(self, settings: SessionSettings, number: int) -> None:
        self._settings = settings
        self.number = number
        self.job: Job | None = None  # the current one
        self.granted: int | None = None  # mask, once version rolling is granted
        self.rolling_refused = settings.version_mask == 0
        self._difficulty = Fraction(1)  # until the pool says otherwise
        self._extranonce: tuple[bytes, int] | None = None  # known once subscribed
        self._class_target: int | None = None
        self._early: tuple[parse.Notify, Fraction] | None = None
        self._job_at: float | None = None
        self._gap_s: float | None = None

    def subscribed(
        self, subscription: parse.Subscription, number: int, now: float
    ) -> list[PoolEvent]:
        """Extranonce1 is known: a notify that came early becomes a job."""
        self.number = number
        self._extranonce = subscription.extranonce1, subscription.extranonce2_size
        early, self._early = self._early, None
        return [] if early is None else self._take(*early, now)

    def notify(self, params: object, now: float) -> list[PoolEvent]:
        """mining.notify."""
        notify = parse.parse_notify(params)
        if self._extranonce is None:
            self._early = notify, self._difficulty
            return []
        return self._take(notify, self._difficulty, now)

    def set_difficulty(self, params: object, now: float) -> list[PoolEvent]:
        """mining.set_difficulty: for the next notify."""
        self._difficulty = parse.parse_difficulty(params)
        target = target_from_difficulty(self._difficulty)
        return [DifficultyChanged(float(self._difficulty), target)]

    def set_class_target(self, params: object, now: float) -> list[PoolEvent]:
        """mining.set_class_target, an extension of `miner class`: for the next notify."""
        self._class_target = parse.parse_class_target(params)
        return []

    def set_extranonce(self, params: object, now: float) -> list[PoolEvent]:
        """mining.set_extranonce: for the next notify."""
        extranonce1, size = parse.parse_set_extranonce(params)
        if self._extranonce is None:
            return [Notice("extranonce", "ignored: mining.set_extranonce before the subscription")]
        old1, old_size = self._extranonce
        self._extranonce = (
            old1 if extranonce1 is None else extranonce1,
            old_size if size is None else size,
        )
        return []

    def set_mask(self, params: object, now: float) -> list[PoolEvent]:
        """mining.set_version_mask: at once, unless rolling was refused or never asked for."""
        mask = parse.parse_set_version_mask(params)
        if self.rolling_refused:
            return [Notice("mask", f"ignored: version mask {mask:08x}, rolling is not in use")]
        return self.grant(mask, now)

    def grant(self, mask: int, now: float) -> list[PoolEvent]:
        """Version rolling is granted within `mask`: the current job is issued again with it."""
        if mask == self.granted:
            return []
        self.granted = mask
        if self.job is None:
            return []
        context = context_of(self.job)
        terms = replace(context.terms, granted_mask=mask)
        return self._issue(context.notify, terms, False, context.received)

    def stale_after_s(self) -> float:
        """How old a job may get: twice the usual gap, never above the setting."""
        longest = self._settings.job_age_s
        return longest if self._gap_s is None else min(longest, self._least_age())

    def job_age_s(self, now: float) -> float | None:
        """Since the pool last named the current job; None before the first."""
        return None if self._job_at is None else now - self._job_at

    def _least_age(self) -> float:
        return max(LEAST_JOB_AGE_S, 2 * (self._gap_s or 0.0))

    def _take(self, notify: parse.Notify, difficulty: Fraction, now: float) -> list[PoolEvent]:
        assert self._extranonce is not None
        mask = self._settings.version_mask
        terms = Terms(*self._extranonce, difficulty, self.granted, mask, self._class_target)
        if self._job_at is not None:
            gap_s = now - self._job_at
            usual = gap_s if self._gap_s is None else self._gap_s
            self._gap_s = usual + GAP_WEIGHT * (gap_s - usual)
        self._job_at = now
        if self.job is None:
            return self._issue(notify, terms, True, now)
        current = context_of(self.job)
        if (replace(notify, clean=current.notify.clean), terms) == (current.notify, current.terms):
            return []  # the same job again does not restart the search
        moved = notify.prev_hash != self.job.prev_hash
        return self._issue(notify, terms, notify.clean or moved, now)

    def _issue(
        self, notify: parse.Notify, terms: Terms, clean: bool, received: float
    ) -> list[PoolEvent]:
        context = JobContext(terms, notify, received)
        self.job = make_job(self._settings.source, self.number, context, clean)
        return [JobReceived(self.job)]
