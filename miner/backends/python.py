"""The pure reference backend: the readable SHA-256 of `miner.bitcoin`, one version at a time.

Slow on purpose; it is the oracle for the others and what the lessons trace.
"""

import struct
import time
from collections.abc import Callable
from functools import partial

from miner.backends.base import (
    BackendInfo,
    Candidate,
    Hit,
    Kind,
    Scannable,
    ScanResult,
    check_range,
)
from miner.backends.single import SingleProvider
from miner.bitcoin.sha256 import header_hash, midstate

Hasher = tuple[int, Callable[[int], bytes]]  # a version, and nonce -> 32 bytes for it

MAX_SCAN_S = 0.05  # a scan returns after this long even when more was asked


class PythonBackend:
    """One hash at a time, in Python."""

    info = BackendInfo("python", "Python, readable SHA-256", 1, 1, Kind.CPU)

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        """See Backend.scan."""
        tail = unit.prefix[64:76]
        hashers: list[Hasher] = []
        for version in unit.versions:
            mid = midstate(struct.pack("<I", version) + unit.prefix[4:64])
            hashers.append((version, partial(header_hash, mid, tail)))
        return scan_with(hashers, unit.target, start, count)

    def sensors(self) -> None:
        """A CPU's are not this backend's."""

    def close(self) -> None:
        """Nothing is held."""


def scan_with(hashers: list[Hasher], target: int, start: int, count: int) -> ScanResult:
    """Call one hasher (nonce -> 32 bytes) per version for each nonce, until count or time is up."""
    check_range(start, count)
    hits: list[Hit] = []
    stop_at = time.monotonic() + MAX_SCAN_S
    nonce = start
    while nonce < start + count:
        for version, header_hash_of in hashers:
            if int.from_bytes(header_hash_of(nonce), "little") <= target:
                hits.append(Hit(version, nonce))
        nonce += 1
        if not nonce & 15 and time.monotonic() > stop_at:
            break
    return ScanResult(tuple(hits), (nonce - start) * len(hashers))


PROVIDER = SingleProvider(
    Candidate("python", Kind.CPU, True, detail="reference, one hash at a time"), PythonBackend
)
