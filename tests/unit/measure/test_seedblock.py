"""The tip of a node as the seed of the work."""

from pathlib import Path
from typing import Any

import pytest

from miner.errors import RemoteProtocolError
from miner.measure import seedblock
from tests.fakes.node import FakeNode

from .test_proof import GENESIS_HEADER

GENESIS = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


class Headers(FakeNode):
    """Its best block is the first of mainnet; `header` is what it says of it."""

    header: Any = GENESIS_HEADER

    def do_getbestblockhash(self) -> str:
        return GENESIS

    def do_getblockheader(self, block_hash: str, verbose: bool = True) -> Any:
        assert block_hash == GENESIS
        assert verbose is False
        return self.header


def test_the_tip_comes_with_its_header(tmp_path: Path) -> None:
    with Headers(tmp_path) as node:
        assert seedblock.from_node(node.url, node.cookie) == (GENESIS, GENESIS_HEADER)


@pytest.mark.parametrize("header", [None, 5, "", "zz" * 80, "00" * 80, GENESIS_HEADER[:-2]])
def test_what_is_no_header_is_the_nodes_fault(tmp_path: Path, header: Any) -> None:
    with Headers(tmp_path) as node:
        node.header = header
        with pytest.raises(RemoteProtocolError, match="getblockheader"):
            seedblock.from_node(node.url, node.cookie)
