"""Readings of GPUs: a folder shaped like AMD's sysfs, a library shaped like NVML, and neither."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from miner.devices import gpu
from miner.devices.gpu import Facts


def amd_tree(root: Path, files: dict[str, str]) -> Path:
    """card0 as the amdgpu driver shows it: a link from the class to the PCI device."""
    device = root / "devices" / "0000:03:00.0"
    for name, text in files.items():
        path = device / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    card = root / "class" / "drm" / "card0"
    card.mkdir(parents=True)
    (card / "device").symlink_to(device)
    (root / "class" / "drm" / "card0-HDMI-A-1").mkdir()
    return root


def test_an_amd_card_by_its_files(tmp_path: Path) -> None:
    files = {
        "vendor": "0x1002", "device": "0x73bf", "hwmon/hwmon4/temp1_input": "61000",
        "hwmon/hwmon4/power1_average": "203500000", "hwmon/hwmon4/freq1_input": "2105000000",
    }  # fmt: skip
    assert gpu.amd(amd_tree(tmp_path, files)) == [
        Facts(
            "AMD GPU 0x73bf", "amdgpu", "0000:03:00.0", clock_mhz=2105, temperature_c=61.0,
            power_w=203.5,
        )
    ]  # fmt: skip


def test_an_amd_card_that_tells_little(tmp_path: Path) -> None:
    files = {"vendor": "0x1002", "device": "0x15dd", "hwmon/hwmon0/power1_input": "garbage"}
    (card,) = gpu.amd(amd_tree(tmp_path, files))
    assert (card.temperature_c, card.power_w, card.clock_mhz) == (None, None, None)
    assert card.text() == (
        "AMD GPU 0x15dd, driver amdgpu, n/a compute units, n/a MHz, n/a °C, n/a W"
    )  # fmt: skip


def test_a_cpu_shows_no_sensors_a_card_that_nobody_reads_shows_that() -> None:
    known = Facts("X", "3.1", "", 2, 2400)
    assert known.text(card=False) == "X, driver 3.1, 2 compute units, 2400 MHz"
    assert known.text() == "X, driver 3.1, 2 compute units, 2400 MHz, n/a °C, n/a W"


def test_other_vendors_cards_and_no_cards_are_no_amd_facts(tmp_path: Path) -> None:
    assert gpu.amd(tmp_path) == []
    assert gpu.amd(amd_tree(tmp_path, {"vendor": "0x8086"})) == []


class Nvml:
    """As much of pynvml as is asked; `lost` makes every question about the card fail."""

    NVML_CLOCK_SM = 1
    reasons = 0

    def __init__(self, lost: bool = False) -> None:
        self.lost, self.open = lost, 0

    def nvmlInit(self) -> None:
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.1"

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, card: int) -> bytes:
        return b"GeForce"

    def _answer(self, value: Any) -> Any:
        if self.lost:
            raise RuntimeError("GPU is lost")
        return value

    def nvmlDeviceGetPciInfo(self, card: int) -> Any:
        return self._answer(SimpleNamespace(busId=b"00000000:0A:00.0"))

    def nvmlDeviceGetPowerUsage(self, card: int) -> Any:
        return self._answer(131_250)

    def nvmlDeviceGetClockInfo(self, card: int, kind: int) -> Any:
        return self._answer(1890)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, card: int) -> Any:
        return self._answer(self.reasons)

    def nvmlDeviceGetTemperature(self, card: int, sensor: int) -> Any:
        return self._answer(70)


def test_an_nvidia_card_by_nvml() -> None:
    library = Nvml()
    (card,) = gpu.nvidia(library)
    assert card == Facts("GeForce", "580.1", "0000:0a:00.0", None, 1890, 70, 131.25, "")
    assert library.open == 0


@pytest.mark.parametrize(
    ("bits", "said"),
    [(0, ""), (1, ""), (4, "power cap"), (0x80, "power cap"), (0x20, "heat"), (0x44, "heat")],
)
def test_what_holds_an_nvidia_card_back(bits: int, said: str) -> None:
    library = Nvml()
    library.reasons = bits
    (card,) = gpu.nvidia(library)
    assert card.held_back == said
    assert card.sensors().held_back == said


def test_a_lost_nvidia_card_is_a_row_without_numbers() -> None:
    (card,) = gpu.nvidia(Nvml(lost=True))
    assert card == Facts("GeForce", "580.1")


def test_without_the_library_or_its_driver_there_are_no_facts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    assert gpu.nvidia() == []


def test_readings_are_matched_by_address() -> None:
    known = Facts("A", "1", "0000:0a:00.0", 40, 2000)
    right = Facts("x", "2", "0000:0a:00.0", None, 1500, 60.0, 99.0)
    wrong = Facts("y", "2", "0000:0b:00.0", None, 100, 20.0, 1.0)
    want = Facts("A", "1", "0000:0a:00.0", 40, 1500, 60.0, 99.0)
    assert gpu.merged(known, [wrong, right]) == want
    assert gpu.merged(known, [wrong]) == known
    assert gpu.merged(Facts("A", "1"), [right]).power_w == 99.0
    assert gpu.merged(Facts("A", "1"), [wrong, right]) == Facts("A", "1")


@pytest.mark.parametrize(
    ("told", "address"), [({}, "0000:03:01.2"), ({"pci_domain_id_nv": 1}, "0001:03:01.2")]
)
def test_a_cards_address_needs_no_domain(told: dict[str, int], address: str) -> None:
    device = pytest.importorskip("miner.backends.opencl.listing")
    extensions = "cl_khr_fp64 cl_nv_device_attribute_query"
    card = SimpleNamespace(extensions=extensions, pci_bus_id_nv=3, pci_slot_id_nv=10, **told)
    assert device.pci_address(card) == address
