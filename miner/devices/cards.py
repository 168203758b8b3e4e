"""Which graphics cards the computer has, by what Linux shows of them: no driver is loaded.

Elsewhere nothing is known, and nothing is claimed.
"""

import sys
from pathlib import Path

ROOT = Path("/")
# What a driver of a GPU puts there; by a container's list of devices also what it may use.
NODES = (
    "dev/dri/renderD*", "dev/nvidia*", "proc/driver/nvidia", "dev/kfd", "dev/dxg", "dev/mali*",
    "dev/kgsl-3d0", "dev/nvhost*", "dev/nvmap", "dev/galcore", "dev/pvr*",
)  # fmt: skip
DISPLAY, ACCELERATOR = 0x03, 0x12  # PCI base classes
# Vendors of screens that cannot compute: Cirrus, Matrox, QEMU, Hyper-V, VMware, ASPEED, virtio,
# QXL, VirtualBox. Where such a one can after all, it has a render node.
SCREENS = {0x1013, 0x102B, 0x1234, 0x1414, 0x15AD, 0x1A03, 0x1AF4, 0x1B36, 0x80EE}
NONE_HERE = "this computer has no graphics card; a driver for its CPU is used by name"


def none_here(root: Path = ROOT) -> str:
    """Why no GPU can be here, in words; "" where one may be, as on every other system."""
    if not (sys.platform.startswith("linux") and (root / "sys" / "class").is_dir()):
        return ""
    if any(next(root.glob(pattern), None) for pattern in NODES):
        return ""
    cards = [row for row in _pci(root) if row[1] >> 16 in (DISPLAY, ACCELERATOR)]
    return "" if any(vendor not in SCREENS for _, _, vendor, _ in cards) else NONE_HERE


def address(vendor: int, device: int, root: Path = ROOT) -> str:
    """PCI address, "0000:03:00.0", of the one device with these numbers; "" for none or several."""
    same = [row[0] for row in _pci(root) if vendor and row[2:] == (vendor, device)]
    return same[0] if len(same) == 1 else ""


def _pci(root: Path) -> list[tuple[str, int, int, int]]:
    """Address, class, vendor and device of every PCI device."""
    found = []
    for folder in sorted((root / "sys" / "bus" / "pci" / "devices").glob("*")):
        try:
            kind, vendor, device = (
                int((folder / name).read_text(), 16) for name in ("class", "vendor", "device")
            )
        except (OSError, ValueError):
            continue
        found.append((folder.name, kind, vendor, device))
    return found
