"""One header's nonce: every nonce tested once, no false hit, no lost chunk."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from miner.backends import registry
from miner.backends.base import NONCES, BackendInfo, Hit, Kind, OpenOptions, Scannable, ScanResult
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.engine.grind import Grinder
from miner.errors import BackendFault, MinerError

GENESIS = Header.parse(
    bytes.fromhex(
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
        "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
    )
)
Answer = Callable[[int, int], ScanResult]


class FakeBackend:
    """Answers as it is told and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.info = BackendInfo("fake", "none", 1, 1, Kind.CPU)
        self.answer = answer
        self.tested: list[tuple[int, int]] = []

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        assert unit.versions == (1,)
        result = self.answer(start, count)
        self.tested.append((start, result.hashes))
        return result

    def sensors(self) -> None:
        """It has none."""

    def close(self) -> None:
        """Holds nothing."""


def nothing(start: int, count: int) -> ScanResult:
    return ScanResult((), count)


def covered(*backends: FakeBackend) -> list[tuple[int, int]]:
    """The tested ranges, joined where they meet; overlaps stay visible."""
    joined: list[tuple[int, int]] = []
    for start, count in sorted(part for backend in backends for part in backend.tested):
        if joined and joined[-1][0] + joined[-1][1] == start:
            joined[-1] = (joined[-1][0], joined[-1][1] + count)
        else:
            joined.append((start, count))
    return joined


def test_every_nonce_is_tested_exactly_once() -> None:
    half = FakeBackend(lambda start, count: ScanResult((), max(1, count // 2)))  # stops early
    whole = FakeBackend(nothing)
    grinder = Grinder(GENESIS, [half, whole])
    assert grinder.run() is None
    assert covered(half, whole) == [(0, NONCES)]
    assert grinder.hashes == NONCES


@pytest.mark.parametrize("nonce", [0, GENESIS.nonce, NONCES - 1])
def test_a_real_hit_is_found_wherever_it_is(nonce: int) -> None:
    header = GENESIS if nonce == GENESIS.nonce else easy_at(nonce)

    def answer(start: int, count: int) -> ScanResult:
        inside = start <= nonce < start + count
        return ScanResult((Hit(1, nonce),) if inside else (), count)

    assert Grinder(replace(header, nonce=7), [FakeBackend(answer)]).run() == header


def easy_at(nonce: int) -> Header:
    """A regtest header that this nonce solves; the time is moved until it does."""
    target = target_from_nbits(0x207FFFFF)
    headers = (replace(GENESIS, nbits=0x207FFFFF, nonce=nonce, time=time) for time in range(99))
    return next(header for header in headers if header.meets(target))


def test_a_false_hit_is_never_believed() -> None:
    liar = FakeBackend(lambda start, count: ScanResult((Hit(1, start),), count))
    with pytest.raises(BackendFault, match="nonce 0 is a false hit"):
        Grinder(GENESIS, [liar]).run()


def test_a_failing_device_loses_no_nonce() -> None:
    failed = threading.Event()

    def fail(start: int, count: int) -> ScanResult:
        failed.set()
        raise BackendFault("fake", "unplugged")

    def after(start: int, count: int) -> ScanResult:
        failed.wait(10)
        return nothing(start, count)

    broken, other = FakeBackend(fail), FakeBackend(after)
    assert Grinder(GENESIS, [broken, other]).run() is None
    assert covered(other) == [(0, NONCES)]


def test_what_a_failing_device_left_untested_is_an_error() -> None:
    def fail(start: int, count: int) -> ScanResult:
        raise BackendFault("fake", "unplugged")

    with pytest.raises(BackendFault, match="unplugged"):
        Grinder(GENESIS, [FakeBackend(fail)]).run()


def test_a_target_no_hash_can_meet_is_an_error() -> None:
    for nbits in (0x1D800001, 0x1D000000, 0xFF00FFFF):
        with pytest.raises(MinerError, match="no hash can meet"):
            Grinder(replace(GENESIS, nbits=nbits), [])


@pytest.mark.parametrize("name", ["python", "hashlib", "numpy", "native"])
def test_real_backends_solve_a_real_search(name: str, tmp_path: Path) -> None:
    rows = {row.name.split(":")[0]: row for row in registry.probe_all() if row.usable}
    if name not in rows:
        pytest.skip(f"{name} is not usable here: see miner devices")
    header = replace(GENESIS, nbits=0x2000FFFF if name == "python" else 0x1F0FFFFF)
    backend = registry.open_named(name, OpenOptions(tmp_path))
    try:
        solved = Grinder(header, [backend]).run()
    finally:
        backend.close()
    assert solved is not None
    assert replace(solved, nonce=header.nonce) == header
    hashed = int.from_bytes(sha256d(solved.pack()), "little")
    assert hashed <= target_from_nbits(header.nbits)
