"""Which kernel shape is fastest on a device: measured once, checked, kept by device and driver."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from miner import files
from miner.backends import selftest, speed
from miner.backends.base import GPU_SCAN_S as SCAN_S
from miner.backends.base import Backend, BackendInfo, Say
from miner.backends.gpu_scan import GpuBackend
from miner.backends.gpu_work import SINGLE_COST, SINGLE_WINS
from miner.backends.opencl.device import Session, default_shape
from miner.backends.opencl.drivers import FAMILY
from miner.backends.opencl.listing import Found, device_key, find, is_cpu, kind, pci_address
from miner.backends.opencl.work import Shape, kernel_source
from miner.errors import BackendFault, BackendUnavailable, MinerError

FILE = "opencl-tuned.json"
BUDGET_S = 20.0
SAMPLES, SAMPLE_S = 3, 0.12  # the best counts: other load can only slow a sample down
GROUPS = (64, 128, 256)
NONCE_COUNTS = (16, 32, 64, 128)


@dataclass(frozen=True, slots=True)
class Tuning:
    """The winner on one device; rates in H/s."""

    shape: Shape
    rate_hs: float  # scan_shared, with versions enough
    single_rate_hs: float  # scan_single, one version
    tried: int  # shapes measured

    @property
    def single_cost(self) -> float:
        """How much dearer a hash is when its version has a schedule of its own."""
        return self.rate_hs / self.single_rate_hs if self.single_rate_hs > 0 else SINGLE_COST

    @property
    def alone(self) -> bool:
        """Is scan_single the kernel for every version?"""
        return self.single_cost < SINGLE_WINS


def open_tuned(name: str, cache: Path, say: Say | None = None) -> GpuBackend:
    """Open a device with its stored shape, or the default. With `say`, a GPU never tuned is tuned
    first; a CPU only by `miner tune`: it competes with native code, and PoCL compiles slowly.
    Raises BackendUnavailable or BackendFault."""
    found = find(name)
    tuning = load(found, cache)
    if tuning is None and say and not is_cpu(found.device):
        say(
            f"{found.name}: first use, looking for its fastest kernel shape for up to "
            f"{BUDGET_S:.0f} s; MINER_TUNE=0 skips that"
        )
        tuning = tune(found, cache, say)
    if tuning is None:
        return open_with(found, default_shape(found.device), cache)
    return open_with(found, tuning.shape, cache, tuning.single_cost)


def open_with(
    found: Found, shape: Shape, cache: Path, single_cost: float = SINGLE_COST
) -> GpuBackend:
    """Open a device with a given shape. Raises BackendUnavailable or BackendFault."""
    device = found.device
    lanes = shape.wide * device.max_compute_units
    wanted = 1 if single_cost < SINGLE_WINS else shape.wide
    info = BackendInfo(
        found.name, device.name.strip(), lanes, wanted, kind(device), SCAN_S, pci_address(device)
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


def rate(backend: Backend, versions: int) -> float:
    """H/s, the best of a few samples after the launch length has settled."""
    timing = speed.Timing(backend, speed.never(versions))
    timing.sample(SAMPLE_S)
    return speed.in_turns([timing], SAMPLES, SAMPLE_S)[0]


def key(found: Found) -> str:
    """A tuning is good for one model, driver and kernel."""
    kernel = hashlib.sha256(kernel_source().encode()).hexdigest()[:16]
    return f"{device_key(found.device)} | kernel {kernel}"


def load(found: Found, cache: Path) -> Tuning | None:
    """What was stored for this device, driver and kernel; None when there is nothing usable."""
    row = _read(cache).get(key(found), {})
    try:
        shape, rates = Shape(**row["shape"]), (float(row["rate_hs"]), float(row["single_rate_hs"]))
        fits = shape.group <= found.device.max_work_group_size
        return Tuning(shape, *rates, tried=int(row["tried"])) if fits else None
    except (KeyError, TypeError, ValueError):
        return None


def store(found: Found, cache: Path, tuning: Tuning) -> None:
    """Remember; a cache that cannot be written costs 20 s at the next start, no more."""
    rows = {**_read(cache), key(found): asdict(tuning)}
    with suppress(OSError):
        files.replace(cache / FILE, json.dumps(rows, indent=1).encode() + b"\n")


def _read(cache: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = json.loads((cache / FILE).read_text())
    except (OSError, ValueError):
        return {}
    kept = rows.items() if isinstance(rows, dict) else ()
    return {name: row for name, row in kept if isinstance(row, dict)}


def tune_named(name: str, cache: Path, say: Say, budget_s: float = BUDGET_S) -> tuple[str, Tuning]:
    """Tune the device of a name: its full name and the winner. Raises BackendUnavailable."""
    if name.partition(":")[0] != FAMILY:
        raise BackendUnavailable(name, "only OpenCL devices are tuned; see `miner devices`")
    found = find(name)
    return found.name, tune(found, cache, say, budget_s)
