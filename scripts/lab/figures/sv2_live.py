"""Times mining on a Stratum v2 pool over real sockets: engine ratio, new jobs, reconnects.

    python3 scripts/figures.py sv2_live [--only ratio jobs reconnects] [--backend native]

The pool, the double of the tests, runs in a process of its own. Rates: the bare scan loop and the
engine on a session take turns; the ratio of each pair, then median and median absolute deviation.
Nothing else should run meanwhile.
"""

import argparse
import multiprocessing
import os
import queue
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import psutil
from lab.figures.engine import EngineRun, Rate, bare_rate, opened, spread
from lab.figures.stratum import Stamped, quantile

from miner.backends.base import Backend
from miner.sources.base import SourceState, WorkSource
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.transport.urls import pool_login
from miner.work.found import Verdict
from miner.work.job import Job
from tests.fakes.sv2_pool import FakeSv2Pool
from tests.fakes.sv2_server import Sv2Server

NEVER = 0x03000001  # nbits of the target 1: nothing is found
WARM = 100  # reconnects before memory is looked at


# --- the pool's process -----------------------------------------------------------------------


def serve(pipe: Pipe) -> None:
    """A pool that obeys: (function name, arguments); answers with its result."""
    with Sv2Server(lambda: FakeSv2Pool(by_group=True, target=1, nbits=NEVER)) as server:
        pipe.send(server.url)
        with suppress(EOFError):
            while (order := pipe.recv()) is not None:
                name, arguments = order
                pipe.send(globals()[name](server, *arguments))


def give_jobs(server: Sv2Server, count: int, gap_s: float) -> dict[str, float]:
    """Future jobs, each activated by a new tip in the same write; when it was written, by id."""
    pool, connection, times = server.pools[-1], server.sockets[-1], {}
    for number in range(count):
        time.sleep(gap_s)
        job_id = pool.next_job
        data = pool.send_job(101 + number, path=tuple(bytes([n]) * 32 for n in range(12)))
        data += pool.send_tip(job_id, (number + 1).to_bytes(32, "big"), int(time.time()))
        connection.sendall(data)
        times[str(job_id)] = time.monotonic()
    return times


def cut(server: Sv2Server) -> int:
    """End every connection; how many there were until now."""
    server.cut()
    return len(server.sockets)


class PoolProcess:
    """The pool in a process of its own."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,))
        self._process.start()
        self.url: str = self._pipe.recv()

    def __enter__(self) -> "PoolProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(20)

    def do(self, name: str, *arguments: object) -> Any:
        self._pipe.send((name, arguments))
        return self._pipe.recv()

    def source(self, **options: Any) -> WorkSource:
        return pool_source([pool_login(self.url, "figures.desk")], PoolOptions(**options))


# --- the figures ------------------------------------------------------------------------------


def ratio(options: argparse.Namespace, folder: Path) -> str:
    bare: list[Rate] = []
    engine: list[Rate] = []
    with PoolProcess() as pool:
        for number in range(2 * options.samples):
            backends: list[Backend] = opened(options.backend, options.threads)
            if number % 4 in (0, 3):  # bare, engine, engine, bare: a drift hits both
                bare.append(bare_rate(backends, options.seconds))
            else:
                with EngineRun(backends, pool.source(), folder) as run:
                    engine.append(run.rate(options.seconds))
    wall = [e.wall / b.wall for e, b in zip(engine, bare, strict=True)]
    cpu = [e.cpu / b.cpu for e, b in zip(engine, bare, strict=True)]
    return (
        f"engine on an SV2 session / bare loop, {options.threads} thread(s), {options.samples} "
        f"pairs: {spread(wall)} by the wall, {spread(cpu)} by CPU time   goal >= 0.985"
    )


def jobs(options: argparse.Namespace, folder: Path) -> str:
    backends = [Stamped(backend) for backend in opened(options.backend, options.threads)]
    with PoolProcess() as pool:
        with EngineRun(backends, pool.source(), folder):
            time.sleep(1.0)
            sent = pool.do("give_jobs", options.jobs, 0.011)
            time.sleep(0.3)
        firsts = [backend.first for backend in backends]
    taken = [
        min(first[job_id] for first in firsts if job_id in first) - when
        for job_id, when in sent.items()
        if any(job_id in first for first in firsts)
    ]
    p50, p99 = 1000 * quantile(taken, 0.5), 1000 * quantile(taken, 0.99)
    return (
        f"job and tip written to first scan: p50 {p50:.2f} ms, p99 {p99:.2f} ms, n {len(taken)} of "
        f"{options.jobs}   goal p50 <= 5 ms"
    )


class JobsOnly:
    """A sink that hands on jobs."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()

    def job(self, job: Job) -> None:
        self.jobs.put(job)

    def verdict(self, verdict: Verdict) -> None: ...

    def state(self, state: SourceState) -> None: ...

    def alarm(self, text: str) -> None: ...


def reconnects(options: argparse.Namespace, folder: Path) -> str:
    process, sink = psutil.Process(), JobsOnly()
    with PoolProcess() as pool:
        source = pool.source(least_delay_s=0.0, most_delay_s=0.0)
        source.start(sink)
        before, began = (0, 0, 0), time.monotonic()
        for number in range(WARM + options.reconnects):
            sink.jobs.get(timeout=30.0)
            if number == WARM:
                before, began = held(process), time.monotonic()
            pool.do("cut")
        sink.jobs.get(timeout=30.0)
        after, took_s = held(process), time.monotonic() - began
        source.stop(0.0)
    grown, descriptors, threads = (b - a for a, b in zip(before, after, strict=True))
    return (
        f"{options.reconnects} reconnects to work again in {took_s:.0f} s: memory "
        f"{grown / 1024:+.0f} KiB, descriptors {descriptors:+d}, threads {threads:+d}   goal flat"
    )


def held(process: psutil.Process) -> tuple[int, int, int]:
    """Bytes, descriptors and threads."""
    return process.memory_info().rss, process.num_fds(), process.num_threads()


FIGURES = {"ratio": ratio, "jobs": jobs, "reconnects": reconnects}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="*", choices=tuple(FIGURES), default=tuple(FIGURES))
    parser.add_argument("--backend", default="native", help="name of one backend")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=10, help="pairs of rates")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each rate")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--reconnects", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["MINER_HOME"] = home
        print(f"{options.backend}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        for name in options.only:
            print(f"{name:11}{FIGURES[name](options, Path(home) / name)}", flush=True)
    return 0
