"""What the tests of the transports share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc
from miner.transport.waker import Waker
from tests.fakes.node import FakeNode


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    with FakeNode(tmp_path) as fake:
        yield fake


@pytest.fixture
def rpc(node: FakeNode) -> Iterator[Rpc]:
    """With the node's cookie; the deadline is for a loaded machine."""
    lane = Rpc(parse_node_url(node.url, 1).endpoint, CookieFile(node.cookie), timeout_s=20)
    yield lane
    lane.close()


@pytest.fixture
def waker() -> Iterator[Waker]:
    made = Waker()
    yield made
    made.close()
