"""Measure every native variant in units of this core.

    python3 scripts/figures.py yardstick [--json]

Y is OpenSSL's bulk SHA-256 in compressions a second, divided by two: what a miner without any of
our ideas would reach. V is independent 32-bit adds a second at the variant's width, timed before
and after every sample; a sample with V under 90 % of the run's best was disturbed and is set
aside. Rows take turns, so that drift hits all alike; medians. Time is this thread's CPU time: what
other programs take of the core is not the kernel's, what they take of a shared core shows in V.
"""

import argparse
import ctypes
import hashlib
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

from miner.backends import native
from miner.backends.base import Backend, OpenOptions
from miner.backends.selftest import GENESIS, Question
from miner.devices import cpu

WIDTHS = {"avx512": 512, "avx2": 256}  # bits; all others 128
SAMPLE_S, ADDS_S = 0.005, 0.0005  # short, so that a disturbed moment spoils few samples
KEEP = 0.9  # of the best V
BLOCK = bytes(8192)  # the size `openssl speed` calls bulk
FEWEST = 7  # undisturbed samples a median needs
TURNS = 40  # of one thread against several
MORE = 6  # times as many rounds as asked for, until enough samples are undisturbed


@dataclass(slots=True)
class Row:
    """One variant with a number of versions; Y is a row without a backend."""

    variant: str
    versions: int
    width: int  # bits of its vector unit, for V
    work: Callable[[], float]  # one sample, in H/s
    samples: list[tuple[float, float]] = field(default_factory=list)  # H/s, V

    def kept(self, best_v: float) -> list[float]:
        return [rate for rate, v in self.samples if v >= KEEP * best_v]


def load_adds(folder: Path) -> ctypes.CDLL:
    """csrc/yardstick.c, compiled. Raises SystemExit without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("yardstick: no C compiler, which V needs; install gcc or clang")
    library = folder / "yardstick.so"
    source = ROOT / "csrc" / "yardstick.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def vector_adds(library: ctypes.CDLL, width: int) -> float:
    """V now: adds a second at this width."""
    adds, each = getattr(library, f"yardstick_adds_{width}"), library.yardstick_adds_a_turn()
    turns, done, begun = 20000, 0, time.thread_time()
    while (elapsed := time.thread_time() - begun) < ADDS_S:
        adds(ctypes.c_uint64(turns))
        done += turns * each
    return float(done / elapsed)


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


def rows_here(only: list[str]) -> list[Row]:
    """Y first, then every usable variant with one version and with as many as it wants."""
    rows = [Row("openssl", 1, 32, openssl_sample)]
    for candidate in native.PROVIDER.probe():
        name = candidate.name.partition(":")[2]
        if not candidate.usable or (only and name not in only):
            print(f"{candidate.name}: {candidate.why_not or 'not asked for'}", file=sys.stderr)
            continue
        backend = native.PROVIDER.open(candidate.name, OpenOptions(Path()))
        for versions in sorted({1, backend.info.versions_wanted}):
            work = partial(scan_sample, backend, versions)
            rows.append(Row(name, versions, WIDTHS.get(name, 128), work))
    return rows


def measure(rows: list[Row], library: ctypes.CDLL, samples: int) -> dict[int, float]:
    """Fill the rows in turns until each has enough undisturbed samples; the best V by width."""
    best = dict.fromkeys({row.width for row in rows}, 0.0)
    for turn in range(samples * MORE):
        for row in rows:
            before = vector_adds(library, row.width)
            rate = row.work()
            after = vector_adds(library, row.width)
            row.samples.append((rate, min(before, after)))
            best[row.width] = max(best[row.width], before, after)
        enough = all(len(row.kept(best[row.width])) >= samples for row in rows)
        if turn + 1 >= samples and enough:
            break
    return best


def together(work: Sequence[Callable[[], float]]) -> float:
    """The sum of these samples, taken at the same time, each in its own thread."""
    with ThreadPoolExecutor(len(work)) as pool:
        return math.fsum(future.result() for future in [pool.submit(one) for one in work])


def several_threads(rows: list[Row], library: ctypes.CDLL, threads: int) -> dict[str, float]:
    """What several threads reach over one, best against best, for the scan and for V."""
    fastest = max(rows[1:], key=lambda row: statistics.median(rate for rate, _ in row.samples))
    backends = [
        native.PROVIDER.open(f"native:{fastest.variant}", OpenOptions(Path()))
        for _ in range(threads)
    ]
    adds = partial(vector_adds, library, fastest.width)
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


def report(rows: list[Row], best: dict[int, float]) -> list[dict[str, object]]:
    """The rows as plain values; rates in MH/s, V in adds a second."""
    yard = statistics.median(rows[0].kept(best[32]) or [rate for rate, _ in rows[0].samples])
    lines: list[dict[str, object]] = []
    for row in rows:
        kept = row.kept(best[row.width]) or [rate for rate, _ in row.samples]
        middle = statistics.median(kept)
        spread = statistics.median(abs(rate - middle) for rate in kept)
        lines.append(
            {
                "variant": row.variant,
                "versions": row.versions,
                "mhs": round(middle / 1e6, 3),
                "mad": round(spread / 1e6, 3),
                "yardsticks": round(middle / yard, 3),
                "v_per_hash": round(best[row.width] / middle, 1),
                "width": row.width,
                "samples": len(kept),
                "set_aside": len(row.samples) - len(row.kept(best[row.width])),
            }
        )
    return lines


def show(lines: list[dict[str, object]], best: dict[int, float]) -> None:
    print(f"{cpu.model()}; V: ", end="")
    print(", ".join(f"{v / 1e9:.2f} G adds/s at {width} bits" for width, v in sorted(best.items())))
    print(f"{'variant':10}{'versions':>9}{'MH/s':>9}{'±MAD':>7}{'Y':>7}{'V/hash':>8}  samples")
    for line in lines:
        print(
            f"{line['variant']:10}{line['versions']:>9}{line['mhs']:>9.2f}{line['mad']:>7.2f}"
            f"{line['yardsticks']:>7.2f}{line['v_per_hash']:>8.1f}"
            f"  {line['samples']} kept, {line['set_aside']} set aside"
        )


def warn(lines: list[dict[str, object]]) -> None:
    """Say on stderr which medians rest on too little."""
    for line in lines:
        if isinstance(line["samples"], int) and line["samples"] < FEWEST:
            print(
                f"{line['variant']} x{line['versions']}: only {line['samples']} undisturbed "
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
    parser.add_argument("variant", nargs="*", help="only these variants")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = load_adds(Path(folder))
        rows = rows_here(options.variant)
        best = measure(rows, library, max(options.samples, FEWEST))
        lines = report(rows, best)
        result: dict[str, object] = {
            "cpu": cpu.model(),
            "rows": lines,
            "v": {str(width): v for width, v in best.items()},
        }
        if options.threads > 1 and len(rows) > 1:
            result["threads"] = several_threads(rows, library, options.threads)
    warn(lines)
    if options.json:
        print(json.dumps(result))
        return
    show(lines, best)
    if "threads" in result:
        print(result["threads"])
