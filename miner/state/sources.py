"""One row a pool or node: its health, its answers, its latency.

Not thread-safe: its owner holds a lock.
"""

from bisect import bisect_left
from collections import Counter, deque
from statistics import median
from typing import NamedTuple

from miner.bitcoin.target import difficulty
from miner.state.answers import LATENCIES, Reasons
from miner.state.snapshot import LATENCY_BOUNDS_S, SourceRow
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


class Tally:
    """What one source did."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.health, self.text, self.connects = "connecting", "", 0
        self.difficulty: float | None = None
        self.counts: Counter[Answer] = Counter()
        self.difficulties: Counter[Answer] = Counter()  # summed up
        self.reasons = Reasons()
        self.latencies: deque[float] = deque(maxlen=LATENCIES)
        self.within = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self.latency_sum_s = 0.0

    def state(self, health: str, text: str) -> None:
        self.connects += health == READY and self.health != READY
        self.health, self.text = health, text

    def count(self, verdict: Verdict, step: int) -> None:
        self.counts[verdict.answer] += step
        if verdict.difficulty is not None:
            worth = step * verdict.difficulty
            self.difficulties[verdict.answer] += worth  # type: ignore[assignment]  # floats
        if verdict.answer is Answer.REJECTED:
            self.reasons.add(verdict.reason, step)
        if step > 0 and verdict.latency_s is not None:
            latency_s = max(verdict.latency_s, 0.0)
            self.latencies.append(latency_s)
            self.latency_sum_s += latency_s
            self.within[bisect_left(LATENCY_BOUNDS_S, latency_s)] += 1

    def row(self, active: bool) -> SourceRow:
        cumulative = [sum(self.within[: n + 1]) for n in range(len(self.within))]
        return SourceRow(
            *self.place[:4],
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
            difficulty=self.difficulty,
            latency_last_s=self.latencies[-1] if self.latencies else None,
            latency_median_s=median(self.latencies) if self.latencies else None,
            latency_counts=tuple(cumulative),
            latency_sum_s=self.latency_sum_s,
            connects=self.connects,
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
        self.active = job.source
        self.of(job.source).difficulty = difficulty(job.share_target)

    def rows(self) -> tuple[SourceRow, ...]:
        return tuple(one.row(name == self.active) for name, one in self._rows.items())
