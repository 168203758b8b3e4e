"""The OpenCL backend on PoCL: every kernel path, overflow, names, sub-devices.

Skipped as a whole where there is no OpenCL device, with the reason that users read.
"""

import random
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.backends import native, opencl, registry, selftest
from miner.backends.base import Backend, Hit, OpenOptions, ScanResult
from miner.backends.gpu_work import Slice, midstates, slices, zero_bits
from miner.backends.opencl.work import Shape
from miner.backends.selftest import GENESIS, Question, scan_all
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.sha256 import midstate
from miner.errors import BackendUnavailable
from tests.backends.opencl_kit import DEVICES, WHY_NOT, needs_device, open_with, question

# Lanes of an item x items x nonces: scalar lanes as on GPUs, vectors as on CPUs, odd sizes.
SHAPES = (
    Shape(8, 64, 16),
    Shape(2, 16, 4, spread=True),
    Shape(4, 4, 1),
    Shape(2, 8, 2, unroll=2),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("opencl")


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def shaped(request: pytest.FixtureRequest, cache: Path) -> Iterator[Backend]:
    """The default device, once for each way of laying out the lanes."""
    if not DEVICES:
        pytest.skip(f"opencl: {WHY_NOT}")
    backend = open_with(request.param, cache)
    yield backend
    backend.close()


def test_both_kernels_pass_the_self_test_in_every_shape(shaped: Backend) -> None:
    selftest.check(shaped)


def test_ranges_that_start_and_end_inside_blocks(shaped: Backend) -> None:
    """Blocks are aligned to nonces, ranges are not; both kernels, both ends of the nonces."""
    rng = random.Random(5)
    for versions in (1, shaped.info.versions_wanted):
        for start in (0, 1, 63, 255, 2**32 - 130, rng.randrange(2**32 - 200)):
            count = rng.choice((1, 2, 63, 64, 65, 129))
            asked = question(versions, 2**248, start, min(count, 2**32 - start))
            assert scan_all(shaped, asked) == asked.answer()


def test_a_target_above_the_mask_is_compared_exactly(shaped: Backend) -> None:
    """Targets one below, at and above a hash: only the full compare tells them apart."""
    asked = question(3, 2**255, 1000, 8)
    values = sorted(
        int.from_bytes(sha256d(asked.header(version, nonce)), "little")
        for nonce in range(1000, 1008)
        for version in asked.versions
    )
    for target in (values[3] - 1, values[3], values[3] + 1):
        got = scan_all(shaped, question(3, target, 1000, 8))
        assert len(got.hits) == (3 if target < values[3] else 4)


def test_overflow_is_bisected_and_nothing_is_missed(
    shaped: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launch that finds more than the buffer holds is asked again in halves."""
    from miner.backends.opencl import device as opencl_device

    room = shaped.info.versions_wanted
    monkeypatch.setattr(opencl_device, "CAPACITY", room)  # the kernel stores more, the host reads
    asked = question(room, 2**256 - 1, 7, 40)
    result = scan_all(shaped, asked)
    assert result == asked.answer()
    assert len(result.hits) == 40 * room


def test_more_versions_than_one_launch_takes(shaped: Backend) -> None:
    asked = question(1100, 2**252, 12345, 2)
    assert scan_all(shaped, asked) == asked.answer()


def test_random_headers_agree_with_numpy(shaped: Backend) -> None:
    """Random headers, versions for both kernels at once, hundreds of hits."""
    rng = random.Random(14)
    other = registry.open_named("numpy", OpenOptions(Path()))
    for versions in (shaped.info.versions_wanted, shaped.info.versions_wanted + 1, 3):
        numbers = tuple(sorted(rng.sample(range(2**32), versions)))
        prefix = struct.pack("<I", numbers[0]) + rng.randbytes(72)
        count = 100_000 // versions
        asked = Question(prefix, numbers, 2**248, rng.randrange(2**32 - count), count)
        got = scan_all(shaped, asked)
        assert got == scan_all(other, asked)
        assert len(got.hits) > 300


@needs_device
def test_two_sub_devices_scan_at_the_same_time(cache: Path) -> None:
    """Each part of a device is a device of its own: own context, own thread, own range."""
    from miner.backends.opencl import listing as opencl_listing

    whole = opencl_listing.find(DEVICES[0].name)
    if whole.device.max_compute_units < 2:
        pytest.skip(f"{whole.name} has one compute unit, nothing to cut")
    parts = [opencl.PROVIDER.open(f"{whole.name}.{part}of2", OpenOptions(cache)) for part in (0, 1)]
    asked = [question(128, 2**246, start, 3000) for start in (0, 3000)]
    found: dict[int, ScanResult] = {}

    def run(index: int) -> None:
        found[index] = scan_all(parts[index], asked[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = question(128, 2**246, 0, 6000)
    whole_backend = opencl.PROVIDER.open(whole.name, OpenOptions(cache))
    assert found[0].hits + found[1].hits == scan_all(whole_backend, both).hits
    assert len(found[0].hits) > 10
    for backend in (*parts, whole_backend):
        backend.close()


@needs_device
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("opencl:nosuch", "no such device; there is opencl:"),
        (f"{DEVICES[0].name[:-1] if DEVICES else ''}99", "no such device"),
        (f"{DEVICES[0].name if DEVICES else ''}.5of2", "part 5 of 2 does not exist"),
        (f"{DEVICES[0].name if DEVICES else ''}.0of9999", "cannot be cut in 9999"),
    ],
)
def test_an_unknown_name_says_what_there_is(name: str, says: str, cache: Path) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        opencl.PROVIDER.open(name, OpenOptions(cache))
    assert says in str(caught.value) and "\n" not in str(caught.value)


@needs_device
def test_too_large_a_work_group_is_one_line(cache: Path) -> None:
    with pytest.raises(BackendUnavailable, match=r"work-group of 1048576 items is above its limit"):
        open_with(Shape(1 << 20, 64, 1), cache)


@needs_device
def test_a_lower_intensity_makes_shorter_launches_one_at_a_time(
    cache: Path,
) -> None:
    """Each step of ten is a factor of 1.4; below 4 the device rests between two launches."""
    backend: Any = opencl.PROVIDER.open(DEVICES[0].name, OpenOptions(cache, intensity=1))
    assert backend.intensity == 1
    sizes, queued = {}, {}
    for intensity in (1, 8):
        backend.intensity, backend._rate_hs = intensity, 1e9
        sizes[intensity] = backend._step(0, 2**32, 128, 0xFFFFFFFF)
        queued[intensity] = backend._depth
    assert sizes[8] == pytest.approx(1e9 * backend._launch_s / 128, rel=0.01)
    assert sizes[8] / sizes[1] == pytest.approx(1.4**7, rel=0.02)
    assert queued == {1: 1, 8: 2}
    backend.close()


@pytest.mark.parametrize("in_c", [True, False], ids=["C", "numpy"])
def test_midstates_agree_with_the_readable_sha256(
    monkeypatch: pytest.MonkeyPatch, in_c: bool
) -> None:
    if not in_c:
        monkeypatch.setattr(native, "LIBRARY", None)
    elif native.LIBRARY is None:
        pytest.skip(native.NOT_BUILT)
    prefix = GENESIS[:76]
    versions = (0, 1, 0x20000000, 0xFFFFFFFF)
    words = midstates(prefix, versions)
    for column, version in enumerate(versions):
        assert tuple(words[:, column].tolist()) == midstate(
            struct.pack("<I", version) + prefix[4:64]
        )


@pytest.mark.parametrize("versions", [1, 2, 105, 106, 107, 127, 128, 129, 255, 1024, 1025, 5000])
def test_slices_cover_every_version_once(versions: int) -> None:
    cut = slices(versions, 128)
    covered = [v for part in cut for v in range(part.first, part.first + part.count)]
    assert covered == list(range(versions))
    assert all(part.count <= 1024 for part in cut)
    assert slices(106, 128) == [Slice(0, 106, single=True)]
    assert slices(107, 128) == [Slice(0, 107, single=False)]


@pytest.mark.parametrize("versions", [1, 128, 1024, 2500])
def test_where_separate_schedules_cost_nothing_no_version_is_shared(versions: int) -> None:
    cut = slices(versions, 128, single_cost=0.9)
    assert [v for part in cut for v in range(part.first, part.first + part.count)] == list(
        range(versions)
    )
    assert all(part.single and part.count <= 1024 for part in cut)


def test_the_mask_never_discards_a_hash_that_meets_the_target() -> None:
    rng = random.Random(3)
    for _ in range(500):
        target = rng.randrange(2 ** rng.randrange(1, 257))
        value = rng.randrange(target + 1)
        last_word = int.from_bytes(value.to_bytes(32, "little")[28:], "big")
        assert last_word & zero_bits(target) == 0
    assert zero_bits(0) == 0xFFFFFFFF and zero_bits(2**256 - 1) == 0
    assert zero_bits(1 << 224) == 0xFEFFFFFF


def test_hits_are_hit_tuples_in_order(shaped: Backend) -> None:
    hits = scan_all(shaped, question(5, 2**254, 0, 30)).hits
    assert list(hits) == sorted(hits, key=lambda hit: (hit.nonce, hit.version))
    assert all(type(hit) is Hit and type(hit.nonce) is int for hit in hits)
