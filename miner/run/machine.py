"""The computer a run is on: what it is called, and what its CPU tells while it works."""

import platform
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from miner.devices import cpu, sysfs
from miner.devices.energy import Powercap, Unreadable
from miner.devices.gpu import Sensors
from miner.state.snapshot import MachineRow

SENSE_S = 5.0


def machine() -> MachineRow:
    """Never raises: what the system does not tell is empty."""
    return MachineRow(
        host=socket.gethostname(),
        addresses=addresses(),
        cpu=cpu.name() or platform.machine(),
        threads=cpu.cores(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        mac=mac(),
    )


def addresses() -> tuple[str, ...]:
    """The IPv4 address by which other computers know this one; nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # a documentation address: any outer one serves
        return (str(probe.getsockname()[0]),)
    return ()


def mac(root: Path = Path("/")) -> str:
    """The hardware address of the first network card; empty where the system does not tell."""
    for file in sorted((root / "sys/class/net").glob("*/address")):
        if (address := sysfs.text(file)).strip("0:"):
            return address.upper()
    return ""


class CpuSensors:
    """Reads clock, temperature and power of the CPU every few seconds."""

    def __init__(self, tell: Callable[[Sensors], None], root: Path = Path("/")) -> None:
        self._tell, self._root = tell, root
        self._last: tuple[float, float] | None = None  # time and joules

    def read(self, meter: Powercap | None) -> Sensors:
        power_w = None
        if meter is not None:
            now, joules = time.monotonic(), meter.joules()
            if self._last is not None and now > self._last[0]:
                power_w = (joules - self._last[1]) / (now - self._last[0])
            self._last = now, joules
        return Sensors(cpu.clock(self._root), cpu.temperature(self._root), power_w)

    def work(self, stop: threading.Event) -> None:
        try:
            meter: Powercap | None = Powercap(self._root / "sys")
        except (Unreadable, OSError, ValueError):
            meter = None
        while not stop.is_set():
            with suppress(Unreadable, OSError, ValueError):
                self._tell(self.read(meter))
            stop.wait(SENSE_S)
        if meter is not None:
            meter.close()
