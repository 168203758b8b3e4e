"""Which shape of the kernel is fastest on an adapter: measured once, checked, kept by driver."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from miner.backends import gpu_tune, kernel_file, selftest
from miner.backends.base import GPU_SCAN_S, BackendInfo, Kind, OpenOptions, Say, Tuned
from miner.backends.gpu_scan import GpuBackend
from miner.backends.gpu_tune import BUDGET_S, FIRST_USE, Tuning, rate
from miner.backends.gpu_work import SINGLE_COST, SINGLE_WINS
from miner.backends.wgpu.device import Session, Shape
from miner.backends.wgpu.drivers import FAMILY, KERNEL
from miner.backends.wgpu.listing import Found, facts, find
from miner.devices import cpu
from miner.errors import BackendFault, MinerError

FILE = "wgpu-tuned.json"
DEFAULT = Shape(64, 32)
# What is tried around the best so far: nonces of a workgroup, its invocations, and whether each
# does two hashes side by side. The last two also make a launch's versions.
DIMENSIONS: tuple[Callable[[Shape], list[Shape]], ...] = (
    lambda best: [replace(best, nonces=count) for count in (16, 64)],
    lambda best: [replace(best, group=items) for items in (32, 128, 256)],
    lambda best: [replace(best, unroll=2)],
)


def open_tuned(name: str, options: OpenOptions) -> GpuBackend:
    """Open an adapter with its stored shape, or the default. A GPU never tuned is tuned first where
    that is wanted. Raises BackendUnavailable or BackendFault."""
    found, say = find(name), gpu_tune.hears(options)
    tuning = load(found, options.cache)
    if tuning is None and say and found.kind is Kind.GPU:
        say(f"{found.name}: {FIRST_USE}")
        tuning = tune(found, options.cache, say)
    kept = (DEFAULT, SINGLE_COST) if tuning is None else (tuning.shape, tuning.single_cost)
    backend = open_with(found, *kept)
    backend.intensity = options.intensity
    return backend


def open_with(found: Found, shape: Shape, single_cost: float = SINGLE_COST) -> GpuBackend:
    """Open an adapter with a given shape. Raises BackendFault."""
    wanted = 1 if single_cost < SINGLE_WINS else shape.wide
    device = found.info["device"].strip() or "unnamed"
    bus = facts(found).bus
    cores = cpu.cores() if found.kind is Kind.CPU else 1
    info = BackendInfo(
        found.name, device, shape.wide, wanted, found.kind, GPU_SCAN_S, bus, False, cores
    )
    return GpuBackend(Session(found, shape), info, single_cost)


def tune(found: Found, cache: Path, say: Say, budget_s: float = BUDGET_S) -> Tuning:
    """Measure shapes until the budget is spent, check the fastest, store it.

    The default comes first, then one dimension after the other around the best so far. A shape that
    cannot be built or answers wrongly is told and passed over. Raises BackendFault when none works.
    """
    begun, results, why = time.monotonic(), list[Tuning](), ""
    for shape in candidates(results):
        if results and time.monotonic() - begun > budget_s:
            break
        try:
            results.append(_measured(found, shape, len(results) + 1))
            say(f"{found.name}: {words(shape)}: {results[-1].rate_hs / 1e6:.1f} MH/s")
        except MinerError as error:
            why = str(error)
            say(f"{found.name}: {words(shape)}: passed over, {why}")
    if not results:
        raise BackendFault(found.name, f"no kernel shape works: {why}")
    best = _best(results)
    won = Tuning(best.shape, best.rate_hs, best.single_rate_hs, len(results))
    gpu_tune.store(cache / FILE, key(found), won)
    return won


def candidates(results: list[Tuning]) -> Iterator[Shape]:
    """The shapes to measure, each once; `results` grows meanwhile."""
    tried = [DEFAULT]
    yield DEFAULT
    for around in DIMENSIONS:
        for shape in around(_best(results).shape if results else DEFAULT):
            if shape not in tried:
                tried.append(shape)
                yield shape


def _best(results: list[Tuning]) -> Tuning:
    return max(results, key=lambda one: max(one.rate_hs, one.single_rate_hs))


def tune_named(name: str, options: OpenOptions, budget_s: float) -> Tuned:
    """Tune the adapter of a name. Raises BackendUnavailable or BackendFault."""
    found = find(name)
    kernel_file.read(FAMILY, KERNEL)  # without it no shape is worth a try
    won = tune(found, options.cache, options.say, budget_s)
    return won.told(found.name, words(won.shape))


def words(shape: Shape) -> str:
    """A shape for people."""
    pairs = ", two hashes side by side" if shape.unroll == 2 else ""
    return f"{shape.group} invocations x {shape.nonces} nonces{pairs}"


def _measured(found: Found, shape: Shape, tried: int) -> Tuning:
    backend = open_with(found, shape)
    try:
        selftest.check(backend)
        return Tuning(shape, rate(backend, shape.wide), rate(backend, 1), tried)
    finally:
        backend.close()


def key(found: Found) -> str:
    """A tuning is good for one model, driver and kernel."""
    return gpu_tune.key(found.key, kernel_file.read(FAMILY, KERNEL))


def load(found: Found, cache: Path) -> Tuning | None:
    """What was stored for this adapter, driver and kernel; None when there is nothing usable."""
    return gpu_tune.load(cache / FILE, key(found), Shape)
