"""sendrawtransaction admits what the next block may hold and names what it may not."""

from collections.abc import Callable
from typing import Any

import pytest

from miner.node import mempool
from miner.node.service import Node
from tests.node.kit import ANYONE, BARE, SEGWIT, Rpc, RpcFailed, Tx, mine, sha256d, spend, work_from

FINAL = 0xFFFFFFFF


@pytest.fixture
def coins(rpc: Rpc) -> list[tuple[bytes, int]]:
    """(txid, value) of three mature coinbases, at height 103."""
    return [(work.coinbase().txid, work.value) for work in mine(rpc, 103)[:3]]


def send(rpc: Rpc, tx: Tx) -> Any:
    return rpc("sendrawtransaction", tx.full().hex())


def refusal(rpc: Rpc, tx: Tx) -> tuple[int, str]:
    before = rpc("getrawmempool")
    with pytest.raises(RpcFailed) as caught:
        send(rpc, tx)
    assert caught.value.status == 500
    assert rpc("getrawmempool") == before
    return caught.value.code, caught.value.message


BAD: dict[str, Callable[[bytes, int], Tx]] = {
    "bad-txns-inputs-missingorspent": lambda txid, v: spend(b"\x09" * 32, 0, [(1, BARE)]),
    "bad-txns-in-belowout": lambda txid, v: spend(txid, 0, [(v + 1, BARE)]),
    "bad-txns-vout-negative": lambda txid, v: spend(txid, 0, [(-1, BARE)]),
    "bad-txns-vout-toolarge": lambda txid, v: spend(txid, 0, [(21 * 10**14 + 1, BARE)]),
    "bad-txns-txouttotal-toolarge": lambda txid, v: spend(txid, 0, [(21 * 10**14, BARE)] * 2),
    "bad-txns-vout-empty": lambda txid, v: spend(txid, 0, []),
    "bad-txns-inputs-duplicate": lambda txid, v: Tx(
        [(txid, 0, b"", FINAL)] * 2, [(1, BARE)], [[b"\x51"]] * 2
    ),
    "coinbase": lambda txid, v: spend(bytes(32), 0xFFFFFFFF, [(1, BARE)]),
    "mempool-script-verify-flag-failed (input 0)": lambda txid, v: spend(
        txid, 0, [(v, BARE)], segwit=False
    ),
    "non-final": lambda txid, v: spend(txid, 0, [(v, BARE)], sequence=0, locktime=104),
    "non-BIP68-final": lambda txid, v: spend(txid, 0, [(v, BARE)], sequence=104),
}


@pytest.mark.parametrize("word", BAD)
def test_each_fault_is_named(rpc: Rpc, coins: list[tuple[bytes, int]], word: str) -> None:
    code, message = refusal(rpc, BAD[word](*coins[0]))
    assert message == word
    assert code == (-25 if word == "bad-txns-inputs-missingorspent" else -26)


def test_locks_that_have_ended_pass_and_are_mined(rpc: Rpc, coins: list[tuple[bytes, int]]) -> None:
    (a, value), (b, _), (c, _) = coins
    send(rpc, spend(a, 0, [(value, BARE)], sequence=0, locktime=103))
    send(rpc, spend(b, 0, [(value, BARE)], sequence=102))  # born at 2, so 104 is its 102nd
    send(rpc, spend(c, 0, [(value, BARE)], sequence=1 << 31 | 500))  # BIP 68 switched off
    assert len(mine(rpc)[0].transactions) == 3
    assert rpc("getrawmempool") == []


def test_young_coinbases_wait(rpc: Rpc) -> None:
    works = mine(rpc, 100)
    first, second = works[:2]
    code, message = refusal(rpc, spend(second.coinbase().txid, 0, [(1, BARE)]))
    assert (code, message.split(",")[0]) == (-26, "bad-txns-premature-spend-of-coinbase")
    assert send(rpc, spend(first.coinbase().txid, 0, [(first.value, BARE)]))


