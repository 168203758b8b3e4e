"""Measures what the engine costs and how quick it is; prints a table, `--json FILE` keeps it.

Rates: the bare scan loop and the whole engine take turns in one process; the ratio of each pair,
then the median and the median absolute deviation (MAD). Latencies: p50 and p99. Memory: resident
set of a real `miner mine`. Nothing else should run meanwhile; a busy machine shows in the spread.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil

from miner import paths
from miner.backends import registry
from miner.backends.base import (
    CPU_SCAN_S,
    Backend,
    BackendInfo,
    Kind,
    OpenOptions,
    Scannable,
    ScanResult,
)
from miner.backends.selftest import GENESIS, real_block
from miner.bitcoin.address import p2wsh_address
from miner.engine.core import Engine, EngineOptions
from miner.engine.worker import WorkerOptions
from miner.journal import Journal
from miner.sources.base import WorkSource
from miner.sources.fixed import FixedSource, never_found
from miner.state.status import Status
from miner.work.found import FoundBlock, Share
from miner.work.job import Job

BARE_BATCH_S = 0.05  # long enough that calling costs nothing
ADDRESS = p2wsh_address(b"\x51", "regtest")


class BlockSource(FixedSource):
    """Each share is a solo block; an accepted one brings the next job."""

    found = 0

    def pack(self, share: Share) -> FoundBlock:
        return replace(super().pack(share), payload="00" * 1000)

    def submit(self, share: Share) -> None:
        super().submit(share)
        self.found += 1
        easy = 2**240
        bare = never_found(f"b{self.found}")
        self.give(replace(bare, share_target=easy, network_target=easy, one_block_per_parent=True))


class Rate(NamedTuple):
    """Hashes by the wall's second, and by the second of CPU time of this process: the second one
    hardly notices what else the machine does."""

    wall: float
    cpu: float


def bare_rate(backends: Sequence[Backend], seconds: float) -> Rate:
    """Plain scan loops, one thread a backend."""
    rates: list[tuple[float, int]] = []
    cpu = time.process_time()

    def scan(backend: Backend) -> None:
        wanted = backend.info.versions_wanted
        unit = replace(real_block(GENESIS, wanted - 1), target=0)
        began = time.monotonic()
        hashes = backend.scan(unit, 0, 1 << 14).hashes
        count = max(int(hashes / (time.monotonic() - began) * BARE_BATCH_S) // wanted, 1)
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            hashes += backend.scan(unit, 0, count).hashes
        rates.append((hashes / elapsed, hashes))

    threads = [threading.Thread(target=scan, args=(backend,)) for backend in backends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = time.process_time() - cpu
    return Rate(sum(rate for rate, _ in rates), sum(hashes for _, hashes in rates) / cpu)


class EngineRun:
    """An engine as `miner mine` runs it, snapshots four times a second included."""

    def __init__(self, backends: Sequence[Backend], source: WorkSource, folder: Path) -> None:
        self.journal = Journal.open_own(folder, "figures")
        self.status = Status(time.monotonic())
        options = EngineOptions(WorkerOptions())
        self.engine = Engine(
            source, backends, self.journal, self.status, lambda event: None, time.monotonic,
            lambda name: registry.open_named(name, OpenOptions(paths.cache_dir())), options,
        )  # fmt: skip

    def __enter__(self) -> "EngineRun":
        self.engine.start()
        while not self.engine.current.switch_s:
            time.sleep(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()

    def rate(self, seconds: float) -> Rate:
        time.sleep(0.3)  # batches grow to their size
        before, began, cpu = self.status.hashes, time.monotonic(), time.process_time()
        while time.monotonic() - began < seconds:
            self.engine.snapshot()
            time.sleep(0.25)
        hashes = self.status.hashes - before
        return Rate(hashes / (time.monotonic() - began), hashes / (time.process_time() - cpu))


def opened(name: str, threads: int) -> list[Backend]:
    return [registry.open_named(name, OpenOptions(paths.cache_dir())) for _ in range(threads)]


def overhead(
    name: str, threads: int, samples: int, seconds: float, folder: Path
) -> dict[str, object]:
    bare: list[Rate] = []
    engine: list[Rate] = []
    for number in range(2 * samples):
        backends = opened(name, threads)
        if number % 4 in (0, 3):  # bare, engine, engine, bare: a drift hits both
            bare.append(bare_rate(backends, seconds))
        else:
            with EngineRun(backends, FixedSource(never_found()), folder) as run:
                engine.append(run.rate(seconds))
    wall = [e.wall / b.wall for e, b in zip(engine, bare, strict=True)]
    cpu = [e.cpu / b.cpu for e, b in zip(engine, bare, strict=True)]
    return {
        "figure": f"engine / bare loop, {name}, {threads} thread(s)",
        "value": f"{spread(wall)} by the wall, {spread(cpu)} by CPU time",
        "goal": ">= 0.985",
        "wall": wall,
        "cpu": cpu,
        "bare_mhs": round(statistics.median(rate.wall for rate in bare) / 1e6, 3),
        "engine_mhs": round(statistics.median(rate.wall for rate in engine) / 1e6, 3),
    }


class NullBackend:
    """Scans no job, at once: what is left is the engine's own work. Audits get real answers."""

    info = BackendInfo("null", "no device", 1, 16, Kind.CPU)
    nonces = 4096

    def __init__(self) -> None:
        self.batches = 0
        self._real = registry.open_named("hashlib", OpenOptions(paths.cache_dir()))

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        if unit.target != 1:  # never_found's
            return self._real.scan(unit, start, count)
        self.batches += 1
        return ScanResult((), min(count, self.nonces) * len(unit.versions))

    def sensors(self) -> None:
        """It has none."""

    def close(self) -> None: ...


