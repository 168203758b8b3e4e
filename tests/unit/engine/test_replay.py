"""Blocks of earlier runs: offered, asked for again, named once."""

from pathlib import Path

import pytest

from miner.engine import replay as replay_module
from miner.engine.replay import FIRST_WORD_S, Replay, named
from miner.journal import Left
from miner.state.events import Event
from miner.views.sentences import sentence
from miner.work.found import Answer, FoundBlock, Verdict
from tests.fakes.engine import ScriptedSource, job
from tests.fakes.found import pool_block, solo_block

FILE = Path("/state/a.journal")


class Table:
    """A replay with its source, its lines, and a clock that is turned by hand."""

    def __init__(self, *blocks: FoundBlock) -> None:
        self.source, self.events, self.now = ScriptedSource(), list[Event](), 100.0
        left = [Left(block, FILE) for block in blocks]
        self.replay = Replay(left, self.source, self.events.append, lambda: self.now)

    def offered(self) -> list[FoundBlock]:
        found, self.source.resubmitted = self.source.resubmitted, []
        return found

    def answer(self, block: FoundBlock, answer: Answer, why: str = "", source: str = "") -> bool:
        verdict = Verdict(source or block.source, block.hash_hex, answer, True, explanation=why)
        return self.replay.verdict(verdict)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.replay.tick(self.now)


def test_what_waits_is_named_once_when_all_have_been_answered() -> None:
    one, two = solo_block(1), solo_block(2)
    table = Table(one, two)
    table.replay.offer()
    assert table.offered() == [one, two]
    table.replay.job(job())
    assert table.answer(one, Answer.PENDING, "it needs a node")
    table.after(1.0)
    assert (table.events, table.replay.asking) == ([], True)
    assert not table.answer(two, Answer.ACCEPTED)
    table.after(1.0)
    assert not table.replay.asking
    assert [sentence(event) for event in table.events] == [
        f"journal {FILE}: block 1 {one.hash_hex} waits: it needs a node"
    ]
    assert table.events[0].to_dict()["waits_for"] == "it needs a node"
    table.after(1000.0)
    assert len(table.events) == 1


def test_what_is_not_answered_at_all_is_named_after_a_while() -> None:
    table = Table(solo_block(1))
    table.after(FIRST_WORD_S - 1)
    assert table.events == []
    table.after(1.0)
    assert "was not answered yet" in sentence(table.events[0])


def test_a_reason_that_comes_late_is_told_as_well() -> None:
    block = solo_block(1)
    table = Table(block)
    table.replay.offer()
    table.after(FIRST_WORD_S)
    table.answer(block, Answer.PENDING, "it needs a node")
    table.after(0.1)
    assert [event.to_dict()["waits_for"] for event in table.events] == [
        replay_module.NOT_ASKED,
        "it needs a node",
    ]
    table.after(1000.0)
    assert len(table.events) == 2


def test_a_block_that_waits_is_offered_again_each_minute() -> None:
    block = solo_block(1)
    table = Table(block)
    table.replay.offer()
    table.answer(block, Answer.PENDING, "not here")
    assert table.offered() == [block]
    table.after(59.0)
    assert table.offered() == []
    table.after(2.0)
    assert table.offered() == [block]


def test_a_new_session_of_the_pool_is_asked_at_once() -> None:
    block = pool_block(1)
    table = Table(block, solo_block(2))
    table.replay.offer()
    table.offered()
    table.answer(block, Answer.PENDING, "it needs extranonce1 ab01")
    table.replay.job(job())
    assert table.offered() == [block]
    table.answer(block, Answer.PENDING, "it needs extranonce1 ab01")
    table.replay.job(job("b"))  # the same session
    assert table.offered() == []
    table.replay.job(job("b", session=2))
    assert table.offered() == [block]


def test_what_is_on_its_way_is_not_sent_twice_into_a_new_session() -> None:
    """The session may have begun before its first job came: both offers went there."""
    block = pool_block(1)
    table = Table(block)
    table.replay.offer()
    assert table.offered() == [block]
    table.replay.job(job())
    assert table.offered() == []
    table.answer(block, Answer.PENDING, "no session yet")  # so it had not
    table.after(0.1)
    assert table.offered() == [block]
    table.answer(block, Answer.PENDING, "it needs extranonce1 ab01")
    table.after(0.1)
    assert table.offered() == []


@pytest.mark.parametrize("answer", [Answer.REJECTED, Answer.STALE])
def test_another_pool_cannot_settle_a_block_by_refusing_it(answer: Answer) -> None:
    block = pool_block(1, source="mine:3333")
    table = Table(block)
    table.replay.offer()
    assert table.answer(block, answer, "job not found", source="other:3333")
    table.offered()
    table.replay.job(job(session=9))
    table.after(600.0)
    assert table.offered() == []
    assert "it needs pool mine:3333; other:3333 refuses it" in sentence(table.events[0])
    assert not table.answer(block, answer, "job not found", source="mine:3333")


def test_a_block_of_this_run_is_none_of_its_business() -> None:
    table = Table()
    assert not table.answer(solo_block(1), Answer.PENDING)
    table.after(100.0)
    assert table.events == []


def test_a_long_queue_is_offered_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "AT_ONCE", 3)
    blocks = [solo_block(number) for number in range(5)]
    table = Table(*blocks)
    table.replay.offer()
    assert table.offered() == blocks[:3]
    table.after(0.1)
    assert table.offered() == []
    table.answer(blocks[0], Answer.ACCEPTED)
    table.answer(blocks[1], Answer.PENDING, "elsewhere")
    table.after(0.1)
    assert table.offered() == blocks[3:]


def test_lines_are_grouped_and_bounded() -> None:
    blocks = [solo_block(number) for number in range(30)]
    together = named((FILE, block, "it needs a node") for block in blocks)
    assert [event.to_dict()["blocks"] for event in together] == [30]
    assert "and 29 more waits" in sentence(together[0])
    apart = named((FILE, block, f"it needs {block.height}") for block in blocks)
    assert len(apart) == replay_module.MOST_LINES + 1
    assert "10 more reasons" in sentence(apart[-1])
