import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from miner.devices import cpu
from miner.measure import environment

Tree = Callable[[str], Path]


def test_laptop_tree(tree: Tree) -> None:
    found = cpu.read(tree("laptop"))
    assert found.clock_mhz == 3400
    assert found.temperature_c == 73  # the processor's own chip, not the hotter board sensor
    assert found.throttles == 7
    assert found.steal_s == 0
    assert found.quota_stops is None


def test_cloud_tree_as_recorded(tree: Tree) -> None:
    found = cpu.read(tree("cloud-vm"))
    assert found.clock_mhz == pytest.approx(2596.142)
    assert (found.temperature_c, found.throttles, found.quota_stops) == (None, None, 0)
    assert found.steal_s == pytest.approx(6.29)


def test_container_quota_and_thermal_zone(tree: Tree) -> None:
    root = tree("container-quota")
    assert cpu.quota(root) == 1.5
    found = cpu.read(root)
    assert (found.quota_stops, found.temperature_c) == (7, 55.5)
    assert cpu.usable_threads(root) <= 2


def test_nothing_at_all_is_none(tmp_path: Path) -> None:
    assert set(cpu.read(tmp_path).to_dict().values()) == {None}
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("max 100000\n")
    assert cpu.quota(tmp_path) is None


def test_environment_of_a_laptop(tree: Tree) -> None:
    found = environment.collect(tree("laptop"))
    assert found["cpu"] == "Example Core(TM) 5"
    assert found["flags"] == ["sha_ni", "avx2", "avx", "sse2", "aes"]
    assert found["microcode"] == "0x42"
    assert (found["governor"], found["turbo"], found["mains"]) == ("powersave", True, False)
    assert found["os"] == "Example Linux 9"
    assert found["virtual"] is None
    said = " ".join(environment.advice(found))
    assert "governor is powersave" in said
    assert "on battery" in said


def test_environment_of_a_cloud_machine(tree: Tree) -> None:
    found = environment.collect(tree("cloud-vm"))
    assert found["virtual"] == "container in virtual machine"
    assert "avx512f" in found["flags"]
    assert (found["governor"], found["turbo"], found["mains"]) == (None, None, None)


def test_environment_names_nobody() -> None:
    found = str(environment.collect())
    for user in {one.name for one in psutil.users()} - {"root"}:
        assert user not in found
    assert socket.gethostname() not in found


def test_differences_are_listed() -> None:
    old = {"cpu": "a", "governor": "performance", "load_1min": 1}
    assert environment.differences(old, old | {"load_1min": 1.2}) == []
    assert environment.differences(old, old | {"load_1min": 9}) == ["load before the start: 1 -> 9"]
    assert environment.differences(old, old | {"cpu": "b"}) == ["cpu: a -> b"]
