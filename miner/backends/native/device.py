"""One C variant as a backend, the library's table, and what else the C library answers."""

import struct
import time
from dataclasses import dataclass
from typing import Any

from miner.backends.base import (
    BackendInfo,
    Hit,
    Kind,
    Scannable,
    ScanResult,
    check_range,
)
from miner.backends.native.library import Library
from miner.devices import cpu
from miner.errors import BackendFault

FAMILY = "native"
YARDSTICKS, YARDSTICK_TURNS = 8, 20000  # the best of so many
HIT_ROOM = 4096  # hits a scan may return; far above the 8 a batch should expect


@dataclass(frozen=True, slots=True)
class Shape:
    """A row of the library's table: a variant in one of the shapes it was compiled in."""

    index: int
    variant: str
    form: str
    lanes: int
    versions_wanted: int
    why_not: str  # "" = usable here

    @property
    def name(self) -> str:
        return f"{self.variant}:{self.form}"


class NativeBackend:
    """One variant with its own buffers; the library itself keeps no state.

    Units of one version and of several may be scanned by different shapes of it.
    """

    def __init__(self, library: Library, name: str, several: Shape, one: Shape) -> None:
        self._ffi, self._lib = library.ffi, library.lib
        self.several, self.one = several, one
        self.info = BackendInfo(
            name=f"{FAMILY}:{name}",
            device=cpu.model(),
            lanes=several.lanes,
            versions_wanted=several.versions_wanted,
            kind=Kind.CPU,
        )
        self._variant = several.index  # of the unit prepared
        self._task = self._ffi.new("struct scan_task *")
        self._hashes = self._ffi.new("uint64_t *")
        self._midstates: Any = None
        self._hits: Any = None
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
            self._variant, self._task, self._hits, len(self._hits), self._hashes
        )
        if found < 0:
            raise BackendFault(self.info.name, f"scan_run answered {found}")
        rows = sorted((self._hits[i].nonce, self._hits[i].version_index) for i in range(found))
        hits = tuple(Hit(unit.versions[version], nonce) for nonce, version in rows)
        return ScanResult(hits, self._hashes[0])

    def shape(self, versions: int) -> Shape:
        """What scans units of so many versions."""
        return self.several if versions > 1 else self.one

    def limit_hs(self, versions: int) -> float | None:
        """Hashes a second if every unit of this core that the shape uses worked all the time, by a
        yardstick timed now (a millisecond or two); None when its operations were not counted."""
        row = self.shape(versions).index
        operations = self._lib.scan_variant_operations(row, versions)
        best = max(self._yardstick(row) for _ in range(YARDSTICKS)) if operations else 0.0
        return best / operations if best else None

    def _yardstick(self, row: int) -> float:
        """Operations a second, in a part of a millisecond."""
        began = time.perf_counter()
        done = self._lib.scan_yardstick(row, YARDSTICK_TURNS)
        return float(done / max(time.perf_counter() - began, 1e-9))

    def sensors(self) -> None:
        """A CPU's are not this backend's."""

    def close(self) -> None:
        """Nothing is held."""

    def _prepare(self, prefix: bytes, versions: tuple[int, ...]) -> None:
        """What depends on the unit alone: midstates, tail, and a hit buffer that fits."""
        self._midstates = states(self._ffi, self._lib, prefix[:64], versions)
        self._task.midstates = self._midstates
        self._task.n_versions = len(versions)
        self._task.tail = struct.unpack(">3I", prefix[64:76])
        self._variant = self.shape(len(versions)).index
        capacity = HIT_ROOM + self._lib.scan_min_capacity(self._variant, len(versions))
        self._hits = self._ffi.new("struct scan_hit[]", capacity)
        self._prepared = (prefix, versions)


def shapes(library: Library) -> list[Shape]:
    """The library's table, in its order: the shapes of a variant follow each other."""
    lib = library.lib
    return [
        Shape(
            i,
            text(library, lib.scan_variant_name(i)),
            text(library, lib.scan_variant_shape(i)),
            lib.scan_variant_lanes(i),
            lib.scan_variant_versions_wanted(i),
            text(library, lib.scan_variant_why_not(i)),
        )
        for i in range(lib.scan_variant_count())
    ]


def usable(library: Library, variant: str = "") -> list[Shape]:
    """The shapes that can run here, of all variants or of one."""
    rows = shapes(library)
    return [row for row in rows if not row.why_not and variant in ("", row.variant)]


def variants(library: Library) -> dict[str, str]:
    """Name and reason why not ("" = usable) of each variant, in the table's order."""
    found: dict[str, str] = {}
    for row in shapes(library):
        if not row.why_not or row.variant not in found:
            found[row.variant] = row.why_not
    return found


def states(ffi: Any, lib: Any, chunk1: bytes, versions: tuple[int, ...]) -> Any:
    """Midstates of a chunk with each version in it: a C array, 8 words each."""
    words = ffi.new("uint32_t[]", 8 * len(versions))
    lib.scan_midstates(chunk1, versions, len(versions), words)
    return words


def text(library: Library, pointer: Any) -> str:
    """A C string of the library."""
    words: bytes = library.ffi.string(pointer)
    return words.decode()
