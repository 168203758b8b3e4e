"""What tuning any GPU's kernel shares: how a shape is timed, and where the winner is kept."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from miner import files
from miner.backends import speed
from miner.backends.base import Backend, OpenOptions, Say, Tuned
from miner.backends.gpu_work import SINGLE_COST, SINGLE_WINS

BUDGET_S = 20.0
SAMPLES, SAMPLE_S = 3, 0.12  # the best counts: other load can only slow a sample down
FIRST_USE = (
    f"first use, looking for its fastest kernel shape for up to {BUDGET_S:.0f} s; "
    "MINER_TUNE=0 skips that"
)


def hears(options: OpenOptions) -> Say | None:
    """Who hears of tuning at first use; None: it is not wanted."""
    return None if os.environ.get("MINER_TUNE") == "0" else options.say


@dataclass(frozen=True, slots=True)
class Tuning:
    """The winner on one device; rates in H/s."""

    shape: Any  # the family's own data class
    rate_hs: float  # scan_shared, with versions enough
    single_rate_hs: float  # scan_single, one version
    tried: int  # shapes measured

    @property
    def single_cost(self) -> float:
        """How much dearer a hash is when its version has a schedule of its own."""
        return self.rate_hs / self.single_rate_hs if self.single_rate_hs > 0 else SINGLE_COST

    @property
    def alone(self) -> bool:
        """Is scan_single the kernel for every version?"""
        return self.single_cost < SINGLE_WINS

    def told(self, name: str, words: str) -> Tuned:
        """For `miner tune`."""
        rates = (self.rate_hs, self.single_rate_hs, self.tried)
        return Tuned(name, asdict(self.shape), words, *rates, self.alone)


def rate(backend: Backend, versions: int) -> float:
    """H/s, the best of a few samples after the launch length has settled."""
    timing = speed.Timing(backend, speed.never(versions))
    timing.sample(SAMPLE_S)
    return speed.in_turns([timing], SAMPLES, SAMPLE_S)[0]


def key(device: str, kernel: str) -> str:
    """A tuning is good for one model, driver and kernel text."""
    return f"{device} | kernel {hashlib.sha256(kernel.encode()).hexdigest()[:16]}"


def load(file: Path, key: str, make: Callable[..., Any]) -> Tuning | None:
    """What was stored under a key, its shape made by `make`; None when nothing is usable."""
    row = _read(file).get(key, {})
    try:
        rates = float(row["rate_hs"]), float(row["single_rate_hs"])
        return Tuning(make(**row["shape"]), *rates, tried=int(row["tried"]))
    except (KeyError, TypeError, ValueError):
        return None


def store(file: Path, key: str, tuning: Tuning) -> None:
    """Remember; a cache that cannot be written costs 20 s at the next start, no more."""
    rows = {**_read(file), key: asdict(tuning)}
    with suppress(OSError):
        files.replace(file, json.dumps(rows, indent=1).encode() + b"\n")


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    kept = rows.items() if isinstance(rows, dict) else ()
    return {name: row for name, row in kept if isinstance(row, dict)}
