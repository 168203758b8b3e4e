"""What a block that nobody here can take waits for, in words."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.sources.homes import waits_for
from miner.sources.node.source import NodeSource
from miner.work.found import Answer, FoundBlock
from tests.fakes.found import pool_block, solo_block
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, REGTEST, Sink, setup


def of_template(body: str) -> FoundBlock:
    payload = json.dumps({"solution": {}, "block": body})
    return FoundBlock("tp:8442", "ab" * 32, 9, bytes(80), "template", payload)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (solo_block(1), "it is a whole block: start with --node"),
        (pool_block(1, "0a0b", "p:1"), "it needs pool p:1 to give extranonce1 0a0b again"),
        (FoundBlock("p:1", "", 1, b"", "sv2", "{}"), "it went to pool p:1, whose connection"),
        (of_template("00" * 90), "it needs a node of its chain"),
        (of_template(""), "it needs template provider tp:8442"),
        (FoundBlock("x", "", 1, b"", "later", ""), "this version cannot send it"),
    ],
)
def test_each_kind_says_what_it_needs(block: FoundBlock, words: str) -> None:
    assert words in waits_for(block)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    with FakeNode(tmp_path) as running:
        running.mine(5)
        yield running


@pytest.mark.parametrize("kind", ["sv2", "template"])
def test_a_node_keeps_what_it_cannot_take(node: FakeNode, kind: str) -> None:
    """And sends nothing: a refusal would settle the block."""
    payload = json.dumps({"solution": {}, "block": ""})
    header = bytes(72) + bytes.fromhex("ffff7f20") + bytes(4)
    block = FoundBlock("there", "ab" * 32, 9, header, kind, payload)
    sink, source = Sink(), NodeSource([setup(node)], REGTEST, timing=FAST)
    source.start(sink)
    try:
        sink.job_at(6)
        source.send(block)
        sink.wait(lambda: sink.verdicts)
        assert sink.verdicts[0].answer is Answer.PENDING
        assert sink.verdicts[0].explanation == waits_for(block)
        assert node.ledger == []
    finally:
        source.stop(0.5)
