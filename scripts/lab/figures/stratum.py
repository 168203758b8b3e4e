"""Measures mining on pools against the fake pool of the tests; prints one row a figure.

The pool runs in a process of its own. `--only NAME...` chooses among switch, flood, storm and
eight; `--seconds` shortens the long ones. Nothing else should run meanwhile.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import psutil

from miner import paths
from miner.backends import registry
from miner.backends.base import Backend, BackendInfo, OpenOptions, Scannable, ScanResult
from miner.engine.core import Engine, EngineOptions
from miner.engine.worker import WorkerOptions
from miner.journal import Journal
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.state.status import Status
from miner.transport.urls import pool_login
from tests.fakes.pool import FakePool

Interval = tuple[float, float]  # monotonic seconds, which all processes of a machine share
HARD = "1e6"  # no share in the way


# --- the pool's process -----------------------------------------------------------------------


def serve(pipe: Pipe, difficulty: str, count: int) -> None:
    """Fake pools that obey commands: (function name, arguments); answers with its result."""
    pools = [FakePool(seed=seed + 1, difficulty=difficulty) for seed in range(count)]
    for pool in pools:
        pool.__enter__()
    pipe.send([pool.url for pool in pools])
    with suppress(EOFError):
        while (order := pipe.recv()) is not None:
            name, arguments = order
            pipe.send(globals()[name](pools, *arguments))
    for pool in pools:
        pool.__exit__()


def give_jobs(pools: list[FakePool], count: int, gap_s: float) -> dict[str, float]:
    """Clean jobs on new tips; when each was written, by job id."""
    times = {}
    for _ in range(count):
        time.sleep(gap_s)
        fields = pools[0].new_job(tip=True)
        times[fields[0]] = time.monotonic()
        for connection in pools[0].live:
            connection.give(fields)
    return times


def flood(pools: list[FakePool], seconds: float, per_second: float) -> float:
    """Clean jobs at this rate; the rate reached."""
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = int(elapsed * per_second)
        for _ in range(min(due - sent, 50)):
            pools[0].notify(tip=True)
            sent += 1
        for connection in pools[0].live:
            connection.jobs.clear()
        time.sleep(0.0005)
    return sent / seconds


def drop_about(pools: list[FakePool], seconds: float, seed: int) -> list[list[Interval]]:
    """Each pool drops its miners every 0.5 to 2 s; when each connection had a job to hash."""
    usable: list[list[Interval]] = []

    def drop(pool: FakePool, dice: random.Random) -> None:
        mine: list[Interval] = []
        usable.append(mine)
        given: dict[int, float] = {}
        until = time.monotonic() + seconds
        due = time.monotonic() + dice.uniform(0.5, 2.0)
        while time.monotonic() < until:
            for connection in pool.live:
                if connection.jobs:
                    given.setdefault(connection.number, time.monotonic())
            if time.monotonic() >= due:
                now = time.monotonic()
                mine += [(given.pop(c.number), now) for c in pool.live if c.number in given]
                pool.drop_all(reset=dice.random() < 0.5)
                due = now + dice.uniform(0.5, 2.0)
            time.sleep(0.001)

    threads = [
        threading.Thread(target=drop, args=(pool, random.Random(seed + index)))
        for index, pool in enumerate(pools)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return usable


def ledger(pools: list[FakePool]) -> dict[str, Any]:
    """What the pools judged."""
    accepted = [entry for pool in pools for entry in pool.shares()]
    rejected = [entry for pool in pools for entry in pool.shares(accepted=False)]
    headers = {entry.headers[0] for entry in accepted}
    return {
        "accepted": len(accepted),
        "distinct": len(headers),
        "rejected": [str(entry.error) for entry in rejected[:20]],
        "target": next(job.target for pool in pools for c in pool.connections
                       for job in c.jobs.values()),
    }  # fmt: skip


class PoolProcess:
    """Fake pools in a process of their own."""

    def __init__(self, difficulty: str = HARD, count: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, difficulty, count))
        self._process.start()
        self.urls: list[str] = self._pipe.recv()

    def __enter__(self) -> "PoolProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(20)

    def begin(self, order: Callable[..., Any], *arguments: object) -> None:
        self._pipe.send((order.__name__, arguments))

    def result(self) -> Any:
        return self._pipe.recv()


# --- the miner's side -------------------------------------------------------------------------


@dataclass
class Stamped:
    """A backend that notes when it scanned, and which job it saw first at what time."""

    inner: Backend
    scans: list[Interval] = field(default_factory=list)
    first: dict[str, float] = field(default_factory=dict)

    @property
    def info(self) -> BackendInfo:
        return self.inner.info

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        began = time.monotonic()
        job = getattr(unit, "job", None)
        if job is not None:
            self.first.setdefault(job.job_id, began)
        result = self.inner.scan(unit, start, count)
        self.scans.append((began, time.monotonic()))
        return result

    def sensors(self) -> None:
        """It has none."""

    def close(self) -> None:
        self.inner.close()


class Miner:
    """The engine on pools, as `miner mine` runs it."""

    def __init__(self, urls: Sequence[str], backend: str, threads: int, folder: Path) -> None:
        self.backends = [
            Stamped(registry.open_named(backend, OpenOptions(paths.cache_dir())))
            for _ in range(threads)
        ]
        pools = pool_source([pool_login(url, "figures") for url in urls], PoolOptions())
        self.status = Status(time.monotonic())
        self.engine = Engine(
            pools, self.backends, Journal.open_own(folder, "figures"), self.status,
            lambda event: None, time.monotonic,
            lambda name: registry.open_named(name, OpenOptions(paths.cache_dir())),
            EngineOptions(WorkerOptions()),
        )  # fmt: skip

    def __enter__(self) -> "Miner":
        self.engine.start()
        while not all(backend.first for backend in self.backends):
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()


def quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


def switching(options: argparse.Namespace, folder: Path) -> str:
    with PoolProcess() as pool, Miner(pool.urls, options.backend, 2, folder) as miner:
        time.sleep(1.0)
        pool.begin(give_jobs, options.jobs, 0.011)
        sent = pool.result()
        time.sleep(0.3)
        firsts = [backend.first for backend in miner.backends]
    taken = [
        min(first[job_id] for first in firsts if job_id in first) - when
        for job_id, when in sent.items()
        if any(job_id in first for first in firsts)
    ]
    p50, p99 = 1000 * quantile(taken, 0.5), 1000 * quantile(taken, 0.99)
    return (
        f"notify written to first scan: p50 {p50:.2f} ms, p99 {p99:.2f} ms, n {len(taken)} of "
        f"{options.jobs}   goal p50 <= 5 ms, p99 <= 25 ms"
    )


def flooding(options: argparse.Namespace, folder: Path) -> str:
    seconds = min(options.seconds, 60.0)
    with PoolProcess() as pool, Miner(pool.urls, options.backend, 1, folder) as miner:
        time.sleep(2.0)
        scans = miner.backends[0].scans
        resident = psutil.Process().memory_info
        before, hashes, began = resident().rss, miner.status.hashes, time.monotonic()
        time.sleep(3.0)
        calm = (miner.status.hashes - hashes) / (time.monotonic() - began)
        scans.clear()
        hashes, began = miner.status.hashes, time.monotonic()
        pool.begin(flood, seconds, 1000.0)
        reached = pool.result()
        wall = time.monotonic() - began
        busy = sum(end - start for start, end in list(scans)) / wall
        rate = (miner.status.hashes - hashes) / wall
        jobs = len(miner.backends[0].first)
        grown = (resident().rss - before) / 1024
        kept = sum(map(sys.getsizeof, (scans, miner.backends[0].first))) / 1024 + jobs * 0.15
    return (
        f"{reached:.0f} clean jobs/s for {seconds:.0f} s: scanning {100 * busy:.1f} % of the time, "
        f"rate {100 * rate / calm:.0f} % of the calm one, {jobs} jobs hashed, memory "
        f"{grown:+.0f} KiB (about {kept:.0f} KiB of it this script's notes)   goal >= 70 %, flat"
    )


def merged(intervals: Sequence[Interval]) -> list[Interval]:
    """The union, in order."""
    union: list[Interval] = []
    for start, end in sorted(intervals):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def gaps_within(usable: Sequence[Interval], scans: Sequence[Interval]) -> list[float]:
    """Seconds of each stretch of usable time in which nothing was scanned."""
    gaps = []
    for start, end in usable:
        at = start
        for first, last in scans:
            if last <= at or first >= end:
                continue
            if first > at:
                gaps.append(first - at)
            at = max(at, last)
        if end > at:
            gaps.append(end - at)
    return gaps


def storming(options: argparse.Namespace, folder: Path) -> str:
    seconds = min(options.seconds, 180.0)
    with PoolProcess(options.easy, 2) as pool:
        with Miner(pool.urls, options.backend, 1, folder) as miner:
            pool.begin(drop_about, seconds, options.seed)
            drops = pool.result()
            scans = merged([(a, b + 0.001) for a, b in miner.backends[0].scans])  # loop overhead
        pool.begin(ledger)
        judged = pool.result()
    usable = merged([interval for one in drops for interval in one])
    total = sum(end - start for start, end in usable)
    idle = gaps_within(usable, scans)
    hashed = 100 * (1 - sum(idle) / total)
    return (
        f"{sum(map(len, drops))} drops in {seconds:.0f} s on two pools: hashed {hashed:.1f} % of "
        f"the {total:.0f} s with a usable job, idle gap p99 {1000 * quantile(idle, 0.99):.0f} ms, "
        f"{judged['accepted']} shares, rejected {judged['rejected']}   goal >= 95 %, <= 250 ms"
    )


def eight(options: argparse.Namespace, folder: Path) -> str:
    """Eight `miner mine` on one pool: no share twice, and the work adds up."""
    seconds = min(options.seconds, 300.0)
    with PoolProcess(options.easy) as pool:
        command = [
            sys.executable, "-P", "-m", "miner", "mine", "--json",
            "--pool", pool.urls[0], "--user", "f",
            "--backend", options.backend, "--threads", "1", "--stop-after", f"{seconds:.0f}s",
            "--throttle", str(options.throttle),
        ]  # fmt: skip
        miners = [
            subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True,
                env={**os.environ, "MINER_HOME": str(folder / str(number))},
            )
            for number in range(8)
        ]  # fmt: skip
        outputs = [process.communicate()[0] for process in miners]
        pool.begin(ledger)
        judged = pool.result()
    last = [[json.loads(line) for line in out.splitlines()][-1] for out in outputs]
    hashes = sum(row["hashes"] for row in last)
    expected = hashes * (judged["target"] + 1) / 2**256
    sigmas = (judged["accepted"] - expected) / expected**0.5
    twice = judged["accepted"] - judged["distinct"]
    return (
        f"8 processes, {seconds:.0f} s: {hashes / 1e6:.1f} Mhashes, {judged['accepted']} shares, "
        f"{expected:.1f} expected ({sigmas:+.2f} sigma), {twice} twice, rejected "
        f"{judged['rejected']}   goal within 3 sigma, 0 twice"
    )


FIGURES = {"switch": switching, "flood": flooding, "storm": storming, "eight": eight}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=tuple(FIGURES), default=tuple(FIGURES))
    parser.add_argument("--backend", default="native", help="name of one backend")
    parser.add_argument("--jobs", type=int, default=2000, help="job switches")
    parser.add_argument("--seconds", type=float, default=300.0, help="at most, for each")
    parser.add_argument("--easy", default="1e-3", help="difficulty where shares matter")
    parser.add_argument("--throttle", type=int, default=25, help="percent, for the eight")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as home:
        os.environ["MINER_HOME"] = home
        print(
            f"{options.backend}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True
        )
        for name in options.only:
            print(f"{name:7}{FIGURES[name](options, Path(home) / name)}", flush=True)
