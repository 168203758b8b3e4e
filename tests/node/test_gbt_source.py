"""The node source against the embedded node: blocks judged by Bitcoin Core's consensus code."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from miner.node.service import Node
from miner.sources.base import Health
from miner.sources.node.setup import NodeSetup
from miner.sources.node.source import NodeSource
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.work.found import Answer
from tests.fakes.sink import FAST, REGTEST, Sink, solve


@pytest.fixture
def sink(node: Node) -> Iterator[tuple[NodeSource, Sink]]:
    setup = NodeSetup(parse_node_url(node.url, 18443).endpoint, CookieFile(node.cookie_file))
    source, collected = NodeSource([setup], REGTEST, timing=FAST), Sink()
    source.start(collected)
    yield source, collected
    source.stop(1.0)


def test_the_kernel_accepts_heights_1_to_40(node: Node, sink: tuple[NodeSource, Sink]) -> None:
    source, collected = sink
    for height in range(1, 41):
        source.submit(solve(collected.job_at(height), height))
        verdict = collected.final(height)[-1]
        assert (verdict.answer, verdict.height) == (Answer.ACCEPTED, height), verdict
    assert node.height == 40
    assert collected.states[-1].health is Health.READY
    assert not [state for state in collected.states if "refused" in state.text]


def test_the_same_block_again_is_counted_once(node: Node, sink: tuple[NodeSource, Sink]) -> None:
    source, collected = sink
    share = solve(collected.job_at(1))
    source.submit(share)
    source.send(source.pack(share).again)
    collected.final()
    collected.job_at(2)
    assert [verdict.answer for verdict in collected.verdicts] == [Answer.ACCEPTED]


def test_a_broken_block_gets_the_kernels_word(node: Node, sink: tuple[NodeSource, Sink]) -> None:
    source, collected = sink
    share = solve(collected.job_at(1))
    block = source.pack(share)
    broken = block.payload[:-2] + "ff"  # the coinbase's locktime
    source.send(replace(block, payload=broken, origin=None))
    verdict = collected.final()[0]
    assert (verdict.answer, verdict.reason) == (Answer.REJECTED, "bad-txnmrklroot")
