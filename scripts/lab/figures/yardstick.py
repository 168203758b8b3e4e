"""Measure every native variant in units of this core.

    python3 scripts/figures.py yardstick [--json]

Y is OpenSSL's bulk SHA-256 in compressions a second, divided by two: what a miner without any of
our ideas would reach. V is the yardstick of the variant (csrc/yardstick.c): independent 32-bit adds
a second at its width, or rounds of the SHA extensions; it is timed before and after every sample,
and a sample with V under 90 % of the run's best was disturbed and is set aside. Share is what is
reached of V over the operations a hash takes, as the build counted them. Rows take turns, so that
drift hits all alike; medians. Time is this thread's CPU time: what other programs take of the core
is not the kernel's, what they take of a shared core shows in V.
"""

import argparse
import hashlib
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from miner.backends import native
from miner.backends.base import Backend
from miner.backends.native import device
from miner.backends.native.library import Library
from miner.backends.selftest import GENESIS, Question
from miner.devices import cpu

SAMPLE_S, ADDS_S = 0.005, 0.0005  # short, so that a disturbed moment spoils few samples
KEEP = 0.9  # of the best V
BLOCK = bytes(8192)  # the size `openssl speed` calls bulk
FEWEST = 7  # undisturbed samples a median needs
TURNS = 40  # of one thread against several
MORE = 6  # times as many rounds as asked for, until enough samples are undisturbed


@dataclass(slots=True)
class Row:
    """One shape with a number of versions; Y is a row without one."""

    name: str
    versions: int
    index: int  # in the library's table: its yardstick
    operations: float  # of the yardstick's kind, a hash; 0 = unknown
    work: Callable[[], float]  # one sample, in H/s
    samples: list[tuple[float, float]] = field(default_factory=list)  # H/s, V

    def kept(self, best_v: float) -> list[float]:
        return [rate for rate, v in self.samples if v >= KEEP * best_v]


def vector_adds(library: Library, row: int) -> float:
    """V now: operations a second of the yardstick of a row of the library's table."""
    done, begun = 0, time.thread_time()
    while (elapsed := time.thread_time() - begun) < ADDS_S:
        done += library.lib.scan_yardstick(row, 20000)
    return done / elapsed


def openssl_sample() -> float:
    """Y now, in H/s: half the compressions a second of hashlib's OpenSSL on 8 KiB blocks."""
    data, hashed = BLOCK * 8, hashlib.sha256()  # eight at once: Python's call is not OpenSSL's time
    begun, blocks = time.thread_time(), 0
    while (elapsed := time.thread_time() - begun) < SAMPLE_S:
        hashed.update(data)
        blocks += len(data) // 64
    return blocks / 2 / elapsed


