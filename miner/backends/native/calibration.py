"""Which C variant is fastest here: measured once for each CPU model and build, then remembered."""

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
from miner.backends.base import Backend
from miner.devices import cpu

FILE = "native-rates.json"
ROUNDS = 5  # variants take turns, so that a busy moment hits all alike
SAMPLE_S = 0.012
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
    """Remembered rates in H/s by variant; empty when there are none for this CPU and build."""
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


def fastest(rates: dict[str, float], usable: Sequence[str]) -> str | None:
    """The usable variant with the highest rate; unmeasured, the first in the table's order."""
    return max(usable, key=lambda name: rates.get(name, 0.0), default=None)


def measure(backends: Sequence[Backend]) -> dict[str, float]:
    """Rates in H/s by variant, the best of a few short samples each, taken in turns."""
    timings = [speed.Timing(backend, clock=CLOCK) for backend in backends]
    names = [backend.info.name.partition(":")[2] for backend in backends]
    return dict(zip(names, speed.in_turns(timings, ROUNDS, SAMPLE_S), strict=True))
