"""The journal follows the chain: a block that a dead run left reaches whoever knows its parent.

What `kill -9` leaves is put on the disk by the journal itself: a record, and no settlement.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from miner.journal import Journal, read
from miner.sources.node.source import NodeSource
from miner.work.found import FoundBlock
from tests.e2e.conftest import Command, Start
from tests.fakes.found import pool_block
from tests.fakes.node import FakeNode
from tests.fakes.pool import FakePool
from tests.fakes.sink import FAST, REGTEST, Sink, setup, solve

MINE = ("mine", "--address", REGTEST, "--backend", "hashlib", "--block-interval", "900", "--json")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[FakeNode]:
    with FakeNode(tmp_path, bits="1d00ffff") as running:  # nothing is found by chance
        running.mine(5)
        yield running


def found_on(node: FakeNode) -> FoundBlock:
    """A block on the tip of this node, not delivered."""
    bits, node.bits = node.bits, "207fffff"
    sink, source = Sink(), NodeSource([setup(node)], REGTEST, timing=FAST)
    source.start(sink)
    try:
        return source.pack(solve(sink.job_at(node.tip.height + 1)))
    finally:
        source.stop(1.0)
        node.bits = bits


def left_behind(where: Path, block: FoundBlock) -> Path:
    """A file as a killed miner leaves it: in a folder, or the one that a user named."""
    folder = where / "state" / "journal"
    if where.suffix == ".file":
        journal = Journal(where, block.source)
    else:
        journal = Journal.open_own(folder, block.source)
    journal.append(block)
    os.close(journal._fd)
    journal._fd = -1
    return journal.path


def at(node: FakeNode) -> tuple[str, ...]:
    return ("--node", node.url)


def login(node: FakeNode) -> tuple[str, ...]:
    return ("--user", "__cookie__", "--password", node.password)


def answered(command: Command, block: FoundBlock) -> dict[str, Any]:
    """The line of its verdict; a journal's line that it waits may come before."""
    said = f'"hash": "{block.hash_hex}", "height": {block.height}, "answer"'
    return cast(dict[str, Any], json.loads(command.until(said)))


def delivered(command: Command, block: FoundBlock) -> None:
    line = answered(command, block)
    assert (line["type"], line["answer"]) == ("block", "accepted"), line


def named(command: Command, block: FoundBlock, file: Path, *words: str) -> None:
    """Why it waits; on a busy machine "it was not answered yet" is said before."""
    text = command.until(f"block {block.height} {block.hash_hex} waits: ", *words)
    assert json.loads(text)["type"] == "journal"
    assert str(file) in text


