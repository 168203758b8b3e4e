"""Chains under other rules, judged by the kernel: mainnet's prepared chain, a private testnet4."""

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.address import decode
from miner.bitcoin.header import Header
from miner.doctor import NodeDoctor, Outcome
from miner.errors import NodeError
from miner.node.chain import Chainstate
from miner.node.rules import REGTEST, TESTNET4
from miner.node.service import Node
from miner.node.state import NodeState
from miner.sources.node.setup import NodeSetup
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from tests.node.kit import MAINNET, SEGWIT, Rpc, RpcFailed, Tx, mine, script_height, sha256d, spend
from tests.node.test_shapes import recorded

VECTORS = Path(__file__).parent.parent / "vectors"
ALT_SCRIPT = bytes.fromhex("76a914eadbac7f36c37e39361168b7aaee3cb24a25312d88ac")
OLD_BITS, NEW_BITS = 0x1D00FFFF, 0x1C3FFFC0
ANYBODY = "tb1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqaqh7jw"
pytestmark = pytest.mark.usefixtures("kernel")


def mined() -> dict[str, Any]:
    """Blocks that have the work of difficulty 1."""
    told: dict[str, Any] = json.loads((VECTORS / "difficulty_1.json").read_text())
    return told


# -- mainnet's rules, which exist in tests only ------------------------------------------------
def alt_chain() -> Iterator[bytes]:
    """The 2,016 blocks of mainnet_alt.json, the last one with the bits of a new period."""
    told = json.loads((VECTORS / "mainnet_alt.json").read_text())
    previous = bytes.fromhex("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")
    previous = previous[::-1]
    pairs = zip(told["timestamps"], told["nonces"], strict=True)
    for height, (seconds, nonce) in enumerate(pairs, start=1):
        script = script_height(height) + (b"\0" if height <= 16 else b"")
        coinbase = Tx([(bytes(32), 0xFFFFFFFF, script, 0xFFFFFFFF)], [(50 * 10**8, ALT_SCRIPT)])
        nbits = OLD_BITS if height < 2016 else NEW_BITS
        header = struct.pack(
            "<I32s32sIII", 0x20000000, previous, coinbase.txid, seconds, nbits, nonce
        )
        previous = sha256d(header)
        yield header + b"\x01" + coinbase.bare()


def test_difficulty_function_and_kernel_agree_at_a_retarget(tmp_path: Path) -> None:
    blocks = list(alt_chain())
    state = NodeState(Chainstate(tmp_path, MAINNET.kernel, in_memory=True), MAINNET)
    started = time.process_time()
    for raw in blocks[:-1]:
        header = Header.parse(raw[:80])
        assert MAINNET.difficulty.next_nbits(state.tip, header.time) == header.nbits
        assert state.submit(raw) == ""
    assert state.tip.height == 2015
    last = Header.parse(blocks[-1][:80])
    assert MAINNET.difficulty.next_nbits(state.tip, last.time) == NEW_BITS
    old = bytes.fromhex(mined()["old_bits"])
    assert Header.parse(old[:80]).nbits == OLD_BITS
    assert state.submit(old) == "bad-diffbits"
    assert state.submit(blocks[-1]) == ""
    assert (state.tip.height, state.tip.header.nbits) == (2016, NEW_BITS)
    assert time.process_time() - started < 2.0, "0.3 s of one core here"
    state.chain.close()


# -- the private chain -------------------------------------------------------------------------
@pytest.fixture
def private(kernel: None) -> Iterator[tuple[Node, Rpc]]:
    with Node.start(rules=TESTNET4) as node:
        client = Rpc(node)
        yield node, client
        client.close()


def test_kernel_reorganises_between_branches_at_difficulty_1(private: tuple[Node, Rpc]) -> None:
    node, rpc = private
    short, long = ([bytes.fromhex(raw) for raw in mined()[side]] for side in "AB")
    moves: list[tuple[int, int, int]] = []
    node.chain.subscribe(
        lambda moved: moves.append((moved.tip.height, len(moved.left), len(moved.joined)))
    )
    assert [node.chain.submit(raw) for raw in short] == ["", ""]
    assert [node.chain.submit(raw) for raw in long] == ["inconclusive", "inconclusive", ""]
    assert moves == [(1, 0, 1), (2, 0, 1), (3, 2, 3)]
    assert rpc("getbestblockhash") == sha256d(long[-1][:80])[::-1].hex()
    assert rpc("getblockheader", sha256d(short[-1][:80])[::-1].hex())["confirmations"] == -1
    info = rpc("getblockchaininfo")
    assert (info["blocks"], info["difficulty"], info["chainwork"][-9:]) == (3, 1, "400040004")
    assert node.chain.tip.nbits == OLD_BITS
    assert rpc("submitblock", short[0].hex()) == "duplicate"


