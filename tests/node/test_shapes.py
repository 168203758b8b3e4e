"""Replies have the keys, types and words of those recorded from bitcoind 31.99."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.node.kit import ANYONE, BARE, SEGWIT, Rpc, RpcFailed, mine, spend

RPC = Path(__file__).parent.parent / "vectors" / "rpc"
EMPTY_POOL = {"currentblockweight", "currentblocktx"}  # there after the first template


def recorded(name: str, method: str, place: int = 0) -> Any:
    exchanges = json.loads((RPC / name).read_text())["exchanges"]
    found = [e for e in exchanges if e["request"]["method"] == method]
    return found[place]["response"]


def shape(value: Any) -> Any:
    """Keys in order and JSON types; a list counts by its first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if type(value) in (int, float) else type(value).__name__


@pytest.mark.parametrize("method", ["getblockchaininfo", "getmininginfo"])
def test_at_genesis_equals_bitcoind(rpc: Rpc, method: str) -> None:
    theirs, ours = recorded("height-1-empty.json", method)["result"], rpc(method)
    assert list(ours) == list(theirs)
    changing = ("verificationprogress", "warnings")  # the clock, and their pre-release
    assert {k: v for k, v in ours.items() if k not in changing} == {
        k: v for k, v in theirs.items() if k not in changing
    }


def test_network_info(rpc: Rpc) -> None:
    theirs, ours = (
        recorded("height-1-empty.json", "getnetworkinfo")["result"],
        rpc("getnetworkinfo"),
    )
    for lists in ("localservicesnames", "warnings"):
        theirs[lists] = ours[lists] = []
    assert shape(ours) == shape(theirs)


@pytest.mark.parametrize("height", [1, 16, 17, 127, 128, 259])
def test_templates_equal_bitcoinds(rpc: Rpc, height: int) -> None:
    names = {1: "height-1-empty.json", 259: "longpoll-new-block.json"}
    theirs = recorded(names.get(height, f"height-{height}.json"), "getblocktemplate")["result"]
    mine(rpc, height - 1)
    ours = rpc("getblocktemplate", SEGWIT)
    assert list(ours) == list(theirs)
    own = ("previousblockhash", "longpollid", "mintime", "curtime")
    assert {k: v for k, v in ours.items() if k not in own} == {
        k: v for k, v in theirs.items() if k not in own
    }
    assert shape(ours) == shape(theirs)
    assert ours["longpollid"].startswith(ours["previousblockhash"])
    assert ours["curtime"] >= ours["mintime"]


def test_template_with_transactions(rpc: Rpc) -> None:
    theirs = recorded("mempool-40.json", "getblocktemplate")["result"]
    first = mine(rpc, 101)[0]
    parent = spend(first.coinbase().txid, 0, [(first.value - 1000, ANYONE)])
    child = spend(parent.txid, 0, [(first.value - 3000, BARE)])
    for tx in (parent, child):
        rpc("sendrawtransaction", tx.full().hex())
    ours = rpc("getblocktemplate", SEGWIT)
    assert shape(ours["transactions"][0]) == shape(theirs["transactions"][0])
    assert [tx["depends"] for tx in ours["transactions"]] == [[], [1]]
    assert [tx["fee"] for tx in ours["transactions"]] == [1000, 2000]
    assert ours["transactions"][0]["txid"] == parent.txid[::-1].hex()
    assert ours["transactions"][0]["weight"] == 3 * len(parent.bare()) + len(parent.full())
    assert ours["coinbasevalue"] == 5_000_000_000 + 3000
    assert ours["default_witness_commitment"] != theirs["default_witness_commitment"]
    info = rpc("getmininginfo")
    assert list(info) == list(recorded("mempool-40.json", "getmininginfo")["result"])
    assert (info["currentblocktx"], info["pooledtx"]) == (2, 2)


def test_segwit_rule_is_required(rpc: Rpc) -> None:
    theirs = recorded("errors-and-lookups.json", "getblocktemplate", 1)
    with pytest.raises(RpcFailed) as caught:
        rpc("getblocktemplate", {"rules": []})
    assert (caught.value.code, caught.value.message) == (
        theirs["error"]["code"],
        theirs["error"]["message"],
    )
    for request in ({}, {"rules": None}, {"rules": "segwit"}, {"rules": ["signet"]}):
        with pytest.raises(RpcFailed, match="segwit rule set"):
            rpc("getblocktemplate", request)
    with pytest.raises(RpcFailed, match="Invalid mode") as caught:
        rpc("getblocktemplate", {"mode": "x"})
    assert caught.value.code == -8


def test_missing_argument_is_error_1_with_usage(rpc: Rpc) -> None:
    assert recorded("errors-and-lookups.json", "getblocktemplate")["error"]["code"] == -1
    with pytest.raises(RpcFailed, match="getblocktemplate template_request") as caught:
        rpc("getblocktemplate")
    assert (caught.value.code, caught.value.status) == (-1, 500)


