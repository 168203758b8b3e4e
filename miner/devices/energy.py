"""Energy counters: what they cover (the boundary), where they are, and why one cannot be read.

Every reader takes its root: a folder shaped like /sys, or the NVML module. None guesses: a
computer without a readable counter has no joules, unless the user gives watts.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from miner.devices import gpu, sysfs
from miner.devices.gpu import AmdCard
from miner.errors import ConfigError

SAMPLE_S = 0.1  # power sensors without an energy counter are read ten times a second
BOUNDARY = {
    "package": "CPU package (RAPL): cores, caches, memory controller; no board, disk or supply",
    "board": "graphics card: GPU, its memory and regulators, as the card reports",
    "machine": "whole machine, from its battery; no supply",
    "wall": "whole machine at the wall, supply included",
}


class Meter(Protocol):
    """A running sum of joules inside one boundary."""

    @property
    def boundary(self) -> str:
        """A key of BOUNDARY."""

    @property
    def source(self) -> str:
        """Which counter, in words."""

    def joules(self) -> float:
        """Energy since the meter was made; call more often than the counter wraps."""

    def close(self) -> None:
        """Stop reading; a second call does nothing."""


class Unreadable(Exception):
    """A counter is there but cannot be read; the text says how to grant it."""


class Powercap:
    """RAPL package zones of the Linux powercap tree, Intel and AMD alike.

    Packages alone are summed: core, uncore and dram zones lie inside or beside them, psys covers
    them again, and intel-rapl-mmio repeats intel-rapl. Units of the files: microjoules.
    """

    boundary = "package"

    def __init__(self, root: Path) -> None:
        self._zones = package_zones(root)
        if not self._zones:
            raise FileNotFoundError("no RAPL package zone (virtual machine or unsupported CPU)")
        self._range = {zone: _read_int(zone / "max_energy_range_uj") for zone in self._zones}
        self._last = {zone: self._counter(zone) for zone in self._zones}
        self._sum_uj = 0
        self.source = "powercap " + ", ".join(zone.name for zone in self._zones)

    def _counter(self, zone: Path) -> int:
        try:
            return _read_int(zone / "energy_uj")
        except PermissionError:
            raise Unreadable(
                f"{zone}/energy_uj is readable by root only (kernels since 2020); to allow it "
                "until the next boot: sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"
            ) from None

    def joules(self) -> float:
        for zone in self._zones:
            now = self._counter(zone)
            step = now - self._last[zone]
            self._sum_uj += step if step >= 0 else step + self._range[zone]
            self._last[zone] = now
        return self._sum_uj / 1e6

    def close(self) -> None:
        pass


def package_zones(root: Path) -> list[Path]:
    """Top-level RAPL zones named package-N, in order."""
    zones = sorted((root / "class" / "powercap").glob("intel-rapl:*"))
    return [zone for zone in zones if sysfs.text(zone / "name").startswith("package")]


class Sampled:
    """Integrates a power sensor in a thread; `read_w` returns watts."""

    def __init__(self, boundary: str, source: str, read_w: Callable[[], float]) -> None:
        self.boundary, self.source, self._read_w = boundary, source, read_w
        self._joules, self._stop, self._lock = 0.0, threading.Event(), threading.Lock()
        self._failure: Exception | None = None
        self._last_w, self._last_s = read_w(), time.monotonic()
        self._thread = threading.Thread(target=self._run, name="power-sampler", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.wait(SAMPLE_S):
                self.joules()
        except Exception as error:  # noqa: BLE001  a sensor may vanish: joules() tells the owner
            self._failure = error

    def joules(self) -> float:
        with self._lock:
            if self._failure is not None:
                raise Unreadable(f"{self.source}: {self._failure}")
            watts, now = self._read_w(), time.monotonic()
            self._joules += (watts + self._last_w) / 2 * (now - self._last_s)
            self._last_w, self._last_s = watts, now
            return self._joules

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def battery(root: Path) -> Sampled:
    """Discharge of every battery. Raises FileNotFoundError without one that is discharging."""
    packs = sorted((root / "class" / "power_supply").glob("BAT*"))
    if not packs:
        raise FileNotFoundError("no battery")
    draining = [pack for pack in packs if sysfs.text(pack / "status") == "Discharging"]
    if not draining:
        raise FileNotFoundError("battery not discharging: unplug the charger to measure by it")
    names = ", ".join(pack.name for pack in draining)
    return Sampled("machine", f"battery {names}", lambda: sum(_battery_w(p) for p in draining))


def _battery_w(pack: Path) -> float:
    """Watts; drivers report power, or current and voltage, in micro-units; some sign current."""
    if (pack / "power_now").exists():
        return abs(_read_int(pack / "power_now")) / 1e6
    amperes = abs(_read_int(pack / "current_now")) / 1e6
    return amperes * _read_int(pack / "voltage_now") / 1e6


def amdgpu(card: AmdCard) -> Sampled:
    """Average power of an amdgpu card, microwatts."""
    for file in card.power:
        return Sampled("board", f"amdgpu {file.name}", partial(_micro, file))
    raise FileNotFoundError("no amdgpu power sensor")


class NvidiaEnergy:
    """The energy counter of an NVIDIA card, Volta or newer; millijoules."""

    boundary = "board"

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle
        self._first = nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        self.source = f"NVML energy counter of {nvml.nvmlDeviceGetName(handle)}"

    def joules(self) -> float:
        now = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
        return float(now - self._first) / 1e3

    def close(self) -> None:
        pass


def nvidia(nvml: Any, handle: Any) -> Meter:
    """Counter where there is one, else sampled power (milliwatts). NVML's error without either."""
    try:
        return NvidiaEnergy(nvml, handle)
    except nvml.NVMLError_NotSupported:
        name = f"NVML power of {nvml.nvmlDeviceGetName(handle)}, sampled"
        return Sampled("board", name, lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1e3)


