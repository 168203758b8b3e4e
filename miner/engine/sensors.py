"""What devices say of themselves while they work, for screens: read every few seconds.

A thread of its own asks, since a driver's library may take its time: never the thread that hashes.
"""

import math
import threading
from collections.abc import Callable, Sequence

from miner.backends.base import Backend, Kind
from miner.devices.gpu import Sensors
from miner.engine.worker import Worker

SENSE_S = 5.0

Workers = Callable[[], Sequence[Worker]]


def watch(workers: Workers, done: threading.Event) -> threading.Thread | None:
    """Keep the workers' rows up to date until `done`; no thread where there is no GPU.

    `workers` gives those of the moment: one that hangs is replaced.
    """
    if not any(worker.backend.info.kind is Kind.GPU for worker in workers()):
        return None
    thread = threading.Thread(target=_watch, args=(workers, done), name="sensors", daemon=True)
    thread.start()
    return thread


def _watch(workers: Workers, done: threading.Event) -> None:
    while True:
        for worker in workers():
            if worker.backend.info.kind is Kind.GPU:
                worker.meter.sensors = read(worker.backend)
        if done.wait(SENSE_S):
            return


def read(backend: Backend) -> Sensors | None:
    """This moment's reading; what a driver does not tell, or fails to tell, is None."""
    try:
        told = backend.sensors()
        if told is None:
            return None
        return Sensors(number(told.clock_mhz), number(told.temperature_c), number(told.power_w))
    except Exception:  # noqa: BLE001 - a lost device is its worker's business, not the screen's
        return Sensors()


def number(value: object) -> float | None:
    """Finite numbers alone: they go to screens and JSON."""
    usable = type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    return float(value) if usable else None  # type: ignore[arg-type]