def scan_sample(backend: Backend, versions: int) -> float:
    """One sample of the scan itself, in H/s, in calls of about a batch."""
    group = tuple(1 + (step << 13) for step in range(versions))
    unit = Question(GENESIS[:76], group, 0, 0, 0)
    count, hashes = max(64, 32768 // versions), 0
    begun = time.thread_time()
    while (elapsed := time.thread_time() - begun) < SAMPLE_S:
        hashes += backend.scan(unit, hashes // versions % 2**31, count).hashes
    return hashes / elapsed


def rows_here(library: Library, only: list[str]) -> list[Row]:
    """Y first, then every usable shape with one version and with as many as it wants."""
    usable = device.usable(library)
    rows = [Row("openssl", 1, usable[-1].index, 0, openssl_sample)]
    for shape in usable:
        if only and shape.variant not in only and shape.name not in only:
            continue
        backend = device.NativeBackend(library, shape.name, shape, shape)
        for versions in sorted({1, shape.versions_wanted}):
            work = partial(scan_sample, backend, versions)
            operations = library.lib.scan_variant_operations(shape.index, versions)
            rows.append(Row(shape.name, versions, shape.index, operations, work))
    return rows


def measure(rows: list[Row], library: Library, samples: int) -> dict[int, float]:
    """Fill the rows in turns until each has enough undisturbed samples; the best V by table row."""
    best = dict.fromkeys({row.index for row in rows}, 0.0)
    for turn in range(samples * MORE):
        for row in rows:
            before = vector_adds(library, row.index)
            rate = row.work()
            after = vector_adds(library, row.index)
            row.samples.append((rate, min(before, after)))
            best[row.index] = max(best[row.index], before, after)
        enough = all(len(row.kept(best[row.index])) >= samples for row in rows)
        if turn + 1 >= samples and enough:
            break
    return best


def together(work: Sequence[Callable[[], float]]) -> float:
    """The sum of these samples, taken at the same time, each in its own thread."""
    with ThreadPoolExecutor(len(work)) as pool:
        return math.fsum(future.result() for future in [pool.submit(one) for one in work])


def several_threads(rows: list[Row], library: Library, threads: int) -> dict[str, float]:
    """What several threads reach over one, best against best, for the scan and for V."""
    fastest = max(rows[1:], key=lambda row: statistics.median(rate for rate, _ in row.samples))
    shape = next(one for one in device.usable(library) if one.name == fastest.name)
    backends = [device.NativeBackend(library, shape.name, shape, shape) for _ in range(threads)]
    adds = partial(vector_adds, library, fastest.index)
    scans = [partial(scan_sample, backend, fastest.versions) for backend in backends]
    best = dict.fromkeys(("v_one", "v_all", "one", "all"), 0.0)
    for _ in range(TURNS):
        for key, work in (
            ("v_one", [adds]),
            ("v_all", [adds] * threads),
            ("one", scans[:1]),
            ("all", scans),
        ):
            best[key] = max(best[key], together(work))
    return {
        "threads": threads,
        "v_ratio": round(best["v_all"] / best["v_one"], 3),
        "rate_ratio": round(best["all"] / best["one"], 3),
    }


def report(rows: list[Row], best: dict[int, float]) -> list[dict[str, Any]]:
    """The rows as plain values; rates in MH/s, V in operations a second."""
    yard = statistics.median(rows[0].kept(best[rows[0].index]) or [r for r, _ in rows[0].samples])
    lines: list[dict[str, Any]] = []
    for row in rows:
        v = best[row.index]
        kept = row.kept(v) or [rate for rate, _ in row.samples]
        middle = statistics.median(kept)
        lines.append(
            {
                "shape": row.name,
                "versions": row.versions,
                "mhs": round(middle / 1e6, 3),
                "mad": round(statistics.median(abs(rate - middle) for rate in kept) / 1e6, 3),
                "yardsticks": round(middle / yard, 3),
                "v": v,
                "v_per_hash": round(v / middle, 1),
                "operations": round(row.operations, 1),
                "share": round(middle * row.operations / v, 3) if v else 0,
                "samples": len(kept),
                "set_aside": len(row.samples) - len(row.kept(v)),
            }
        )
    return lines


def show(lines: list[dict[str, Any]]) -> None:
    print(cpu.model())
    head = f"{'shape':18}{'versions':>9}{'MH/s':>9}{'±MAD':>7}{'Y':>7}{'V, G/s':>8}{'V/hash':>8}"
    print(f"{head}{'counted':>9}{'share':>7}  samples")
    for line in lines:
        print(
            f"{line['shape']:18}{line['versions']:>9}{line['mhs']:>9.2f}{line['mad']:>7.2f}"
            f"{line['yardsticks']:>7.2f}{line['v'] / 1e9:>8.2f}{line['v_per_hash']:>8.1f}"
            f"{line['operations']:>9.1f}{line['share']:>7.0%}"
            f"  {line['samples']} kept, {line['set_aside']} set aside"
        )


def warn(lines: list[dict[str, Any]]) -> None:
    """Say on stderr which medians rest on too little."""
    for line in lines:
        if isinstance(line["samples"], int) and line["samples"] < FEWEST:
            print(
                f"{line['shape']} x{line['versions']}: only {line['samples']} undisturbed "
                f"samples, want {FEWEST}; repeat on a calmer machine",
                file=sys.stderr,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=9, help="undisturbed samples a row, >= 7")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--threads", type=int, default=1, help="also: N threads against one")
    parser.add_argument("variant", nargs="*", help="only these variants or shapes")
    options = parser.parse_args()
    if native.LIBRARY is None:
        raise SystemExit(native.NOT_BUILT)
    rows = rows_here(native.LIBRARY, options.variant)
    best = measure(rows, native.LIBRARY, max(options.samples, FEWEST))
    lines = report(rows, best)
    result: dict[str, object] = {"cpu": cpu.model(), "rows": lines}
    if options.threads > 1 and len(rows) > 1:
        result["threads"] = several_threads(rows, native.LIBRARY, options.threads)
    warn(lines)
    if options.json:
        print(json.dumps(result))
        return
    show(lines)
    if "threads" in result:
        print(result["threads"])
