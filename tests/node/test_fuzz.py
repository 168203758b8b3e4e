"""Mutated requests and blocks: every answer is an answer, nothing breaks, the chain goes on."""

import contextlib
import json
import logging
import os
import random
import socket
from typing import Any

import pytest

from miner.node import http as node_http
from miner.node import rpc as node_rpc
from miner.node.service import Node
from tests.node.kit import ANYONE, SEGWIT, Rpc, mine, spend, work_from

SEED = int(os.environ.get("FUZZ_SEED", "1"))
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "400"))  # more for a long run


def mutate(rng: random.Random, data: bytes) -> bytes:
    """One to four changes: flip, insert, cut, repeat, swap in a nasty byte."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 2:
            del out[at : at + rng.randint(1, 40)]
        elif kind == 3:
            out[at:at] = out[at : at + rng.randint(1, 40)]
        elif at < len(out):
            out[at] = rng.choice(b'\x00\xff\xfd\xfe\x80\r\n "{}[]:,')
    return bytes(out)


def test_mutated_blocks(rpc: Rpc, caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(SEED)
    first = mine(rpc, 101)[0]
    tx = spend(first.coinbase().txid, 0, [(first.value, ANYONE)])
    words = set()
    for turn in range(ROUNDS):
        work = work_from(rpc("getblocktemplate", SEGWIT), transactions=[tx.triple])
        raw = mutate(rng, work.build()[80:] if turn % 2 else work.build())
        raw = work.build()[:80] + raw if turn % 2 else raw
        method, params = rng.choice(
            [
                ("submitblock", raw.hex()),
                ("getblocktemplate", {"mode": "proposal", "data": raw.hex()}),
                ("sendrawtransaction", mutate(rng, tx.full()).hex()),
            ]
        )
        _, reply = rpc.post({"method": method, "params": [params], "id": 1})
        code = reply["error"] and reply["error"]["code"]
        assert code in (None, -22, -25, -26, -27), f"seed {SEED}, turn {turn}: {reply}"
        words.add(code or reply["result"])
    assert {-22, "high-hash", "bad-txnmrklroot", "inconclusive-not-best-prevblk"} <= words
    mine(rpc, 3)
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == [], f"seed {SEED}"


METHODS = [
    ("getblocktemplate", [{"rules": ["segwit"], "capabilities": ["proposal"]}]),
    ("getblocktemplate", [{"mode": "proposal", "data": "00" * 200}]),
    ("getblockheader", ["00" * 32, True]),
    ("getblock", ["0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", 2]),
    ("getblockhash", [0]),
    ("getrawtransaction", ["11" * 32, 1, "22" * 32]),
    ("validateaddress", ["bcrt1qlgrnxscelkj7uk4jwj97ykxwda7etsq4jee8hz"]),
    ("sendrawtransaction", ["0200", 0.1, 1]),
    ("help", ["help"]),
]
NASTY: list[Any] = [None, True, -1, 2**63, 1e300, "", "\x00", "😀" * 40, [], {}, [[]], {"args": 1}]


def test_wrong_arguments(rpc: Rpc, caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(SEED)
    for turn in range(ROUNDS):
        method, params = json.loads(json.dumps(rng.choice(METHODS)))
        place = rng.randrange(len(params))
        if isinstance(params[place], dict) and rng.random() < 0.7:
            params[place][rng.choice(list(params[place]))] = rng.choice(NASTY)
        else:
            params[place] = rng.choice(NASTY)
        status, reply = rpc.post({"method": method, "params": params, "id": turn})
        assert status in (200, 500), f"seed {SEED}, turn {turn}: {method} {params}"
        assert reply["id"] == turn
        if reply["error"] is not None:
            assert reply["error"]["code"] in (-1, -3, -5, -8, -22, -25, -26)
            assert "inside the node" not in reply["error"]["message"], f"{method} {params}"
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == [], f"seed {SEED}"


def test_mutated_http(
    node: Node, rpc: Rpc, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(node_http, "HEADER_S", 0.05)
    monkeypatch.setattr(node_http, "BODY_S", 0.05)
    monkeypatch.setattr(node_rpc, "BAD_PASSWORD_PAUSE_S", 0.0)
    rng = random.Random(SEED)
    body = b'{"method":"getblockcount","params":[],"id":1}'
    good = (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % (rpc._headers["Authorization"].removeprefix("Basic ").encode(), len(body))
    )
    statuses = set()
    for turn in range(ROUNDS // 2):
        head = mutate(rng, good) if turn % 2 else good
        with socket.create_connection(("127.0.0.1", node.port), timeout=5) as sock:
            with contextlib.suppress(OSError):  # it may close before all is sent
                sock.sendall(head + (body if turn % 2 else mutate(rng, body)))
                sock.shutdown(socket.SHUT_WR)
            data = b""
            with contextlib.suppress(ConnectionError):
                while chunk := sock.recv(65536):
                    data += chunk
        if data:
            assert data.startswith(b"HTTP/1.1 "), f"seed {SEED}, turn {turn}"
            statuses.add(int(data[9:12]))
    assert statuses <= {200, 204, 400, 401, 403, 404, 405, 413, 500}, f"seed {SEED}: {statuses}"
    assert {200, 400, 403, 500} <= statuses
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == [], f"seed {SEED}"
    rpc.close()
    assert rpc("getblockcount") == 0
