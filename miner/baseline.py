"""The saved benchmark result that a running miner's rate is held against: a small JSON file.

Written by `miner bench --save`, read by whoever shows a live rate; unusable files read as None,
since a miner must never stop for the sake of a comparison.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from miner import files

FILE = "baseline.json"
AMBER = 0.95  # below this share of the interval's lower end the live rate deserves a word
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Baseline:
    """One measured case."""

    backend: str  # BackendInfo.name: "native:avx2"
    threads: int
    versions: int
    rate_hs: float
    low_hs: float  # 95 % interval, or the rate itself when there was none
    high_hs: float
    created: str  # UTC, ISO 8601
    cpu: str


def save(baselines: list[Baseline], state_dir: Path) -> Path:
    """Replace the file at once; other cases that it holds stay. Raises OSError."""
    fresh = {(one.backend, one.threads, one.versions) for one in baselines}
    kept = [one for one in load(state_dir) if (one.backend, one.threads, one.versions) not in fresh]
    path, cases = state_dir / FILE, [asdict(one) for one in [*kept, *baselines]]
    files.replace(path, json.dumps({"schema": 1, "cases": cases}).encode() + b"\n")
    return path


def load(state_dir: Path) -> list[Baseline]:
    """Every saved case; empty when there is no usable file."""
    path = state_dir / FILE
    try:
        data = json.loads(files.read(path, MAX_BYTES))
        found = [Baseline(**case) for case in data["cases"]] if data["schema"] == 1 else []
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []
    return [one for one in found if _usable(one)]


def _usable(one: Baseline) -> bool:
    rates = (one.rate_hs, one.low_hs, one.high_hs)
    return (
        all(type(rate) in (int, float) and math.isfinite(rate) and rate > 0 for rate in rates)
        and type(one.threads) is int
        and isinstance(one.backend, str)
    )


def expected(baselines: list[Baseline], workers: Mapping[str, int]) -> Baseline | None:
    """The sum over the running backends (name -> threads); None unless each was measured so."""
    chosen = []
    for name, threads in workers.items():
        fitting = [one for one in baselines if (one.backend, one.threads) == (name, threads)]
        if not fitting:
            return None
        chosen.append(max(fitting, key=lambda one: one.versions))  # mining rolls when it may
    if not chosen:
        return None
    return Baseline(
        backend=" + ".join(one.backend for one in chosen),
        threads=sum(one.threads for one in chosen),
        versions=max(one.versions for one in chosen),
        rate_hs=sum(one.rate_hs for one in chosen),
        low_hs=sum(one.low_hs for one in chosen),
        high_hs=sum(one.high_hs for one in chosen),
        created=min(one.created for one in chosen),
        cpu=chosen[0].cpu,
    )
