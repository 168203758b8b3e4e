"""One C variant as a backend, and what else the C library answers."""

import struct
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
from miner.errors import BackendFault

FAMILY = "native"
HIT_ROOM = 4096  # hits a scan may return; far above the 8 a batch should expect


class NativeBackend:
    """One variant with its own buffers; the library itself keeps no state."""

    def __init__(self, library: Library, variant: int, device: str) -> None:
        self._ffi, self._lib, self._variant = library.ffi, library.lib, variant
        self.info = BackendInfo(
            name=f"{FAMILY}:{text(library, library.lib.scan_variant_name(variant))}",
            device=device,
            lanes=self._lib.scan_variant_lanes(variant),
            versions_wanted=self._lib.scan_variant_versions_wanted(variant),
            kind=Kind.CPU,
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
        self._capacity = HIT_ROOM + self._lib.scan_min_capacity(self._variant, len(versions))
        self._hits = self._ffi.new("struct scan_hit[]", self._capacity)
        self._prepared = (prefix, versions)


def variants(library: Library) -> dict[str, str]:
    """Name and reason why not ("" = usable) of each row, in the table's order."""
    lib = library.lib
    return {
        text(library, lib.scan_variant_name(i)): text(library, lib.scan_variant_why_not(i))
        for i in range(lib.scan_variant_count())
    }


def states(ffi: Any, lib: Any, chunk1: bytes, versions: tuple[int, ...]) -> Any:
    """Midstates of a chunk with each version in it: a C array, 8 words each."""
    words = ffi.new("uint32_t[]", 8 * len(versions))
    lib.scan_midstates(chunk1, versions, len(versions), words)
    return words


def text(library: Library, pointer: Any) -> str:
    """A C string of the library."""
    words: bytes = library.ffi.string(pointer)
    return words.decode()