def cost_of_a_batch(folder: Path) -> dict[str, object]:
    """CPU time of one turn of the worker's loop without its scan; audits need real answers."""
    backend = NullBackend()
    with EngineRun([backend], FixedSource(never_found()), folder) as run:
        time.sleep(0.2)
        batches, cpu = backend.batches, time.process_time()
        run.rate(2.0)
        each_s = (time.process_time() - cpu) / (backend.batches - batches)
    return {
        "figure": "a batch outside its scan",
        "value": f"{1e6 * each_s:.1f} µs of CPU = {each_s / CPU_SCAN_S:.2%} of a batch",
        "goal": "<= 2 %",
    }


def raw_disk(folder: Path, times: int = 300) -> dict[str, object]:
    """What the disk itself takes for the same bytes."""
    values = []
    with (folder / "raw").open("ab", buffering=0) as file:
        for _ in range(times):
            began = time.monotonic()
            file.write(b"x" * 2400)
            os.fsync(file.fileno())
            values.append(time.monotonic() - began)
            time.sleep(0.002)
    return quantiles(values, "the disk alone: write and fsync", "-")


def storm(name: str, seconds: float, folder: Path) -> dict[str, object]:
    """1,000 clean jobs a second: hashes against those of a quiet second before."""
    source = FixedSource(never_found())
    with EngineRun(opened(name, 1), source, folder) as run:
        quiet = run.rate(seconds)
        stop = time.monotonic() + seconds + 0.5
        sent = 0

        def send() -> None:
            nonlocal sent
            while time.monotonic() < stop:
                source.give(never_found(f"storm {sent}"))
                sent += 1
                time.sleep(0.001)

        sender = threading.Thread(target=send)
        sender.start()
        stormy = run.rate(seconds)
        sender.join()
    kept = f"{stormy.wall / quiet.wall:.0%} of the hashes, {sent / (seconds + 0.5):.0f} jobs/s"
    return {"figure": "a storm of clean jobs", "value": kept, "goal": ">= 99 %"}


def spread(values: Sequence[float]) -> str:
    middle = statistics.median(values)
    return f"{middle:.4f} ± {statistics.median(abs(value - middle) for value in values):.4f}"


def quantiles(values: Sequence[float], figure: str, goal: str) -> dict[str, object]:
    ordered = sorted(values)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
    value = f"p50 {1000 * p50:.2f} ms, p99 {1000 * p99:.2f} ms, n {len(ordered)}"
    return {"figure": figure, "value": value, "goal": goal, "p50_s": p50, "p99_s": p99}


