"""What devices say of themselves while they work, for screens: read every few seconds.

A thread of its own asks, since a driver's library may take its time: never the thread that hashes.
"""

import math
import threading
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from miner.engine.worker import Worker
from miner.status import Sensors

SENSE_S = 5.0


class Telling(Protocol):
    """A reading; None: not told."""

    @property
    def clock_mhz(self) -> float | None: ...

    @property
    def temperature_c(self) -> float | None: ...

    @property
    def power_w(self) -> float | None: ...


@runtime_checkable
class Sensed(Protocol):
    """A backend that can be asked, by any thread and at any time."""

    def facts(self) -> Telling | None:
        """None: its device has no sensors of its own."""


def watch(workers: Sequence[Worker], done: threading.Event) -> threading.Thread | None:
    """Keep the workers' rows up to date until `done`; no thread where no backend can be asked.

    `workers` may change meanwhile: a hung one is replaced.
    """
    if not any(isinstance(worker.backend, Sensed) for worker in workers):
        return None
    thread = threading.Thread(target=_watch, args=(workers, done), name="sensors", daemon=True)
    thread.start()
    return thread


def _watch(workers: Sequence[Worker], done: threading.Event) -> None:
    while True:
        for worker in tuple(workers):
            if isinstance(worker.backend, Sensed):
                worker.meter.sensors = read(worker.backend)
        if done.wait(SENSE_S):
            return


def read(backend: object) -> Sensors | None:
    """This moment's reading; what a driver does not tell, or fails to tell, is None."""
    try:
        told = backend.facts() if isinstance(backend, Sensed) else None
        if told is None:
            return None
        return Sensors(number(told.clock_mhz), number(told.temperature_c), number(told.power_w))
    except Exception:  # noqa: BLE001 - a lost device is its worker's business, not the screen's
        return Sensors()


def number(value: object) -> float | None:
    """Finite numbers alone: they go to screens and JSON."""
    usable = type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    return float(value) if usable else None  # type: ignore[arg-type]
