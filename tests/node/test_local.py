"""The node for code in the same process: templates, blocks, news, and two branches of one chain."""

import threading
from typing import Any

import pytest

from miner.errors import NodeError
from miner.node.chain import Chainstate, KernelFailed, Undecodable
from miner.node.local import Moved
from miner.node.rules import REGTEST
from miner.node.service import Node
from tests.node.kit import SEGWIT, Rpc, Work, sha256d, work_from


def solved(template: dict[str, Any], mark: bytes = b"") -> tuple[Work, bytes]:
    """A block of the template; `mark` makes it another one."""
    work = work_from(template, extra=mark or b"\0\0\0\0")
    return work, work.build()


def block_hash(raw: bytes) -> bytes:
    return sha256d(raw[:80])


def test_a_template_is_the_one_of_the_rpc(node: Node, rpc: Rpc) -> None:
    theirs, ours = rpc("getblocktemplate", SEGWIT), node.chain.template()
    assert list(ours) == list(theirs)
    assert ours | {"curtime": 0} == theirs | {"curtime": 0}
    assert node.chain.rules is REGTEST


def test_a_block_is_judged_and_everybody_hears_of_it(node: Node, rpc: Rpc) -> None:
    heard: list[Moved] = []
    end = node.chain.subscribe(heard.append)
    _, raw = solved(node.chain.template())
    assert node.chain.submit(raw) == ""
    tip = node.chain.tip
    assert (tip.hash, tip.height) == (block_hash(raw), 1)
    assert heard == [Moved(tip, (), (tip.hash,), {tip.hash: ""})]
    assert not heard[0].reorganised
    assert rpc("getbestblockhash") == tip.hash[::-1].hex()
    assert node.chain.submit(raw) == "duplicate"
    rpc("submitblock", solved(rpc("getblocktemplate", SEGWIT))[1].hex())
    assert [moved.tip.height for moved in heard] == [1, 2], "blocks by RPC are heard of too"
    end()
    end()
    assert node.chain.submit(solved(node.chain.template())[1]) == ""
    assert len(heard) == 2


def test_a_bad_block_is_told_with_its_word_and_moves_nothing(node: Node) -> None:
    heard: list[Moved] = []
    node.chain.subscribe(heard.append)
    template = node.chain.template()
    bad = work_from(template, value=template["coinbasevalue"] + 1).build()
    assert node.chain.submit(bad) == "bad-cb-amount"
    assert [(moved.tip.height, moved.joined) for moved in heard] == [(0, ())]
    assert heard[0].verdicts == {block_hash(bad): "bad-cb-amount"}
    with pytest.raises(Undecodable):
        node.chain.submit(b"no block")


def test_no_verdict_is_an_error(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Chainstate, raw: bytes) -> None:
        raise KernelFailed("disk almost full: 3 MiB left")

    monkeypatch.setattr(Chainstate, "process", fail)
    with pytest.raises(NodeError, match="the node cannot judge a block: disk almost full"):
        node.chain.submit(solved(node.chain.template())[1])


def test_many_threads_at_once_lose_nothing(node: Node) -> None:
    heard: list[int] = []
    node.chain.subscribe(lambda moved: heard.extend(moved.tip.height for _ in moved.joined))

    def mine(mark: bytes) -> None:
        for _ in range(10):
            node.chain.submit(solved(node.chain.template(), mark)[1])

    threads = [threading.Thread(target=mine, args=(bytes([n]) * 4,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == list(range(1, node.height + 1))
    assert node.height >= 10


# -- two branches ------------------------------------------------------------------------------
def test_the_branch_with_more_work_wins_and_says_why(node: Node, rpc: Rpc) -> None:
    assert node.chain.submit(solved(node.chain.template())[1]) == ""
    split = node.chain.split()
    heard: list[Moved] = []
    node.chain.subscribe(heard.append)
    assert split.fork == node.chain.tip.hash
    assert split.why() == "no block yet on either side: both stand on the same one"

    def extend(side: str) -> tuple[str, bytes]:
        raw = solved(split.template(side), side.encode() * 4)[1]
        return split.submit(side, raw), block_hash(raw)

    first = [extend("A") for _ in range(2)]
    assert [word for word, _ in first] == ["", ""]
    second = [extend("B") for _ in range(2)]
    assert [word for word, _ in second] == ["inconclusive", "inconclusive"]
    assert node.chain.tip.hash == first[1][1], "equal work: the kernel stays"
    assert split.why() == (
        "both sides have 2 blocks and the same work: the kernel stays with side A, whose last "
        "block it knew first"
    )
    assert [(b.side, b.height, b.blocks, b.work, b.active) for b in split.branches()] == [
        ("A", 3, 2, 4, True), ("B", 3, 2, 4, False),
    ]  # fmt: skip
    heard.clear()
    word, last = extend("B")
    assert word == ""
    (moved,) = heard
    assert moved.reorganised
    assert moved.left == (first[1][1], first[0][1])
    assert moved.joined == (second[0][1], second[1][1], last)
    assert set(moved.verdicts.values()) == {""}, "now they have been judged"
    assert split.why() == (
        "side B wins: the kernel follows the chain with more work, 3 blocks against 2 of side A"
    )
    assert rpc("getbestblockhash") == last[::-1].hex()
    assert split.template("A")["previousblockhash"] == first[1][1][::-1].hex()
    assert [extend("A")[0] for _ in range(2)] == ["inconclusive", ""], "and back again"
    assert split.branches()[0].active


def test_a_block_on_the_other_sides_tip_is_stale(node: Node) -> None:
    split = node.chain.split()
    raw = solved(split.template("A"))[1]
    assert split.submit("A", raw) == ""
    assert split.submit("A", raw) == "stale-prevblk"
    assert split.submit("B", work_from(split.template("A")).build()) == "stale-prevblk"
    assert split.submit("B", work_from(split.template("B"), extra=b"B").build()) == "inconclusive"
    assert [branch.blocks for branch in split.branches()] == [1, 1]


def test_a_side_goes_on_below_a_block_that_proves_invalid(node: Node) -> None:
    """A branch with less work has not been judged: its fault shows when it has more."""
    split = node.chain.split()
    assert split.submit("A", solved(split.template("A"))[1]) == ""
    template = split.template("B")
    bad = work_from(template, value=template["coinbasevalue"] + 1).build()
    assert split.submit("B", bad) == "inconclusive"
    above = work_from(split.template("B"), extra=b"B").build()
    assert split.submit("B", above) == "bad-prevblk"
    assert node.height == 1
    assert split.template("B")["previousblockhash"] == split.fork[::-1].hex()
    assert split.branches()[1].blocks == 0


def test_blocks_of_others_are_built_upon(node: Node) -> None:
    """Of somebody on no side: before a branch has begun, and on top of the one that leads."""
    split = node.chain.split()
    assert node.chain.submit(solved(node.chain.template(), b"none")[1]) == ""
    for side in "AB":
        assert split.template(side)["height"] == 2
    assert split.submit("A", solved(split.template("A"), b"AAAA")[1]) == ""
    assert node.chain.submit(solved(node.chain.template(), b"none")[1]) == ""
    assert split.template("A")["height"] == 4
    assert split.template("B")["height"] == 2
    assert [branch.blocks for branch in split.branches()] == [2, 0]
