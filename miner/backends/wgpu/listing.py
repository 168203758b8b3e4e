"""What WebGPU's drivers tell: adapters by the names users give them, and their facts.

Runs as `python -m miner.backends.wgpu.listing` in a process that ends, since drivers may crash.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import wgpu
from wgpu.backends.wgpu_native import extras

from miner.backends.base import Kind
from miner.devices import cards, gpu
from miner.devices.gpu import Facts
from miner.errors import BackendUnavailable

INTERFACES = ("Vulkan", "Metal", "DX12")  # OpenGL lists the same cards again, without compute
RUNTIME_DIR = "XDG_RUNTIME_DIR"
REAL_GPUS = ("DiscreteGPU", "IntegratedGPU")


@dataclass(frozen=True, slots=True)
class Found:
    """An adapter under the name users give it."""

    name: str  # wgpu:NUMBER
    adapter: Any  # wgpu.GPUAdapter

    @property
    def info(self) -> Any:
        """What it says of itself: device, description, adapter_type, backend_type."""
        return self.adapter.info

    @property
    def kind(self) -> Kind:
        return Kind.CPU if self.info["adapter_type"] == "CPU" else Kind.GPU

    @property
    def key(self) -> str:
        """Model, driver and interface: what a stored tuning is good for."""
        parts = (self.info[name] for name in ("backend_type", "device", "vendor", "description"))
        return " | ".join(str(part).strip() for part in parts)


@cache
def adapters() -> tuple[Found, ...]:
    """Every adapter of this process, in the system's order. Raises what the binding raises."""
    with _without_display():
        extras.set_instance_extras(backends=INTERFACES)
        found = wgpu.gpu.enumerate_adapters_sync()
    return tuple(Found(f"wgpu:{number}", adapter) for number, adapter in enumerate(found))


@contextmanager
def _without_display() -> Iterator[None]:
    """A headless computer has no runtime folder, and drivers complain of that on stderr."""
    if os.environ.get(RUNTIME_DIR):
        yield
        return
    os.environ[RUNTIME_DIR] = tempfile.gettempdir()
    try:
        yield
    finally:
        del os.environ[RUNTIME_DIR]


def find(name: str) -> Found:
    """The adapter of a name: wgpu (the first GPU), wgpu:NUMBER, or part of its model's name.

    Raises BackendUnavailable naming what there is.
    """
    wanted = name.partition(":")[2]
    rows = sorted(adapters(), key=lambda row: row.kind is not Kind.GPU)
    for row in rows:
        model = row.info["device"].lower()
        if not wanted or row.name == name or (not wanted.isdigit() and wanted.lower() in model):
            return row
    seen = ", ".join(row.name for row in rows) or "none"
    raise BackendUnavailable(name, f"no such adapter; there is {seen}")


def facts(found: Found) -> Facts:
    """What the driver tells of an adapter, with its vendor's reading of this moment."""
    bus = cards.address(found.info["vendor_id"], found.info["device_id"])
    known = Facts(found.info["device"].strip(), found.info["description"].strip(), bus)
    return known if found.kind is Kind.CPU else gpu.merged(known, gpu.read_all())


def describe(found: Found) -> dict[str, object]:
    """The row that `probe` makes a Candidate of."""
    told = facts(found)
    words = "GPU" if found.kind is Kind.GPU else "CPU"
    driver = f"{found.info['backend_type']} driver {told.driver or 'n/a'}"
    return {
        "name": found.name,
        "kind": found.kind,
        "auto": found.info["adapter_type"] in REAL_GPUS,
        "detail": f"{words} {told.name}, {driver}",
        "card": told.name,
        "bus": told.bus,
    }


def main() -> None:
    """Print one JSON object a line, an adapter each."""
    for row in adapters():
        print(json.dumps(describe(row)), flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
