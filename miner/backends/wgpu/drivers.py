"""Which adapters there are, asked in a helper process that ends, since drivers may crash."""

from functools import cache

from miner.backends import child
from miner.backends.base import Candidate, Kind
from miner.errors import BackendUnavailable

FAMILY = "wgpu"
KERNEL = "sha256d_scan.wgsl"
RANK = 1  # after OpenCL where both reach a card and are equally fast
NOT_INSTALLED = "wgpu cannot be imported: {}; pip install wgpu"


def check_drivers(name: str) -> None:
    """Call before any driver is loaded into this process. Raises BackendUnavailable."""
    for row in probe():
        if row.name == FAMILY:
            raise BackendUnavailable(name, row.why_not)


@cache
def probe() -> tuple[Candidate, ...]:
    """Ask the helper process once; every fault becomes a row."""
    told = child.ask("miner.backends.wgpu.listing")
    if told.signal:
        why = f"a driver crashed with signal {told.signal} while adapters were listed"
        return (_none(f"{why}; update it, or remove its file from the system's Vulkan drivers"),)
    if told.failed:
        missing = "No module named 'wgpu'" in told.failed
        words = NOT_INSTALLED.format(told.failed) if missing else f"listing fails: {told.failed}"
        return (_none(words),)
    rows = [
        Candidate(
            str(row["name"]), Kind(row["kind"]), usable=True, rank=RANK if row["auto"] else None,
            detail=str(row["detail"]), card=str(row["card"]), bus=str(row["bus"]),
        )
        for row in told.rows
    ]  # fmt: skip
    return tuple(rows) or (
        _none(
            "no adapter found: no Vulkan, Metal or Direct3D 12 driver; install your GPU's driver "
            "(Debian: apt install mesa-vulkan-drivers)"
        ),
    )


def _none(why: str) -> Candidate:
    return Candidate(FAMILY, Kind.GPU, usable=False, why_not=why)
