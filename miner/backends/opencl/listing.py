"""What OpenCL's drivers tell: platforms and devices by the names users give them, and their facts.

Runs as `python -m miner.backends.opencl.listing` in a process that ends, since loading a driver
costs 60 MB and more.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyopencl as cl

from miner.backends.base import Kind
from miner.devices import gpu
from miner.devices.gpu import Facts
from miner.errors import BackendUnavailable
from miner.text import scrub

NO_PLATFORM = (
    "no OpenCL platform found; install your GPU's driver, or for the CPU PoCL "
    "(Debian: apt install pocl-opencl-icd)"
)
SHORT_NAMES = (
    ("portable computing language", "pocl"), ("nvidia", "nvidia"), ("amd", "amd"),
    ("intel", "intel"), ("apple", "apple"), ("rusticl", "rusticl"), ("clover", "clover"),
    ("oclgrind", "oclgrind"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A device under the name users give it."""

    name: str  # opencl:PLATFORM:DEVICE
    device: Any  # cl.Device


def platform_name(full: str) -> str:
    """A word for the command line: the vendor's short name, or the platform's own, simplified."""
    for part, short in SHORT_NAMES:
        if part in full.lower():
            return short
    return re.sub(r"[^a-z0-9]+", "-", full.lower()).strip("-") or "unnamed"


def all_devices() -> Iterator[Found | str]:
    """Every device; for a platform that fails, a sentence instead. Raises nothing."""
    try:
        platforms = cl.get_platforms()
    except cl.Error:
        platforms = []
    if not platforms:
        yield NO_PLATFORM
    counts: dict[str, int] = {}
    for number, platform in enumerate(platforms):
        try:
            short = platform_name(platform.name)
            for device in platform.get_devices():
                index = counts[short] = counts.get(short, -1) + 1
                yield Found(f"opencl:{short}:{index}", device)
        except (cl.Error, UnicodeDecodeError) as error:
            yield f"platform {number} fails: {one_line(error)}"


def describe(found: Found) -> dict[str, object]:
    """The row that `probe` makes a Candidate of."""
    device = found.device
    is_gpu = bool(device.type & cl.device_type.GPU)
    usable = device.available and device.compiler_available
    words = "GPU" if is_gpu else "CPU" if is_cpu(device) else "accelerator"
    return {
        "name": found.name,
        "usable": bool(usable),
        "why_not": "" if usable else "its driver says that it is not available",
        "kind": kind(device),
        "rank": 0 if is_gpu else None,
        "detail": f"{words} {facts(device).text(not is_cpu(device))}",
        "card": model(device),
        "bus": pci_address(device),
    }


def find(name: str) -> Found:
    """The device of a name: opencl, opencl:PLATFORM, opencl:PLATFORM:DEVICE, where DEVICE is its
    number or part of its model name; 0.1of2 is part 1 of device 0 cut in two.

    Raises BackendUnavailable naming what there is.
    """
    _, _, rest = name.partition(":")
    wanted, _, which = rest.partition(":")
    rows = list(all_devices())
    devices = [row for row in rows if isinstance(row, Found)]
    which, part = _part_of(name, which)
    for row in sorted(devices, key=lambda row: not row.device.type & cl.device_type.GPU):
        _, platform, index = row.name.split(":")
        model = row.device.name.lower()
        if wanted in ("", platform) and (which in ("", index) or (which.lower() in model)):
            return row if part is None else _sub_device(row, *part)
    seen = ", ".join(row.name for row in devices)
    problem = "; ".join(row for row in rows if isinstance(row, str))
    raise BackendUnavailable(name, f"no such device; there is {seen}" if seen else problem)


def _part_of(name: str, which: str) -> tuple[str, tuple[int, int] | None]:
    match = re.fullmatch(r"(\d+)\.(\d+)of(\d+)", which)
    if not match:
        return which, None
    index, part, parts = match[1], int(match[2]), int(match[3])
    if not 0 <= part < parts:
        raise BackendUnavailable(name, f"part {part} of {parts} does not exist; parts count from 0")
    return index, (part, parts)


def _sub_device(row: Found, part: int, parts: int) -> Found:
    name = f"{row.name}.{part}of{parts}"
    units = row.device.max_compute_units // parts
    if units < 1:
        raise BackendUnavailable(
            name, f"{row.device.max_compute_units} compute units cannot be cut in {parts}"
        )
    try:
        cut = row.device.create_sub_devices([cl.device_partition_property.EQUALLY, units])
        return Found(name, cut[part])
    except (cl.Error, IndexError) as error:
        raise BackendUnavailable(name, f"it cannot be cut in {parts}: {one_line(error)}") from error


def is_cpu(device: Any) -> bool:
    return bool(device.type & cl.device_type.CPU)


def kind(device: Any) -> Kind:
    return Kind.CPU if is_cpu(device) else Kind.GPU


def device_key(device: Any) -> str:
    """Platform, model and driver: what a stored tuning is good for."""
    parts = (device.platform.name, device.name, device.driver_version, device.max_compute_units)
    return " | ".join(str(part).strip() for part in parts)


def pci_address(device: Any) -> str:
    """The card's PCI address where a vendor's extension tells, else ""."""
    try:
        if "cl_nv_device_attribute_query" in device.extensions:
            slot, domain = device.pci_slot_id_nv, 0
            with suppress(cl.Error, AttributeError):  # older drivers tell the bus alone
                domain = device.pci_domain_id_nv
            return f"{domain:04x}:{device.pci_bus_id_nv:02x}:{slot >> 3:02x}.{slot & 7}"
        if "cl_amd_device_attribute_query" in device.extensions:
            at = device.topology_amd
            return f"0000:{at.bus & 255:02x}:{at.device:02x}.{at.function}"
    except (cl.Error, AttributeError):
        pass
    return ""


def model(device: Any) -> str:
    """The card's name as it is sold; AMD's own driver gives the chip's as the device's."""
    try:
        if "cl_amd_device_attribute_query" in device.extensions:
            return str(device.board_name_amd).strip()
    except (cl.Error, AttributeError):
        pass
    return str(device.name).strip()


def facts(device: Any) -> Facts:
    """What OpenCL tells of a device, with its vendor's reading of this moment."""
    known = Facts(
        device.name.strip(), device.driver_version.strip(), pci_address(device),
        device.max_compute_units, device.max_clock_frequency or None,
    )  # fmt: skip
    return known if is_cpu(device) else gpu.merged(known, gpu.read_all())


def one_line(error: BaseException) -> str:
    """The driver's words without line breaks or control characters, at most 300 of them."""
    return scrub(str(error), 300) or type(error).__name__


def main() -> None:
    """Print one JSON object a line: a device, or a platform that fails."""
    for row in all_devices():
        try:
            line = describe(row) if isinstance(row, Found) else {"problem": row}
        except cl.Error as error:
            line = {"problem": f"a device fails: {one_line(error)}"}
        print(json.dumps(line), flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
