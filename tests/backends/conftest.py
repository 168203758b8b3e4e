"""One parametrised `backend` fixture over every candidate this machine could have.

MINER_REQUIRE_BACKENDS is a comma list of names or families that must not skip.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.backends import conformance, registry
from miner.backends.base import Backend, Candidate, OpenOptions
from miner.backends.conformance import Subject


def _required(name: str) -> bool:
    wanted = os.environ.get("MINER_REQUIRE_BACKENDS", "").split(",")
    return any(name == one or name.startswith(f"{one}:") for one in wanted if one)


def _candidates() -> list[Candidate]:
    return registry.probe_all()


CANDIDATES = _candidates()


@pytest.fixture(scope="session", params=CANDIDATES, ids=lambda row: row.name)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    """Each backend of `miner devices`, opened once; unusable ones skip with their reason."""
    row: Candidate = request.param
    if not row.usable:
        if _required(row.name):
            pytest.fail(f"{row.name} must not skip here: {row.why_not}")
        pytest.skip(f"{row.name}: {row.why_not}")
    cache: Path = tmp_path_factory.mktemp("cache")
    with conformance.opened(row.name, OpenOptions(cache)) as found:
        yield found


@pytest.fixture(scope="session")
def backend(subject: Subject) -> Backend:
    return subject.backend
