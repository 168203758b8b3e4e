"""Counters and rates, and the frozen StatusSnapshot that every screen reads.

Times are monotonic seconds, passed in. Workers add to their own BackendMeter without a lock (one
writer each); everything else goes through Status' lock.
"""

import dataclasses
import math
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

from miner import files
from miner.bitcoin.target import DIFF1_TARGET, difficulty, expected_hashes
from miner.devices.gpu import Sensors
from miner.state.activity import WorkerState
from miner.state.rates import Meter
from miner.text import scrub
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job

SCHEMA = 1
LONGEST_S = 900.0  # the longest window
ROW_S = 60.0  # the longest of one backend
MAX_REASONS = 32  # different reject reasons kept; the rest is "other"
MAX_ANSWERS = 512  # hashes whose last answer is remembered, to count each once
MAX_ALARMS = 8
LATENCIES = 64


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth one line: a job, a verdict, a change of state, an alarm."""

    kind: str  # "start", "job", "block", "share", "state", "alarm", "summary", "stop", ...
    text: str  # one printable line
    level: Literal["result", "info", "warning"] = "info"
    data: Mapping[str, object] = field(default_factory=dict)
    wall_s: float = field(default_factory=time.time)  # for people and logs only


class BackendMeter:
    """One worker's counters; its worker writes `hashes` and `versions`, its engine the rest."""

    def __init__(self, name: str, device: str, now: float) -> None:
        self.name, self.device = name, device
        self.state, self.why = WorkerState.STARTING, ""
        self.hashes = self.versions = self.false_hits = self.faults = self.restarts = 0
        self.sensors: Sensors | None = None  # None: a device without any, as a CPU is
        self.meter = Meter(now, ROW_S)


@dataclass(frozen=True, slots=True)
class BackendRow:
    name: str
    device: str
    state: str  # "ok", "starting", "sick: ...", "restarting", "quarantined: ..."
    hashes: int
    rate_10s_hs: float
    rate_1min_hs: float
    versions: int  # in the units it scans
    false_hits: int
    faults: int
    restarts: int
    sensors: Sensors | None  # a few seconds old at most


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """Everything a screen may show. `_hs` hashes a second, `_s` seconds; None = not known."""

    state: str  # in words
    elapsed_s: float
    hashes: int
    rate_10s_hs: float
    rate_1min_hs: float
    rate_15min_hs: float
    rate_session_hs: float
    rate_from_shares_hs: float | None  # found shares' work over time
    rate_from_shares_error_hs: float | None  # one standard deviation
    rate_benchmark_hs: float | None  # saved by `miner bench --save` for these backends and threads
    below_benchmark: bool  # the 1 min rate is more than 5 % below the benchmark's interval
    backends: tuple[BackendRow, ...]
    source: str
    source_health: str
    source_text: str
    jobs: int
    job_id: str | None
    job_age_s: float | None
    height: int | None
    network_difficulty: float | None
    share_difficulty: float | None
    versions_per_scan: int
    shares_found: int
    accepted: int
    rejected: int
    rejected_reasons: tuple[tuple[str, int], ...]  # most frequent first
    stale: int
    unknown: int
    pending: int
    dropped: int  # shares of a job that a clean one replaced, not sent
    surplus: int
    not_sent: int  # blocks of an easy chain whose node refuses all of them
    blocks_found: int
    blocks_accepted: int
    blocks_rejected: int
    blocks_waiting: int  # in the journal, fate not known
    best_difficulty_session: float | None
    best_difficulty_ever: float | None
    latency_last_s: float | None
    latency_median_s: float | None
    expected_share_s: float | None
    expected_block_s: float | None
    alarms: tuple[str, ...]  # newest last
    tls_insecure: bool  # certificates are not checked: --tls-insecure

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON, with the schema's number."""
        values = dataclasses.asdict(self)
        values["rejected_reasons"] = dict(self.rejected_reasons)
        return {"schema": SCHEMA, **values}


