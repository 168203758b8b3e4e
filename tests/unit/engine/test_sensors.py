"""Sensors of devices reach the status from a thread of their own, whatever the driver does."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from miner.backends.base import Kind
from miner.devices.gpu import Sensors
from miner.engine import sensors
from tests.fakes.backend import FakeBackend
from tests.fakes.engine import NEVER, bench_in, job, until


class Card(FakeBackend):
    """A device with sensors; `told` may be an exception."""

    def __init__(self, name: str, told: Any) -> None:
        super().__init__(name)
        self.info = replace(self.info, kind=Kind.GPU)
        self.told = told
        self.askers: set[str] = set()

    def sensors(self) -> Any:
        self.askers.add(threading.current_thread().name)
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def reading(clock: Any, temperature: Any, power: Any) -> SimpleNamespace:
    return SimpleNamespace(clock_mhz=clock, temperature_c=temperature, power_w=power)


def test_readings_reach_the_snapshot_while_the_device_mines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer readings follow, a card that fails says nothing, and no hashing thread asks."""
    monkeypatch.setattr(sensors, "SENSE_S", 0.02)
    hot = Card("hot", reading(2105, 61.5, 203.5))
    lost, cpu = Card("lost", RuntimeError("off the bus")), Card("cpu", None)
    with bench_in(tmp_path) as bench:
        engine = bench.run(hot, lost, cpu, FakeBackend("plain"))
        engine.job(job(share_target=NEVER, network_target=NEVER))
        until(lambda: engine.snapshot().workers[0].sensors)
        assert engine.snapshot().workers[0].sensors == Sensors(2105.0, 61.5, 203.5)
        hot.told = reading(2000, 70.0, None)
        until(lambda: engine.snapshot().workers[0].sensors == Sensors(2000.0, 70.0, None))
        rows = engine.snapshot().workers
        assert [row.sensors for row in rows[1:]] == [Sensors(), None, None]
        assert hot.askers == {"sensors"}


def test_without_a_device_to_ask_no_thread_is_started() -> None:
    worker: Any = SimpleNamespace(backend=FakeBackend("plain"))
    assert sensors.watch(lambda: [worker], threading.Event()) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "61", True, None])
def test_what_is_no_number_is_not_shown(value: Any) -> None:
    assert sensors.read(Card("odd", reading(value, value, 5))) == Sensors(None, None, 5.0)
