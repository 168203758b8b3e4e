import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from miner.backends.base import Kind
from miner.devices import energy
from miner.errors import ConfigError
from miner.measure.session import card
from tests.fakes.backend import FakeBackend

Tree = Callable[[str], Path]


def write(zone: Path, microjoules: int) -> None:
    (zone / "energy_uj").write_text(f"{microjoules}\n")


def test_powercap_sums_packages_and_nothing_twice(tree: Tree) -> None:
    root = tree("two-socket-server") / "sys"
    zones = energy.package_zones(root)
    assert [zone.name for zone in zones] == ["intel-rapl:0", "intel-rapl:1"]
    meter = energy.Powercap(root)
    assert meter.joules() == 0
    write(zones[0], 1_000_000 + 30_000_000)
    write(zones[1], 2_000_000 + 12_500_000)
    assert meter.joules() == pytest.approx(42.5)
    assert meter.boundary == "package"


def test_powercap_leaves_core_psys_and_mmio_out(tree: Tree) -> None:
    root = tree("laptop") / "sys"
    assert [zone.name for zone in energy.package_zones(root)] == ["intel-rapl:0"]
    meter = energy.Powercap(root)
    for name in ("intel-rapl:0:0", "intel-rapl:1", "intel-rapl-mmio:0"):
        write(root / "class/powercap" / name, 900_000_000)
    assert meter.joules() == 0


def test_powercap_wraps(tree: Tree) -> None:
    root = tree("laptop") / "sys"
    meter, zone = energy.Powercap(root), root / "class/powercap/intel-rapl:0"
    write(zone, 262_143_328_000)  # 328 000 microjoules on, 850 below the end
    assert meter.joules() == pytest.approx(0.328)
    write(zone, 5_000_000)
    assert meter.joules() == pytest.approx(0.328 + 0.00085 + 5)
    write(zone, 4_000_000)  # round once more
    assert meter.joules() == pytest.approx(0.328 + 0.00085 + 262143.32885 + 4)


