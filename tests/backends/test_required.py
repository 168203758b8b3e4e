"""Where CI lists backends in MINER_REQUIRE_BACKENDS, each must be there and usable."""

import os

import pytest

from miner.backends import registry
from miner.backends.base import Candidate

REQUIRED = [name for name in os.environ.get("MINER_REQUIRE_BACKENDS", "").split(",") if name]


@pytest.mark.skipif(not REQUIRED, reason="MINER_REQUIRE_BACKENDS is not set: nothing is required")
def test_required_backends_are_usable() -> None:
    rows = registry.probe_all()
    usable = {row.name for row in rows if row.usable}
    usable |= {name.split(":")[0] for name in usable}
    reasons = {row.name: row.why_not for row in rows if not row.usable}
    assert set(REQUIRED) - usable == set(), reasons


def test_a_backend_that_is_not_here(absent: Candidate) -> None:
    assert absent.why_not
    pytest.skip(f"{absent.name}: {absent.why_not}")
