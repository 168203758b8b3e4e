"""One body and one set of vectors for every backend."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from miner.backends import conformance, registry
from miner.backends.base import Backend, Hit, ScanResult
from miner.backends.conformance import Subject

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

    def at_most(self, hashes: int) -> "Case":
        """Its first nonces."""
        count = min(self.count, max(1, hashes // len(self.versions)))
        end = self.start + count
        return replace(self, count=count, hits=tuple(one for one in self.hits if one.nonce < end))


SLOW = 400  # hashes of one case that are enough for a backend that takes them one by one

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
    case = case.at_most(SLOW) if backend.info.name == "python" else case
    assert scan_all(backend, case) == ScanResult(case.hits, case.count * len(case.versions))


def test_a_scan_in_pieces_gives_the_same(backend: Backend) -> None:
    """Units may change between scans: what is cached must be keyed by value."""
    one, other = CASES[40], CASES[41]
    for case in (one, other, one):
        pieces: list[Hit] = []
        for offset in range(case.count):
            pieces += backend.scan(case, case.start + offset, 1).hits
        assert tuple(pieces) == case.hits


@pytest.mark.parametrize("check", conformance.CHECKS)
def test_conformance(subject: Subject, check: str) -> None:
    """The public suite, which `miner devices --check` puts to anybody's backend."""
    conformance.CHECKS[check](subject)


def test_info_names_the_backend(backend: Backend) -> None:
    assert backend.info.name.partition(":")[0] in registry.families()
