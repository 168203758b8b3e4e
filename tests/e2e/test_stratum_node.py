"""A pool on the embedded node: what the miner finds are blocks that Bitcoin Core's code accepts."""

import time
from pathlib import Path
from typing import Any

import pytest

from miner.work.found import Answer
from tests.e2e.stratum_kit import pools
from tests.fakes.hasher import Hasher
from tests.fakes.node_pool import NodePool

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

EASY_BLOCKS = "1e-9"  # twice as hard as regtest's blocks: every share is one


def accepted(pool: NodePool) -> list[int]:
    return [height for height, answer in pool.blocks if answer is None]


def test_blocks_through_a_pool_restarts_of_pool_and_node_included(tmp_path: Path) -> None:
    from miner.node.service import Node

    node = Node.start(tmp_path / "chain")
    try:
        with NodePool(node.url, node.cookie_file, difficulty=EASY_BLOCKS) as pool:
            with Hasher(pools(pool), pause_s=0.05) as miner:
                pool.wait(lambda: len(accepted(pool)) >= 20, 30.0)
                pool.drop_all(reset=True)  # the pool restarts: new extranonces
                pool.wait(lambda: len(accepted(pool)) >= 30, 30.0)
                pool.on["mining.submit"] = lambda connection, message: None
                time.sleep(0.2)
                height, port = node.height, node.port
                node.stop()
                node = Node.start(tmp_path / "chain", port)
                assert node.height == height
                del pool.on["mining.submit"]
                pool.drop_all()
                pool.wait(lambda: len(accepted(pool)) >= 40, 30.0)
                miner.wait(lambda: len(miner.answers(Answer.ACCEPTED)) >= 40)
            assert node.height == len(accepted(pool))
            assert accepted(pool) == list(range(1, node.height + 1))
        codes: set[Any] = {entry.error[0] for entry in pool.shares(accepted=False) if entry.error}
        assert codes <= {21}  # late for a tip that moved, nothing else
        # Around the restarts two connections may each find a block on the same tip.
        assert {answer for _, answer in pool.blocks} <= {None, "inconclusive"}
        assert miner.answers(Answer.REJECTED) == []
        assert miner.repeated == 0
    finally:
        node.stop()


def test_version_bits_of_blocks_are_rolled(tmp_path: Path) -> None:
    from miner.node.service import Node

    with (
        Node.start() as node,
        NodePool(node.url, node.cookie_file, difficulty=EASY_BLOCKS) as pool,
    ):
        with Hasher(pools(pool), pause_s=0.05):
            pool.wait(lambda: len(accepted(pool)) >= 12, 30.0)
        versions = {entry.headers[0][:4] for entry in pool.shares()}
        assert len(versions) > 1
