"""Which C variant is fastest here, and which shape of it: measured once for each CPU model and
build, then remembered. Rates are in H/s; "avx512:loops3 x16" is one of a shape with units of 16
versions."""

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from miner import files
from miner.backends import speed
from miner.backends.native.device import NativeBackend, Shape
from miner.devices import cpu

FILE = "native-rates.json"
ROUNDS = 4  # shapes take turns, so that a busy moment hits all alike
SAMPLE_S = 0.004  # with a scan that ends after it; half a second for the eleven shapes of x86
# This thread's own time where it is fine enough: what other programs take of the core is not the
# variant's fault. Windows counts it in steps of 16 ms.
CLOCK = time.perf_counter if sys.platform == "win32" else time.thread_time


def key(module: Path) -> str:
    """The CPU model and the exact build the rates belong to."""
    try:
        build = hashlib.sha256(module.read_bytes()).hexdigest()[:16]
    except OSError:
        build = "unknown"
    return f"{cpu.model()}, build {build}"


def load(cache: Path, module: Path) -> dict[str, float]:
    """Remembered rates; empty when there are none for this CPU and build."""
    try:
        kept = json.loads((cache / FILE).read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict) or kept.get("key") != key(module):
        return {}
    rates: Any = kept.get("rates_hs")
    if not isinstance(rates, dict):
        return {}
    return {name: float(rate) for name, rate in rates.items() if type(rate) is float and rate > 0}


def save(cache: Path, module: Path, rates: dict[str, float]) -> None:
    """Remember; a cache that cannot be written costs a second at the next start, no more."""
    text = json.dumps({"key": key(module), "rates_hs": rates}, indent=1) + "\n"
    with suppress(OSError):
        files.replace(cache / FILE, text.encode())


def rate(rates: dict[str, float], shape: Shape, versions: int) -> float:
    """Its rate with units of so many versions; 0 when it was not measured."""
    return rates.get(f"{shape.name} x{versions}", 0.0)


def measured(rates: dict[str, float], rows: Sequence[Shape]) -> bool:
    """Were all these rows measured?"""
    return all(rate(rates, row, n) for row in rows for n in (1, row.versions_wanted))


def best(rates: dict[str, float], rows: Sequence[Shape]) -> tuple[Shape, Shape]:
    """A variant's fastest shapes, for several versions and for one; unmeasured, the first."""
    several = max(rows, key=lambda row: rate(rates, row, row.versions_wanted))
    return several, max(rows, key=lambda row: rate(rates, row, 1))


def fastest(rates: dict[str, float], rows: Sequence[Shape]) -> str | None:
    """The variant with the highest rate; unmeasured, the first in the table's order."""
    found = max(rows, key=lambda row: rate(rates, row, row.versions_wanted), default=None)
    return found.variant if found else None


def measure(backends: Sequence[NativeBackend]) -> dict[str, float]:
    """Rates of backends of one shape each: the best of a few short samples, taken in turns."""
    cases = [
        (f"{one.several.name} x{n}", speed.Timing(one, speed.never(n), CLOCK))
        for one in backends
        for n in sorted({1, one.several.versions_wanted})
    ]
    rates = speed.in_turns([timing for _, timing in cases], ROUNDS, SAMPLE_S)
    return {name: found for (name, _), found in zip(cases, rates, strict=True)}
