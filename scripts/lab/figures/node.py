"""Times the built-in node over its own RPC and in its own process: blocks, templates, proposals,
a reorganisation, start, memory.

    python3 scripts/figures.py node [--blocks 1000]

One keep-alive connection, blocks solved here with hashlib (two tries each on regtest). Medians with
the median absolute deviation (MAD); the regtest kernel checks its whole index at each block, so a
long chain is slower. Nothing else should run meanwhile: a busy machine shows in the spread.
"""

import argparse
import base64
import http.client
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import build_coinbase, with_witness
from miner.bitcoin.encoding import from_display_hex
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import Transaction, TxOut
from miner.node.service import Node

REQUEST = {"rules": ["segwit"]}


class Client:
    """JSON-RPC over one connection."""

    def __init__(self, node: Node) -> None:
        password = base64.b64encode(node.cookie_file.read_bytes()).decode()
        self._headers = {"Authorization": f"Basic {password}", "Content-Type": "application/json"}
        self._http = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)

    def __call__(self, method: str, *params: Any) -> Any:
        body = json.dumps({"method": method, "params": params, "id": 1})
        self._http.request("POST", "/", body, self._headers)
        reply = json.loads(self._http.getresponse().read())
        if reply["error"] is not None:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]


def solve(template: dict[str, Any], tag: bytes = b"") -> str:
    """The template's block with this coinbase tag, as hex."""
    commitment = bytes.fromhex(template["default_witness_commitment"])
    outputs = [TxOut(template["coinbasevalue"], b"\x51"), TxOut(0, commitment)]
    coinbase = build_coinbase(template["height"], outputs, 0, tag).fill(b"")
    tx = Transaction.parse(with_witness(coinbase))
    nbits, previous = int(template["bits"], 16), from_display_hex(template["previousblockhash"])
    fields = (template["version"], previous, tx.txid, template["curtime"], nbits)
    headers = (Header(*fields, nonce) for nonce in itertools.count())
    header = next(one for one in headers if one.meets(target_from_nbits(nbits)))
    return Block(header, (tx,)).serialize().hex()


def reorganisation(node: Node) -> Callable[[], None]:
    """Splits the chain; side B then overtakes side A."""

    def run() -> None:
        split = node.chain.split()
        for side in "AABBB":
            split.submit(side, bytes.fromhex(solve(split.template(side), side.encode())))
        if not split.branches()[1].active:
            raise RuntimeError(split.why())

    return run


def timed_ms(step: Callable[[], Any], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        step()
        times.append((time.perf_counter() - started) * 1000)
    return times


def show(name: str, samples: list[float]) -> None:
    middle = statistics.median(samples)
    mad = statistics.median(abs(sample - middle) for sample in samples)
    p99 = sorted(samples)[int(0.99 * (len(samples) - 1))]
    print(f"{name:<34} {middle:8.2f} ms ± {mad:.2f} (MAD, {len(samples)} runs)  p99 {p99:.2f} ms")


def resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=1000)
    blocks = parser.parse_args().blocks
    before = resident_mb()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with Node.start(Path(folder)) as node:
            print(f"{'start, new chain':<34} {(time.perf_counter() - started) * 1000:8.2f} ms")
            call = Client(node)

            def mine() -> None:
                verdict = call("submitblock", solve(call("getblocktemplate", REQUEST)))
                if verdict is not None:
                    raise RuntimeError(f"the node says {verdict}")

            def propose() -> None:
                data = solve(call("getblocktemplate", REQUEST))
                call("getblocktemplate", {"mode": "proposal", "data": data})

            started = time.perf_counter()
            show("template, solve, submit: one block", timed_ms(mine, blocks))
            rate = blocks / (time.perf_counter() - started)
            print(f"{'blocks accepted':<34} {rate:8.1f} /s up to height {blocks}")
            show(
                "getblocktemplate, empty mempool",
                timed_ms(lambda: call("getblocktemplate", REQUEST), 200),
            )
            show("the same in this process", timed_ms(node.chain.template, 200))
            show("two blocks undone for three", timed_ms(reorganisation(node), 20))
            print(f"{'resident, node alone':<34} {resident_mb() - before:8.1f} MB")
            propose()  # makes the scratch chain
            show("proposal", timed_ms(propose, 9))
            print(f"{'resident, with the scratch chain':<34} {resident_mb() - before:8.1f} MB")
            started = time.perf_counter()
        print(f"{'stop':<34} {(time.perf_counter() - started) * 1000:8.2f} ms")
        started = time.perf_counter()
        with Node.start(Path(folder)) as node:
            took = (time.perf_counter() - started) * 1000
            print(f"{f'start, {node.height} blocks kept':<34} {took:8.2f} ms")
