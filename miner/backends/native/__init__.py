"""The C kernels, one candidate per instruction set; `native` alone opens the fastest here.

A scan holds no GIL, so several instances run in parallel.
"""

import logging
import struct
from pathlib import Path
from types import ModuleType
from typing import Any

from miner.backends import selftest
from miner.backends.base import (
    Backend,
    BackendInfo,
    Candidate,
    Hit,
    Scannable,
    ScanResult,
    check_range,
)
from miner.backends.native import calibration, library
from miner.devices import cpu
from miner.errors import BackendFault, BackendUnavailable
from miner.paths import cache_dir

log = logging.getLogger(__name__)
MODULE: ModuleType | None = None
NOT_BUILT = ""
try:
    MODULE = library.load()
except library.NotUsable as reason:  # reported by probe and open
    NOT_BUILT = str(reason)

FAMILY = "native"
HIT_ROOM = 4096  # hits a scan may return; far above the 8 a batch should expect


class NativeBackend:
    """One variant with its own buffers; the module itself keeps no state."""

    def __init__(self, module: Any, variant: int, device: str) -> None:
        self._ffi, self._lib, self._variant = module.ffi, module.lib, variant
        self.info = BackendInfo(
            name=f"{FAMILY}:{_text(module, module.lib.scan_variant_name(variant))}",
            device=device,
            lanes=self._lib.scan_variant_lanes(variant),
            versions_wanted=self._lib.scan_variant_versions_wanted(variant),
            batch="cpu",
        )
        self._task = self._ffi.new("struct scan_task *")
        self._hashes = self._ffi.new("uint64_t *")
        self._midstates: Any = None
        self._hits: Any = None
        self._capacity = 0
        self._prepared: tuple[bytes, tuple[int, ...]] | None = None
        self._target = -1

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        check_range(start, count)
        if count == 0:
            return ScanResult((), 0)
        if self._prepared != (unit.prefix, unit.versions):
            self._prepare(unit.prefix, unit.versions)
        if self._target != unit.target:
            self._task.target = struct.unpack("<8I", unit.target.to_bytes(32, "little"))
            self._target = unit.target
        self._task.start, self._task.count = start, count
        found = self._lib.scan_run(
            self._variant, self._task, self._hits, self._capacity, self._hashes
        )
        if found < 0:
            raise BackendFault(self.info.name, f"scan_run answered {found}")
        rows = sorted((self._hits[i].nonce, self._hits[i].version_index) for i in range(found))
        hits = tuple(Hit(unit.versions[version], nonce) for nonce, version in rows)
        return ScanResult(hits, self._hashes[0])

    def close(self) -> None:
        """Nothing is held."""

    def _prepare(self, prefix: bytes, versions: tuple[int, ...]) -> None:
        """What depends on the unit alone: midstates, tail, and a hit buffer that fits."""
        self._midstates = _states(self._ffi, self._lib, prefix[:64], versions)
        self._task.midstates = self._midstates
        self._task.n_versions = len(versions)
        self._task.tail = struct.unpack(">3I", prefix[64:76])
        self._capacity = HIT_ROOM + self._lib.scan_min_capacity(self._variant, len(versions))
        self._hits = self._ffi.new("struct scan_hit[]", self._capacity)
        self._prepared = (prefix, versions)


def midstates(chunk1: bytes, versions: tuple[int, ...]) -> memoryview | None:
    """States after the header's first 64 bytes with each version in them, 8 words each; None
    without the C module."""
    if MODULE is None:
        return None
    return memoryview(MODULE.ffi.buffer(_states(MODULE.ffi, MODULE.lib, chunk1, versions)))


def _states(ffi: Any, lib: Any, chunk1: bytes, versions: tuple[int, ...]) -> Any:
    words = ffi.new("uint32_t[]", 8 * len(versions))
    lib.scan_midstates(chunk1, versions, len(versions), words)
    return words


