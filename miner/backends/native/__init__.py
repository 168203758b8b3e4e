"""The C kernels, one candidate per instruction set; `native` alone opens the fastest here.

A scan holds no GIL, so several instances run in parallel.
"""

import logging
from pathlib import Path

from miner.backends import selftest
from miner.backends.base import Backend, Candidate, Kind, OpenOptions
from miner.backends.native import calibration, device, library
from miner.backends.native.device import FAMILY, NativeBackend, Shape, states, text, variants
from miner.backends.native.library import Library
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
        chosen = calibration.fastest(rates, device.usable(LIBRARY))
        return [
            Candidate(
                name=f"{FAMILY}:{name}",
                kind=Kind.CPU,
                usable=not why_not,
                why_not=why_not,
                rank=RANK if name == chosen else None,
                detail=_detail(LIBRARY, name, rates, name == chosen),
                parallel=True,
            )
            for name, why_not in variants(LIBRARY).items()
        ]

    def open(self, name: str, options: OpenOptions) -> Backend:
        """`native`, a variant as `native:avx2`, or one shape of it as `native:avx2:loops2`."""
        if LIBRARY is None:
            raise BackendUnavailable(name, NOT_BUILT)
        known = variants(LIBRARY)
        isa, _, form = name.partition(":")[2].partition(":")
        if not isa:
            return _open_fastest(LIBRARY, name, options.cache)
        if isa not in known:
            raise BackendUnavailable(name, f"no such variant, there are {', '.join(known)}")
        if known[isa]:
            raise BackendUnavailable(name, known[isa])
        rows = device.usable(LIBRARY, isa)
        if not form:
            several, one = calibration.best(_rates(LIBRARY, rows, options.cache), rows)
            return _checked(NativeBackend(LIBRARY, isa, several, one))
        shapes = {row.form: row for row in rows}
        if form not in shapes:
            raise BackendUnavailable(name, f"no such shape, there are {', '.join(shapes)}")
        return _checked(_alone(LIBRARY, shapes[form]))


def _alone(clib: Library, shape: Shape) -> NativeBackend:
    """A backend that scans with this shape whatever the unit."""
    return NativeBackend(clib, shape.name, shape, shape)


def _checked(backend: NativeBackend) -> NativeBackend:
    """The same, self-tested. Raises BackendFault when it answers wrong."""
    selftest.check(backend)
    return backend


def _rates(clib: Library, rows: list[Shape], cache: Path) -> dict[str, float]:
    """What calibration knows of these rows; measured now if this CPU and build are new.

    A shape that fails its self-test is not measured, so never chosen; it is logged.
    """
    rates = calibration.load(cache, clib.file)
    if not calibration.measured(rates, rows):
        sound = [backend for row in rows for backend in _sound(_alone(clib, row))]
        rates |= calibration.measure(sound)
        calibration.save(cache, clib.file, rates)
    return rates


def _sound(backend: NativeBackend) -> list[NativeBackend]:
    """It, unless it fails its self-test: that is logged."""
    try:
        return [_checked(backend)]
    except BackendFault as fault:
        log.error("%s; taken out, the next best is used", fault)
        return []


def _open_fastest(clib: Library, name: str, cache: Path) -> NativeBackend:
    """The fastest usable variant by measurement; one that fails its self-test is taken out."""
    rows = device.usable(clib)
    rates = _rates(clib, rows, cache)
    while rows:
        isa = calibration.fastest(rates, rows)
        several, one = calibration.best(rates, [row for row in rows if row.variant == isa])
        for backend in _sound(NativeBackend(clib, several.variant, several, one)):
            return backend
        rows = [row for row in rows if row.variant != isa]
    raise BackendUnavailable(name, "no variant is usable on this CPU; choose another backend")


def compiler() -> str | None:
    """Compiler and version that built the C library, "gcc 12.2.0"; None when it is not built."""
    return text(LIBRARY, LIBRARY.lib.scan_compiler()).strip() if LIBRARY else None


def compiler_flags() -> dict[str, str] | None:
    """What the compiler was told, by shape ("avx2:loops2"), and "all" for every file; None when
    nothing was built or the build did not write it down."""
    return library.flags(LIBRARY.file.parent / library.RECORD) if LIBRARY else None


def _detail(clib: Library, name: str, rates: dict[str, float], chosen: bool) -> str:
    """Lanes, versions wanted, rate and shape of a variant, in words."""
    rows = [row for row in device.shapes(clib) if row.variant == name]
    several, one = calibration.best(rates, device.usable(clib, name) or rows)
    words = [
        f"{several.lanes} lane{'s' if several.lanes > 1 else ''}",
        f"{several.versions_wanted} versions wanted",
    ]
    rate_hs = calibration.rate(rates, several, several.versions_wanted)
    if rate_hs:
        words.append(f"{rate_hs / 1e6:.1f} MH/s a thread")
    if rate_hs and len(rows) > 1:
        words.append(f"shape {shape_words(several, one)}")
    if chosen:
        words.append("chosen" if rate_hs else "chosen until measured")
    return ", ".join(words)


def shape_words(several: Shape, one: Shape) -> str:
    """The shape in use, and that for one version where it is another."""
    return several.form if one == several else f"{several.form} ({one.form} for one version)"


PROVIDER = NativeProvider()
