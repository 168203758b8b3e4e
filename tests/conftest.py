"""Settings of every test."""

import pytest
from hypothesis import settings

from miner import text

# How long an example takes says more about the machine than about the code.
settings.register_profile("homehash", deadline=None)
settings.load_profile("homehash")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let -k find the tests of a fault by its id."""
    for item in items:
        for mark in item.iter_markers("fault"):
            item.extra_keyword_matches.update(mark.args)


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is masked depends on every Secret of the process, and a test shares its process."""
    monkeypatch.setattr(text, "_secrets", set())
