"""FB: a backend that finds, lies, misses, hangs, raises or dies on command.

It hashes with hashlib through its own code, so what it reports by default is right.
"""

import hashlib
import struct
import threading
import time
from collections.abc import Callable, Iterable

from miner.backends.base import BackendInfo, Hit, Kind, Scannable, ScanResult, check_range
from miner.devices.gpu import Sensors
from miner.errors import BackendFault


class FakeBackend:
    """`behave` is called before each scan: it may raise, sleep, or change the switches below."""

    def __init__(
        self,
        name: str = "fake",
        behave: Callable[["FakeBackend"], None] | None = None,
        most_nonces: int = 2000,
        versions_wanted: int = 2,
    ) -> None:
        self.info = BackendInfo(name, "a test double", 1, versions_wanted, Kind.CPU)
        self.behave = behave
        self.most_nonces = most_nonces  # a scan stops early after so many
        self.flip = False  # lie: report the nonce beside each hit
        self.miss_every = 0  # lose each n-th hit
        self.scans = 0
        self.mining = 0  # scans of a job's units, not of self-tests and audits
        self.closed = 0
        self.units: list[tuple[bytes, tuple[int, ...], int, int]] = []  # what was asked, in order
        self.times: list[tuple[bytes, float]] = []  # prefix and monotonic start of each scan
        self._hits_seen = 0
        self._lock = threading.Lock()

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        assert self._lock.acquire(blocking=False), "one thread at a time"
        try:
            return self._scan(unit, start, count)
        finally:
            self._lock.release()

    def _scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        check_range(start, count)
        self.scans += 1
        self.mining += is_work(unit.prefix)
        self.times.append((unit.prefix, time.monotonic()))
        if self.behave is not None:
            self.behave(self)
        count = min(count, self.most_nonces)
        self.units.append((unit.prefix, unit.versions, start, count))
        hits = list(self._kept(find(unit, start, count)))
        if self.flip:
            hits = [Hit(hit.version, hit.nonce ^ 1) for hit in hits]
        return ScanResult(tuple(hits), count * len(unit.versions))

    def _kept(self, hits: Iterable[Hit]) -> Iterable[Hit]:
        for hit in hits:
            self._hits_seen += 1
            if not self.miss_every or self._hits_seen % self.miss_every:
                yield hit

    def sensors(self) -> Sensors | None:
        return None

    def close(self) -> None:
        self.closed += 1


def is_work(prefix: bytes) -> bool:
    """Is this a unit of the tests' regtest jobs, and not of a self-test or an audit?"""
    return prefix[72:76] == bytes.fromhex("ffff7f20")


def find(unit: Scannable, start: int, count: int) -> list[Hit]:
    """Every hit, by hashlib."""
    hits = []
    for nonce in range(start, start + count):
        for version in unit.versions:
            header = struct.pack("<I", version) + unit.prefix[4:] + struct.pack("<I", nonce)
            digest = hashlib.sha256(hashlib.sha256(header).digest()).digest()
            if int.from_bytes(digest, "little") <= unit.target:
                hits.append(Hit(version, nonce))
    return hits


def fail_at(scan: int, message: str = "lost") -> Callable[[FakeBackend], None]:
    """Raise BackendFault at the given scan of a job."""

    def behave(backend: FakeBackend) -> None:
        if backend.mining == scan:
            raise BackendFault(backend.info.name, message)

    return behave