def test_unknown_method(rpc: Rpc) -> None:
    theirs = recorded("errors-and-lookups.json", "nosuchmethod")["error"]
    with pytest.raises(RpcFailed) as caught:
        rpc("nosuchmethod")
    assert caught.value.status == 404
    assert (caught.value.code, caught.value.message) == (theirs["code"], theirs["message"])


@pytest.mark.parametrize("place", range(4))
def test_validateaddress(rpc: Rpc, place: int) -> None:
    exchanges = json.loads((RPC / "errors-and-lookups.json").read_text())["exchanges"]
    case = [e for e in exchanges if e["request"]["method"] == "validateaddress"][place]
    theirs, ours = case["response"]["result"], rpc("validateaddress", *case["request"]["params"])
    assert list(ours) == list(theirs)
    assert {k: v for k, v in ours.items() if k != "error"} == {
        k: v for k, v in theirs.items() if k != "error"
    }


def test_getblockheader(rpc: Rpc) -> None:
    theirs = recorded("errors-and-lookups.json", "getblockheader")["result"]
    mine(rpc, 3)
    best = rpc("getbestblockhash")
    ours = rpc("getblockheader", best)
    assert shape(ours) == shape(theirs)
    assert (ours["height"], ours["confirmations"], ours["nTx"]) == (3, 1, 1)
    assert ours["previousblockhash"] == rpc("getblockhash", 2)
    below = rpc("getblockheader", rpc("getblockhash", 2))
    assert (below["nextblockhash"], below["confirmations"]) == (best, 2)
    assert len(rpc("getblockheader", best, False)) == 160
    unknown = recorded("errors-and-lookups.json", "getblockheader", 1)["error"]
    with pytest.raises(RpcFailed) as caught:
        rpc("getblockheader", "00" * 32)
    assert (caught.value.code, caught.value.message) == (unknown["code"], unknown["message"])
    for bad in ("00", "zz" * 32):
        with pytest.raises(RpcFailed, match="blockhash must be") as caught:
            rpc("getblockheader", bad)
        assert caught.value.code == -8


def test_getblock_at_every_verbosity(rpc: Rpc) -> None:
    first = mine(rpc, 101)[0]
    tx = spend(first.coinbase().txid, 0, [(first.value - 12345, BARE)])
    rpc("sendrawtransaction", tx.full().hex())
    raw = mine(rpc)[0].build()
    best = rpc("getbestblockhash")
    assert rpc("getblock", best, 0) == rpc("getblock", best, False) == raw.hex()
    one = rpc("getblock", best)
    assert one == rpc("getblock", best, 1) == rpc("getblock", best, True)
    assert one["tx"][1] == tx.txid[::-1].hex()
    assert (one["size"], one["nTx"]) == (len(raw), 2)
    assert one["weight"] == 3 * one["strippedsize"] + one["size"]
    assert one["coinbase_tx"]["witness"] == "00" * 32
    two = rpc("getblock", best, 2)
    assert list(two) == list(one)
    assert [list(entry) for entry in two["tx"]] == [
        "txid hash version size vsize weight locktime vin vout hex".split(),
        "txid hash version size vsize weight locktime vin vout fee hex".split(),
    ]
    spent = two["tx"][1]
    assert (spent["fee"], spent["hex"]) == (0.00012345, tx.full().hex())
    assert spent["vin"][0]["txinwitness"] == ["51"]
    assert spent["vout"][0]["scriptPubKey"]["asm"] == "1"
    assert rpc("getrawtransaction", tx.txid[::-1].hex()) == tx.full().hex()
    decoded = rpc("getrawtransaction", tx.txid[::-1].hex(), True)
    assert (decoded["blockhash"], decoded["confirmations"]) == (best, 1)
    with pytest.raises(RpcFailed, match="No such mempool or blockchain transaction") as caught:
        rpc("getrawtransaction", "11" * 32)
    assert caught.value.code == -5
    with pytest.raises(RpcFailed, match="No such transaction found in the provided block"):
        rpc("getrawtransaction", tx.txid[::-1].hex(), 0, rpc("getblockhash", 1))


def test_genesis_is_there_and_its_coinbase_is_not(rpc: Rpc) -> None:
    genesis = rpc("getblock", rpc("getblockhash", 0), 2)
    assert genesis["tx"][0]["txid"] == genesis["merkleroot"]
    assert (genesis["size"], genesis["version"]) == (285, 1)
    with pytest.raises(RpcFailed, match="genesis block coinbase"):
        rpc("getrawtransaction", genesis["merkleroot"])
    with pytest.raises(RpcFailed, match="Block height out of range"):
        rpc("getblockhash", 1)


def test_small_answers(rpc: Rpc) -> None:
    assert rpc("getdifficulty") == 4.656542373906925e-10
    assert rpc("uptime") >= 0
    assert "getblocktemplate template_request" in rpc("help")
    assert rpc("help", "getblock") == "getblock blockhash ( verbosity )"
    assert rpc("getmempoolinfo")["size"] == 0
    rpc("getblocktemplate", SEGWIT)
    assert EMPTY_POOL <= set(rpc("getmininginfo"))
