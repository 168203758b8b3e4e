"""Which of our own competing blocks may be sent: the rules alone, without threads."""

from collections import Counter
from dataclasses import replace

from miner.engine.rivals import RIVALS, Rivals
from miner.sources.node.refusals import PATIENCE
from miner.work.found import NO_SIGN, Answer, Share, Verdict
from miner.work.job import Job
from miner.work.roll import Roller
from tests.fakes.engine import job


class Game:
    """Rivals, and where the shares went that it set aside."""

    def __init__(self, most_blocks: int | None = None) -> None:
        self.aside: Counter[str] = Counter()
        self.rivals = Rivals(most_blocks, lambda share, counter: self.aside.update([counter]))

    def offer(self, share: Share) -> bool:
        """Is it sent?"""
        admitted = self.rivals.admit(share)
        if admitted:
            self.rivals.sent(share)
        return admitted

    def answer(self, share: Share, answer: Answer, reason: str = "") -> list[Share] | None:
        """The blocks that may be sent now; None: nothing changed."""
        verdict = Verdict("node", share.hash_hex, answer, is_block=True, reason=reason)
        judged = self.rivals.judge(verdict)
        return None if judged is None else judged.again


def blocks(count: int, on: Job | None = None) -> list[Share]:
    """Different blocks upon one parent."""
    unit = Roller(on or job()).next(1, 0.0)
    assert unit is not None
    hits = (Share.from_hit(unit, unit.versions[0], nonce) for nonce in range(20 * count))
    found = [share for share in hits if share is not None]
    return found[:count]


def test_one_block_a_parent_is_asked_about_and_the_next_when_it_is_refused() -> None:
    game, (first, second, third) = Game(), blocks(3)
    assert [game.offer(share) for share in (first, second, third)] == [True, False, False]
    assert game.answer(first, Answer.UNKNOWN) is None  # not delivered: rivals fare no better
    assert game.answer(first, Answer.PENDING) is None
    assert game.answer(first, Answer.REJECTED, "bad") == [second]
    assert game.offer(second)
    assert game.answer(second, Answer.ACCEPTED) == []
    assert game.aside == {"surplus": 1}
    assert not game.offer(third)
    assert (game.aside, game.rivals.accepted) == ({"surplus": 2}, 1)


def test_a_verdict_comes_once_and_foreign_ones_change_nothing() -> None:
    game, (first, second) = Game(), blocks(2)
    assert game.answer(second, Answer.ACCEPTED) is None  # of an earlier run
    game.offer(first)
    assert game.answer(first, Answer.ACCEPTED) == []
    assert game.answer(first, Answer.ACCEPTED) is None
    assert game.rivals.accepted == 1


def test_no_block_too_many_is_sent_and_one_more_when_one_fails() -> None:
    game = Game(most_blocks=1)
    (first,), (second,) = blocks(1, job("a")), blocks(1, job("b"))
    assert game.offer(first)
    assert not game.offer(second)
    assert game.answer(first, Answer.STALE) == [second]
    assert game.offer(second)


def test_a_block_the_chain_left_behind_counts_no_longer() -> None:
    game = Game(most_blocks=1)
    (first,), (second,) = blocks(1, job("a")), blocks(1, job("b"))
    game.offer(first)
    game.offer(second)
    assert game.rivals.tip_is(job("c", height=7)) == []  # the same height: it may still win
    assert game.rivals.tip_is(job("c", height=8)) == [second]
    built_on_ours = job("d", prev_hash=first.hash, height=8)
    game.offer(first)
    assert game.rivals.tip_is(built_on_ours) == []


def test_a_lost_block_reopens_its_parent() -> None:
    game, (first, second) = Game(), blocks(2)
    game.offer(first)
    game.answer(first, Answer.ACCEPTED)
    assert not game.rivals.reopen(bytes(32))
    assert game.rivals.reopen(first.unit.job.prev_hash)
    assert not game.rivals.reopen(first.unit.job.prev_hash)  # once
    assert game.offer(second)


def test_on_a_hopeless_easy_chain_the_newest_waits() -> None:
    game = Game()
    for name in range(PATIENCE):
        (share,) = blocks(1, job(str(name)))
        game.offer(share)
        game.answer(share, Answer.REJECTED, "bad-version")
    first, *rest = blocks(5, job("hopeless"))
    assert game.offer(first)
    assert not any(game.offer(share) for share in rest)
    assert game.aside == {"not_sent": 3}
    assert game.answer(first, Answer.REJECTED, "bad-version") == [rest[-1]]


def test_every_block_that_waits_is_counted_at_the_end() -> None:
    game = Game(most_blocks=2)
    first, *rest = blocks(RIVALS + 5)
    game.offer(first)
    for share in rest:
        game.offer(share)
    game.offer(blocks(1, job("b"))[0])
    game.offer(blocks(1, job("c"))[0])  # beyond the limit: kept
    game.rivals.close()
    assert game.aside == {"surplus": 4, "not_sent": RIVALS + 1}


def test_tables_are_bounded() -> None:
    game, (share,) = Game(), blocks(1)
    for number in range(200):
        parent = replace(share.unit.job, prev_hash=number.to_bytes(32, "big"))
        game.offer(replace(share, unit=replace(share.unit, job=parent)))
        game.offer(replace(share, unit=replace(share.unit, job=parent)))
    game.rivals.close()
    assert game.aside == {"not_sent": 200}  # the forgotten ones are counted as well


def test_a_block_without_a_sign_of_its_fate_holds_up_no_other() -> None:
    """A template provider answers nothing: silence must not end the search on this parent."""
    game, (first, second) = Game(most_blocks=1), blocks(2)
    assert [game.offer(share) for share in (first, second)] == [True, False]
    assert game.answer(first, Answer.UNKNOWN, "no-answer") is None
    assert game.answer(first, Answer.UNKNOWN, NO_SIGN) == [second]
    assert game.offer(second)
    assert game.answer(first, Answer.ACCEPTED) == [], "it may still win"
    assert game.rivals.accepted == 1