def test_private_chain_answers_as_bitcoind_at_genesis(private: tuple[Node, Rpc]) -> None:
    """But for what says that it is private: nothing is left to download, and no proposals."""
    _, rpc = private
    name = "chain-testnet4.json"
    for method in ("getblockchaininfo", "getmininginfo"):
        theirs, ours = recorded(name, method)["result"], rpc(method)
        assert list(ours) == list(theirs)
        own = ("warnings", "verificationprogress", "initialblockdownload")
        assert {k: v for k, v in ours.items() if k not in own} == {
            k: v for k, v in theirs.items() if k not in own
        }
        assert ours["warnings"] == list(TESTNET4.warnings)
    assert rpc("getblockchaininfo")["initialblockdownload"] is False
    assert rpc("getnetworkinfo")["warnings"] == list(TESTNET4.warnings)
    theirs, ours = recorded(name, "getblocktemplate")["result"], rpc("getblocktemplate", SEGWIT)
    assert list(ours) == list(theirs)
    assert ours["curtime"] > 1_780_000_000
    changing = ("curtime", "longpollid", "capabilities")
    assert {k: v for k, v in ours.items() if k not in changing} == {
        k: v for k, v in theirs.items() if k not in changing
    }
    assert ours["capabilities"] == []


def test_nothing_is_offered_that_cannot_be_kept(private: tuple[Node, Rpc]) -> None:
    """Neither proposals nor transactions: a bad one would spoil 4.29e9 hashes unseen."""
    _, rpc = private
    with pytest.raises(RpcFailed, match="proposals cannot be judged on testnet4") as caught:
        rpc("getblocktemplate", {"mode": "proposal", "data": "00", **SEGWIT})
    assert caught.value.code == -8
    tx = spend(bytes(32), 0, [(1, ALT_SCRIPT)])
    with pytest.raises(RpcFailed, match="blocks of this chain hold the coinbase alone") as caught:
        rpc("sendrawtransaction", tx.full().hex())
    assert caught.value.code == -26


def test_private_chain_has_testnet_addresses(private: tuple[Node, Rpc]) -> None:
    _, rpc = private
    told = rpc("validateaddress", ANYBODY)
    assert (told["isvalid"], told["address"]) == (True, ANYBODY)
    regtest = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
    assert rpc("validateaddress", regtest)["isvalid"] is False
    decoded = rpc("decoderawtransaction", spend(bytes(32), 0, [(1, ALT_SCRIPT)]).full().hex())
    assert decoded["vout"][0]["scriptPubKey"]["address"].startswith(("m", "n"))


def test_doctor_finds_a_private_chain_in_order(private: tuple[Node, Rpc]) -> None:
    """It has no peers, and needs none."""
    node, _ = private
    endpoint = parse_node_url(node.url, node.port).endpoint
    setup = NodeSetup(endpoint, CookieFile(node.cookie_file))
    findings = list(NodeDoctor(setup, decode(ANYBODY)).findings())
    assert not [one for one in findings if one.outcome is Outcome.FAIL]
    (peers,) = [one for one in findings if one.check == "peers"]
    assert peers.text == "0; private class chain; its coins exist only here"


# -- a folder remembers its chain --------------------------------------------------------------
def test_a_folder_is_opened_with_its_own_rules_only(tmp_path: Path) -> None:
    with Node.start(tmp_path, rules=TESTNET4) as node:
        first = bytes.fromhex(mined()["A"][0])
        assert node.chain.submit(first) == ""
    with pytest.raises(NodeError, match=r"holds a testnet4 chain, not regtest: .*--fresh$") as one:
        Node.start(tmp_path)
    assert "\n" not in str(one.value)
    with Node.start(tmp_path, rules=TESTNET4) as node:
        assert node.height == 1
        assert node.rules is TESTNET4
    (tmp_path / "clean").unlink()  # as if it had been killed: the blocks are read again
    with Node.start(tmp_path, rules=TESTNET4) as node:
        assert node.height == 1
        assert node.chain.submit(bytes.fromhex(mined()["A"][1])) == ""
    with Node.start(tmp_path, fresh=True) as node:
        rpc = Rpc(node)
        mine(rpc, 2)
        rpc.close()
    with pytest.raises(NodeError, match="holds a regtest chain, not testnet4"):
        Node.start(tmp_path, rules=TESTNET4)
    with Node.start(tmp_path) as node:
        assert (node.height, node.rules) == (2, REGTEST)
