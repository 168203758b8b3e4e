"""A node has few workers (-rpcthreads), and ours are not the only calls: none is kept for long."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from miner.errors import DeadlinePassed, RpcError, RpcForbidden, RpcNotReady
from miner.sources.node.setup import Timing
from miner.sources.node.source import NodeSource
from miner.sources.node.tips import TipWatch
from miner.work.found import Answer
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import Sink, solve, until
from tests.faults import fault

Run = Callable[..., NodeSource]
MOST_HELD_S = 2.0
SOON_S = 1.5  # in which a new tip is seen


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Callable[..., FakeNode]]:
    """Starts nodes of a few workers."""
    with ExitStack() as stack:

        def go(workers: int, **more: Any) -> FakeNode:
            (tmp_path / "busy").mkdir()
            node = FakeNode(tmp_path / "busy", workers=workers, **more)
            stack.enter_context(node)
            return node

        yield go


@pytest.mark.parametrize("wait_arguments", [2, 1, 0])
@fault("G38")
def test_one_worker_takes_the_first_block_within_ten_seconds(
    busy: Callable[..., FakeNode], sink: Sink, run: Run, wait_arguments: int
) -> None:
    """A long poll kept it until the tip changed: on an idle chain for ever."""
    node = busy(1, wait_arguments=wait_arguments)
    source = run(node, timing=Timing())
    share = solve(sink.job_at(1))
    time.sleep(0.5)  # whatever waits at the node has begun
    found = time.monotonic()
    source.submit(share)
    assert sink.final()[0].answer is Answer.ACCEPTED
    assert time.monotonic() - found < 10.0
    sink.job_at(2)
    assert max(seconds for _, seconds in node.held) < MOST_HELD_S


@fault("G38")
def test_four_miners_on_four_workers_deliver_all_they_find(
    busy: Callable[..., FakeNode], run: Run
) -> None:
    node, sinks = busy(4), [Sink() for _ in range(4)]
    sources = [run(node, to=sink, timing=Timing()) for sink in sinks]
    found = []
    for height in range(1, 9):
        finder = height % 4
        share = solve(sinks[finder].job_at(height), height)
        found.append(share.hash_hex)
        sources[finder].submit(share)
        until(lambda share=share: node.tip.hash == share.hash_hex)  # type: ignore[misc]
    verdicts = {verdict.hash_hex: verdict for sink in sinks for verdict in sink.final(2)}
    assert [verdicts[name].answer for name in found] == [Answer.ACCEPTED] * 8
    assert max(seconds for _, seconds in node.held) < MOST_HELD_S


@pytest.mark.parametrize("wait_arguments", [2, 1, 0])
@fault("G38")
def test_a_new_tip_is_seen_soon(
    busy: Callable[..., FakeNode], sink: Sink, run: Run, wait_arguments: int
) -> None:
    node = busy(4, wait_arguments=wait_arguments)
    run(node, timing=Timing())
    sink.job_at(1)
    for height in (2, 3):
        time.sleep(0.3)
        began = time.monotonic()
        node.mine()
        sink.job_at(height)
        assert time.monotonic() - began < SOON_S


@fault("G38")
def test_a_block_does_not_wait_for_the_look_up_of_another(
    node: FakeNode, sink: Sink, run: Run
) -> None:
    first_asked = []

    def hold(exchange: faults.Exchange) -> bytes:
        first_asked.append(exchange.params[0])
        exchange.hold(5.0)
        return exchange.process()

    node.fault("getblockheader", hold)
    source = run(node)
    source.submit(solve(sink.job_at(1)))
    until(lambda: first_asked)
    began = time.monotonic()
    share = solve(sink.job_at(2))
    source.submit(share)
    until(lambda: node.sent(share.hash_hex))
    assert time.monotonic() - began < 1.5


class Node:
    """A scripted `ask`: each answer is given once, the last for ever."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.asked = list(answers), list[tuple[Any, ...]]()

    def __call__(self, method: str, *params: Any, timeout_s: float | None = None) -> object:
        self.asked.append((method, *params))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


NEW = {"hash": "new", "height": 2}


def rest(seconds: float) -> None: ...


@pytest.mark.parametrize(
    ("answers", "methods"),
    [
        ([NEW, NEW], [("waitfornewblock", 1000, "old")] * 2),
        (
            [RpcError("waitfornewblock", -1, "usage"), NEW, NEW],
            [("waitfornewblock", 1000, "old"), *[("waitfornewblock", 1000)] * 2],
        ),
        (
            [*[RpcError("waitfornewblock", -32601, "Method not found")] * 2, "new"],
            [
                ("waitfornewblock", 1000, "old"), ("waitfornewblock", 1000),
                *[("getbestblockhash",)] * 2,
            ],
        ),
        (
            [RpcForbidden("403"), "new"],
            [("waitfornewblock", 1000, "old"), *[("getbestblockhash",)] * 2],
        ),
        (["strange", "new"], [("waitfornewblock", 1000, "old"), *[("getbestblockhash",)] * 2]),
        (
            [{"hash": 7}, "new"],
            [("waitfornewblock", 1000, "old"), *[("getbestblockhash",)] * 2],
        ),
    ],
    ids=["29", "28", "no method", "not allowed", "strange", "no hash"],
)  # fmt: skip
@fault("G38")
def test_the_tip_is_asked_for_in_a_way_the_node_knows(
    answers: list[object], methods: list[tuple[object, ...]]
) -> None:
    """What failed once is not tried again."""
    node = Node(*answers)
    tips = TipWatch(node, 10.0)
    assert [tips.next("old", 9.0, rest) for _ in range(2)] == ["new", "new"]
    assert node.asked == methods


def test_a_node_that_is_not_ready_may_know_the_method() -> None:
    tips = TipWatch(Node(RpcNotReady("waitfornewblock", -28, "Loading"), NEW), 10.0)
    with pytest.raises(RpcNotReady):
        tips.next("old", 1.0, rest)
    assert tips.next("old", 1.0, rest) == "new"


def test_a_node_that_heeds_no_limit_is_polled() -> None:
    node = Node(DeadlinePassed("late"), "new")
    tips = TipWatch(node, 10.0)
    with pytest.raises(DeadlinePassed):
        tips.next("old", 1.0, rest)
    assert tips.next("old", 1.0, rest) == "new"
    assert node.asked[-1] == ("getbestblockhash",)


@fault("G38")
def test_no_limit_is_never_asked_for() -> None:
    node = Node(NEW)
    TipWatch(node, 10.0).next("old", 0.0, rest)
    assert node.asked == [("waitfornewblock", 50, "old")]
