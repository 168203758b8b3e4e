"""A pool's yes is about the share; what became of its block is told by the jobs that follow."""

import hashlib
from dataclasses import replace

import pytest

from miner.engine.pool_blocks import GIVE_UP_S, MOST_BLOCKS, PoolBlocks
from miner.state.events import Event
from miner.state.status import Status
from miner.views.sentences import sentence
from miner.work.found import Answer, Verdict
from miner.work.job import Job
from tests.fakes.engine import job
from tests.fakes.found import hash_of


def taken(number: int, height: int | None = 100) -> Verdict:
    return Verdict(
        "pool:3333", hash_of(number), Answer.ACCEPTED, True, height=height, of_share=True
    )


def after(number: int, height: int | None = 101) -> Job:
    """A job on the block of that number."""
    return job(f"on{number}", prev_hash=bytes.fromhex(hash_of(number))[::-1], height=height)


def strange(name: str, height: int | None = 101) -> Job:
    return job(name, prev_hash=hashlib.sha256(name.encode()).digest(), height=height)


class Table:
    def __init__(self) -> None:
        self.events, self.now = list[Event](), 0.0
        self.status = Status(0.0)
        self.blocks = PoolBlocks(self.status, self.events.append, lambda: self.now)
        self.blocks.job(strange("parent", 100))

    def take(self, verdict: Verdict, own: bool = True) -> None:
        self.status.verdict(verdict)
        self.blocks.verdict(verdict, own)

    def counts(self) -> tuple[int, int, int]:
        """Shares accepted, blocks accepted, and those of this run."""
        now = self.status.snapshot(0.0)
        return now.shares.accepted, now.blocks.accepted, self.blocks.own_accepted

    def said(self) -> list[object]:
        return [event.to_dict()["answer"] for event in self.events]


@pytest.mark.parametrize("own", [True, False])
def test_a_block_is_accepted_once_a_later_job_builds_on_it(own: bool) -> None:
    table = Table()
    table.take(taken(1), own)
    assert (table.counts(), table.events) == ((1, 0, 0), [])
    table.blocks.job(after(1))
    table.blocks.job(after(1))
    assert table.counts() == (1, 1, int(own))
    assert table.said() == ["accepted"]
    assert f"block 100 accepted {hash_of(1)}: a later job" in sentence(table.events[0])


def test_the_job_may_come_before_the_answer_to_the_share() -> None:
    table = Table()
    table.blocks.job(after(1))
    table.take(taken(1))
    assert table.counts() == (1, 1, 1)


def test_two_other_previous_hashes_say_that_the_chain_went_on_without_it() -> None:
    table = Table()
    table.take(taken(1))
    table.blocks.job(strange("parent", 100))  # the same height: another template
    table.blocks.job(strange("rival"))
    assert table.events == []
    table.blocks.job(strange("next", 102))
    table.blocks.job(strange("third", 103))
    assert table.said() == ["stale"]
    assert "the chain went on without it" in sentence(table.events[0])
    assert table.counts() == (1, 0, 0)


def test_a_rival_that_loses_in_the_end_was_no_loss() -> None:
    table = Table()
    table.take(taken(1))
    table.blocks.job(strange("rival"))
    table.blocks.job(after(1))
    assert (table.said(), table.counts()) == (["accepted"], (1, 1, 1))
    table = Table()
    table.take(taken(2))
    table.blocks.job(strange("rival"))
    table.blocks.job(strange("next", 102))
    table.blocks.job(after(2))  # a reorganisation, after all
    assert (table.said(), table.counts()) == (["stale", "accepted"], (1, 1, 1))


def test_a_pool_that_is_behind_says_nothing() -> None:
    table = Table()
    table.take(taken(1))
    for height in (98, 99, 100):
        table.blocks.job(strange(f"old {height}", height))
    assert table.events == []


def test_without_heights_jobs_after_the_answer_count() -> None:
    table = Table()
    table.blocks.job(strange("earlier", None))
    table.take(taken(1, height=None))
    table.blocks.job(strange("a", None))
    assert table.events == []
    table.blocks.job(strange("b", None))
    assert table.said() == ["stale"]


def test_half_an_hour_without_a_sign_is_said_once() -> None:
    table = Table()
    table.take(taken(1))
    table.blocks.tick(GIVE_UP_S - 1)
    assert table.events == []
    table.blocks.tick(GIVE_UP_S)
    table.blocks.tick(2 * GIVE_UP_S)
    assert table.said() == ["stale"]
    assert "no job builds on it" in sentence(table.events[0])


@pytest.mark.parametrize(
    "changes",
    [{"answer": Answer.REJECTED}, {"is_block": False}, {"of_share": False}],
    ids=["rejected", "share", "node"],
)
def test_other_verdicts_are_not_followed(changes: dict[str, object]) -> None:
    table = Table()
    table.take(replace(taken(1), **changes))  # type: ignore[arg-type]
    table.blocks.tick(GIVE_UP_S)
    assert table.events == []
    assert table.blocks.own_accepted == 0


def test_so_many_are_followed_and_no_more() -> None:
    table = Table()
    for number in range(MOST_BLOCKS + 3):
        table.take(taken(number))
    table.blocks.tick(GIVE_UP_S)
    assert len(table.events) == MOST_BLOCKS


def test_a_block_that_your_node_has_is_accepted_without_a_job_upon_it() -> None:
    table = Table()
    table.take(taken(1))
    word = Verdict("pool:3333", hash_of(1), Answer.ACCEPTED, True, "", "your node has it", 100)
    table.take(word)
    table.take(word)
    table.blocks.job(after(1))
    assert table.counts() == (1, 1, 1)
    assert table.said() == ["accepted"]
    assert "your node has it" in sentence(table.events[0])