class NativeProvider:
    """Every variant in the module's table, built or not."""

    family = FAMILY

    def probe(self) -> list[Candidate]:
        if MODULE is None:
            return [Candidate(FAMILY, usable=False, why_not=NOT_BUILT)]
        rates = calibration.load(cache_dir(), Path(MODULE.__file__ or ""))
        usable = [name for name, why_not in variants(MODULE).items() if not why_not]
        chosen = calibration.fastest(rates, usable)
        return [
            Candidate(
                name=f"{FAMILY}:{name}",
                usable=not why_not,
                why_not=why_not,
                auto=name == chosen,
                detail=_detail(MODULE, index, rates.get(name), name == chosen),
                parallel=True,
            )
            for index, (name, why_not) in enumerate(variants(MODULE).items())
        ]

    def open(self, name: str, cache: Path) -> Backend:
        if MODULE is None:
            raise BackendUnavailable(name, NOT_BUILT)
        known = variants(MODULE)
        _, _, isa = name.partition(":")
        if isa:
            if isa not in known:
                raise BackendUnavailable(name, f"no such variant, there are {', '.join(known)}")
            if known[isa]:
                raise BackendUnavailable(name, known[isa])
            return _open_checked(MODULE, isa)
        return _open_fastest(MODULE, name, cache)


def _open_checked(module: ModuleType, isa: str) -> NativeBackend:
    """Open and self-test one usable variant. Raises BackendFault when it answers wrong."""
    index = list(variants(module)).index(isa)
    backend = NativeBackend(module, index, cpu.model())
    selftest.check(backend)
    return backend


def _open_fastest(module: ModuleType, name: str, cache: Path) -> NativeBackend:
    """The fastest usable variant by measurement, timed now if this CPU and build are new.

    A variant that fails its self-test is taken out, and said so; forced by name it raises.
    """
    path = Path(module.__file__ or "")
    usable = [isa for isa, why_not in variants(module).items() if not why_not]
    rates = calibration.load(cache, path)
    if set(usable) - set(rates):
        rates = calibration.measure(_sound(module, usable))
        calibration.save(cache, path, rates)
    for isa in sorted(rates.keys() & set(usable), key=lambda isa: -rates[isa]):
        for backend in _sound(module, [isa]):
            return backend
    raise BackendUnavailable(name, "no variant is usable on this CPU")


def _sound(module: ModuleType, names: list[str]) -> list[NativeBackend]:
    """Those of the variants that pass their self-test, opened; the others are logged."""
    opened = []
    for isa in names:
        try:
            opened.append(_open_checked(module, isa))
        except BackendFault as fault:
            log.error("%s; taken out, the next best is used", fault)
    return opened


def variants(module: ModuleType) -> dict[str, str]:
    """Name and reason why not ("" = usable) of each row, in the table's order."""
    lib = module.lib
    return {
        _text(module, lib.scan_variant_name(i)): _text(module, lib.scan_variant_why_not(i))
        for i in range(lib.scan_variant_count())
    }


def compiler() -> str | None:
    """Compiler and version that built the C module, "gcc 12.2.0"; None when it is not built."""
    return _text(MODULE, MODULE.lib.scan_compiler()).strip() if MODULE else None


def _text(module: ModuleType, pointer: Any) -> str:
    text: bytes = module.ffi.string(pointer)
    return text.decode()


def _detail(module: ModuleType, index: int, rate_hs: float | None, chosen: bool) -> str:
    lanes = module.lib.scan_variant_lanes(index)
    wanted = module.lib.scan_variant_versions_wanted(index)
    words = [f"{lanes} lane{'s' if lanes > 1 else ''}", f"{wanted} versions wanted"]
    if rate_hs is not None:
        words.append(f"{rate_hs / 1e6:.1f} MH/s a thread")
    if chosen:
        words.append("chosen" if rate_hs is not None else "chosen until measured")
    return ", ".join(words)


PROVIDER = NativeProvider()
