"""A running node for each test that asks, and a client for it."""

import importlib.util
from collections.abc import Iterator

import pytest

from miner.node.service import Node
from tests.node.kit import Rpc


@pytest.fixture
def kernel() -> None:
    """Skip where the consensus code cannot be installed."""
    if importlib.util.find_spec("pbk") is None:
        pytest.skip("py-bitcoinkernel has no wheel for this Python")


@pytest.fixture
def node(kernel: None) -> Iterator[Node]:
    with Node.start() as running:
        yield running


@pytest.fixture
def rpc(node: Node) -> Iterator[Rpc]:
    client = Rpc(node)
    yield client
    client.close()
