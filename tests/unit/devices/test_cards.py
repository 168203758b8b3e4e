"""Graphics cards by the kernel's files, in trees as computers have them."""

from pathlib import Path

import pytest

from miner.devices import cards


def pci(root: Path, address: str, kind: int, vendor: int, device: int) -> None:
    folder = root / "sys" / "bus" / "pci" / "devices" / address
    folder.mkdir(parents=True)
    for name, number in (("class", kind), ("vendor", vendor), ("device", device)):
        (folder / name).write_text(f"{number:#06x}\n")


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Linux computer without a card: a disk, and a screen that only shows."""
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "sys" / "class").mkdir(parents=True)
    pci(tmp_path, "0000:00:02.0", 0x030000, 0x1234, 0x1111)
    pci(tmp_path, "0000:00:03.0", 0x018000, 0x8086, 0x1042)
    return tmp_path


def test_a_server_has_none_and_says_so(computer: Path) -> None:
    assert cards.none_here(computer) == cards.NONE_HERE


@pytest.mark.parametrize(
    ("kind", "vendor"), [(0x030000, 0x10DE), (0x030200, 0x1002), (0x120000, 0x1002)]
)
def test_a_card_without_its_driver_may_be_one(computer: Path, kind: int, vendor: int) -> None:
    pci(computer, "0000:03:00.0", kind, vendor, 0x73BF)
    assert not cards.none_here(computer)


@pytest.mark.parametrize(
    "node", ["dev/dri/renderD128", "dev/nvidia0", "dev/dxg", "dev/kfd", "proc/driver/nvidia/x"]
)
def test_a_driver_s_node_is_enough(computer: Path, node: str) -> None:
    (computer / node).parent.mkdir(parents=True)
    (computer / node).touch()
    assert not cards.none_here(computer)


def test_where_nothing_is_shown_nothing_is_claimed(
    tmp_path: Path, computer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not cards.none_here(tmp_path / "empty")
    monkeypatch.setattr("sys.platform", "darwin")
    assert not cards.none_here(computer)


def test_a_card_is_found_by_its_numbers_unless_there_are_two(computer: Path) -> None:
    pci(computer, "0000:03:00.0", 0x030000, 0x1002, 0x73BF)
    pci(computer, "0000:0a:00.0", 0x030000, 0x10DE, 0x2204)
    (computer / "sys" / "bus" / "pci" / "devices" / "broken").mkdir()
    assert cards.address(0x1002, 0x73BF, computer) == "0000:03:00.0"
    assert cards.address(0x1002, 0x73A5, computer) == ""
    assert cards.address(0, 0, computer) == ""
    pci(computer, "0000:0b:00.0", 0x030000, 0x10DE, 0x2204)
    assert cards.address(0x10DE, 0x2204, computer) == ""
