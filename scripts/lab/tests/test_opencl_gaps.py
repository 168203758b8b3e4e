"""The script that times a device between two scans: its arithmetic, and a short run. No bounds."""

from pathlib import Path

import pytest
from lab.figures import opencl_gaps

from miner.backends import opencl

DEVICES = [row for row in opencl.PROVIDER.probe() if row.usable]
needs_device = pytest.mark.skipif(not DEVICES, reason="no OpenCL device here")


def test_gaps_and_switches_are_told_apart() -> None:
    """Two scans of a job, a job that comes in the middle of the second, one that comes late."""
    scans = [
        opencl_gaps.Scan("a", 0.0, 1.1, 0.1, 1.0),
        opencl_gaps.Scan("a", 1.2, 2.1, 1.25, 2.0),
        opencl_gaps.Scan("b", 2.2, 3.1, 2.5, 3.0),
        opencl_gaps.Scan("c", 3.2, 5.1, 4.5, 5.0),
        opencl_gaps.Scan("", 5.2, 5.5, 5.3, 5.4),
        opencl_gaps.Scan("", 5.6, 5.9, 5.7, 5.8),
    ]
    given = {"b": 1.5, "c": 4.0}
    assert opencl_gaps.gaps(scans, []) == [pytest.approx(0.25)]
    assert opencl_gaps.switches(scans, given, []) == [pytest.approx(0.5), pytest.approx(0.5)]
    assert opencl_gaps.gaps(scans, [1.1]) == []
    assert opencl_gaps.switches(scans, given, [2.4]) == [pytest.approx(0.5)]


@needs_device
def test_a_short_run_prints_a_row_for_each_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    monkeypatch.setattr(opencl_gaps, "SETTLE_S", 0.2)
    monkeypatch.setattr(opencl_gaps, "PAUSE_S", (0.15, 0.2))
    said: list[str] = []
    opencl_gaps.main([DEVICES[0].name, "--switches", "4"], said.append)
    assert said[0].startswith(f"{DEVICES[0].name}: ")
    assert [line.split("  ")[0].split(" p50")[0] for line in said[1:]] == [
        "gap between two scans of a job",
        "new job to its first launch, after",
        "a scan, which a switch may wait for",
    ]
    assert all(" p99 " in line for line in said[1:])