def test_first_seen_wins_and_the_same_again_is_fine(
    rpc: Rpc, coins: list[tuple[bytes, int]]
) -> None:
    txid, value = coins[0]
    first = spend(txid, 0, [(value - 1, BARE)])
    assert send(rpc, first) == send(rpc, first) == first.txid[::-1].hex()
    code, message = refusal(rpc, spend(txid, 0, [(value - 9, BARE)]))
    assert (code, message.split(",")[0]) == (-26, "txn-mempool-conflict")
    mine(rpc)
    with pytest.raises(RpcFailed, match="Transaction outputs already in utxo set") as caught:
        send(rpc, first)
    assert caught.value.code == -27


def test_chains_end_at_25(rpc: Rpc, coins: list[tuple[bytes, int]]) -> None:
    txid, value = coins[0]
    tx = spend(txid, 0, [(value, ANYONE)])
    for _ in range(25):
        send(rpc, tx)
        tx = spend(tx.txid, 0, [(value, ANYONE)])
    assert refusal(rpc, tx) == (-26, "too-long-mempool-chain")
    template = rpc("getblocktemplate", SEGWIT)
    assert [e["depends"] for e in template["transactions"]] == [[]] + [[n] for n in range(1, 25)]
    mine(rpc)
    send(rpc, tx)


def test_a_child_that_pays_pulls_its_parent_forward(
    rpc: Rpc, coins: list[tuple[bytes, int]]
) -> None:
    (a, value), (b, _), _ = coins
    parent = spend(a, 0, [(value, ANYONE)])
    middling = spend(b, 0, [(value - 1000, ANYONE)])
    child = spend(parent.txid, 0, [(value - 9000, BARE)])
    for tx in (parent, middling, child):
        send(rpc, tx)
    entries = rpc("getblocktemplate", SEGWIT)["transactions"]
    assert [e["fee"] for e in entries] == [0, 9000, 1000]
    assert [e["depends"] for e in entries] == [[], [1], []]


def test_a_block_with_a_rival_transaction_drops_ours_and_its_children(
    rpc: Rpc, coins: list[tuple[bytes, int]]
) -> None:
    txid, value = coins[0]
    ours = spend(txid, 0, [(value, ANYONE)])
    child = spend(ours.txid, 0, [(value, BARE)])
    send(rpc, ours)
    send(rpc, child)
    rival = spend(txid, 0, [(value - 77, BARE)])
    template = rpc("getblocktemplate", SEGWIT) | {"transactions": [], "coinbasevalue": 0}
    block = work_from(template, transactions=[rival.triple])
    assert rpc("submitblock", block.build().hex()) is None
    assert rpc("getrawmempool") == []


def test_a_reorganisation_returns_transactions(rpc: Rpc, coins: list[tuple[bytes, int]]) -> None:
    txid, value = coins[0]
    tx = spend(txid, 0, [(value - 5, BARE)])
    send(rpc, tx)
    template = rpc("getblocktemplate", SEGWIT)
    empty = template | {"transactions": [], "coinbasevalue": 0}
    rival = work_from(empty, extra=b"rival")
    mine(rpc)
    assert rpc("getrawmempool") == []
    assert rpc("submitblock", rival.build().hex()) == "inconclusive"
    top = work_from(
        empty,
        previous=sha256d(rival.build()[:80]),
        height=template["height"] + 1,
        time=template["curtime"] + 1,
    )
    assert rpc("submitblock", top.build().hex()) is None
    assert rpc("getrawmempool") == [tx.txid[::-1].hex()]
    assert len(mine(rpc)[0].transactions) == 1


