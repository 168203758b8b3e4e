"""Every BIP 22 word has a ruling and a sentence; nothing unknown is final."""

import json
from pathlib import Path

import pytest

from miner.errors import (
    ConnectFailed,
    DeadlinePassed,
    MinerError,
    RemoteProtocolError,
    RpcAuthError,
    RpcBusy,
    RpcError,
    RpcForbidden,
    RpcNotReady,
    TransportError,
)
from miner.protocol.gbt.verdicts import TABLES, Ruling, explain, judge, judge_error
from tests.faults import fault

VECTORS = Path(__file__).parents[2] / "vectors" / "rpc"


@pytest.mark.parametrize(
    ("answer", "ruling"),
    [
        (None, Ruling.ACCEPTED),
        ("duplicate", Ruling.CONFIRM),
        ("inconclusive", Ruling.SIDE),
        ("duplicate-inconclusive", Ruling.SIDE),
        ("time-too-new", Ruling.RETRY),
        ("prev-blk-not-found", Ruling.RETRY),
        ("high-hash", Ruling.DEAD),
        ("bad-txns-anything-new", Ruling.DEAD),
        ("bad-version(0x00000001)", Ruling.DEAD),
        ("bad-something-new", Ruling.DEAD),
        ("duplicate-invalid", Ruling.DEAD),
        ("rejected", Ruling.DEAD),
        ("stale-prevblk", Ruling.DEAD),
        ("block-script-verify-flag-failed (Script evaluated without error)", Ruling.DEAD),
        ("", Ruling.UNKNOWN),
        ("something", Ruling.UNKNOWN),
        (True, Ruling.UNKNOWN),
        (0, Ruling.UNKNOWN),
        ([], Ruling.UNKNOWN),
        ({}, Ruling.UNKNOWN),
        ({"regtest": None, "main": "high-hash"}, Ruling.ACCEPTED),
        ({"regtest": "high-hash", "main": None}, Ruling.DEAD),
        ({"main": None}, Ruling.UNKNOWN),
    ],
    ids=repr,
)
@fault("G24")
def test_every_answer_has_a_ruling(answer: object, ruling: Ruling) -> None:
    judgement = judge(answer, "regtest")
    assert judgement.ruling is ruling
    assert judgement.explanation


@pytest.mark.parametrize(
    ("error", "ruling"),
    [
        (RpcError("submitblock", -22, "Block decode failed"), Ruling.DEAD),
        (RpcError("submitblock", -25, "x"), Ruling.RETRY),
        (RpcError("submitblock", -1, "x"), Ruling.RETRY),
        (RpcNotReady("submitblock", -28, "x"), Ruling.RETRY),
        (RpcBusy("x"), Ruling.RETRY),
        (RpcAuthError("x"), Ruling.RETRY),
        (RpcForbidden("x"), Ruling.RETRY),
        (ConnectFailed("x"), Ruling.RETRY),
        (DeadlinePassed("x"), Ruling.UNKNOWN),
        (TransportError("x"), Ruling.UNKNOWN),
        (RemoteProtocolError("x"), Ruling.UNKNOWN),
        (MinerError("x"), Ruling.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__,
)
@fault("G24")
def test_only_undecodable_is_a_final_error(error: MinerError, ruling: Ruling) -> None:
    assert judge_error(error).ruling is ruling


def test_recorded_verdicts_of_bitcoin_core_are_all_known() -> None:
    for name in ("submitblock-verdicts", "submitblock-race"):
        for item in json.loads((VECTORS / f"{name}.json").read_text())["exchanges"]:
            if item["response"]["error"] is None:
                word = item["response"]["result"]
                assert judge(word, "regtest").ruling is not Ruling.UNKNOWN, word
                assert explain(word or "")


def test_no_word_is_in_two_tables_and_each_has_a_plain_sentence() -> None:
    words = [word for _, table in TABLES for word in table]
    assert len(words) == len(set(words))
    for _, table in TABLES:
        assert all(len(text) > 20 and text.isprintable() for text in table.values())


def test_hostile_words_are_scrubbed() -> None:
    assert judge("\x1b[31mbad\n", "main").reason == "bad"
    assert len(judge({"x": "y" * 10_000}, "main").reason) <= 80
    assert explain("no such word") == ""
