"""submitblock answers Bitcoin Core's words, one broken rule at a time."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miner.errors import NodeError
from miner.node.service import Node
from tests.node.kit import (
    BARE,
    SEGWIT,
    Rpc,
    RpcFailed,
    Work,
    mine,
    script_height,
    sha256d,
    spend,
    work_from,
)

RECORDED = Path(__file__).parent.parent / "vectors" / "rpc" / "submitblock-verdicts.json"
WRONG_COMMITMENT = bytes.fromhex("6a24aa21a9ed") + bytes(32)

BREAKS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "high-hash": lambda work: {"solved": False},
    "bad-cb-height": lambda work: {"height": work.height + 1},
    "bad-txnmrklroot": lambda work: {"merkle_root": bytes(32)},
    "bad-witness-merkle-match": lambda work: {"commitment": WRONG_COMMITMENT},
    "time-too-old": lambda work: {"time": 1296688602},
    "time-too-new": lambda work: {"time": int(time.time()) + 7260},
    "bad-version(0x00000001)": lambda work: {"version": 1},
    "bad-diffbits": lambda work: {"nbits": 0x207FFFFE},
    "prev-blk-not-found": lambda work: {"previous": b"\x11" * 32},
    "bad-cb-length": lambda work: {"script_sig": script_height(work.height) + bytes(120)},
    "bad-cb-amount": lambda work: {"value": work.value + 1},
}


@pytest.mark.parametrize("word", BREAKS)
def test_each_broken_rule_has_its_word(rpc: Rpc, word: str) -> None:
    mine(rpc, 3)
    work = work_from(rpc("getblocktemplate", SEGWIT))
    broken = work_from(rpc("getblocktemplate", SEGWIT), **BREAKS[word](work))
    assert rpc("submitblock", broken.build().hex()) == word
    assert rpc("getblockcount") == 3
    assert rpc("submitblock", work.build().hex()) is None, "the chain goes on"


def test_words_are_those_bitcoin_core_gave() -> None:
    recorded = json.loads(RECORDED.read_text())["exchanges"]
    words = {exchange["response"]["result"] for exchange in recorded} - {None}
    assert set(BREAKS) - words == {"time-too-new"}, "every other one was recorded"
    assert words - set(BREAKS) == {"duplicate", "inconclusive"}, "tested below"


def test_the_same_block_again_is_duplicate_and_an_invalid_one_duplicate_invalid(rpc: Rpc) -> None:
    raw = work_from(rpc("getblocktemplate", SEGWIT)).build().hex()
    assert rpc("submitblock", raw) is None
    assert rpc("submitblock", raw) == "duplicate"
    rich = work_from(rpc("getblocktemplate", SEGWIT), value=5_000_000_001).build().hex()
    assert rpc("submitblock", rich) == "bad-cb-amount"
    assert rpc("submitblock", rich) == "duplicate-invalid"


def test_a_child_of_an_invalid_block_is_bad_prevblk(rpc: Rpc) -> None:
    work = work_from(rpc("getblocktemplate", SEGWIT), value=5_000_000_001)
    raw = work.build()
    assert rpc("submitblock", raw.hex()) == "bad-cb-amount"
    child = Work(sha256d(raw[:80]), 2, 0, work.time + 1)
    assert rpc("submitblock", child.build().hex()) == "bad-prevblk"


def test_missing_inputs_and_bad_scripts_are_named(rpc: Rpc) -> None:
    first = mine(rpc, 101)[0]
    value, txid = first.value, first.coinbase().txid
    template = rpc("getblocktemplate", SEGWIT)

    def verdict(tx: Any) -> str:
        block = work_from(template, transactions=[tx.triple]).build()
        word = rpc("submitblock", block.hex())
        assert isinstance(word, str)
        return word

    assert verdict(spend(b"\x07" * 32, 0, [(1, BARE)])) == "bad-txns-inputs-missingorspent"
    wrong = spend(txid, 0, [(value, BARE)])
    wrong.witnesses = [[b"\x52"]]
    assert verdict(wrong).startswith("block-script-verify-flag-failed (")
    assert verdict(spend(txid, 0, [(value + 1, BARE)])) == "bad-txns-in-belowout"
    young = mine(rpc)[0]
    template = rpc("getblocktemplate", SEGWIT)
    early = spend(young.coinbase().txid, 0, [(1, BARE)])
    assert verdict(early) == "bad-txns-premature-spend-of-coinbase"


def test_a_second_block_on_one_parent_is_inconclusive_until_it_leads(rpc: Rpc) -> None:
    template = rpc("getblocktemplate", SEGWIT)
    first, second = work_from(template), work_from(template, extra=b"rival")
    assert rpc("submitblock", first.build().hex()) is None
    rival = second.build()
    assert rpc("submitblock", rival.hex()) == "inconclusive"
    assert rpc("getblockheader", sha256d(rival[:80])[::-1].hex())["confirmations"] == -1
    child = Work(sha256d(rival[:80]), 2, 5_000_000_000, second.time + 1)
    assert rpc("submitblock", child.build().hex()) is None
    assert rpc("getblockcount") == 2
    assert rpc("getblockhash", 1) == sha256d(rival[:80])[::-1].hex()
    mine(rpc, 3)


def test_a_rich_block_on_a_side_branch_is_inconclusive(rpc: Rpc) -> None:
    template = rpc("getblocktemplate", SEGWIT)
    assert rpc("submitblock", work_from(template).build().hex()) is None
    rich = work_from(template, value=10**10).build()
    assert rpc("submitblock", rich.hex()) == "inconclusive"


def test_a_missing_coinbase_witness_is_filled_in(rpc: Rpc) -> None:
    work = work_from(rpc("getblocktemplate", SEGWIT), witness=False)
    assert rpc("submitblock", work.build().hex()) is None


@pytest.mark.parametrize("raw", ["", "00", "zz", "abc", "00" * 80])
def test_undecodable_is_an_error_22(rpc: Rpc, raw: str) -> None:
    with pytest.raises(RpcFailed) as caught:
        rpc("submitblock", raw)
    assert (caught.value.status, caught.value.code) == (500, -22)
    assert caught.value.message == "Block decode failed"


def test_a_torn_block_is_an_error_22(rpc: Rpc) -> None:
    raw = work_from(rpc("getblocktemplate", SEGWIT)).build()
    for cut in (1, 40, 80, 81, len(raw) - 1):
        with pytest.raises(RpcFailed, match="Block decode failed"):
            rpc("submitblock", raw[:cut].hex())


def test_a_full_disk_is_an_error_25_and_no_verdict(
    rpc: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel would abort the process in the middle of a write."""
    raw = work_from(rpc("getblocktemplate", SEGWIT)).build().hex()
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5 << 20))
    with pytest.raises(RpcFailed, match="disk almost full: 5 MiB left") as caught:
        rpc("submitblock", raw)
    assert caught.value.code == -25
    assert rpc("getblockcount") == 0
    with pytest.raises(NodeError, match="5 MiB free, the chain needs 64"):
        Node.start()
    monkeypatch.undo()
    assert rpc("submitblock", raw) is None