def test_large_fees_need_a_word(rpc: Rpc, coins: list[tuple[bytes, int]]) -> None:
    txid, value = coins[0]
    tx = spend(txid, 0, [(value // 2, BARE)])
    assert refusal(rpc, tx)[0] == -25
    assert rpc("sendrawtransaction", tx.full().hex(), 0) == tx.txid[::-1].hex()


def test_bounds(rpc: Rpc, coins: list[tuple[bytes, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    (a, value), (b, _), (c, _) = coins
    many = spend(a, 0, [(value - 500_000, b"\xae" * 201)])  # 201 * 20 * 4
    assert refusal(rpc, many) == (-26, "bad-txns-too-many-sigops")
    large = spend(a, 0, [(value - 10**9, BARE), (0, b"\x6a" + bytes(998_500))])
    assert rpc("getmempoolinfo")["size"] == 0
    with pytest.raises(RpcFailed, match="tx-size"):
        rpc("sendrawtransaction", large.full().hex(), 0)
    send(rpc, spend(a, 0, [(value, BARE)]))
    monkeypatch.setattr(mempool, "MAX_TRANSACTIONS", 1)
    assert refusal(rpc, spend(b, 0, [(value, BARE)])) == (-26, "mempool full")
    monkeypatch.undo()
    monkeypatch.setattr(mempool, "MAX_BYTES", 100)
    assert refusal(rpc, spend(c, 0, [(value, BARE)])) == (-26, "mempool full")


def test_time_locks_follow_median_time(rpc: Rpc, coins: list[tuple[bytes, int]]) -> None:
    (a, value), (b, _), _ = coins
    tip = rpc("getblockheader", rpc("getbestblockhash"))["mediantime"]
    late = spend(a, 0, [(value, BARE)], sequence=0, locktime=tip)
    assert refusal(rpc, late) == (-26, "non-final")
    send(rpc, spend(a, 0, [(value, BARE)], sequence=0, locktime=tip - 1))
    before = rpc("getblockheader", rpc("getblockhash", 1))["mediantime"]  # of b's parent
    passed = (tip - before) // 512
    late = spend(b, 0, [(value, BARE)], sequence=1 << 22 | passed + 1)
    assert refusal(rpc, late) == (-26, "non-BIP68-final")
    send(rpc, spend(b, 0, [(value, BARE)], sequence=1 << 22 | passed))
    assert len(mine(rpc)[0].transactions) == 2


def test_a_set_the_kernel_refuses_is_dropped_and_mining_goes_on(
    node: Node, rpc: Rpc, coins: list[tuple[bytes, int]], caplog: pytest.LogCaptureFixture
) -> None:
    """Our own checks let something through: the proof by proposal catches it."""
    txid, value = coins[0]
    node._state.mempool._bad_input = lambda raw, spent: None
    send(rpc, spend(txid, 0, [(value, BARE)], segwit=False))
    assert rpc("getblocktemplate", SEGWIT)["transactions"] == []
    assert rpc("getrawmempool") == []
    assert "block-script-verify-flag-failed" in caplog.text
    mine(rpc, 2)


@pytest.mark.parametrize("raw", ["", "00", "zz", "02000000000000000000"])
def test_undecodable(rpc: Rpc, raw: str) -> None:
    with pytest.raises(RpcFailed, match="TX decode failed") as caught:
        rpc("sendrawtransaction", raw)
    assert caught.value.code == -22


def test_a_full_block_leaves_the_rest(node: Node, rpc: Rpc, coins: list[tuple[bytes, int]]) -> None:
    """Transactions of 900,000 units each: four fit."""
    big = b"\x6a" + bytes(224_900)
    sent = []
    for txid, value in coins:
        outputs = [(value // 2 - 400_000, ANYONE), (value // 2 - 400_000, ANYONE), (0, big)]
        tx = spend(txid, 0, outputs)
        send(rpc, tx)
        for index in range(2):
            child = spend(tx.txid, index, [(value // 2 - 900_000, BARE), (0, big)])
            sent.append(send(rpc, child))
    first = rpc("getblocktemplate", SEGWIT)
    assert len(first["transactions"]) == 4
    assert sum(e["weight"] for e in first["transactions"]) <= 4_000_000 - 8000
    total = 0
    while rpc("getrawmempool"):
        total += len(mine(rpc)[0].transactions)
    assert total == 9
