"""What a GPU says of itself while it works: clock, temperature, power. "n/a" where it does not.

NVIDIA through NVML when nvidia-ml-py is installed; AMD through the Linux driver's files. Reading
never disturbs mining and never raises.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from miner.devices.sysfs import number, text

ABSENT = "n/a"
SYSFS = Path("/sys")
AMD_VENDOR = "0x1002"


@dataclass(frozen=True, slots=True)
class Sensors:
    """A reading of one graphics card; None: its driver does not tell."""

    clock_mhz: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    held_back: str | None = None  # HEAT, POWER_CAP or "": why its clock is not higher


@dataclass(frozen=True, slots=True)
class Facts:
    """One reading of one GPU; None: the driver does not tell."""

    name: str
    driver: str
    bus: str = ""  # PCI address "0000:03:00.0": the same card for every library
    compute_units: int | None = None
    clock_mhz: int | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    held_back: str | None = None  # as in Sensors

    def sensors(self) -> Sensors:
        """The moving part alone."""
        return Sensors(self.clock_mhz, self.temperature_c, self.power_w, self.held_back)

    def text(self, card: bool = True) -> str:
        """One line for screens; a graphics card's sensors too, "n/a" what nobody tells."""
        shown: list[tuple[float | None, str, int]]
        shown = [(self.compute_units, "compute units", 0), (self.clock_mhz, "MHz", 0)]
        if card:
            shown += [(self.temperature_c, "°C", 0), (self.power_w, "W", 1)]
        numbers = [
            f"{value:.{digits}f} {unit}" if value is not None else f"{ABSENT} {unit}"
            for value, unit, digits in shown
        ]
        return ", ".join((self.name or ABSENT, f"driver {self.driver or ABSENT}", *numbers))


@dataclass(frozen=True, slots=True)
class AmdCard:
    """Where the amdgpu driver shows a card."""

    bus: str
    device: Path
    sensors: Path  # its hwmon folder; the device's own where there is none

    @property
    def power(self) -> list[Path]:
        """Files with microwatts, best first; newer cards tell the moment's power only."""
        files = (self.sensors / name for name in ("power1_average", "power1_input"))
        return [file for file in files if file.exists()]


def read_all(sysfs: Path = SYSFS) -> list[Facts]:
    """Every GPU whose vendor tells; empty where none does."""
    return [*nvidia(), *amd(sysfs)]


def merged(known: Facts, readings: list[Facts]) -> Facts:
    """What its API knows of a card, and its vendor's reading: matched by PCI address, or where that
    is unknown, the only card there is."""
    same = [row for row in readings if row.bus and row.bus == known.bus]
    if not known.bus and len(readings) == 1:
        same = readings
    if not same:
        return known
    now = same[0]
    clock = known.clock_mhz if now.clock_mhz is None else now.clock_mhz
    return replace(
        known, clock_mhz=clock, temperature_c=now.temperature_c, power_w=now.power_w, bus=now.bus,
        held_back=now.held_back,
    )  # fmt: skip


def nvidia(library: Any = None) -> list[Facts]:
    """NVIDIA's cards by NVML; empty without nvidia-ml-py or the driver."""
    nvml = library or load_nvml()
    if nvml is None:
        return []
    try:
        nvml.nvmlInit()
    except Exception:  # noqa: BLE001 - a driver's library fails in ways of its own; then: no facts
        return []
    try:
        driver = _text(_ask(nvml.nvmlSystemGetDriverVersion))
        count = _ask(nvml.nvmlDeviceGetCount) or 0
        return [_nvidia_card(nvml, index, driver) for index in range(count)]
    finally:
        _ask(nvml.nvmlShutdown)


def load_nvml() -> Any | None:
    """The NVML module when the `gpu` extra is installed."""
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


def nvidia_bus(nvml: Any, card: Any) -> str:
    """A card's PCI address. Raises what NVML raises."""
    return _text(nvml.nvmlDeviceGetPciInfo(card).busId).lower()[-12:]  # its domain has 8 digits


def _nvidia_card(nvml: Any, index: int, driver: str) -> Facts:
    card = _ask(nvml.nvmlDeviceGetHandleByIndex, index)
    milliwatts = _ask(nvml.nvmlDeviceGetPowerUsage, card)
    return Facts(
        name=_text(_ask(nvml.nvmlDeviceGetName, card)),
        driver=driver,
        bus=_ask(nvidia_bus, nvml, card) or "",
        clock_mhz=_ask(nvml.nvmlDeviceGetClockInfo, card, getattr(nvml, "NVML_CLOCK_SM", 1)),
        temperature_c=_ask(nvml.nvmlDeviceGetTemperature, card, 0),  # 0: the GPU itself
        power_w=None if milliwatts is None else milliwatts / 1000,
        held_back=_held_back(nvml, card),
    )


HEAT, POWER_CAP = "heat", "power cap"
HEAT_BITS = 0x08 | 0x20 | 0x40  # hardware slowdown, software and hardware thermal slowdown
CAP_BITS = 0x04 | 0x80  # software power cap, external power brake


def _held_back(nvml: Any, card: Any) -> str | None:
    """The reasons for a lower clock, by nvml.h's nvmlClocksEventReasons; heat counts more."""
    ask = getattr(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", None)
    bits = _ask(ask, card) if ask else None
    if not isinstance(bits, int):
        return None
    return HEAT if bits & HEAT_BITS else POWER_CAP if bits & CAP_BITS else ""


def _ask(call: Callable[..., Any], *arguments: Any) -> Any:
    """The answer, or None: cards do not support every question."""
    try:
        return call(*arguments)
    except Exception:  # noqa: BLE001 - NVMLError has no base class of its own before import
        return None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def amd(sysfs: Path = SYSFS) -> list[Facts]:
    """AMD's cards by the amdgpu driver's files below `sysfs`."""
    return [_amd_facts(card) for card in amd_cards(sysfs)]


def amd_cards(sysfs: Path = SYSFS) -> list[AmdCard]:
    """By the graphics class, and by the sensors' class for cards without a screen driver."""
    found: dict[str, AmdCard] = {}
    for card in sorted((sysfs / "class" / "drm").glob("card[0-9]*")):
        device = card / "device"
        if card.name[4:].isdigit() and text(device / "vendor") == AMD_VENDOR:
            sensors = next(iter(sorted((device / "hwmon").glob("hwmon*"))), device)
            bus = device.resolve().name
            found[bus] = AmdCard(bus, device, sensors)
    for chip in sorted((sysfs / "class" / "hwmon").glob("hwmon*")):
        if text(chip / "name") == "amdgpu":
            device = chip / "device"
            bus = device.resolve().name if device.exists() else chip.name
            found.setdefault(bus, AmdCard(bus, device, chip))
    return list(found.values())


def _amd_facts(card: AmdCard) -> Facts:
    milli_c = number(card.sensors / "temp1_input")
    microwatts = next((watts for file in card.power if (watts := number(file)) is not None), None)
    hertz = number(card.sensors / "freq1_input")
    return Facts(
        name=text(card.device / "product_name") or f"AMD GPU {text(card.device / 'device')}",
        driver=text(card.device / "driver" / "module" / "version") or "amdgpu",
        bus=card.bus,
        clock_mhz=None if hertz is None else hertz // 1_000_000,
        temperature_c=None if milli_c is None else milli_c / 1000,
        power_w=None if microwatts is None else microwatts / 1e6,
    )