def test_unreadable_zone_names_the_command(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root, real = tree("laptop") / "sys", energy._read_int

    def deny(path: Path) -> int:  # the tests may run as root, who may read everything
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(energy, "_read_int", deny)
    meter, passed = energy.find(False, root, None)
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in passed[0]
    assert meter is not None  # the battery takes over
    assert meter.boundary == "machine"
    meter.close()


def test_battery_integrates_while_discharging(tree: Tree) -> None:
    root = tree("laptop") / "sys"
    before = time.monotonic()
    meter = energy.battery(root)  # 1.5 A at 12 V, current reported negative
    made = time.monotonic()
    time.sleep(0.25)
    asked, joules, told = time.monotonic(), meter.joules(), time.monotonic()
    meter.close()
    meter.close()
    assert 18 * (asked - made) <= joules * 1.001
    assert joules <= 18.02 * (told - before)
    (root / "class/power_supply/BAT0/status").write_text("Charging\n")
    with pytest.raises(FileNotFoundError, match="unplug"):
        energy.battery(root)


def test_a_vanished_battery_is_told_by_the_next_look(tree: Tree) -> None:
    root = tree("laptop") / "sys"
    meter = energy.battery(root)
    (root / "class/power_supply/BAT0/voltage_now").unlink()
    time.sleep(0.3)  # its own thread has noticed, quietly
    with pytest.raises((energy.Unreadable, OSError)):
        meter.joules()
    meter.close()


def test_no_counter_no_joules(tree: Tree) -> None:
    meter, passed = energy.find(False, tree("cloud-vm") / "sys", None)
    assert meter is None
    assert any("no RAPL package zone" in reason for reason in passed)
    assert any("no battery" in reason for reason in passed)


def test_amdgpu_is_a_board(tree: Tree) -> None:
    meter, _ = energy.find(True, tree("two-socket-server") / "sys", None)
    assert meter is not None
    assert (meter.boundary, meter.source) == ("board", "amdgpu power1_average")
    meter.close()


class FakeNvml:
    """Says what NVML says; `counter` off stands for a card before Volta."""

    class NVMLError_NotSupported(Exception):  # noqa: N801  NVML's own name
        pass

    def __init__(self, counter: bool, cards: int = 1) -> None:
        self.counter, self.millijoules, self.cards = counter, 5000, cards

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetCount(self) -> int:
        return self.cards

    def nvmlDeviceGetPciInfo(self, handle: int) -> Any:
        return SimpleNamespace(busId=f"00000000:0{handle + 1}:00.0".encode())

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"Example GPU {handle}"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        if not self.counter:
            raise self.NVMLError_NotSupported
        return self.millijoules * (10 if handle else 1)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        return 70_000


def test_nvidia_counter_then_sampling(tmp_path: Path) -> None:
    nvml: Any = FakeNvml(counter=True)
    meter, _ = energy.find(True, tmp_path, nvml)
    assert meter is not None
    nvml.millijoules += 2500
    assert meter.joules() == 2.5
    sampled, _ = energy.find(True, tmp_path, FakeNvml(counter=False))
    assert sampled is not None
    assert "sampled" in sampled.source
    sampled.close()


def test_the_card_in_use_is_metered_not_the_first(tmp_path: Path) -> None:
    nvml: Any = FakeNvml(counter=True, cards=2)
    meter, _ = energy.find(True, tmp_path, nvml, frozenset({"0000:02:00.0"}))
    assert meter is not None and meter.source == "NVML energy counter of Example GPU 1"
    nvml.millijoules += 1000
    assert meter.joules() == 10.0


def test_where_no_address_is_known_all_cards_are_summed_by_name(tmp_path: Path) -> None:
    nvml: Any = FakeNvml(counter=True, cards=2)
    meter, _ = energy.find(True, tmp_path, nvml)
    assert meter is not None
    assert meter.source == (
        "NVML energy counter of Example GPU 0 + NVML energy counter of Example GPU 1"
    )
    nvml.millijoules += 1000
    assert (meter.joules(), meter.boundary) == (11.0, "board")
    meter.close()


def test_a_card_without_a_sensor_is_not_measured_by_another(tmp_path: Path) -> None:
    meter, passed = energy.find(
        True, tmp_path, FakeNvml(True), frozenset({"0000:01:00.0", "0000:09:00.0"})
    )
    assert meter is None
    assert passed == ["no power sensor for the card at 0000:09:00.0"]


def test_an_amd_card_is_found_by_its_address(tmp_path: Path) -> None:
    for number, microwatts in ((1, 90_000_000), (2, 10_000_000)):
        device = tmp_path / "devices" / f"0000:0{number}:00.0"
        chip = tmp_path / "class" / "hwmon" / f"hwmon{number}"
        for folder in (device, chip):
            folder.mkdir(parents=True)
        (chip / "device").symlink_to(device)
        (chip / "name").write_text("amdgpu\n")
        (chip / "power1_average").write_text(f"{microwatts}\n")
    meter, _ = energy.find(True, tmp_path, None, frozenset({"0000:02:00.0"}))
    assert isinstance(meter, energy.Sampled)
    assert meter._last_w == 10.0
    meter.close()


def test_a_card_is_known_by_its_kind_and_address() -> None:
    """OpenCL on a CPU is none, however long its scans are."""
    backend: Any = FakeBackend()
    backend.info = replace(backend.info, scan_s=0.05)
    assert card(backend) == (False, frozenset())
    backend.info = replace(backend.info, kind=Kind.GPU)
    assert card(backend) == (True, frozenset())
    backend.info = replace(backend.info, bus="0000:02:00.0")
    assert card(backend) == (True, frozenset({"0000:02:00.0"}))


def test_given_watts_are_a_wall() -> None:
    now = [0.0]
    meter = energy.Given(80, lambda: now[0])
    now[0] = 10.0
    assert (meter.joules(), meter.boundary, meter.source) == (800, "wall", "given by user")
    for bad in (-5.0, 0.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="--watts"):
            energy.Given(bad)
