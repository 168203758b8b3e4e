"""What an OpenCL device waits for between two scans, and for a new job; prints one row a figure.

    python3 scripts/figures.py opencl_gaps [NAME] [--switches 500] [--alone]

The whole engine mines; the device's times come from the profile of each launch. A gap lasts from
the end of a scan's last launch to the start of the next one's first. A switch lasts from the moment
a job is handed to the engine to the start of its first launch, less what then remained of the
running scan, which is not broken off.

Nothing else should run meanwhile. Where that cannot be had, root may ask for --alone: real-time
scheduling keeps other programs out, and mining rests before the system would step in, once a
second; scans beside a rest are left out.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from lab.figures.engine import EngineRun

from miner import paths
from miner.backends.base import OpenOptions, Scannable, ScanResult
from miner.backends.gpu_scan import GpuBackend
from miner.backends.opencl.device import Launch
from miner.backends.opencl.tune import open_tuned
from miner.sources.fixed import FixedSource, never_found

SETTLE_S = 1.5  # the launches find their length
PAUSE_S = (0.06, 0.16)  # between two jobs: a scan and more, so that they come at any phase of it
REST_EVERY_S, REST_S = 0.7, 0.12  # the system lets others in after 0.95 s


@dataclass(slots=True)
class Scan:
    """One scan of a job: when it was called and returned, when the device began and ended."""

    job_id: str
    called: float
    returned: float = 0.0
    began: float = 0.0
    ended: float = 0.0


@dataclass
class Stamped:
    """An OpenCL backend that notes its scans."""

    inner: GpuBackend
    scans: list[Scan] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.info = self.inner.info
        self._launches: list[Launch] = []
        session: Any = self.inner._session
        self._start, session.start = session.start, self._noted

    def _noted(self, *arguments: Any) -> Launch:
        self._launches.append(self._start(*arguments))
        return self._launches[-1]

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        self._launches.clear()
        job = getattr(unit, "job", None)  # an audit has none
        now = Scan(job.job_id if job else "", time.monotonic())
        result = self.inner.scan(unit, start, count)
        now.returned = time.monotonic()
        worked = [interval(launch) for launch in self._launches]
        now.began, now.ended = min(begin for begin, _ in worked), max(end for _, end in worked)
        self.scans.append(now)
        return result

    def sensors(self) -> None:
        """It has none."""

    def close(self) -> None:
        self.inner.close()


def interval(launch: Launch) -> tuple[float, float]:
    """When its kernel ran, in monotonic seconds: the device's clock, set by the queueing."""
    profile = launch.kernel_event.profile
    began, ended = 1e-9 * (profile.start - profile.queued), 1e-9 * (profile.end - profile.queued)
    return launch.queued_at + began, launch.queued_at + ended


def gaps(scans: Sequence[Scan], rests: Sequence[float]) -> list[float]:
    """Between two scans of one job, no rest between them."""
    return [
        after.began - before.ended
        for before, after in pairwise(scans)
        if before.job_id == after.job_id != "" and not between(rests, before.called, after.began)
    ]


def switches(scans: Sequence[Scan], given: dict[str, float], rests: Sequence[float]) -> list[float]:
    """From a job's arrival to its first launch, less what remained of the scan before."""
    return [
        after.began - max(given[after.job_id], before.ended)
        for before, after in pairwise(scans)
        if before.job_id != after.job_id in given
        and not between(rests, given[after.job_id], after.began)
    ]


def between(moments: Iterable[float], begin: float, end: float) -> bool:
    return any(begin <= moment <= end for moment in moments)


def mined(
    backend: Stamped, count: int, alone: bool, folder: Path
) -> tuple[dict[str, float], list[float]]:
    """Let the engine mine while `count` jobs come; when each was given, and when mining rested."""
    source = FixedSource(never_found())
    given: dict[str, float] = {}
    rests: list[float] = []
    with EngineRun([backend], source, folder) as run:
        time.sleep(0.0 if alone else SETTLE_S)
        awake = time.monotonic()
        while len(given) < count:
            time.sleep(random.uniform(*PAUSE_S))
            if alone and time.monotonic() - awake > REST_EVERY_S:
                rests.append(time.monotonic())
                run.engine.pause(True)
                time.sleep(REST_S)
                run.engine.pause(False)
                rests.append(awake := time.monotonic())
                continue
            job = never_found(f"switch {len(given)}")
            given[job.job_id] = time.monotonic()
            source.give(job)
        time.sleep(0.2)
    return given, rests


def row(figure: str, values: Sequence[float], goal: str) -> str:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    shown = " ".join(
        f"{name} {1000 * value:.2f}"
        for name, value in (
            ("p50", cuts[49]), ("p90", cuts[89]), ("p99", cuts[98]), ("max", max(values)),
        )
    )  # fmt: skip
    return f"{figure:36} {shown} ms, n {len(values)}   goal {goal}"


def main(arguments: Sequence[str] | None = None, say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("name", nargs="?", default="opencl", help="as in `miner devices`")
    parser.add_argument("--switches", type=int, default=500, help="jobs to give, 2 or more")
    parser.add_argument("--alone", action="store_true", help="keep other programs out; root")
    asked = parser.parse_args(arguments)
    if asked.alone:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with tempfile.TemporaryDirectory() as folder:
        backend = Stamped(open_tuned(asked.name, OpenOptions(paths.cache_dir())))
        given, rests = mined(backend, asked.switches, asked.alone, Path(folder))
    scans = [scan for scan in backend.scans if scan.called >= min(given.values()) - 0.05]
    how = "alone" if asked.alone else f"load {os.getloadavg()[0]:.1f}"
    say(f"{backend.info.name}: {backend.info.device}, {os.cpu_count()} cores, {how}")
    say(row("gap between two scans of a job", gaps(scans, rests), "p99 < 1 ms"))
    say(row("new job to its first launch, after", switches(scans, given, rests), "<= 5 ms"))
    spent = [scan.returned - scan.called for scan in scans if scan.job_id]
    say(row("a scan, which a switch may wait for", spent, "about 50 ms"))
