"""A node of one's own tells what became of blocks that others took."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.protocol.gbt import job as gbt
from miner.sources.node.source import NodeSource
from miner.sources.node.watched import WatchedSource
from miner.sources.node.witness import LACKS_S, Sight, Witness
from miner.work.found import Answer, FoundBlock, Share, Verdict
from tests.fakes.found import pool_block
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, REGTEST, Sink, setup, solve, until


class Heard:
    """What a witness says."""

    def __init__(self) -> None:
        self.sights: list[tuple[str, Sight]] = []
        self.alarms: list[str] = []

    def seen(self, block: FoundBlock, sight: Sight) -> None:
        self.sights.append((block.hash_hex, sight))

    def alarm(self, text: str) -> None:
        self.alarms.append(text)


class Asking:
    """A witness that looks when the test says so, and a clock that is told the time."""

    def __init__(self, node: FakeNode) -> None:
        self.now, self.heard = 0.0, Heard()
        self.witness = Witness(setup(node), clock=lambda: self.now)
        self.witness._listener = self.heard

    def __enter__(self) -> "Asking":
        return self

    def __exit__(self, *exc: object) -> None:
        self.witness.stop()

    def look(self, at: float) -> list[tuple[str, Sight]]:
        self.now = at
        self.witness.look()
        said, self.heard.sights = self.heard.sights, []
        return said


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    with FakeNode(tmp_path) as running:
        running.mine(5)
        yield running


def block_of(node: FakeNode) -> FoundBlock:
    """A whole block on the node's tip, not delivered."""
    sink, source = Sink(), NodeSource([setup(node)], REGTEST, timing=FAST)
    source.start(sink)
    try:
        return source.pack(solve(sink.job_at(node.tip.height + 1)))
    finally:
        source.stop(1.0)


def at_height(number: int, height: int | None) -> FoundBlock:
    found = pool_block(number)
    return FoundBlock(found.source, found.hash_hex, height, found.header, "stratum", "{}")


def test_a_block_in_the_best_chain_is_seen_at_once(node: FakeNode, asking: Asking) -> None:
    theirs = FoundBlock("pool", node.tip.hash, 5, bytes(80), "stratum", "{}")
    asking.witness.watch(theirs)
    assert asking.look(1.0) == [(node.tip.hash, Sight.IN_CHAIN)]
    assert asking.look(2.0) == [], "told once"


def test_a_block_that_is_not_there_is_told_after_a_minute_once(
    node: FakeNode, asking: Asking
) -> None:
    block = at_height(1, 6)
    asking.witness.watch(block)
    assert asking.look(LACKS_S - 0.1) == []
    assert asking.look(LACKS_S) == [(block.hash_hex, Sight.ABSENT)]
    assert asking.look(LACKS_S + 60) == []


def test_a_block_on_a_side_branch_is_absent(node: FakeNode, asking: Asking) -> None:
    """It has the header, and another one in its place."""
    old = node.tip
    node.mine(2, after=old.previous)
    block = FoundBlock("pool", old.hash, old.height, bytes(80), "stratum", "{}")
    asking.witness.watch(block)
    assert asking.look(LACKS_S) == [(old.hash, Sight.ABSENT)]


def test_a_node_that_is_not_in_sync_says_nothing(node: FakeNode, asking: Asking) -> None:
    asking.witness.watch(at_height(1, 50))
    assert asking.look(LACKS_S) == []
    assert asking.look(600.0) == []


def test_a_whole_block_is_handed_to_the_node(node: FakeNode, asking: Asking) -> None:
    block = block_of(node)
    asking.witness.watch(block, block)
    asking.look(0.0)
    assert node.sent(block.hash_hex) == 1
    assert asking.look(1.0) == [(block.hash_hex, Sight.IN_CHAIN)]
    assert node.sent(block.hash_hex) == 1 and asking.heard.alarms == []


def test_a_refused_block_is_an_alarm(node: FakeNode, asking: Asking) -> None:
    node.validate = lambda raw, template: "bad-cb-amount"
    block = block_of(node)
    asking.witness.watch(block, block)
    asking.look(0.0)
    (alarm,) = asking.heard.alarms
    assert "refuses our block" in alarm and "bad-cb-amount" in alarm


def test_its_tip_is_what_work_is_compared_with(node: FakeNode, asking: Asking) -> None:
    assert asking.witness.tip() is None
    asking.look(0.0)
    tip = asking.witness.tip()
    assert tip is not None
    assert (tip.height, tip.nbits) == (5, 0x207FFFFF)
    assert tip.parent == bytes.fromhex(node.tip.previous)[::-1]
    node.mine()
    asking.look(1.0)
    tip = asking.witness.tip()
    assert tip is not None and tip.height == 6


