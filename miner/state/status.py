"""The one place that counts, and makes the snapshot that every view reads.

Times are monotonic seconds, passed in. Workers add to their own meter without a lock (one writer
each); everything else goes through Status' lock.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from miner import __version__
from miner.backends.base import BackendInfo
from miner.devices.gpu import Sensors
from miner.state.activity import Activity
from miner.state.answers import Aside
from miner.state.history import Reading
from miner.state.kept import Kept, Totals
from miner.state.odds import odds
from miner.state.rates import total
from miner.state.shares import ShareBook
from miner.state.snapshot import (
    AlarmRow,
    DeviceRow,
    HistoryRow,
    MachineRow,
    RunRow,
    Snapshot,
)
from miner.state.sources import Place, SourceBook
from miner.state.work import Decode, WorkBook
from miner.state.workers import Hardware, WorkerMeter
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job

MAX_ALARMS = 8
SETTLED_S = 60.0  # a rate is held against the benchmark after this


@dataclass(slots=True)
class Facts:
    """What does not change while a run lasts, but `paused` and `views_dropped`."""

    goals: tuple[str, ...] = ()
    paced: bool = False
    paused: bool = False
    tls_insecure: bool = False
    benchmark_hs: float | None = None
    least_hs: float = 0.0  # below it a full minute deserves a word
    mainnet_difficulty: float | None = None
    machine: MachineRow = field(default_factory=MachineRow)
    views_dropped: int = 0
    started_at_s: float = field(default_factory=time.time)


class Status:
    """Everything counted in one run. Thread-safe."""

    def __init__(
        self,
        now: float,
        kept: Kept | None = None,
        decode: Decode = lambda job: None,
    ) -> None:
        self.facts, self.activity = Facts(), Activity.STARTING
        self.blocks_waiting = 0  # in the journal
        self._lock = threading.Lock()
        self._start = now
        self._kept = kept or Kept(now)
        self._shares, self._sources = ShareBook(self._kept.best), SourceBook()
        self._work, self.hardware = WorkBook(now, decode), Hardware()
        self._alarms: deque[AlarmRow] = deque(maxlen=MAX_ALARMS)
        self._change = 0

    def worker(self, info: BackendInfo, now: float) -> WorkerMeter:
        """A new row."""
        meter = WorkerMeter(info.name, info.device, now, info.kind.value)
        with self._lock:
            self.hardware.meters.append(meter)
            self.hardware.began = now if self.hardware.began is None else self.hardware.began
        return meter

    @property
    def hashes(self) -> int:
        return self.hardware.hashes

    def expect_sources(self, places: list[Place]) -> None:
        """Rows of what is configured, before any of them is reached."""
        with self._lock:
            for place in places:
                self._sources.expect(place)

    def job(self, job: Job, now: float) -> None:
        with self._lock:
            self._work.take(job, now)
            self._sources.job(job)
            self._shares.luck.target(job.target, self.hashes)

    def source(self, name: str, health: str, text: str) -> None:
        with self._lock:
            self._sources.of(name).state(health, text)

    def share(self, share: Share) -> None:
        """Count a confirmed hit."""
        with self._lock:
            self._shares.share(share)

    def set_aside(self, share: Share, counter: Aside) -> None:
        """Count a found share that is not sent."""
        with self._lock:
            self._shares.set_aside(share.hash_hex, counter)

    def verdict(self, verdict: Verdict) -> bool:
        """Count the newest answer of each hash once; False when it says nothing new."""
        with self._lock:
            before = self._shares.verdict(verdict)
            if before is None:
                return False
            if before is not verdict:
                self._sources.of(before.source).count(before, -1)
            self._sources.of(verdict.source).count(verdict, 1)
            return True

    def pool_block_accepted(self) -> None:
        """A later job builds on a block whose share a pool took."""
        with self._lock:
            self._shares.answers.blocks[Answer.ACCEPTED] += 1

    @property
    def accepted(self) -> int:
        return self._shares.answers.counts[Answer.ACCEPTED]

    @property
    def blocks_accepted(self) -> int:
        return self._shares.answers.blocks[Answer.ACCEPTED]

    def see_cpu(self, sensors: Sensors) -> None:
        """A reading of the whole CPU."""
        self.hardware.cpu = sensors

    def alarm(self, text: str) -> None:
        with self._lock:
            self._alarms.append(AlarmRow(text, time.time()))

    def tick(self, now: float) -> None:
        """Take samples; call about once a second, or more often."""
        with self._lock:
            self.hardware.tick(now)
            self._shares.luck.see(self.hashes)
            reading = self._reading()
        self._kept.lifetime.mine = Totals(max(now - self._start, 0.0), reading.hashes)
        self._kept.history.see(now, time.time(), reading)

    def close(self) -> None:
        """The run is over: of what nobody answered the fate is unknown."""
        with self._lock:
            self._shares.answers.close()

    def luck_sigmas(self) -> float | None:
        """How far found shares are from what the counted hashes promise; None below 50 shares."""
        return self._shares.sigmas(self.hashes)

    def snapshot(self, now: float) -> Snapshot:
        """This moment. Rates are made outside of the lock: workers do not wait for them."""
        workers = tuple(meter.row(now) for meter in tuple(self.hardware.meters))
        devices = self.hardware.devices(workers)
        with self._lock:
            run = self._run_row(now, devices)
            rate_hs = run.rate_computer_hs if run.paced else run.rates.rate_1min_hs
            self._change += 1
            return Snapshot(
                run=run,
                sources=self._sources.rows(),
                workers=workers,
                devices=devices,
                job=self._work.row(self.hardware.meters, now),
                shares=self._shares.row(run.elapsed_s),
                blocks=self._shares.blocks(self.blocks_waiting),
                luck=self._shares.luck.luck(self._shares.found),
                odds=odds(self._work.job, rate_hs, self.facts.mainnet_difficulty),
                history=HistoryRow(*self._kept.history.rows, self._shares.newest.rows()),
                machine=self.facts.machine,
                alarms=tuple(self._alarms),
                change=self._change,
            )

    def _run_row(self, now: float, devices: tuple[DeviceRow, ...]) -> RunRow:
        facts, rates = self.facts, total(device.rates for device in devices)
        hashes, elapsed_s = self.hashes, max(now - self._start, 0.0)
        trials = [meter.trial_hs for meter in self.hardware.meters]
        known = [trial for trial in trials if trial is not None]
        began = now if self.hardware.began is None else self.hardware.began
        counted_hs = hashes / (now - began) if now > began else 0.0  # as the windows count
        lifetime = self._kept.lifetime.total
        slow = elapsed_s >= SETTLED_S and rates.rate_1min_hs < facts.least_hs
        return RunRow(
            version=__version__,
            activity=self.activity,
            started_at_s=facts.started_at_s,
            elapsed_s=elapsed_s,
            lifetime_s=lifetime.seconds,
            lifetime_hashes=lifetime.hashes,
            goals=facts.goals,
            paused=facts.paused,
            paced=facts.paced,
            tls_insecure=facts.tls_insecure,
            hashes=hashes,
            rates=rates,
            rate_session_hs=None if facts.paced else counted_hs,
            rate_computer_hs=sum(known) if known and len(known) == len(trials) else None,
            rate_benchmark_hs=facts.benchmark_hs,
            below_benchmark=slow and not facts.paused,
            views_dropped=facts.views_dropped,
        )

    def _reading(self) -> Reading:
        answers = self._shares.answers
        lost = (Answer.REJECTED, Answer.STALE, Answer.UNKNOWN)
        rows = {(meter.device, meter.kind) for meter in self.hardware.meters}
        told = [one for row in rows if (one := self.hardware.sensors(*row)) is not None]
        warm = [one.temperature_c for one in told if one.temperature_c is not None]
        watts = [one.power_w for one in told if one.power_w is not None]
        return Reading(
            self.hashes,
            answers.counts[Answer.ACCEPTED],
            sum(answers.counts[answer] for answer in lost),
            max(warm, default=None),
            sum(watts) if watts else None,
            answers.latencies.last_s,
        )