class Status:
    """The one place that counts. Thread-safe."""

    def __init__(self, now: float, source: str, best_file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._start, self._meter = now, Meter(now, LONGEST_S)
        self.meters: list[BackendMeter] = []
        self.state_text = "starting"
        self._source, self._health, self._source_text = source, "connecting", ""
        self._job: Job | None = None
        self._job_at, self._jobs = now, 0
        self._answers: OrderedDict[str, Verdict] = OrderedDict()
        self._open: set[str] = set()  # hashes of shares found that are in no other counter yet
        self._counts: Counter[Answer] = Counter()
        self._blocks: Counter[Answer] = Counter()
        self._reasons: Counter[str] = Counter()
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._alarms: deque[str] = deque(maxlen=MAX_ALARMS)
        self._shares, self._share_work = 0, 0.0
        self._best_value, self._best_file = 2**256, best_file
        self._best_ever = self._best_saved = load_best(best_file)
        self.dropped = self.surplus = self.not_sent = self.blocks_found = self.blocks_waiting = 0
        self._benchmark: tuple[float, float] | None = None
        self.tls_insecure = False

    def expect(self, rate_hs: float, least_hs: float) -> None:
        """What a benchmark measured, and the rate below which a full minute deserves a word."""
        self._benchmark = rate_hs, least_hs

    def backend(self, name: str, device: str, now: float) -> BackendMeter:
        """A new row."""
        meter = BackendMeter(name, device, now)
        with self._lock:
            self.meters.append(meter)
        return meter

    @property
    def hashes(self) -> int:
        return sum(meter.hashes for meter in self.meters)

    def job(self, job: Job, now: float) -> None:
        with self._lock:
            self._job, self._job_at, self._jobs = job, now, self._jobs + 1

    def source(self, name: str, health: str, text: str) -> None:
        with self._lock:
            self._source, self._health, self._source_text = name, health, text

    def share(self, share: Share) -> None:
        """Count a confirmed hit."""
        work = float(expected_hashes(share.unit.target))
        with self._lock:
            self._open.add(share.hash_hex)
            self._shares += 1
            self._share_work += work
            self.blocks_found += share.is_block
            self._best_value = min(self._best_value, share.value)
            self._best_ever = min(self._best_ever, share.value)

    def verdict(self, verdict: Verdict) -> bool:
        """Count the newest answer of each hash once; False when it says nothing new. A block that
        one node refused may be accepted by another later."""
        with self._lock:
            before = self._answers.pop(verdict.hash_hex, None)
            if before is None and not (verdict.is_block or verdict.hash_hex in self._open):
                return False  # answered so long ago that it is forgotten
            self._open.discard(verdict.hash_hex)
            self._answers[verdict.hash_hex] = verdict
            if before is not None:
                late = before.final and verdict.answer is not Answer.ACCEPTED
                if before.answer in (verdict.answer, Answer.ACCEPTED) or late:
                    self._answers[verdict.hash_hex] = before
                    return False
                self._count(before, -1)
            self._count(verdict, 1)
            if verdict.latency_s is not None:
                self._latencies.append(max(verdict.latency_s, 0.0))
            if len(self._answers) > MAX_ANSWERS:
                self._forget_one()
            return True

    def set_aside(self, share: Share, counter: Literal["dropped", "surplus", "not_sent"]) -> None:
        """Count a found share that is not sent."""
        with self._lock:
            self._open.discard(share.hash_hex)
            setattr(self, counter, getattr(self, counter) + 1)

    def close(self) -> None:
        """The run is over: of what nobody answered the fate is unknown."""
        with self._lock:
            self._counts[Answer.UNKNOWN] += len(self._open)
            self._open.clear()

    def pool_block_accepted(self) -> None:
        """A later job builds on a block whose share a pool took."""
        with self._lock:
            self._blocks[Answer.ACCEPTED] += 1

    def _forget_one(self) -> None:
        """The oldest share; a block, whose answer may yet change, only when all are blocks."""
        shares = (name for name, verdict in self._answers.items() if not verdict.is_block)
        del self._answers[next(shares, next(iter(self._answers)))]

    def _count(self, verdict: Verdict, step: int) -> None:
        self._counts[verdict.answer] += step
        if verdict.is_block and not (verdict.of_share and verdict.answer is Answer.ACCEPTED):
            self._blocks[verdict.answer] += step
        if verdict.answer is Answer.REJECTED:
            known = verdict.reason in self._reasons or len(self._reasons) < MAX_REASONS
            self._reasons[verdict.reason if known else "other"] += step

    @property
    def accepted(self) -> int:
        return self._counts[Answer.ACCEPTED]

    @property
    def blocks_accepted(self) -> int:
        return self._blocks[Answer.ACCEPTED]

    def alarm(self, text: str) -> None:
        with self._lock:
            self._alarms.append(text)

    def tick(self, now: float) -> None:
        """Take rate samples; call about once a second."""
        self._meter.sample(now, self.hashes)
        for meter in self.meters:
            meter.meter.sample(now, meter.hashes)

    def save_best(self) -> None:
        """Write an improved all-time best to its file; a failing disk is no reason to stop."""
        if self._best_file is not None and self._best_ever < self._best_saved:
            with suppress(OSError):
                self._best_saved = min(self._best_ever, load_best(self._best_file))
                if self._best_ever <= self._best_saved:
                    store_best(self._best_file, self._best_ever)

    def luck_sigmas(self) -> float | None:
        """How far found shares are from what the counted hashes promise; None below 50 shares.

        A backend that loses hits shows here as a large negative number.
        """
        hashes = self.hashes
        if self._shares < 50 or not hashes:
            return None
        deviation = self._share_work / hashes - 1
        return deviation * math.sqrt(self._shares)

    def snapshot(self, now: float) -> StatusSnapshot:  # long: one line a field
        with self._lock:
            hashes, elapsed = self.hashes, max(now - self._start, 0.0)
            rate_1min = self._meter.rate(now, hashes, 60.0)
            job, shares = self._job, self._shares
            from_shares = self._share_work / elapsed if shares and elapsed else None
            benchmark_hs, least_hs = self._benchmark or (None, 0.0)
            return StatusSnapshot(
                state=self.state_text,
                elapsed_s=elapsed,
                hashes=hashes,
                rate_10s_hs=self._meter.rate(now, hashes, 10.0),
                rate_1min_hs=rate_1min,
                rate_15min_hs=self._meter.rate(now, hashes, LONGEST_S),
                rate_session_hs=hashes / elapsed if elapsed else 0.0,
                rate_from_shares_hs=from_shares,
                rate_from_shares_error_hs=from_shares / math.sqrt(shares) if from_shares else None,
                rate_benchmark_hs=benchmark_hs,
                below_benchmark=elapsed >= 60.0 and rate_1min < least_hs,
                backends=tuple(row(meter, now) for meter in self.meters),
                source=self._source,
                source_health=self._health,
                source_text=self._source_text,
                jobs=self._jobs,
                job_id=scrub(job.job_id) if job else None,
                job_age_s=max(now - self._job_at, 0.0) if job else None,
                height=job.height if job else None,
                network_difficulty=difficulty(job.network_target) if job else None,
                share_difficulty=difficulty(job.share_target) if job else None,
                versions_per_scan=max((meter.versions for meter in self.meters), default=0),
                shares_found=shares,
                accepted=self._counts[Answer.ACCEPTED],
                rejected=self._counts[Answer.REJECTED],
                rejected_reasons=tuple((+self._reasons).most_common()),
                stale=self._counts[Answer.STALE],
                unknown=self._counts[Answer.UNKNOWN],
                pending=self._counts[Answer.PENDING],
                dropped=self.dropped,
                surplus=self.surplus,
                not_sent=self.not_sent + self._counts[Answer.NOT_SENT],
                blocks_found=self.blocks_found,
                blocks_accepted=self._blocks[Answer.ACCEPTED],
                blocks_rejected=self._blocks[Answer.REJECTED],
                blocks_waiting=self.blocks_waiting,
                best_difficulty_session=shown_best(self._best_value),
                best_difficulty_ever=shown_best(self._best_ever),
                latency_last_s=self._latencies[-1] if self._latencies else None,
                latency_median_s=median(self._latencies) if self._latencies else None,
                expected_share_s=wait_s(job.target if job else None, rate_1min),
                expected_block_s=wait_s(job.network_target if job else None, rate_1min),
                alarms=tuple(self._alarms),
                tls_insecure=self.tls_insecure,
            )


def row(meter: BackendMeter, now: float) -> BackendRow:
    return BackendRow(
        meter.name,
        meter.device,
        f"{meter.state.value}: {meter.why}" if meter.why else meter.state.value,
        meter.hashes,
        meter.meter.rate(now, meter.hashes, 10.0),
        meter.meter.rate(now, meter.hashes, 60.0),
        meter.versions,
        meter.false_hits,
        meter.faults,
        meter.restarts,
        meter.sensors,
    )


def wait_s(target: int | None, rate_hs: float) -> float | None:
    """Mean time to a hash at or below the target."""
    return float(expected_hashes(target)) / rate_hs if target is not None and rate_hs > 0 else None


def shown_best(value: int) -> float | None:
    return DIFF1_TARGET / max(value, 1) if value < 2**256 else None


def load_best(path: Path | None) -> int:
    """The smallest hash ever found, as a number; 2**256 when none is kept."""
    with suppress(OSError, ValueError):
        if path is not None and path.is_file():  # reading a pipe would wait for ever
            value = int(path.read_text()[:80], 16)
            return value if 0 <= value < 2**256 else 2**256
    return 2**256


def store_best(path: Path, value: int) -> None:
    """Raises OSError."""
    files.replace(path, f"{value:064x}\n".encode())