def test_a_node_that_cannot_be_asked_is_an_alarm_once(
    node: FakeNode,
) -> None:
    node.cookie.write_text("wrong:word")
    heard, witness = Heard(), Witness(setup(node), poll_s=0.01)
    witness.start(heard)
    until(lambda: heard.alarms)
    time.sleep(0.1)
    witness.stop()
    (alarm,) = heard.alarms
    assert alarm.startswith(f"--check-node {node.url} cannot be asked: ")


class Taking:
    """A source that a test lets speak, and what it was asked."""

    name = "pool.example:3333"

    def __init__(self) -> None:
        self.sink: Any = None
        self.asked: list[tuple[str, str]] = []

    def start(self, sink: Any) -> None:
        self.sink = sink

    def submit(self, share: Share) -> None:
        raise AssertionError("not asked for here")

    def pack(self, share: Share) -> FoundBlock:
        raise AssertionError("not asked for here")

    def send(self, block: FoundBlock) -> None:
        self.asked.append(("send", block.hash_hex))

    def stop(self, grace_s: float) -> None:
        self.asked.append(("stop", ""))

    def says(self, block: FoundBlock, answer: Answer, of_share: bool = True) -> None:
        self.sink.verdict(
            Verdict(
                self.name, block.hash_hex, answer, True, "", "", block.height, of_share=of_share
            )
        )


class Watching:
    """A watched source; the witness says what the test wants."""

    def __init__(self, node: FakeNode) -> None:
        self.inner, self.sink = Taking(), Sink()
        self.source = WatchedSource(self.inner, Witness(setup(node), poll_s=600.0))
        self.source.start(self.sink)
        self.block = at_height(1, 6)
        self.source.send(self.block)

    def answers(self) -> list[tuple[Answer, bool]]:
        return [(one.answer, one.of_share) for one in self.sink.verdicts]


@pytest.fixture
def asking(node: FakeNode) -> Iterator[Asking]:
    with Asking(node) as made:
        yield made


@pytest.fixture
def watching(node: FakeNode) -> Iterator[Watching]:
    made = Watching(node)
    yield made
    made.source.stop(0.0)
    assert made.inner.asked[-1] == ("stop", "")


YES, IN_CHAIN = (Answer.ACCEPTED, True), (Answer.ACCEPTED, False)


def test_the_pool_says_yes_and_the_node_has_it(watching: Watching) -> None:
    watching.inner.says(watching.block, Answer.ACCEPTED)
    watching.source.seen(watching.block, Sight.IN_CHAIN)
    assert watching.answers() == [YES, IN_CHAIN]
    assert "has it in its best chain" in watching.sink.verdicts[-1].explanation
    assert watching.sink.verdicts[-1].source == watching.block.source


def test_the_node_has_it_before_the_pool_says_yes(watching: Watching) -> None:
    watching.source.seen(watching.block, Sight.IN_CHAIN)
    assert watching.answers() == []
    watching.inner.says(watching.block, Answer.ACCEPTED)
    assert watching.answers() == [YES, IN_CHAIN]


def test_the_pool_said_yes_and_the_node_does_not_have_it(watching: Watching) -> None:
    watching.inner.says(watching.block, Answer.ACCEPTED)
    watching.source.seen(watching.block, Sight.ABSENT)
    (alarm,) = watching.sink.alarms
    assert alarm.startswith(f"{watching.inner.name} said yes to block 6 {watching.block.hash_hex}")
    assert alarm.endswith("does not have this block after 60 s")
    assert watching.answers() == [YES]


def test_a_late_yes_to_what_the_node_lacks_is_the_same_alarm(watching: Watching) -> None:
    watching.source.seen(watching.block, Sight.ABSENT)
    assert watching.sink.alarms == []
    watching.inner.says(watching.block, Answer.ACCEPTED)
    assert len(watching.sink.alarms) == 1


def test_a_refused_block_that_the_node_lacks_is_no_news(watching: Watching) -> None:
    watching.inner.says(watching.block, Answer.REJECTED)
    watching.source.seen(watching.block, Sight.ABSENT)
    assert watching.sink.alarms == []


def test_what_the_pool_never_answered_is_accepted_when_the_node_has_it(
    watching: Watching,
) -> None:
    watching.source.seen(watching.block, Sight.IN_CHAIN)
    watching.inner.says(watching.block, Answer.UNKNOWN)
    assert watching.answers() == [(Answer.UNKNOWN, True), IN_CHAIN]


def test_a_template_providers_block_is_accepted_when_the_node_has_it(node: FakeNode) -> None:
    made = Watching(node)
    payload = '{"solution": {}, "block": ""}'
    block = FoundBlock("tp", "ab" * 32, 6, bytes(80), "template", payload)
    made.source.send(block)
    made.source.seen(block, Sight.IN_CHAIN)
    made.source.stop(0.0)
    assert made.answers() == [IN_CHAIN] and gbt.KIND != block.kind
