"""One row a pool or node: its health, its answers, its latency.

Not thread-safe: its owner holds a lock.
"""

import time
from collections import Counter
from typing import NamedTuple

from miner.bitcoin.target import difficulty
from miner.state.answers import Latencies, Reasons
from miner.state.snapshot import SourceRow
from miner.work.found import Answer, Verdict
from miner.work.job import Job

READY = "ready"  # a value of sources.base.Health
MOST_ROWS = 64


class Place(NamedTuple):
    """A pool or node as it was configured."""

    name: str  # as jobs and verdicts call it
    url: str  # without secrets
    kind: str  # "pool" or "node"
    priority: int = 0
    user: str = ""  # the name at a pool; at a node the address that blocks pay


class Tally:
    """What one source did."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.health, self.text = "connecting", ""
        self.connects = self.jobs = self.failovers = 0
        self.accepted: tuple[float | None, float | None] = None, None  # newest: when, difficulty
        self.difficulty: float | None = None
        self.counts: Counter[Answer] = Counter()
        self.difficulties: Counter[Answer] = Counter()  # summed up
        self.reasons = Reasons()
        self.latencies = Latencies()

    def state(self, health: str, text: str) -> None:
        self.connects += health == READY and self.health != READY
        self.health, self.text = health, text

    def count(self, verdict: Verdict, step: int) -> None:
        self.counts[verdict.answer] += step
        if verdict.difficulty is not None:
            worth = step * verdict.difficulty
            self.difficulties[verdict.answer] += worth  # type: ignore[assignment]  # floats
        if step > 0:
            self.latencies.add(verdict.latency_s)
            if verdict.answer is Answer.ACCEPTED:
                self.accepted = time.time(), verdict.difficulty
        if verdict.answer is Answer.REJECTED:
            self.reasons.add(verdict.reason, step)

    def row(self, active: bool) -> SourceRow:
        return SourceRow(
            *self.place,
            active=active,
            health=self.health,
            text=self.text,
            accepted=self.counts[Answer.ACCEPTED],
            rejected=self.counts[Answer.REJECTED],
            rejected_reasons=self.reasons.most_common(),
            stale=self.counts[Answer.STALE],
            unknown=self.counts[Answer.UNKNOWN],
            accepted_difficulty=float(self.difficulties[Answer.ACCEPTED]),
            rejected_difficulty=float(self.difficulties[Answer.REJECTED]),
            stale_difficulty=float(self.difficulties[Answer.STALE]),
            accepted_at_s=self.accepted[0],
            accepted_last_difficulty=self.accepted[1],
            difficulty=self.difficulty,
            latency_last_s=self.latencies.last_s,
            latency_median_s=self.latencies.median_s,
            latency_counts=self.latencies.counts,
            latency_sum_s=self.latencies.sum_s,
            connects=self.connects,
            jobs=self.jobs,
            failovers=self.failovers,
        )


class SourceBook:
    """All of a run's; one that nobody announced gets its row when it is first heard of."""

    def __init__(self) -> None:
        self._rows: dict[str, Tally] = {}
        self.active = ""  # gave the job at hand

    def expect(self, place: Place) -> None:
        self._rows[place.name] = Tally(place)

    def of(self, name: str) -> Tally:
        if name not in self._rows and len(self._rows) < MOST_ROWS:
            self._rows[name] = Tally(Place(name, name, "node", len(self._rows)))
        return self._rows.get(name) or next(iter(self._rows.values()))

    def job(self, job: Job) -> None:
        told, before = self.of(job.source), self._rows.get(self.active)
        if before is not None and before.place.priority < told.place.priority:
            before.failovers += 1
        self.active = job.source
        told.jobs += 1
        told.difficulty = difficulty(job.share_target)

    def rows(self) -> tuple[SourceRow, ...]:
        return tuple(one.row(name == self.active) for name, one in self._rows.items())
