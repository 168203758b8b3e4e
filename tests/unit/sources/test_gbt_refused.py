"""Templates that look right but are of no use, and the fields of other answers that are wrong."""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miner.sources.base import Health
from miner.sources.node.source import NodeSource
from miner.work.found import Answer
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, TESTNET, Sink, solve, submitted, until
from tests.faults import fault

Run = Callable[..., NodeSource]
UNUSABLE: list[tuple[str, dict[str, Any]]] = [
    ("coinbaseaux", {"coinbaseaux": {"a": "11" * 300}}),
    ("coinbaseaux", {"coinbaseaux": {"a": "11" * 70, "b": "11" * 70}}),
    ("maxtime", {"maxtime": 5}),
]


@pytest.mark.parametrize(("words", "patch"), UNUSABLE)
@fault("G12")
def test_a_template_without_a_possible_job_leaves_the_old_one(
    node: FakeNode, sink: Sink, run: Run, words: str, patch: dict[str, Any]
) -> None:
    """And says so at once, also when a long poll brought it."""
    run(node)
    sink.job_at(1)
    node.template_patch.update(patch)
    node.mine()
    state = sink.state_with(words)
    assert (state.health, sink.jobs[-1].height) == (Health.READY, 1)
    assert "the template before it stays" in state.text
    for name in patch:
        del node.template_patch[name]
    sink.job_at(2)


@fault("G36")
def test_a_useless_standby_does_not_take_over(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    """And does not take the leader's thread with it: the leader comes back."""
    run(node)
    sink.job_at(1)
    second.template_patch["coinbaseaux"] = {"a": "11" * 300}
    source = run(node, second)
    sink.wait(lambda: sum(link.template is not None for link in source.links) == 2)
    node.stop()
    sink.state_with("coinbaseaux")
    node.start()
    node.mine()
    sink.job_at(2)


@fault("G20")
def test_tips_that_alternate_at_once_are_not_hammered(node: FakeNode, sink: Sink, run: Run) -> None:
    """Two nodes behind one address, one a block behind: each long poll tells of another tip."""

    def alternate(exchange: faults.Exchange) -> bytes:
        if "longpollid" not in exchange.params[0]:
            return exchange.process()
        told = node.template() | {"previousblockhash": os.urandom(32).hex()}
        reply = {"result": told, "error": None, "id": exchange.id}
        return faults.http(200, json.dumps(reply).encode())

    node.fault("getblocktemplate", alternate, times=1000)
    run(node, long_poll=True)
    time.sleep(1.5)
    assert len(node.calls) < 60


@fault("G20")
def test_a_tip_without_its_template_is_not_hammered(node: FakeNode, sink: Sink, run: Run) -> None:
    """Two nodes behind one address: one is asked for the tip, the other for templates."""
    row = [faults.result({"hash": f"{number:064x}", "height": 9}) for number in range(1000)]
    node.fault("waitfornewblock", *row)
    run(node)
    time.sleep(1.5)
    assert len(node.calls) < 60


@fault("G20")
def test_a_node_that_does_not_wait_is_not_hammered(node: FakeNode, sink: Sink, run: Run) -> None:
    answer = faults.result({"hash": node.tip.hash, "height": 0})
    node.fault("waitfornewblock", answer, times=1000)
    run(node)
    time.sleep(1.0)
    assert len(node.calls) < 40


@fault("G20")
def test_a_slow_dry_run_does_not_hide_a_new_tip(node: FakeNode, sink: Sink, run: Run) -> None:
    held = threading.Event()

    def hold(exchange: faults.Exchange) -> bytes | None:
        if exchange.params[0].get("mode") != "proposal":
            return exchange.process()
        held.set()
        exchange.hold(30)
        return None

    node.fault("getblocktemplate", hold, times=1000)
    run(node, timing=replace(FAST, call=30.0))
    assert held.wait(5)
    began = time.monotonic()
    node.mine()
    sink.job_at(2)
    assert time.monotonic() - began < 5


def kind(value: object) -> str:
    return f"{value!r:.9}"


@pytest.mark.parametrize("when", [10**400, 2**32, -1, -(10**400), True, None, "1"], ids=kind)
@pytest.mark.parametrize("wait", [False, True])
@fault("G12")
def test_the_time_of_the_tip_is_checked(
    tmp_path: Path, sink: Sink, run: Run, when: object, wait: bool
) -> None:
    with FakeNode(tmp_path, chain="testnet4", bits="1c00ffff") as node:
        node.fault("getblockheader", faults.result({"time": when}))
        run(node, payout=TESTNET, wait_min_diff=wait)
        sink.state_with("getblockheader gave no time")
        sink.state_with("waiting for minimum difficulty" if wait else "mining on testnet4")


@fault("G36")
def test_a_refusal_by_one_node_is_not_the_word_of_one_that_is_away(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    """One node is wrong about the block while the other restarts: it arrives all the same."""
    node.validate = lambda raw, template: "bad-version(0x20000000)"
    source = run(node, second)
    until(lambda: sum(link.template is not None for link in source.links) == 2)
    share = solve(sink.job_at(1))
    second.stop()
    until(lambda: source.links[1].health is not Health.READY)
    source.submit(share)
    assert sink.final()[0].answer is Answer.REJECTED
    time.sleep(0.5)  # some tries while nobody is there
    second.start()
    assert sink.final(2)[1].answer is Answer.ACCEPTED
    assert second.sent(share.hash_hex) == 1
    until(lambda: source.unfinished == 0)


@fault("G36")
def test_late_refusals_leave_nothing_behind(
    node: FakeNode, second: FakeNode, sink: Sink, run: Run
) -> None:
    for one in (node, second):
        one.validate = lambda raw, template: "bad-version(0x20000000)"
    source = run(node, second)
    until(lambda: sum(link.template is not None for link in source.links) == 2)
    second.stop()
    until(lambda: source.links[1].health is not Health.READY)
    shares = [solve(sink.job_at(1), extranonce2) for extranonce2 in range(5)]
    for share in shares:
        source.submit(share)
    assert {verdict.answer for verdict in sink.final(5)} == {Answer.REJECTED}
    second.start()
    until(lambda: all(second.sent(share.hash_hex) == 1 for share in shares))
    until(lambda: source.unfinished == 0)
    assert len([verdict for verdict in sink.verdicts if verdict.final]) == 5


@pytest.mark.parametrize("height", [-(10**9), 0, 2, None, "1"])
@fault("P20")
def test_a_block_is_not_buried_at_another_height(
    node: FakeNode, sink: Sink, run: Run, height: object
) -> None:
    """A junk answer once declared a block dead that the node went on to accept."""
    node.fault("submitblock", faults.drop())
    told = {"confirmations": -1, "height": height}
    node.fault("getblockheader", faults.result(told), faults.result(told))
    source = run(node)
    share = submitted(source, sink)
    [verdict] = sink.final()
    assert (verdict.answer, verdict.hash_hex) == (Answer.ACCEPTED, share.hash_hex)
    assert node.sent(share.hash_hex) == 1