class Sum:
    """Several cards together."""

    boundary = "board"

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters
        self.source = " + ".join(meter.source for meter in meters)

    def joules(self) -> float:
        return sum(meter.joules() for meter in self._meters)

    def close(self) -> None:
        for meter in self._meters:
            meter.close()


def cards(root: Path, nvml: Any | None) -> tuple[dict[str, Callable[[], Meter]], list[str]]:
    """How to meter each graphics card, by PCI address "0000:03:00.0"; why none is found."""
    found: dict[str, Callable[[], Meter]] = {}
    passed: list[str] = []
    if nvml is not None:
        try:
            nvml.nvmlInit()
            for index in range(nvml.nvmlDeviceGetCount()):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                found[gpu.nvidia_bus(nvml, handle)] = partial(nvidia, nvml, handle)
        except Exception as error:  # noqa: BLE001  NVML raises what it likes
            passed.append(f"nvidia: {error}")
    found |= {card.bus: partial(amdgpu, card) for card in gpu.amd_cards(root)}
    return found, passed if found else [*passed, "amdgpu: no amdgpu power sensor"]


def boards(root: Path, nvml: Any | None, buses: frozenset[str]) -> tuple[Meter | None, list[str]]:
    """One meter over the cards at these addresses; over every card when no address is known.

    All of them or none: joules of half the cards would flatter the rate of all.
    """
    found, passed = cards(root, nvml)
    chosen = {bus: make for bus, make in found.items() if not buses or bus in buses}
    if missing := sorted(buses - found.keys()):
        return None, [*passed, f"no power sensor for the card at {', '.join(missing)}"]
    meters: list[Meter] = []
    try:
        for make in chosen.values():
            meters.append(make())
    except Exception as error:  # noqa: BLE001  drivers raise what they like
        for meter in meters:
            meter.close()
        return None, [*passed, f"graphics card: {error}"]
    return (meters[0] if len(meters) == 1 else Sum(meters) if meters else None), passed


LEAST_W, MOST_W = 1e-3, 1e6  # what a wall meter can show


class Given:
    """A wall meter read by the user: constant watts."""

    boundary, source = "wall", "given by user"

    def __init__(self, watts: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not LEAST_W <= watts < MOST_W:
            raise ConfigError(
                f"--watts {watts:g} is not between {LEAST_W:g} and {MOST_W:,.0f}; read a wall meter"
            )
        self._watts, self._clock, self._start = watts, clock, clock()

    def joules(self) -> float:
        return self._watts * (self._clock() - self._start)

    def close(self) -> None:
        pass


def find(
    graphics: bool, root: Path, nvml: Any | None, buses: frozenset[str] = frozenset()
) -> tuple[Meter | None, list[str]]:
    """The best counter for a kind of device, and why the others were passed over. `buses`: the
    cards in use, by PCI address; empty where drivers do not tell."""
    if graphics:
        return boards(root, nvml, buses)
    tries: list[tuple[str, Callable[[], Meter]]]
    tries = [("powercap", lambda: Powercap(root)), ("battery", lambda: battery(root))]
    passed: list[str] = []
    for name, make in tries:
        try:
            return make(), passed
        except Unreadable as error:
            passed.append(str(error))
        except Exception as error:  # noqa: BLE001  drivers raise what they like
            passed.append(f"{name}: {error}")
    return None, passed


def _micro(path: Path) -> float:
    return _read_int(path) / 1e6


def _read_int(path: Path) -> int:
    return int(path.read_text())
