"""hashlib (OpenSSL) with a copied midstate per version: exact and quick without a compiler."""

import hashlib
import struct
import time

from miner.backends.base import BackendInfo, Hit, Kind, Scannable, ScanResult, check_range

MAX_SCAN_S = 0.05  # it holds the GIL, so others must get their turn
CHECK_EVERY = 1024  # nonces between two looks at the clock


class HashlibBackend:
    """OpenSSL's SHA-256 through the standard library, in the thread that calls; holds the GIL."""

    info = BackendInfo("hashlib", "hashlib (OpenSSL)", 1, 1, Kind.CPU)

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        """See Backend.scan."""
        check_range(start, count)
        hits: list[Hit] = []
        stop_at = time.monotonic() + MAX_SCAN_S
        midstates = [
            (version, hashlib.sha256(struct.pack("<I", version) + unit.prefix[4:]))
            for version in unit.versions
        ]
        nonce, end = start, start + count
        while nonce < end:
            upto = min(nonce + CHECK_EVERY, end)
            for version, mid in midstates:
                hits += [Hit(version, n) for n in _scan_one(mid, unit.target, nonce, upto)]
            nonce = upto
            if time.monotonic() > stop_at:
                break
        hits.sort(key=lambda hit: (hit.nonce, hit.version))
        return ScanResult(tuple(hits), (nonce - start) * len(unit.versions))

    def sensors(self) -> None:
        """A CPU's are not this backend's."""

    def close(self) -> None:
        """Nothing is held."""


def _scan_one(mid: "hashlib._Hash", target: int, start: int, end: int) -> list[int]:
    """Nonces whose hash meets the target, for one version.

    The digest reversed compares as bytes exactly as the little-endian number compares.
    """
    limit = target.to_bytes(32, "big")
    top = limit[0]  # one byte discards nearly all without a copy
    copy, sha256, pack = mid.copy, hashlib.sha256, struct.Struct("<I").pack
    found = []
    for nonce in range(start, end):
        inner = copy()
        inner.update(pack(nonce))
        digest = sha256(inner.digest()).digest()
        if digest[31] <= top and digest[::-1] <= limit:
            found.append(nonce)
    return found
