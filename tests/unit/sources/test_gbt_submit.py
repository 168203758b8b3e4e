"""No found block is ever dropped, whatever the node answers."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from miner.sources.base import Health
from miner.sources.node.setup import Timing
from miner.sources.node.source import NodeSource
from miner.work.found import Answer, FoundBlock
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, Sink, solve, submitted
from tests.faults import fault

Run = Callable[..., NodeSource]


@fault("G23")
def test_a_submit_that_hangs_after_acceptance_is_found_by_its_hash(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    node.fault("submitblock", faults.accept_then_hang(30))
    source = run(node, timing=replace(FAST, call=0.4))
    share = submitted(source, sink)
    verdicts = sink.final()
    assert [verdict.answer for verdict in verdicts] == [Answer.ACCEPTED]
    assert node.sent(share.hash_hex) == 1


@pytest.mark.parametrize(
    "fault",
    [faults.accept_then_close(), faults.accept_then_truncate(20)],
    ids=["closed", "truncated"],
)
@fault("G10")
def test_a_lost_answer_to_an_accepted_block_is_success_once(
    node: FakeNode, sink: Sink, run: Run, fault: faults.Fault
) -> None:
    node.fault("submitblock", fault)
    source = run(node)
    share = submitted(source, sink)
    assert [verdict.answer for verdict in sink.final()] == [Answer.ACCEPTED]
    source.submit(share)
    time.sleep(0.3)
    assert len(sink.final()) == 1


@fault("G23")
def test_duplicate_is_success(node: FakeNode, sink: Sink, run: Run) -> None:
    node.fault("submitblock", faults.accept_then_close())
    node.fault("getblockheader", faults.failure(-1, "x"), times=1)
    source = run(node)
    submitted(source, sink)
    verdict = sink.final()[0]
    assert verdict.answer is Answer.ACCEPTED
    assert verdict.reason in ("duplicate", "found by its hash")


@pytest.mark.parametrize(
    "row",
    [
        [faults.busy()] * 5,
        [faults.drop()] * 3,
        [faults.failure(-28, "Verifying blocks...")] * 3,
        [faults.failure(-25, "disk")] * 3,
        [faults.fixed(faults.http(401, b"", "text/html"))] * 3,
        [faults.fixed(faults.http(403, b"", "text/html"))] * 2,
        [faults.fixed(faults.http(200, b"<html>", "text/html"))] * 3,
        [faults.result({"x": 1}), faults.result(7), faults.result("strange-word")],
    ],
    ids=["503", "dropped", "warming", "-25", "401", "403", "html", "junk"],
)
@fault("G05", "G24")
def test_a_block_that_was_not_judged_is_sent_until_it_is(
    node: FakeNode, sink: Sink, run: Run, row: list[faults.Fault]
) -> None:
    node.fault("submitblock", *row)
    source = run(node)
    share = submitted(source, sink)
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert node.tip.hash == share.hash_hex
    assert len(node.ledger) == 1
    assert all(not verdict.final for verdict in sink.verdicts[:-1])


@pytest.mark.parametrize("word", ["bad-cb-amount", "high-hash", "bad-txns-vin-empty", "rejected"])
@fault("G24")
def test_a_dead_block_is_reported_with_the_reason(
    node: FakeNode, sink: Sink, run: Run, word: str
) -> None:
    node.fault("submitblock", faults.result(word))
    source = run(node)
    submitted(source, sink)
    verdict = sink.final()[0]
    assert (verdict.answer, verdict.reason) == (Answer.REJECTED, word)
    assert verdict.explanation
    time.sleep(0.3)
    assert [call[1] for call in node.calls].count("submitblock") == 1


@fault("G22")
def test_a_lost_race_is_kept_until_its_branch_wins(node: FakeNode, sink: Sink, run: Run) -> None:
    source = run(node)
    share = solve(sink.job_at(1))
    node.mine()
    source.submit(share)
    sink.wait(lambda: sink.verdicts)
    assert sink.verdicts[0].answer is Answer.PENDING
    assert sink.verdicts[0].reason == "inconclusive"
    node.mine(2, after=share.hash_hex)
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert node.sent(share.hash_hex) == 1


@fault("P20")
def test_a_lost_race_is_stale_once_the_rival_is_buried(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    source = run(node)
    share = solve(sink.job_at(1))
    node.mine(50)
    source.submit(share)
    sink.wait(lambda: sink.verdicts)
    time.sleep(0.3)
    assert [verdict.answer for verdict in sink.verdicts] == [Answer.PENDING]
    node.mine(51)
    assert sink.final()[0].answer is Answer.STALE


def test_a_block_ahead_of_the_node_waits_for_its_parent(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    node.fault("submitblock", faults.result("prev-blk-not-found"), faults.result("time-too-new"))
    source = run(node)
    submitted(source, sink)
    sink.final()
    answers = [verdict.answer for verdict in sink.verdicts]
    assert answers == [Answer.PENDING, Answer.PENDING, Answer.ACCEPTED]


@fault("G21")
def test_a_block_found_while_the_node_restarts_arrives(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    source = run(node)
    share = solve(sink.job_at(1))
    node.stop()
    source.submit(share)
    sink.wait(lambda: sink.verdicts)
    assert sink.verdicts[0].answer is Answer.PENDING
    sink.wait(lambda: sink.states[-1].health is Health.DOWN)
    node.fault("submitblock", faults.failure(-28, "Loading"), times=3)
    node.start()  # with a new cookie
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert node.sent(share.hash_hex) == 1
    sink.job_at(2)
    sink.wait(lambda: sink.states[-1].health is Health.READY)


def test_a_journalled_block_is_resubmitted(node: FakeNode, sink: Sink, run: Run) -> None:
    source = run(node)
    block: FoundBlock = source.pack(solve(sink.job_at(1)))
    assert block.kind == "gbt"
    assert bytes.fromhex(block.payload)[:80] == block.header
    source.send(block.again)
    source.send(block.again)
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert node.sent(block.hash_hex) == 1


def _after_half_a_second(exchange: faults.Exchange, answer: bytes) -> bytes:
    exchange.hold(0.5)
    return answer


def test_stop_waits_for_an_open_submit(node: FakeNode, sink: Sink, run: Run) -> None:
    node.fault(
        "submitblock",
        faults.accept_then(_after_half_a_second),
    )
    source = run(node)
    submitted(source, sink)
    source.stop(5.0)
    assert [verdict.answer for verdict in sink.verdicts] == [Answer.ACCEPTED]


@fault("P01")
def test_stop_is_quick_when_idle_and_bounded_when_a_node_hangs(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    source = run(node)
    sink.job_at(1)
    started = time.monotonic()
    source.stop(2.0)
    assert time.monotonic() - started < 1.0
    node.fault("submitblock", faults.accept_then_hang(30))
    source = run(node, timing=Timing())
    submitted(source, sink)
    started = time.monotonic()
    source.stop(0.5)
    assert time.monotonic() - started < 2.5


@fault("G25")
def test_a_refused_dry_run_never_vetoes_a_block(
    node: FakeNode, sink: Sink, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = node.judge

    def strict(raw: str, proposal: bool = False) -> str | None:
        return "bad-cb-height" if proposal else judge(raw)

    monkeypatch.setattr(node, "judge", strict)
    source = run(node)
    share = solve(sink.job_at(1))
    assert "bad-cb-height" in sink.state_with("dry run").text
    source.submit(share)
    assert sink.final()[0].answer is Answer.ACCEPTED


@fault("G26")
def test_a_share_of_an_old_job_is_sent_all_the_same(node: FakeNode, sink: Sink, run: Run) -> None:
    source = run(node)
    share = solve(sink.job_at(1))
    node.mine(3)
    sink.job_at(4)
    source.submit(share)
    sink.wait(lambda: sink.verdicts)
    assert sink.verdicts[0].answer is Answer.PENDING
    assert node.sent(share.hash_hex) == 1


@fault("G24")
def test_a_broken_answer_of_getblockheader_settles_nothing(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    node.fault("getblockheader", faults.result(7), faults.result({"confirmations": "1"}))
    source = run(node)
    submitted(source, sink)
    assert sink.final()[0].answer is Answer.ACCEPTED


def test_a_node_that_forgets_an_accepted_block_gets_it_again(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    node.fault("submitblock", faults.result(None))  # says accepted, keeps nothing
    source = run(node)
    share = submitted(source, sink)
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert node.sent(share.hash_hex) == 1
    assert node.tip.hash == share.hash_hex
