"""A node that falls back behind a block of ours which it had accepted: its parent is not lost."""

import time
from collections.abc import Callable

import pytest

from miner.sources.node import fallback
from miner.sources.node.fallback import OurChain
from miner.sources.node.setup import Timing
from miner.sources.node.source import NodeSource
from miner.work.found import FoundBlock
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import Sink, solve, until
from tests.faults import fault

Run = Callable[..., NodeSource]


def accepted(source: NodeSource, sink: Sink, height: int) -> str:
    """Mine one block; its hash."""
    share = solve(sink.job_at(height), height)
    source.submit(share)
    sink.wait(lambda: any(v.hash_hex == share.hash_hex and v.final for v in sink.verdicts))
    sink.job_at(height + 1)
    return share.hash_hex


@fault("G40")
def test_an_invalidated_block_is_offered_again_then_its_parent_is_mined(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    source = run(node, timing=Timing())
    accepted(source, sink, 1)
    lost = accepted(source, sink, 2)
    parent = node.blocks[lost].previous
    began = time.monotonic()
    node.fall_back(lost)
    sink.wait(lambda: sink.jobs[-1].reopens)
    assert time.monotonic() - began < 2.0
    assert sink.jobs[-1].prev_hash[::-1].hex() == parent
    text = sink.state_with("fell back").text
    assert lost in text
    assert "duplicate-invalid" in text
    assert "its parent is mined again" in text
    assert [call[1] for call in node.calls].count("submitblock") == 3
    share = solve(sink.jobs[-1], 77)
    source.submit(share)
    until(lambda: node.tip.hash == share.hash_hex)
    assert not sink.job_at(3).reopens
    node.mine()
    assert not sink.job_at(4).reopens


@fault("G40")
def test_blocks_that_a_crash_cost_are_built_again(node: FakeNode, sink: Sink, run: Run) -> None:
    source = run(node, timing=Timing())
    ours = [accepted(source, sink, height) for height in range(1, 6)]
    node.fall_back(ours[1], forget=True)
    until(lambda: node.tip.hash == ours[-1])
    assert "offered again, taken" in sink.state_with("fell back").text
    until(lambda: sink.jobs[-1].prev_hash[::-1].hex() == ours[-1])
    assert not any(job.reopens for job in sink.jobs)
    assert len(sink.final()) == 5


@fault("G40")
def test_an_old_template_after_our_block_is_no_fall(node: FakeNode, sink: Sink, run: Run) -> None:
    """It was made before the block came, and arrived after it."""
    source = run(node)
    first, old = sink.job_at(1), node.template()
    until(lambda: source.unfinished == 0)

    def late(exchange: faults.Exchange) -> bytes | None:
        exchange.hold(0.5)
        return faults.result(old)(exchange)

    node.fault("getblocktemplate", late)
    source.submit(solve(first))
    sink.job_at(2)
    assert [call[1] for call in node.calls].count("submitblock") == 1
    assert not any("fell back" in state.text for state in sink.states)
    assert [job.height for job in sink.jobs] == [1, 2]


@fault("G40")
def test_a_node_that_falls_back_alone_leaves_the_lead_to_the_others(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    source = run(node, second)
    until(lambda: all(link.template for link in source.links))
    ours = accepted(source, sink, 1)
    until(lambda: second.tip.hash == ours and node.tip.hash == ours)
    until(lambda: all(link.template.height == 2 for link in source.links if link.template))
    node.fall_back(ours)
    sink.state_with("fell back")
    until(lambda: source.links[0].template is not None and source.links[0].template.height == 1)
    until(lambda: sink.jobs[-1].height == 2)
    share = solve(sink.jobs[-1], 5)
    source.submit(share)
    until(lambda: second.tip.hash == share.hash_hex)


@pytest.mark.parametrize("fault", [faults.failure(-25, "disk"), faults.drop()])
@fault("G40")
def test_a_node_that_cannot_be_asked_is_mined_on_all_the_same(
    node: FakeNode, sink: Sink, run: Run, fault: faults.Fault
) -> None:
    source = run(node)
    lost = accepted(source, sink, 1)
    node.fault("submitblock", fault)
    node.fall_back(lost)
    sink.wait(lambda: sink.jobs[-1].reopens)
    assert "cannot be offered again" in sink.state_with("fell back").text


@fault("G40")
def test_a_node_whose_templates_stay_behind_our_block_is_mined_on(
    node: FakeNode, sink: Sink, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it has our block, and never gives work upon it."""
    monkeypatch.setattr("miner.sources.node.source.PATIENCE_S", 0.3)
    source = run(node)
    first, old = sink.job_at(1), node.template()
    until(lambda: source.unfinished == 0)
    node.do_getblocktemplate = lambda *_: old  # type: ignore[method-assign]
    source.submit(solve(first))
    sink.wait(lambda: sink.jobs[-1].reopens)
    assert "no template on top of it" in sink.state_with("fell back").text


# -- what is kept -----------------------------------------------------------------------------
def block(parent: int, size: int = 10, name: str = "a") -> FoundBlock:
    header = bytes(4) + parent.to_bytes(32, "little") + bytes(44)
    return FoundBlock("node", name, parent, header, "gbt", "0" * size)


def key(parent: int) -> bytes:
    return parent.to_bytes(32, "little")


def test_our_chain_is_bounded_in_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "MOST_KEPT", 3)
    monkeypatch.setattr(fallback, "MOST_CHARS", 100)
    ours = OurChain()
    for parent in range(5):
        ours.keep(block(parent))
    assert [ours.upon(key(parent)) is not None for parent in range(5)] == [False] * 2 + [True] * 3
    ours.keep(block(5, 75))
    assert [ours.upon(key(parent)) is not None for parent in range(3, 6)] == [True, True, True]
    ours.keep(block(6, 500))
    assert ours.upon(key(5)) is None and ours.upon(key(6)) is not None
    for parent in range(6, 11):
        ours.lose(block(parent))
    assert [ours.lost_upon(key(parent)) for parent in range(6, 11)] == [False] * 2 + [True] * 3


def test_a_lost_parent_is_found_again_with_its_next_block() -> None:
    ours = OurChain()
    ours.keep(block(1))
    ours.lose(block(1))
    assert ours.lost_upon(key(1)) and ours.upon(key(1)) is None
    ours.keep(block(1, name="b"))
    assert not ours.lost_upon(key(1))
    kept = ours.upon(key(1))
    assert kept is not None and kept.hash_hex == "b"
