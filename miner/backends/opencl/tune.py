"""Which kernel shape is fastest on a device: measured once, checked, kept by device and driver."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from miner.backends import gpu_tune, selftest
from miner.backends.base import GPU_SCAN_S as SCAN_S
from miner.backends.base import BackendInfo, OpenOptions, Say, Tuned
from miner.backends.gpu_scan import GpuBackend
from miner.backends.gpu_tune import BUDGET_S, FIRST_USE, Tuning, rate
from miner.backends.gpu_work import SINGLE_COST, SINGLE_WINS
from miner.backends.opencl.device import Session, default_shape
from miner.backends.opencl.listing import Found, device_key, find, is_cpu, kind, pci_address
from miner.backends.opencl.work import Shape, kernel_source
from miner.errors import BackendFault, MinerError

FILE = "opencl-tuned.json"
GROUPS = (64, 128, 256)
NONCE_COUNTS = (16, 32, 64, 128)


def open_tuned(name: str, options: OpenOptions) -> GpuBackend:
    """Open a device with its stored shape, or the default. A GPU never tuned is tuned first where
    that is wanted; a CPU only by `miner tune`: it competes with native code, and PoCL compiles
    slowly. Raises BackendUnavailable or BackendFault."""
    found, say, cache = find(name), gpu_tune.hears(options), options.cache
    tuning = load(found, cache)
    if tuning is None and say and not is_cpu(found.device):
        say(f"{found.name}: {FIRST_USE}")
        tuning = tune(found, cache, say)
    if tuning is None:
        backend = open_with(found, default_shape(found.device), cache)
    else:
        backend = open_with(found, tuning.shape, cache, tuning.single_cost)
    backend.intensity = options.intensity
    return backend


def open_with(
    found: Found, shape: Shape, cache: Path, single_cost: float = SINGLE_COST
) -> GpuBackend:
    """Open a device with a given shape. Raises BackendUnavailable or BackendFault."""
    device = found.device
    lanes = shape.wide * device.max_compute_units
    wanted = 1 if single_cost < SINGLE_WINS else shape.wide
    info = BackendInfo(
        found.name,
        device.name.strip(),
        lanes,
        wanted,
        kind(device),
        SCAN_S,
        pci_address(device),
        in_caller=False,
        cores=device.max_compute_units if is_cpu(device) else 1,
    )
    return GpuBackend(Session(found, shape, cache), info, single_cost)


def tune(
    found: Found,
    cache: Path,
    say: Say,
    budget_s: float = BUDGET_S,
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Measure shapes until the budget is spent, check the fastest, store it.

    The default shape comes first, then one dimension after the other around the best so far. A
    shape that cannot be built or answers wrongly is told and passed over. Raises BackendFault
    when none works.
    """
    begun = clock()
    rates: dict[Shape, float] = {}
    failures: list[str] = []
    for shape in candidates(found.device, rates):
        spent = clock() - begun
        each = spent / max(1, len(rates) + len(failures))
        if rates and spent + 2 * each > budget_s:  # this one, then the winner's check
            shapes = "1 shape" if len(rates) == 1 else f"{len(rates)} shapes"
            say(f"{found.name}: time is up after {shapes}")
            break
        try:
            rates[shape] = _measured(found, shape, cache)
            say(f"{found.name}: {words(shape)}: {rates[shape] / 1e6:.1f} MH/s")
        except MinerError as error:
            failures.append(str(error))
            rates.setdefault(shape, 0.0)
            say(f"{found.name}: {words(shape)}: passed over, {error}")
    for shape in sorted(rates, key=lambda shape: -rates[shape]):
        if rates[shape] and (paths := _checked(found, shape, cache, say)):
            tuning = Tuning(shape, *paths, len(rates))
            store(found, cache, tuning)
            return tuning
    raise BackendFault(found.name, f"no kernel shape works: {failures[-1] if failures else ''}")


def candidates(device: Any, rates: dict[Shape, float]) -> Iterator[Shape]:
    """The default, then neighbours of the best measured so far; `rates` grows meanwhile."""
    first = default_shape(device)
    yield first
    nvidia = "nvidia" in device.platform.name.lower()
    dimensions: tuple[Callable[[Shape], list[Shape]], ...] = (
        lambda best: [replace(best, spread=True)] if nvidia else [],
        lambda best: [
            replace(best, nonces=count) for count in NONCE_COUNTS if count >= best.vector
        ],
        lambda best: [replace(best, group=items) for items in _groups(device, best)],
        lambda best: [
            replace(
                best,
                group=max(1, best.wide // lanes),
                nonces=max(best.nonces, lanes),
                vector=lanes,
            )
            for lanes in ((16, 8, 4) if is_cpu(device) else (2,))
        ],
        lambda best: [replace(best, unroll=2)] if best.nonces > 1 else [],
    )
    for around in dimensions:
        for shape in around(max(rates, key=lambda shape: rates[shape])):
            fits = shape.group <= device.max_work_group_size
            if shape not in rates and fits and shape.local_bytes <= device.local_mem_size:
                yield shape


def _groups(device: Any, best: Shape) -> list[int]:
    return [best.group // 2 or 1, best.group * 2] if is_cpu(device) else list(GROUPS)


def words(shape: Shape) -> str:
    """A shape for people."""
    sums = ", sums by multiply-add" if shape.spread else ""
    pairs = ", two hashes side by side" if shape.unroll == 2 else ""
    return f"{shape.group} items x {shape.vector} lanes x {shape.nonces} nonces{pairs}{sums}"


def _measured(found: Found, shape: Shape, cache: Path) -> float:
    backend = open_with(found, shape, cache)
    try:
        return rate(backend, shape.wide)
    finally:
        backend.close()


def _checked(found: Found, shape: Shape, cache: Path, say: Say) -> tuple[float, float] | None:
    """H/s of scan_shared and scan_single, one after the other since other load changes, when the
    known answers come out; else None."""
    backend = open_with(found, shape, cache)
    try:
        selftest.check(backend)
        return rate(backend, shape.wide), rate(backend, 1)
    except MinerError as error:
        say(f"{found.name}: {words(shape)}: passed over, {error}")
        return None
    finally:
        backend.close()


def key(found: Found) -> str:
    """A tuning is good for one model, driver and kernel."""
    return gpu_tune.key(device_key(found.device), kernel_source())


def load(found: Found, cache: Path) -> Tuning | None:
    """What was stored for this device, driver and kernel; None when there is nothing usable."""
    kept = gpu_tune.load(cache / FILE, key(found), Shape)
    fits = kept is not None and kept.shape.group <= found.device.max_work_group_size
    return kept if fits else None


def store(found: Found, cache: Path, tuning: Tuning) -> None:
    """Remember."""
    gpu_tune.store(cache / FILE, key(found), tuning)


def tune_named(name: str, options: OpenOptions, budget_s: float) -> Tuned:
    """Tune the device of a name. Raises BackendUnavailable or BackendFault."""
    found = find(name)
    kernel_source()  # without it no shape is worth a try
    won = tune(found, options.cache, options.say, budget_s)
    return won.told(found.name, words(won.shape))
