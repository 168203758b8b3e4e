"""The script that times a device between two scans: its arithmetic, and a short run. No bounds."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.backends.opencl_kit import DEVICES, needs_device

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    bootstrap = ModuleType("bootstrap")
    monkeypatch.setattr(bootstrap, "enter", lambda: None, raising=False)
    monkeypatch.setitem(sys.modules, "bootstrap", bootstrap)  # this is the environment already
    for name in ("engine_figures", "opencl_gaps"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec = importlib.util.find_spec("opencl_gaps")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "opencl_gaps", module)
    spec.loader.exec_module(module)
    return module


def test_gaps_and_switches_are_told_apart(script: ModuleType) -> None:
    """Two scans of a job, a job that comes in the middle of the second, one that comes late."""
    scans = [
        script.Scan("a", 0.0, 1.1, 0.1, 1.0),
        script.Scan("a", 1.2, 2.1, 1.25, 2.0),
        script.Scan("b", 2.2, 3.1, 2.5, 3.0),
        script.Scan("c", 3.2, 5.1, 4.5, 5.0),
        script.Scan("", 5.2, 5.5, 5.3, 5.4),
        script.Scan("", 5.6, 5.9, 5.7, 5.8),
    ]
    given = {"b": 1.5, "c": 4.0}
    assert script.gaps(scans, []) == [pytest.approx(0.25)]
    assert script.switches(scans, given, []) == [pytest.approx(0.5), pytest.approx(0.5)]
    assert script.gaps(scans, [1.1]) == []
    assert script.switches(scans, given, [2.4]) == [pytest.approx(0.5)]


@needs_device
def test_a_short_run_prints_a_row_for_each_figure(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    monkeypatch.setattr(script, "SETTLE_S", 0.2)
    monkeypatch.setattr(script, "PAUSE_S", (0.15, 0.2))
    said: list[str] = []
    script.main([DEVICES[0].name, "--switches", "4"], said.append)
    assert said[0].startswith(f"{DEVICES[0].name}: ")
    assert [line.split("  ")[0].split(" p50")[0] for line in said[1:]] == [
        "gap between two scans of a job",
        "new job to its first launch, after",
        "a scan, which a switch may wait for",
    ]
    assert all(" p99 " in line for line in said[1:])