SPELLINGS = {
    "same": lambda node: (node.url,),
    "localhost": lambda node: (node.url.replace("127.0.0.1", "localhost"),),
    "no scheme": lambda node: (node.url.partition("//")[2],),
    "user and password added": lambda node: (
        node.url.replace("//", f"//__cookie__:{node.password}@"),
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_waiting_block_reaches_its_node_however_that_is_spelt(
    miner: Start, home: Path, node: FakeNode, spelling: str
) -> None:
    block = found_on(node)
    file = left_behind(home, block)
    node.bits = "207fffff"
    (url,) = SPELLINGS[spelling](node)
    command = miner(*MINE, "--node", url, *(() if "@" in url else login(node)))
    delivered(command, block)
    assert command.stop() == 0
    assert node.sent(block.hash_hex) == 1
    assert not file.exists()


def test_a_waiting_block_reaches_its_node_at_ipv6_and_another_port(
    miner: Start, home: Path, tmp_path: Path, node: FakeNode
) -> None:
    block = found_on(node)
    left_behind(home, block)
    (tmp_path / "six").mkdir()
    six = FakeNode(tmp_path / "six", host="::1")
    six.blocks, six.tip = node.blocks, node.tip
    try:
        six.start()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    try:
        command = miner(*MINE, *at(six), *login(six))
        delivered(command, block)
        assert command.stop() == 0
    finally:
        six.stop()


@pytest.mark.parametrize("order", ["second added", "first removed", "swapped"])
def test_a_waiting_block_reaches_its_node_among_others(
    miner: Start, home: Path, tmp_path: Path, node: FakeNode, order: str
) -> None:
    (tmp_path / "other").mkdir()
    with FakeNode(tmp_path / "other") as other:
        other.mine(3)  # another regtest: it knows the genesis, and no more of our chain
        other.password = node.password
        block = found_on(node)
        both = f"{node.url}, {other.url}"
        source = {"second added": node.url, "first removed": f"{other.url}, {node.url}"}
        block = replace(block, source=source.get(order, both))
        left_behind(home, block)
        node.bits = "207fffff"
        places = {
            "second added": (*at(node), *at(other)),
            "first removed": at(node),
            "swapped": (*at(other), *at(node)),
        }
        command = miner(*MINE, *places[order], *login(node))
        delivered(command, block)
        assert command.stop() == 0
        assert other.sent(block.hash_hex) == 0


@pytest.mark.parametrize("case", ["fixed twice", "default then fixed"])
def test_a_fixed_journal_is_read_beside_the_state_folder(
    miner: Start, home: Path, tmp_path: Path, node: FakeNode, case: str
) -> None:
    block = found_on(node)
    named_file = tmp_path / "blocks.file"
    left_behind(named_file if case == "fixed twice" else home, block)
    node.bits = "207fffff"
    where = node.url.replace("127.0.0.1", "localhost")
    command = miner(*MINE, "--node", where, *login(node), "--journal", str(named_file))
    delivered(command, block)
    assert command.stop() == 0


def test_a_fixed_journal_is_not_found_without_its_flag(
    miner: Start, home: Path, tmp_path: Path, node: FakeNode
) -> None:
    """README says so: what is in a file of your own is sent by a run that names it."""
    block = found_on(node)
    file = left_behind(tmp_path / "blocks.file", block)
    command = miner(*MINE, *at(node), *login(node))
    command.until('"type": "job"')
    assert command.stop() == 0
    assert node.sent(block.hash_hex) == 0
    assert list(read(file.read_bytes()).waiting) == [block.hash_hex]


@pytest.mark.parametrize("depth", ["deep", "on the genesis"])
def test_another_chain_at_the_same_address_settles_nothing(
    miner: Start, home: Path, tmp_path: Path, node: FakeNode, depth: str
) -> None:
    block = found_on(node)
    file = left_behind(home, block)
    port = node.port
    node.stop()
    (tmp_path / "fresh").mkdir()
    with ExitStack() as stack:
        other = FakeNode(tmp_path / "fresh")
        other.port = port
        other.mine(7 if depth == "deep" else 1)
        stack.enter_context(other)
        command = miner(*MINE, *at(other), *login(other))
        named(command, block, file, "it needs a node that knows its parent block")
        assert command.stop() == 0
        assert other.sent(block.hash_hex) == 0
    assert list(read(file.read_bytes()).waiting) == [block.hash_hex]


def test_a_block_on_the_genesis_needs_more_than_the_genesis(
    miner: Start, home: Path, tmp_path: Path
) -> None:
    """Every regtest has it: only its own address, or a chain of nothing else, is good enough."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with FakeNode(tmp_path / "a") as own, FakeNode(tmp_path / "b") as other:
        block = found_on(own)
        file = left_behind(home, block)
        other.mine()
        command = miner(*MINE, *at(other), *login(other))
        named(command, block, file, f"it needs {own.url}")
        assert command.stop() == 0
        assert other.sent(block.hash_hex) == 0
        own.mine()  # it has moved on; the node at which it was found may still judge it
        where = own.url.replace("127.0.0.1", "localhost")
        command = miner(*MINE, "--node", where, *login(own))
        named(command, block, file, "another block at this height was first")
        assert command.stop() == 0
        assert own.sent(block.hash_hex) == 1


def test_the_file_of_a_running_miner_is_left_alone(
    miner: Start, home: Path, node: FakeNode
) -> None:
    block = found_on(node)
    running = Journal.open_own(home / "state" / "journal", block.source)
    running.append(block)
    command = miner(*MINE, *at(node), *login(node))
    command.until('"type": "job"')
    assert command.stop() == 0
    assert node.sent(block.hash_hex) == 0
    assert running.waiting == (block,)
    running.close()


def test_a_toy_chain_of_this_run_gets_no_earlier_block(
    miner: Start, home: Path, node: FakeNode
) -> None:
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    block = found_on(node)
    file = left_behind(home, block)
    command = miner("mine", "--backend", "hashlib", "--json")
    named(command, block, file, "start with --node")
    assert command.stop() == 0
    assert list(read(file.read_bytes()).waiting) == [block.hash_hex]


# -- pools --------------------------------------------------------------------------------------
def mine_at(pool: FakePool) -> tuple[str, ...]:
    return ("mine", "--pool", pool.url, "--user", "a", "--backend", "hashlib", "--json")


def submits_of(pool: FakePool, block: FoundBlock) -> int:
    params = json.loads(block.payload)["params"]
    return sum(
        message["method"] == "mining.submit" and message["params"] == params
        for connection in pool.connections
        for message in connection.received
    )


@pytest.mark.parametrize("case", ["same pool resumed", "new extranonce1", "another pool"])
def test_a_pool_s_block_is_offered_where_its_extranonce1_is_in_force(
    miner: Start, home: Path, case: str
) -> None:
    with FakePool(difficulty="1e6") as pool:
        pool.extranonce1 = lambda number: "ab01" if case == "same pool resumed" else "ab02"
        source = pool.url.partition("://")[2] if case != "another pool" else "elsewhere:3333"
        block = pool_block(9, "ab01", source)
        file = left_behind(home, block)
        command = miner(*mine_at(pool))
        if case == "same pool resumed":
            pool.wait(lambda: submits_of(pool, block) == 1)
            answered(command, block)
        else:
            named(command, block, file, f"pool {source} to give extranonce1 ab01 again")
        assert command.stop() == 0
        assert submits_of(pool, block) == (case == "same pool resumed")
    if case != "same pool resumed":
        assert list(read(file.read_bytes()).waiting) == [block.hash_hex]


def test_another_pool_with_the_same_extranonce1_settles_nothing(miner: Start, home: Path) -> None:
    """Pools count from one: theirs is a coincidence, and they do not know the job."""
    with FakePool(difficulty="1e6") as pool:
        pool.extranonce1 = lambda number: "00000001"
        block = pool_block(9, "00000001", "elsewhere:3333")
        file = left_behind(home, block)
        command = miner(*mine_at(pool))
        named(command, block, file, "elsewhere:3333")
        assert command.stop() == 0
    assert list(read(file.read_bytes()).waiting) == [block.hash_hex]


def test_a_node_s_block_waits_while_a_pool_is_mined_on(
    miner: Start, home: Path, node: FakeNode
) -> None:
    block = found_on(node)
    file = left_behind(home, block)
    with FakePool(difficulty="1e6") as pool:
        command = miner(*mine_at(pool))
        named(command, block, file, "start with --node")
        assert command.stop() == 0
