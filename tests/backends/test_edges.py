"""The edges of a scan, for every backend: first and last nonce, odd ranges, floods, byte order."""

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest

from miner.backends import native
from miner.backends.base import NONCES, Backend, Hit
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.sha256 import midstate
from miner.bitcoin.target import target_from_nbits
from tests.backends.test_native_build import (
    COMMON,
    CSRC,
    DRIVER,
    HERE,
    PORTABLE,
    PRODUCT,
    SANITIZERS,
    SHARED,
    WARNINGS,
    X86,
    build,
    link,
    run,
    tool,
)
from tests.fakes.backend import find
from tests.faults import fault

# Mainnet blocks 0, 125552 and 874944; the last one's version was rolled.
REAL = [
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
    "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
    "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d75"
    "0423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695",
    "00606727e5d7ba06c97c63e82bc6a926277eb5e86cda617d428700000000000000000000adb125015abeb245"
    "9fbffe53b267f9814496d6a24675f682785007ba98af35666a835f67fa97021705a8c4a8",
]


@dataclass(frozen=True)
class Unit:
    """Scannable; versions 1, 2, 3 ... in front of a fixed rest."""

    target: int
    count: int = 1  # of versions

    @property
    def versions(self) -> tuple[int, ...]:
        return tuple(range(1, 1 + self.count))

    @property
    def prefix(self) -> bytes:
        return struct.pack("<I", 1) + bytes(range(72))

    def value(self, version: int, nonce: int) -> int:
        header = struct.pack("<I", version) + self.prefix[4:] + struct.pack("<I", nonce)
        return int.from_bytes(sha256d(header), "little")


def scan_all(backend: Backend, unit: Unit, start: int, count: int) -> list[Hit]:
    hits: list[Hit] = []
    end = start + count
    while start < end:
        part = backend.scan(unit, start, end - start)
        assert part.hashes >= unit.count and part.hashes % unit.count == 0
        hits += part.hits
        start += part.hashes // unit.count
    assert start == end
    return hits


@pytest.mark.parametrize("nonce", [0, 1, 2**31 - 1, 2**31, NONCES - 2, NONCES - 1])
@pytest.mark.parametrize("versions", [1, 3])
@fault("B05")
def test_a_hit_at_either_end_of_its_range(backend: Backend, nonce: int, versions: int) -> None:
    """Ranges that begin or end with the planted nonce, or hold it alone; and beside it, none."""
    bare = Unit(0, versions)
    unit = Unit(min(bare.value(version, nonce) for version in bare.versions), versions)
    for start, end in ((nonce, nonce + 1), (nonce, nonce + 40), (nonce - 40, nonce + 1)):
        first, last = max(start, 0), min(end, NONCES)
        wanted = find(unit, first, last - first)
        assert any(hit.nonce == nonce for hit in wanted)
        assert scan_all(backend, unit, first, last - first) == wanted
    without = range(max(nonce - 3, 0), nonce)
    assert all(hit.nonce != nonce for hit in scan_all(backend, unit, without.start, len(without)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 63, 65])
@fault("B05")
def test_ranges_that_are_no_multiple_of_the_lanes(backend: Backend, count: int) -> None:
    unit = Unit(2**253, 2)
    for start in (0, 3, NONCES - count):
        assert scan_all(backend, unit, start, count) == find(unit, start, count)


@pytest.mark.parametrize(("target", "versions"), [(2**255, 1), (2**256 - 1, 5)])
@fault("B06")
def test_a_flood_of_hits_is_returned_whole(backend: Backend, target: int, versions: int) -> None:
    """More hits than any buffer holds at once: the scan stops early and goes on, none is lost."""
    unit = Unit(target, versions)
    count = {"python": 64, "numpy": 500}.get(backend.info.name, 3000)
    assert scan_all(backend, unit, 5, count) == find(unit, 5, count)


@fault("B08")
def test_a_target_of_zero_is_met_by_nothing(backend: Backend) -> None:
    assert scan_all(backend, Unit(0), 0, 40) == []


