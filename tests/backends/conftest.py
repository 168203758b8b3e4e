"""One parametrised `backend` fixture over every candidate this machine could have.

MINER_REQUIRE_BACKENDS is a comma list of names or families that must not skip.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from miner.backends import conformance, native, registry
from miner.backends.base import Backend, Candidate, OpenOptions
from miner.backends.conformance import Subject
from miner.backends.native import device


def _required(name: str) -> bool:
    wanted = os.environ.get("MINER_REQUIRE_BACKENDS", "").split(",")
    return any(name == one or name.startswith(f"{one}:") for one in wanted if one)


def _shapes(row: Candidate) -> list[Candidate]:
    """Each shape of a native variant that has several: the miner opens any by its measurements."""
    variant = row.name.partition(":")[2]
    if row.family != device.FAMILY or not row.usable or native.LIBRARY is None:
        return []
    rows = device.usable(native.LIBRARY, variant)
    return [replace(row, name=f"native:{one.name}") for one in rows if len(rows) > 1]


CANDIDATES = [one for row in registry.probe_all() for one in (row, *_shapes(row))]
PRESENT = [row for row in CANDIDATES if row.usable or _required(row.name)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What this machine lacks is reported once, by test_required.py, not case by case."""
    if "absent" in metafunc.fixturenames:
        rows = [row for row in CANDIDATES if row not in PRESENT]
        metafunc.parametrize("absent", rows, ids=lambda row: row.name)


@pytest.fixture(scope="session", params=PRESENT, ids=lambda row: row.name)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    """Each usable backend of `miner devices`, opened once; a required one may not be missing."""
    row: Candidate = request.param
    if not row.usable:
        pytest.fail(f"{row.name} must not skip here: {row.why_not}")
    cache: Path = tmp_path_factory.mktemp("cache")
    with conformance.opened(row.name, OpenOptions(cache)) as found:
        yield found


@pytest.fixture(scope="session")
def backend(subject: Subject) -> Backend:
    return subject.backend
