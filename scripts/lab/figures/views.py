"""Measures what a bad view costs a run: hashes a CPU second, and the time of a stop.

A view that never gives control back, one that raises and one that takes a second for each event;
runs with it and without take turns, without, with, with, without, so that a drift hits both. The
rate counts the CPU time of the whole process, by the pool's shares as well, which are the same on
both sides. Printed are the median of the pairs' ratios with its interval (95 %, order statistics),
and the medians of the stops; a control, a bare loop that sleeps 1 ms, says whether times are worth
anything: its p99 should be below 2 ms.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from lab.figures.engine import quantiles

from miner.run import config
from miner.run.run import Run
from miner.state.events import Event
from miner.state.snapshot import Snapshot
from tests.fakes.pool import FakePool

LEAST_EVENTS = 20  # the view was shown so many, or the sample says nothing of it
SETTLE_S = 1.0  # scans grow to their length


class Bad:
    """A view that does this with each event, and each snapshot."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def event(self, event: Event) -> None:
        self.act()

    def tick(self, now: Snapshot) -> None:
        self.act()

    def close(self, last: Snapshot) -> None:
        self.act()


def raise_bug() -> None:
    raise RuntimeError("a bug of the view")


BAD: dict[str, Callable[[], object]] = {
    "blocks for ever": lambda: threading.Event().wait(),
    "raises": raise_bug,
    "takes 1 s an event": lambda: time.sleep(1.0),
}


class Sample(NamedTuple):
    """One run."""

    rate: float  # hashes a second of CPU time
    stop_s: float


def sample(pool: FakePool, backend: str, seconds: float, view: Bad | None) -> Sample:
    flags = {"pool": (pool.url,), "user": ("u",), "backend": (backend,), "idle": False}
    run = Run(config.load({**flags, "threads": "1"}, {}))
    if view is not None:
        run.add(view)
    run.start()
    shares = len(pool.shares())
    pool.wait(lambda: len(pool.shares()) > shares, 30)
    time.sleep(SETTLE_S)
    before, cpu = run.snapshot().run.hashes, time.process_time()
    time.sleep(seconds)
    hashes, cpu = run.snapshot().run.hashes - before, time.process_time() - cpu
    seen = len(pool.shares()) - shares
    began = time.monotonic()
    run.stop()
    took = time.monotonic() - began
    if seen < LEAST_EVENTS:
        raise SystemExit(f"{seen} events in {seconds:g} s: take a longer --seconds")
    return Sample(hashes / cpu, took)


def interval(values: list[float]) -> str:
    """Median and its 95 % interval: the widest order statistics that five to eight values allow."""
    ordered = sorted(values)
    spare = max((len(ordered) - 6) // 4, 0)
    low, high = ordered[spare], ordered[-1 - spare]
    return f"{statistics.median(ordered):.4f} [{low:.4f}, {high:.4f}]"


def compare(pool: FakePool, name: str, backend: str, pairs: int, seconds: float) -> None:
    without: list[Sample] = []
    with_it: list[Sample] = []
    for number in range(2 * pairs):
        bad = number % 4 in (1, 2)
        one = sample(pool, backend, seconds, Bad(BAD[name]) if bad else None)
        (with_it if bad else without).append(one)
    ratios = [bad.rate / good.rate for bad, good in zip(with_it, without, strict=True)]
    stops = [statistics.median(one.stop_s for one in side) for side in (without, with_it)]
    print(f"a view that {name:20} rate {interval(ratios)}   goal >= 0.995, {pairs} pairs")
    print(
        f"{'':32} stop {1000 * stops[0]:.0f} ms without, {1000 * stops[1]:.0f} with"
        "   goal <= 200 more",
        flush=True,
    )


def control(seconds: float) -> None:
    """How late a sleep of 1 ms ends here."""
    late, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        began = time.monotonic()
        time.sleep(0.001)
        late.append(time.monotonic() - began)
    print(quantiles(late, "control: a sleep of 1 ms", "")["value"], flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="native", help="name of one backend")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a sample")
    parser.add_argument(
        "--difficulty", default="0.0005", help="of the pool: for forty shares a second"
    )
    args = parser.parse_args()
    print(f"load {os.getloadavg()}", flush=True)
    control(3.0)
    with tempfile.TemporaryDirectory() as home, FakePool(difficulty=args.difficulty) as pool:
        os.environ["MINER_HOME"] = home
        for name in BAD:
            compare(pool, name, args.backend, args.pairs, args.seconds)
    control(3.0)
