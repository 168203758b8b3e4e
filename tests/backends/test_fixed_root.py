"""Header-only work, end to end: the engine with a scripted source, on every backend."""

import hashlib
import struct
from pathlib import Path

from miner.backends.base import Backend, Scannable, ScanResult
from miner.work.job import FixedRoot
from tests.fakes.engine import NEVER, bench_in, job, until

ROOT = hashlib.sha256(b"a given merkle root").digest()
WORK = job(
    merkle=FixedRoot(ROOT), version_mask=0x6000, ntime_limit=1, nonces=range(100, 612),
    share_target=2**248, network_target=NEVER, one_block_per_parent=False,
)  # fmt: skip


class Borrowed:
    """A backend that other tests go on using."""

    def __init__(self, backend: Backend) -> None:
        self.info, self._backend = backend.info, backend

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        return self._backend.scan(unit, start, count)

    def sensors(self) -> None: ...

    def close(self) -> None: ...


def every_hit() -> set[bytes]:
    """The headers with this root that meet the target, by code of our own."""
    found = set()
    for version in (0x20000000, 0x20002000, 0x20004000, 0x20006000):
        for ntime in (WORK.ntime, WORK.ntime + 1):
            front = struct.pack("<I", version) + WORK.prev_hash + ROOT
            front += struct.pack("<II", ntime, WORK.nbits)
            for nonce in WORK.nonces:
                header = front + struct.pack("<I", nonce)
                digest = hashlib.sha256(hashlib.sha256(header).digest()).digest()
                if int.from_bytes(digest, "little") <= WORK.share_target:
                    found.add(header)
    return found


def test_versions_and_time_roll_and_every_hit_is_sent(backend: Backend, tmp_path: Path) -> None:
    expected = every_hit()
    assert len(expected) > 8
    with bench_in(tmp_path) as bench:
        bench.run(Borrowed(backend))
        bench.source.sink.job(WORK)
        until(lambda: len(bench.source.submitted) >= len(expected))
        assert {share.header for share in bench.source.submitted} == expected
        assert len(bench.source.submitted) == len(expected)
        assert {share.unit.extranonce2 for share in bench.source.submitted} == {b""}