@pytest.mark.parametrize("header_hex", REAL)
@fault("B09")
def test_real_blocks_are_found(backend: Backend, header_hex: str) -> None:
    """One wrong byte order anywhere, and the block chain's own nonces are no hits."""
    header = bytes.fromhex(header_hex)
    version, nonce = struct.unpack("<I", header[:4])[0], struct.unpack("<I", header[76:])[0]

    class Real:
        prefix, versions = header[:76], (version,)
        target = target_from_nbits(struct.unpack("<I", header[72:76])[0])

    assert backend.scan(Real(), nonce - 8, 20).hits == (Hit(version, nonce),)


@fault("B09")
def test_the_c_code_is_exact_on_a_big_endian_computer(tmp_path: Path) -> None:
    cc, qemu = tool("s390x-linux-gnu-gcc"), tool("qemu-s390x")
    driver = build(cc, (), tmp_path, "-O2", "-static", *WARNINGS)
    assert "portable: exact" in run(qemu, driver, "10", "portable")


OFFSETS_C = """
#include <string.h>
#include "scan.h"
int main(void) {
    uint8_t room[64 + 64];
    uint32_t first[16], found[16], versions[2] = {1, 0x20000000};
    for (uint32_t offset = 0; offset < 64; offset++) {
        for (uint32_t i = 0; i < 64; i++) room[offset + i] = (uint8_t)(i * 37);
        scan_midstates(room + offset, versions, 2, offset ? found : first);
        if (offset && memcmp(first, found, sizeof first)) return 1;
    }
    return 0;
}
"""


@fault("B10")
def test_bytes_at_any_address_give_the_same(tmp_path: Path) -> None:
    """Under the alignment sanitizer: no word may be read where none can stand."""
    source = tmp_path / "offsets.c"
    source.write_text(OFFSETS_C)
    files: list[str | Path] = [*PORTABLE, *SHARED, CSRC / "scan_portable.c"]
    program = tmp_path / "offsets"
    run(tool("gcc"), *COMMON, "-O1", *SANITIZERS, source, *files, "-o", program)
    run(program)


@pytest.mark.skipif(native.LIBRARY is None, reason="the C library is not built")
@pytest.mark.parametrize("offset", range(0, 64, 3))
@fault("B10")
def test_the_built_library_takes_any_address(offset: int) -> None:
    assert native.LIBRARY is not None
    ffi, lib = native.LIBRARY.ffi, native.LIBRARY.lib
    chunk = bytes(range(64))
    room = ffi.new("uint8_t[]", 128)
    ffi.memmove(room + offset, chunk, 64)
    found = ffi.new("uint32_t[]", 8)
    lib.scan_midstates(room + offset, [7], 1, found)
    assert tuple(found) == midstate(struct.pack("<I", 7) + chunk[4:])


@pytest.fixture(scope="module")
def x86_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if tuple(X86) != HERE:
        pytest.skip("these variants are x86's")
    out = tmp_path_factory.mktemp("driver") / "driver"
    return link(tool("gcc"), HERE, PRODUCT, out, DRIVER, "-static")


@pytest.mark.parametrize(
    ("cpu", "exact", "refused"),
    [
        ("qemu64", ["sse2", "portable"], ["avx2", "avx512", "shani"]),
        ("Haswell", ["avx2", "sse2", "portable"], ["avx512", "shani"]),
    ],
)
@fault("B02")
def test_a_cpu_gets_only_what_it_can_run(
    x86_driver: Path, cpu: str, exact: list[str], refused: list[str]
) -> None:
    """On an emulated older CPU: each variant is exact or refused by name, none traps."""
    said = run(tool("qemu-x86_64"), "-cpu", cpu, x86_driver, "3")
    assert all(f"{isa}: exact" in said for isa in exact), said
    assert all(f"{isa}: skipped, this CPU has no" in said for isa in refused), said
