"""A saved benchmark reaches the live status, and only where it means something."""

from dataclasses import replace
from pathlib import Path

import pytest

from miner import baseline, paths
from miner.backends.hashlib import HashlibBackend
from miner.baseline import Baseline
from miner.run.config import MineConfig, load
from miner.run.wiring import expect_benchmark
from miner.state.status import Status

CONFIG = load({}, {})
SAVED = Baseline("hashlib", 1, 1, 1e6, 0.9e6, 1.1e6, "2026-11-22", "a CPU")


def expected(config: MineConfig, workers: int = 1) -> float | None:
    status = Status(0.0)
    expect_benchmark(status.facts, [HashlibBackend() for _ in range(workers)], config)
    return status.snapshot(1.0).run.rate_benchmark_hs


def test_only_the_same_backends_at_full_speed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    assert expected(CONFIG) is None
    baseline.save([SAVED], paths.state_dir())
    assert expected(CONFIG) == 1e6
    assert expected(CONFIG, workers=2) is None
    assert expected(replace(CONFIG, throttle=50)) is None
    assert expected(replace(CONFIG, block_interval_s=1.0)) is None
