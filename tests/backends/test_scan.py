"""One body and one set of vectors for every backend."""

import json
import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from miner.backends import registry, selftest
from miner.backends.base import Backend, Hit, ScanResult
from miner.bitcoin.sha256 import header_hash, midstate

VECTORS = Path(__file__).parent.parent / "vectors"


@dataclass(frozen=True, slots=True)
class Case:
    """A scannable unit with its range and known hits."""

    name: str
    prefix: bytes
    versions: tuple[int, ...]
    target: int
    start: int
    count: int
    hits: tuple[Hit, ...]

    @classmethod
    def load(cls, row: dict[str, Any]) -> "Case":
        return cls(
            row["name"], bytes.fromhex(row["prefix"]), tuple(row["versions"]),
            int(row["target"], 16), row["start"], row["count"],
            tuple(Hit(version, nonce) for version, nonce in row["hits"]),
        )  # fmt: skip


CASES = [Case.load(row) for row in json.loads((VECTORS / "scans.json").read_text())["cases"]]


def scan_all(backend: Backend, case: Case) -> ScanResult:
    """The whole range, resumed as a worker would, every part judged."""
    hits: list[Hit] = []
    done = 0
    while done < case.count:
        part = backend.scan(case, case.start + done, case.count - done)
        step, rest = divmod(part.hashes, len(case.versions))
        assert rest == 0 and 1 <= step <= case.count - done
        assert all(case.start + done <= hit.nonce < case.start + done + step for hit in part.hits)
        hits += part.hits
        done += step
    return ScanResult(tuple(hits), done * len(case.versions))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_hit_and_no_other(backend: Backend, case: Case) -> None:
    assert scan_all(backend, case) == ScanResult(case.hits, case.count * len(case.versions))


def test_no_nonce_is_no_hash(backend: Backend) -> None:
    assert backend.scan(CASES[0], 0, 0) == ScanResult((), 0)


@pytest.mark.parametrize(("start", "count"), [(-1, 2), (0, -1), (1, 2**32), (2**32, 1)])
def test_a_range_outside_the_nonces_is_refused(backend: Backend, start: int, count: int) -> None:
    with pytest.raises(ValueError, match="nonces"):
        backend.scan(CASES[0], start, count)


def test_random_units_against_the_oracle(backend: Backend) -> None:
    rng = random.Random(2009)
    for _ in range(12):
        versions = tuple(sorted(rng.sample(range(2**32), rng.choice((1, 2, 7, 20)))))
        prefix = struct.pack("<I", versions[0]) + rng.randbytes(72)
        case = Case(
            "random", prefix, versions, 2**rng.randrange(248, 256), rng.randrange(2**32 - 64),
            rng.randrange(1, 24), (),
        )  # fmt: skip
        assert scan_all(backend, case).hits == oracle(case)


def oracle(case: Case) -> tuple[Hit, ...]:
    """Every hit, by the readable SHA-256."""
    tail = case.prefix[64:76]
    mids = {v: midstate(struct.pack("<I", v) + case.prefix[4:64]) for v in case.versions}
    return tuple(
        Hit(version, nonce)
        for nonce in range(case.start, case.start + case.count)
        for version in case.versions
        if int.from_bytes(header_hash(mids[version], tail, nonce), "little") <= case.target
    )


def test_a_scan_in_pieces_gives_the_same(backend: Backend) -> None:
    """Units may change between scans: what is cached must be keyed by value."""
    one, other = CASES[40], CASES[41]
    for case in (one, other, one):
        pieces: list[Hit] = []
        for offset in range(case.count):
            pieces += backend.scan(case, case.start + offset, 1).hits
        assert tuple(pieces) == case.hits


def test_info_names_the_backend(backend: Backend) -> None:
    assert backend.info.name.partition(":")[0] in registry.FAMILIES
    assert backend.info.versions_wanted >= 1 and backend.info.lanes >= 1


def test_the_self_test_passes(backend: Backend) -> None:
    selftest.check(backend)
