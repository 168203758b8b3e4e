"""The C kernels, one candidate per instruction set; `native` alone opens the fastest here.

A scan holds no GIL, so several instances run in parallel.
"""

import logging
from pathlib import Path

from miner.backends import selftest
from miner.backends.base import Backend, Candidate, Kind, OpenOptions
from miner.backends.native import calibration, library
from miner.backends.native.device import FAMILY, NativeBackend, states, text, variants
from miner.backends.native.library import Library
from miner.devices import cpu
from miner.errors import BackendFault, BackendUnavailable
from miner.paths import cache_dir

RANK = 0  # before every other family of the CPU
log = logging.getLogger(__name__)
LIBRARY: Library | None = None
NOT_BUILT = ""
try:
    LIBRARY = library.load()
except library.NotUsable as reason:  # reported by probe and open
    NOT_BUILT = str(reason)


def midstates(chunk1: bytes, versions: tuple[int, ...]) -> memoryview | None:
    """States after the header's first 64 bytes with each version in them, 8 words each; None
    without the C library."""
    if LIBRARY is None:
        return None
    return memoryview(LIBRARY.ffi.buffer(states(LIBRARY.ffi, LIBRARY.lib, chunk1, versions)))


class NativeProvider:
    """Every variant in the library's table, built or not."""

    family = FAMILY

    def probe(self) -> list[Candidate]:
        if LIBRARY is None:
            return [Candidate(FAMILY, Kind.CPU, usable=False, why_not=NOT_BUILT, rank=RANK)]
        rates = calibration.load(cache_dir(), LIBRARY.file)
        usable = [name for name, why_not in variants(LIBRARY).items() if not why_not]
        chosen = calibration.fastest(rates, usable)
        return [
            Candidate(
                name=f"{FAMILY}:{name}",
                kind=Kind.CPU,
                usable=not why_not,
                why_not=why_not,
                rank=RANK if name == chosen else None,
                detail=_detail(LIBRARY, index, rates.get(name), name == chosen),
                parallel=True,
            )
            for index, (name, why_not) in enumerate(variants(LIBRARY).items())
        ]

    def open(self, name: str, options: OpenOptions) -> Backend:
        if LIBRARY is None:
            raise BackendUnavailable(name, NOT_BUILT)
        known = variants(LIBRARY)
        _, _, isa = name.partition(":")
        if isa:
            if isa not in known:
                raise BackendUnavailable(name, f"no such variant, there are {', '.join(known)}")
            if known[isa]:
                raise BackendUnavailable(name, known[isa])
            return _open_checked(LIBRARY, isa)
        return _open_fastest(LIBRARY, name, options.cache)


def _open_checked(clib: Library, isa: str) -> NativeBackend:
    """Open and self-test one usable variant. Raises BackendFault when it answers wrong."""
    index = list(variants(clib)).index(isa)
    backend = NativeBackend(clib, index, cpu.model())
    selftest.check(backend)
    return backend


def _open_fastest(clib: Library, name: str, cache: Path) -> NativeBackend:
    """The fastest usable variant by measurement, timed now if this CPU and build are new.

    A variant that fails its self-test is taken out, and said so; forced by name it raises.
    """
    path = clib.file
    usable = [isa for isa, why_not in variants(clib).items() if not why_not]
    rates = calibration.load(cache, path)
    if set(usable) - set(rates):
        rates = calibration.measure(_sound(clib, usable))
        calibration.save(cache, path, rates)
    for isa in sorted(rates.keys() & set(usable), key=lambda isa: -rates[isa]):
        for backend in _sound(clib, [isa]):
            return backend
    raise BackendUnavailable(name, "no variant is usable on this CPU; choose another backend")


def _sound(clib: Library, names: list[str]) -> list[NativeBackend]:
    """Those of the variants that pass their self-test, opened; the others are logged."""
    opened = []
    for isa in names:
        try:
            opened.append(_open_checked(clib, isa))
        except BackendFault as fault:
            log.error("%s; taken out, the next best is used", fault)
    return opened


def compiler() -> str | None:
    """Compiler and version that built the C library, "gcc 12.2.0"; None when it is not built."""
    return text(LIBRARY, LIBRARY.lib.scan_compiler()).strip() if LIBRARY else None


def _detail(clib: Library, index: int, rate_hs: float | None, chosen: bool) -> str:
    lanes = clib.lib.scan_variant_lanes(index)
    wanted = clib.lib.scan_variant_versions_wanted(index)
    words = [f"{lanes} lane{'s' if lanes > 1 else ''}", f"{wanted} versions wanted"]
    if rate_hs is not None:
        words.append(f"{rate_hs / 1e6:.1f} MH/s a thread")
    if chosen:
        words.append("chosen" if rate_hs is not None else "chosen until measured")
    return ", ".join(words)


PROVIDER = NativeProvider()
