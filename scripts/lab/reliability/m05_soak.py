"""M5: days of pool work in minutes; memory, descriptors and threads of the miner stay flat."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil
from lab.reliability.measure import Row, Run, Size, slope

from tests.fakes.pool import FakePool

JOBS_PER_S = 115.0
SLOPE_GOAL_KIB, GROWTH_GOAL_KIB = 64.0, 5 * 1024
WARM = 0.25  # of the samples: allocators settle
WARM_SHARES = 4_096  # tables of the newest hashes and answers are full, and rebuilt once, by then
WARM_S = 60.0
FAST, STEADY = "1e-7", "2e-6"  # share difficulties of the warm-up and after
KEPT_JOBS = 200  # a pool forgets older ones
LATE = (21, 22)  # a share of a forgotten job, or sent again after a lost answer: not the miner's


@dataclass(frozen=True)
class Sample:
    jobs: int
    rss_kib: float
    descriptors: int
    threads: int


@dataclass
class Soak:
    """What happened to the miner."""

    jobs: int = 0
    reconnects: int = 0
    shares: int = 0
    samples: list[Sample] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def measure(run: Run) -> list[Row]:
    seconds = run.pick(4.0, 15.0, 480.0)
    drops = run.pick(3, 14, 205)
    soak = Soak()
    with FakePool(seed=run.seed & 0xFF, difficulty=FAST) as pool:
        command = [
            sys.executable, "-P", "-m", "miner", "mine", "--pool", pool.url, "--user", "soak",
            "--json", "--backend", "hashlib", "--threads", "1",
        ]  # fmt: skip
        home = str(run.folder / "home")
        environment = {**os.environ, "MINER_HOME": home, "MINER_IDLE": "no"}
        with (run.folder / "out").open("w") as out:
            miner = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        try:
            pool.wait(lambda: pool.ledger, 60.0)
            warm_up(pool, run.pick(50, 2000, WARM_SHARES))
            drive(pool, psutil.Process(miner.pid), soak, seconds, drops)
        finally:
            miner.terminate()
            code = miner.wait(20)
        soak.shares = len(pool.shares())
        errors = [entry.error or [0] for entry in pool.shares(accepted=False)]
        soak.refused = [str(error) for error in errors if error[0] not in LATE]
    return rows(soak, code, run)


def warm_up(pool: FakePool, shares: int) -> None:
    """Easy shares until the miner's bounded tables are full, or for a minute."""
    until = time.monotonic() + WARM_S
    while len(pool.ledger) < shares and time.monotonic() < until:
        pool.notify()
        time.sleep(0.2)
    pool.difficulty = STEADY
    for connection in pool.live:
        connection.set_difficulty(STEADY)
    pool.notify(clean=True)
    pool.ledger.clear()


def drive(pool: FakePool, miner: psutil.Process, soak: Soak, seconds: float, drops: int) -> None:
    """Jobs at a steady rate, reconnects spread evenly, a sample each second at most."""
    began = time.monotonic()
    next_sample, every = 0.0, seconds / (drops + 1)
    while (elapsed := time.monotonic() - began) < seconds:
        if soak.jobs < elapsed * JOBS_PER_S:
            fields = pool.new_job(clean=soak.jobs % 10 == 0, tip=soak.jobs % 100 == 0)
            for connection in [c for c in pool.live if c.user]:
                connection.give(fields)
                soak.jobs += 1
                while len(connection.jobs) > KEPT_JOBS:
                    del connection.jobs[next(iter(connection.jobs))]
        else:
            time.sleep(0.002)
        if elapsed > (soak.reconnects + 1) * every and soak.reconnects < drops:
            soak.reconnects += 1
            pool.drop_all(reset=soak.reconnects % 2 == 0)
            pool.connections[:] = pool.live
        if elapsed >= next_sample and any(c.user for c in pool.live):
            next_sample = elapsed + min(1.0, seconds / 40)
            with miner.oneshot():
                rss = miner.memory_info().rss / 1024
                soak.samples.append(Sample(soak.jobs, rss, miner.num_fds(), miner.num_threads()))


def rows(soak: Soak, code: int, run: Run) -> list[Row]:
    settled = soak.samples[int(WARM * len(soak.samples)) :]
    per_10k = 10_000 * slope([s.jobs for s in settled], [s.rss_kib for s in settled])
    tenth = max(len(settled) // 10, 1)
    growth = mean(settled[-tenth:]) - mean(settled[:tenth])
    descriptors = {s.descriptors for s in settled}
    threads = {s.threads for s in settled}
    wobble = max(spread(descriptors), spread(threads))
    enough = soak.jobs >= run.pick(1, 1, 48_000) and soak.shares >= run.pick(1, 1, 10_000)
    done = f"{soak.jobs} jobs, {soak.shares} shares, {soak.reconnects} reconnects"
    flat = f"{per_10k:+.0f} KiB per 10,000 jobs, {growth:+.0f} KiB in all"
    full = run.size is Size.FULL  # in seconds, a table that fills looks like a slope
    low = growth < GROWTH_GOAL_KIB and (per_10k <= SLOPE_GOAL_KIB or not full)
    goal = "<= 64 KiB per 10,000 jobs, < 5 MB in all" if full else "< 5 MB in all"
    wrong = [*soak.refused, *([f"exit code {code}"] if code else [])]
    return [
        Row("M5", "soak: memory", f"{flat}; {done}", goal, soak.jobs, len(wrong), enough and low,
            tuple(wrong[:3])),
        Row("M5", "soak: descriptors, threads", f"{bounds(descriptors)}, {bounds(threads)}",
            "+-2 each", len(settled), 0, wobble <= 4),
    ]  # fmt: skip


def mean(samples: Sequence[Sample]) -> float:
    return sum(sample.rss_kib for sample in samples) / len(samples)


def spread(values: set[int]) -> int:
    return max(values) - min(values)


def bounds(values: set[int]) -> str:
    return f"{min(values)} .. {max(values)}"
