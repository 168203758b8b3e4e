"""The cost of keeping shares is found again where it is known."""

import re
import time

import pytest
from lab import proof_cost

from miner.backends import registry
from miner.backends.base import BackendInfo, Hit, Kind, Scannable, ScanResult
from miner.bitcoin.encoding import sha256d

HASH_S, SHARE_S = 1e-5, 2e-3


def burn(seconds: float) -> None:
    """Use CPU time, however busy the machine is."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Known:
    """Hashes truly, at 100 kH/s of CPU time, and takes 2 ms of it for each hit."""

    info = BackendInfo("known", "test double", 1, 1, Kind.CPU)

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        hits = tuple(
            Hit(unit.versions[0], nonce)
            for nonce in range(start, start + count)
            if int.from_bytes(sha256d(unit.prefix + nonce.to_bytes(4, "little")), "little")
            <= unit.target
        )
        burn(count * HASH_S + len(hits) * SHARE_S)
        return ScanResult(hits, count)

    def close(self) -> None:
        pass


def test_a_known_cost_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "open_named", lambda name, options: Known())
    monkeypatch.setattr(proof_cost, "SECONDS", 0.4)
    said = proof_cost.measure("known", 3)
    found = re.search(r"cost ([\d.]+)% of the rate .*, ([\d.]+) µs each", said)
    assert found is not None
    assert float(found[2]) == pytest.approx(2000, rel=0.3)