def switching(name: str, threads: int, jobs: int, folder: Path) -> dict[str, object]:
    source = FixedSource(never_found())
    with EngineRun(opened(name, threads), source, folder) as run:
        time.sleep(0.5)
        run.engine.current.switch_s.clear()
        for number in range(jobs):
            time.sleep(0.011)
            source.give(never_found(f"job {number}"))
        time.sleep(0.2)
        values = list(run.engine.current.switch_s)
    return quantiles(values, f"new job to its first scan, {name} x {threads}",
                     "p50 <= 5 ms, p99 <= 25 ms")  # fmt: skip


def durability(name: str, blocks: int, folder: Path) -> dict[str, object]:
    easy = 2**240
    first: Job = replace(never_found(), share_target=easy, network_target=easy)
    source = BlockSource(first)
    with EngineRun(opened(name, 1), source, folder) as run:
        deadline = time.monotonic() + 120
        while len(run.engine.pipeline.durable_s) < blocks and time.monotonic() < deadline:
            time.sleep(0.05)
        values = list(run.engine.pipeline.durable_s)
    return quantiles(values, "block found to fsynced", "p99 <= 5 ms")


def mine_command(*flags: str, home: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "miner", "mine", "--backend", "native", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "MINER_HOME": home},
    )  # fmt: skip


def memory(seconds: float, home: str) -> list[dict[str, object]]:
    """Resident set with the own node, then on a node in another process."""
    rows: list[dict[str, object]] = []

    def measure(flags: Sequence[str], what: str, goal: str) -> None:
        process = mine_command(*flags, home=home)
        time.sleep(seconds)
        resident = psutil.Process(process.pid).memory_info().rss / 1e6
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        rows.append({"figure": f"resident, {what}", "value": f"{resident:.0f} MB", "goal": goal})

    measure((), "native, own node", "<= 150 MB")
    from miner.node.service import Node

    with Node.start() as node:
        flags = ("--node", node.url, "--cookie", str(node.cookie_file), "--address", ADDRESS)
        measure((*flags, "--block-interval", "1"), "native, --node", "<= 90 MB")
    return rows


def stopping(times: int, home: str) -> dict[str, object]:
    """From SIGTERM to the end of the process, while it mines on the own node."""
    values = []
    for _ in range(times):
        process = mine_command("--block-interval", "0.1", home=home)
        assert process.stdout is not None
        process.stdout.readline()  # the first block
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        values.append(time.monotonic() - began)
        if process.returncode != 0:
            raise SystemExit(f"miner mine ended with {process.returncode}")
    return quantiles(values, "SIGTERM to exit", "p99 <= 1 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="native", help="name of one backend")
    parser.add_argument("--samples", type=int, default=7, help="pairs of a rate")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a sample")
    parser.add_argument("--jobs", type=int, default=2000, help="job switches")
    parser.add_argument("--json", type=Path, help="write the rows there")
    args = parser.parse_args()
    rows: list[dict[str, object]] = []

    def add(make: Callable[[], dict[str, object] | list[dict[str, object]]]) -> None:
        made = make()
        for row in made if isinstance(made, list) else [made]:
            rows.append(row)
            rates = (
                f"  ({row['engine_mhs']} of {row['bare_mhs']} MH/s)" if "bare_mhs" in row else ""
            )
            print(f"{row['figure']:52} {row['value']}{rates}   goal {row['goal']}", flush=True)

    with tempfile.TemporaryDirectory() as home:
        os.environ["MINER_HOME"] = home
        folder = Path(home) / "journal"
        print(f"{platform.processor() or platform.machine()}, load {os.getloadavg()}", flush=True)
        for threads in (1, 2):
            add(lambda n=threads: overhead(args.backend, n, args.samples, args.seconds, folder))  # type: ignore[misc]
        add(lambda: switching(args.backend, 2, args.jobs, folder))
        add(lambda: cost_of_a_batch(folder))
        add(lambda: storm(args.backend, args.seconds, folder))
        add(lambda: raw_disk(folder))
        add(lambda: durability(args.backend, 500, folder))
        add(lambda: memory(8.0, home))
        add(lambda: stopping(20, home))
    if args.json is not None:
        args.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
