"""The node source against a scripted node: tips, states, chains, several nodes."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.target import EASIEST_NBITS
from miner.errors import ConfigError, SourceRefused, TransportError
from miner.sources.base import Health
from miner.sources.node.setup import Timing
from miner.sources.node.source import NodeSource
from miner.work.found import Answer
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, MAINNET, REGTEST, TESTNET, Sink, setup, solve, submitted, until
from tests.faults import fault

Run = Callable[..., NodeSource]


def test_a_block_is_accepted_and_the_next_job_follows(node: FakeNode, sink: Sink, run: Run) -> None:
    source = run(node)
    for height in range(1, 21):
        share = solve(sink.job_at(height))
        source.submit(share)
        verdict = sink.final(height)[-1]
        assert verdict.answer is Answer.ACCEPTED
        assert verdict.hash_hex == share.hash_hex == node.tip.hash
        assert verdict.height == height
        assert node.sent(share.hash_hex) == 1
    assert sink.states[-1].health is Health.READY
    assert len(sink.verdicts) == 20


def test_jobs_of_one_tip_are_not_clean_and_keep_it(node: FakeNode, sink: Sink, run: Run) -> None:
    run(node, timing=replace(FAST, refresh=0.1))
    sink.wait(lambda: len(sink.jobs) >= 3)
    assert [job.clean for job in sink.jobs[:3]] == [True, False, False]
    assert len({job.job_id for job in sink.jobs}) == len(sink.jobs)


@fault("G20")
def test_the_long_poll_brings_a_new_tip_at_once(node: FakeNode, sink: Sink, run: Run) -> None:
    run(node, long_poll=True, timing=replace(FAST, tip_beside_longpoll=60.0, refresh=60.0))
    sink.job_at(1)
    node.mine()
    sink.job_at(2)


@fault("G20")
def test_a_tip_missed_by_the_long_poll_is_polled(node: FakeNode, sink: Sink, run: Run) -> None:
    node.template_patch["longpollid"] = "never the tip's"
    node.do_getblocktemplate = _deaf(node)  # type: ignore[method-assign]
    run(node, long_poll=True)
    sink.job_at(1)
    node.mine()
    sink.job_at(2)


def _deaf(node: FakeNode) -> Callable[..., Any]:
    def answer(request: dict[str, Any]) -> Any:
        if "longpollid" in request:
            node.stopping.wait(5)
        return node.template()

    return answer


def test_an_instantly_answering_long_poll_is_not_hammered(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    node.do_getblocktemplate = lambda *_: node.template()  # type: ignore[method-assign]
    run(node, long_poll=True)
    sink.job_at(1)
    time.sleep(0.5)
    assert len(_long_polls(node)) <= 2


@fault("G20")
def test_news_at_every_long_poll_leaves_it_a_quarter_of_a_second(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    def advance(*_: object) -> dict[str, Any]:
        node.mine()
        return node.template()

    node.do_getblocktemplate = advance  # type: ignore[method-assign,assignment]
    run(node, long_poll=True)
    until(lambda: len(_long_polls(node)) >= 4)
    times = _long_polls(node)
    assert min(after - before for before, after in pairwise(times)) >= 0.25


def _long_polls(node: FakeNode) -> list[float]:
    calls = [call for call in node.calls if call[1] == "getblocktemplate"]
    return [at for at, _, params in calls if "longpollid" in params[0]]


@pytest.mark.parametrize("told", [None, 7, ["x"], {}, "x" * 5000], ids=lambda told: f"{told!r:.6}")
@fault("G44")
def test_a_longpollid_of_no_use_is_not_sent_back(
    node: FakeNode, sink: Sink, run: Run, told: object
) -> None:
    """The work is good all the same: the tip is polled."""
    node.template_patch["longpollid"] = told
    run(node, long_poll=True)
    sink.job_at(1)
    node.mine()
    sink.job_at(2)
    assert not _long_polls(node)


# -- node states ------------------------------------------------------------------------------
def test_an_unreachable_node_is_named_and_waited_for(node: FakeNode, sink: Sink, run: Run) -> None:
    node.stop()
    run(node)
    state = sink.state_with("no cookie at")
    assert state.health is Health.DOWN
    assert state.fatal is None
    node.rotate_cookie()
    sink.state_with("refused: start the node")
    node.start()
    sink.job_at(1)
    sink.wait(lambda: sink.states[-1].health is Health.READY)


def test_a_slow_node_is_named_soon_and_given_time_later(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    def slow(exchange: faults.Exchange) -> bytes:
        exchange.hold(0.6)
        return exchange.process()

    node.fault("getblockchaininfo", slow, times=2)
    run(node, timing=replace(FAST, connect=0.2))
    assert sink.state_with("no complete answer in time").health is Health.DOWN
    sink.job_at(1)


def test_retries_end_in_a_transport_error(node: FakeNode, sink: Sink, run: Run) -> None:
    node.stop()
    node.rotate_cookie()
    run(node, retries=2)
    sink.wait(lambda: sink.states and sink.states[-1].fatal)
    fatal = sink.states[-1].fatal
    assert isinstance(fatal, TransportError)
    assert fatal.exit_code == 6


@pytest.mark.parametrize("told", [None, [], 7, {}, {"chain": None}, {"chain": ["regtest"]}, "x"])
@fault("G12")
def test_a_spoilt_first_answer_is_asked_for_again(
    node: FakeNode, sink: Sink, run: Run, told: object
) -> None:
    node.fault("getblockchaininfo", faults.result(told))
    run(node)
    assert sink.job_at(1)
    assert not any(state.fatal for state in sink.states)


@fault("G06")
def test_warming_up_is_one_line_and_waited_for(node: FakeNode, sink: Sink, run: Run) -> None:
    node.fault("getblockchaininfo", faults.failure(-28, "Loading block index..."), times=4)
    run(node)
    sink.job_at(1)
    texts = [state.text for state in sink.states if "Loading block index" in state.text]
    assert len(texts) == 1


def test_a_syncing_test_node_is_waited_for(tmp_path: Path, sink: Sink, run: Run) -> None:
    with FakeNode(tmp_path, chain="testnet4", bits="1d00ffff", ibd=True) as node:
        run(node, payout=TESTNET)
        assert sink.state_with("initial block download").health is Health.WAITING
        assert not sink.jobs
        node.ibd = False
        sink.job_at(1)


def test_wrong_credentials_end_the_run(node: FakeNode, sink: Sink, run: Run) -> None:
    run(node)
    sink.job_at(1)
    other = FakeNode(node.folder / "other")
    other.folder.mkdir()
    with other:
        other.cookie.write_text("__cookie__:wrong")
        run(other)
        sink.wait(lambda: sink.states[-1].fatal)
        fatal = sink.states[-1].fatal
        assert isinstance(fatal, SourceRefused)
        assert "credentials" in str(fatal)


@fault("G02")
def test_a_rotated_cookie_is_survived(node: FakeNode, sink: Sink, run: Run) -> None:
    source = run(node)
    share = solve(sink.job_at(1))
    node.rotate_cookie()
    source.submit(share)
    assert sink.final()[0].answer is Answer.ACCEPTED
    sink.job_at(2)
    assert all(state.health is not Health.REFUSED for state in sink.states)


@pytest.mark.parametrize(
    ("chain", "payout"),
    [("regtest", MAINNET), ("testnet4", MAINNET), ("main", TESTNET), ("signet", REGTEST)],
)
@fault("G29")
def test_an_address_of_another_chain_is_refused(
    tmp_path: Path, sink: Sink, run: Run, chain: str, payout: str
) -> None:
    with FakeNode(tmp_path, chain=chain) as node:
        run(node, payout=payout)
        sink.wait(lambda: sink.states)
        state = sink.states[-1]
        assert state.health is Health.REFUSED
        assert isinstance(state.fatal, SourceRefused)
        assert state.fatal.exit_code == 5
        assert chain in state.text
        assert not sink.jobs


@pytest.mark.parametrize("payout", ["", "nonsense", REGTEST[:-1] + "q"])
@fault("G29")
def test_a_malformed_address_is_a_usage_error(node: FakeNode, payout: str) -> None:
    with pytest.raises(ConfigError):
        NodeSource([setup(node)], payout)


def test_a_tag_too_long_is_a_usage_error(node: FakeNode) -> None:
    with pytest.raises(ConfigError, match="tag"):
        NodeSource([setup(node)], REGTEST, tag=bytes(60))


@pytest.mark.parametrize("code", [-32601, -8])
@fault("G08")
def test_a_node_that_cannot_give_templates_is_refused(
    node: FakeNode, sink: Sink, run: Run, code: int
) -> None:
    node.fault("getblocktemplate", faults.failure(code, "Method not found"))
    run(node)
    sink.wait(lambda: sink.states)
    assert isinstance(sink.states[-1].fatal, SourceRefused)


@fault("G17")
def test_an_unknown_rule_stops_that_node(node: FakeNode, sink: Sink, run: Run) -> None:
    node.template_patch["rules"] = ["csv", "!segwit", "!softfork"]
    run(node)
    sink.wait(lambda: sink.states)
    assert isinstance(sink.states[-1].fatal, SourceRefused)
    assert "!softfork" in sink.states[-1].text


@fault("G12")
def test_a_bad_template_leaves_the_old_job(node: FakeNode, sink: Sink, run: Run) -> None:
    run(node)
    sink.job_at(1)
    node.template_patch["curtime"] = -1
    node.mine()
    state = sink.state_with("curtime")
    assert state.health is Health.READY
    assert sink.jobs[-1].height == 1
    del node.template_patch["curtime"]
    sink.job_at(2)


@fault("G08")
def test_a_signed_signet_is_refused_naming_grind(tmp_path: Path, sink: Sink, run: Run) -> None:
    challenge = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be43051ae"
    with FakeNode(tmp_path, chain="signet", bits="1e0377ae", challenge=challenge) as node:
        run(node, payout=TESTNET)
        state = sink.state_with("grind")
        assert isinstance(state.fatal, SourceRefused)


@fault("G08")
def test_an_open_signet_is_mined(tmp_path: Path, sink: Sink, run: Run) -> None:
    with FakeNode(tmp_path, chain="signet", bits="1e0377ae", challenge="51") as node:
        run(node, payout=TESTNET)
        job = sink.job_at(1)
        assert job.ntime_limit == 0
        assert not job.ntime_follows_clock


# -- test networks ----------------------------------------------------------------------------
@fault("G28")
def test_minimum_difficulty_is_waited_for_and_taken(tmp_path: Path, sink: Sink, run: Run) -> None:
    shift = [0]
    node = FakeNode(tmp_path, chain="testnet4", bits="1c0ffff0")
    node.clock = lambda: int(time.time()) + shift[0]
    with node:
        node.mine()
        run(node, payout=TESTNET, wait_min_diff=True, timing=Timing(tip=0.1, refresh=0.3))
        assert sink.state_with("waiting for minimum difficulty").health is Health.WAITING
        assert not sink.jobs
        shift[0] = 1202
        node.bits = "1d00ffff"
        job = sink.job_at(2)
        assert job.nbits == EASIEST_NBITS["testnet4"]
        assert job.ntime >= node.tip.time + 1201
        assert job.ntime_limit == 0


@fault("G28")
def test_without_the_option_a_hard_template_is_mined(tmp_path: Path, sink: Sink, run: Run) -> None:
    with FakeNode(tmp_path, chain="testnet4", bits="1c0ffff0") as node:
        node.mine()
        run(node, payout=TESTNET)
        assert sink.job_at(2).nbits == 0x1C0FFFF0


# -- several nodes ----------------------------------------------------------------------------
@fault("G36")
def test_the_newest_tip_wins_and_every_node_gets_the_block(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    second.mine(3)
    source = run(node, second)
    share = solve(sink.job_at(4))
    source.submit(share)
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert sink.final()[0].height == 4
    until(lambda: any(call[1] == "submitblock" for call in node.calls))
    assert second.tip.hash == share.hash_hex
    assert len(sink.final()) == 1


@fault("G36")
def test_a_dead_leader_is_replaced(node: FakeNode, second: FakeNode, sink: Sink, run: Run) -> None:
    second.mine(3)
    run(node, second)
    sink.job_at(4)
    second.stop()
    sink.wait(lambda: sink.jobs[-1].height == 1)
    assert sink.states[-1].health is Health.READY


@fault("G30")
def test_a_node_of_another_chain_is_left_out(
    node: FakeNode, tmp_path: Path, sink: Sink, run: Run
) -> None:
    (tmp_path / "other").mkdir()
    with FakeNode(tmp_path / "other", chain="testnet4", bits="1d00ffff") as other:
        other.fault("getblockchaininfo", faults.failure(-28, "Loading"), times=5)
        run(node, other, payout=b"\x51")
        state = sink.state_with("never mixed")
        assert state.fatal is None
        assert state.health is Health.READY
        assert all(job.height == 1 for job in sink.jobs)


def test_one_node_that_accepts_outweighs_one_that_refuses(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    node.fault("submitblock", faults.result("bad-prevblk"))
    second.fault("submitblock", faults.busy(), times=5)
    source = run(node, second)
    until(lambda: all(link.template for link in source.links))
    submitted(source, sink)
    assert [verdict.answer for verdict in sink.final()] == [Answer.ACCEPTED]


def test_what_every_node_refuses_is_dead(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    node.fault("submitblock", faults.result("bad-cb-height"))
    second.fault("submitblock", faults.result("bad-cb-height"))
    source = run(node, second)
    until(lambda: all(link.template for link in source.links))
    submitted(source, sink)
    assert [verdict.answer for verdict in sink.final()] == [Answer.REJECTED]


@fault("G30")
def test_no_block_goes_to_a_node_that_came_back_on_another_chain(
    node: FakeNode, tmp_path: Path, sink: Sink, run: Run
) -> None:
    source = run(node, payout=b"\x51")
    share = solve(sink.job_at(1))
    node.stop()
    (tmp_path / "other").mkdir()
    other = FakeNode(tmp_path / "other", chain="testnet4", bits="1d00ffff")
    other.port, other.cookie = node.port, node.cookie
    with other:
        source.submit(share)
        assert isinstance(sink.state_with("never mixed").fatal, SourceRefused)
        until(lambda: sum(call[1] == "getblockchaininfo" for call in other.calls) > 3)
        assert not other.ledger
        assert all(not verdict.final for verdict in sink.verdicts)
