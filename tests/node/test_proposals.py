"""Proposals are judged by the kernel, work apart, and leave the chain alone."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from miner.node.service import Node
from tests.node.kit import (
    ANYONE,
    REGTEST_TARGET,
    SEGWIT,
    Rpc,
    RpcFailed,
    mine,
    sha256d,
    spend,
    work_from,
)

RECORDED = Path(__file__).parent.parent / "vectors" / "rpc" / "proposals.json"

BREAKS: dict[str | None, dict[str, Any]] = {
    None: {"solved": False},
    "bad-cb-height": {"height": 77},
    "bad-cb-amount": {"value": 10**10},
    "bad-diffbits": {"nbits": 0x1D00FFFF},
    "bad-version(0x00000001)": {"version": 1},
    "time-too-old": {"time": 1},
    "bad-txnmrklroot": {"merkle_root": bytes(32)},
    "bad-witness-nonce-size": {"witness": False},
    "bad-cb-length": {"script_sig": b"\x54" + bytes(120)},
    "inconclusive-not-best-prevblk": {"previous": b"\x22" * 32},
}


def propose(rpc: Rpc, **changes: Any) -> str | None:
    work = work_from(rpc("getblocktemplate", SEGWIT), **changes)
    answer = rpc("getblocktemplate", {"mode": "proposal", "data": work.build().hex(), **SEGWIT})
    assert answer is None or isinstance(answer, str)
    return answer


def test_words_equal_bitcoinds() -> None:
    exchanges = json.loads(RECORDED.read_text())["exchanges"]
    assert {e["response"]["result"] for e in exchanges} <= set(BREAKS)


@pytest.mark.parametrize("word", BREAKS, ids=str)
def test_each_broken_rule_is_named(rpc: Rpc, word: str | None) -> None:
    mine(rpc, 3)
    best = rpc("getbestblockhash")
    for _ in range(3):  # also when earlier proposals stand in the way
        assert propose(rpc, **BREAKS[word]) == word
        assert propose(rpc) is None
    assert rpc("getbestblockhash") == best


def test_wrong_bits_do_not_hide_a_fault_that_comes_first(rpc: Rpc) -> None:
    assert propose(rpc, nbits=0x1D00FFFF, merkle_root=bytes(32)) == "bad-txnmrklroot"


def test_many_on_one_tip_and_between_blocks(rpc: Rpc) -> None:
    for _ in range(40):
        assert propose(rpc) is None
    for _ in range(5):
        mine(rpc, 7)
        assert propose(rpc, value=10**11) == "bad-cb-amount"
        assert propose(rpc, time=int(time.time()) + 7190) is None, "children need not be later"


def test_after_a_reorganisation(rpc: Rpc) -> None:
    template = rpc("getblocktemplate", SEGWIT)
    assert rpc("submitblock", work_from(template).build().hex()) is None
    assert propose(rpc) is None
    rivals = [work_from(template, extra=b"rival")]
    assert rpc("submitblock", rivals[0].build().hex()) == "inconclusive"
    block = rivals[0].build()
    child = work_from(
        template, previous=sha256d(block[:80]), height=2, time=template["curtime"] + 1
    )
    assert rpc("submitblock", child.build().hex()) is None
    assert propose(rpc) is None
    assert propose(rpc, height=9) == "bad-cb-height"


def test_known_blocks(rpc: Rpc) -> None:
    def judged(raw: bytes) -> Any:
        return rpc("getblocktemplate", {"mode": "proposal", "data": raw.hex()})

    template = rpc("getblocktemplate", SEGWIT)
    good, rich = work_from(template).build(), work_from(template, value=10**10).build()
    assert rpc("submitblock", rich.hex()) == "bad-cb-amount"
    assert judged(rich) == "duplicate-invalid"
    assert rpc("submitblock", good.hex()) is None
    assert judged(good) == "duplicate"
    side = work_from(template, extra=b"side").build()
    assert rpc("submitblock", side.hex()) == "inconclusive"
    assert judged(side) == "duplicate-inconclusive"


@pytest.mark.parametrize("word", ["time-too-old", "bad-version(0x00000001)", "time-too-new"])
def test_a_block_the_kernel_did_not_keep_is_judged_anew(rpc: Rpc, word: str) -> None:
    """Bitcoin Core calls only those known whose headers are in its index."""
    too_new = {"time": int(time.time()) + 7300}
    changes = too_new if word == "time-too-new" else BREAKS[word]
    raw = work_from(rpc("getblocktemplate", SEGWIT), **changes).build()
    assert rpc("submitblock", raw.hex()) == word
    assert rpc("getblocktemplate", {"mode": "proposal", "data": raw.hex()}) == word
    assert rpc("submitblock", raw.hex()) == word


def test_transactions_are_judged_too(rpc: Rpc) -> None:
    first = mine(rpc, 101)[0]
    good = spend(first.coinbase().txid, 0, [(first.value, ANYONE)])
    assert propose(rpc, transactions=[good.triple]) is None
    bad = spend(first.coinbase().txid, 0, [(first.value, ANYONE)])
    bad.witnesses = [[b"\x52"]]
    word = propose(rpc, transactions=[bad.triple])
    assert word is not None
    assert word.startswith("block-script-verify-flag-failed")


@pytest.mark.parametrize("data", ["", "zz", "00" * 80])
def test_undecodable(rpc: Rpc, data: str) -> None:
    with pytest.raises(RpcFailed, match="Block decode failed") as caught:
        rpc("getblocktemplate", {"mode": "proposal", "data": data})
    assert caught.value.code == -22


def test_data_must_be_there(rpc: Rpc) -> None:
    with pytest.raises(RpcFailed, match="Missing data String key for proposal") as caught:
        rpc("getblocktemplate", {"mode": "proposal"})
    assert caught.value.code == -3


def test_a_proposal_whose_block_is_mined_meanwhile_is_judged_all_the_same(
    node: Node, rpc: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge grinds its own nonce and may come out at the very block that was just accepted."""
    judge = node._judge
    assert judge is not None
    raw = work_from(rpc("getblocktemplate", SEGWIT)).build()
    known = judge._known

    def mined_meanwhile(block_hash: bytes, proposal: bytes) -> str:
        word = known(block_hash, proposal)
        other = Rpc(node)
        for nonce in range(4):  # whatever nonce the judge tries first
            judge._nonce = 0
            header = raw[:76] + nonce.to_bytes(4, "little")
            if int.from_bytes(sha256d(header), "little") <= REGTEST_TARGET:
                assert other("submitblock", (header + raw[80:]).hex()) in (None, "inconclusive")
        other.close()
        return word

    monkeypatch.setattr(judge, "_known", mined_meanwhile)
    assert rpc("getblocktemplate", {"mode": "proposal", "data": raw.hex(), **SEGWIT}) is None
