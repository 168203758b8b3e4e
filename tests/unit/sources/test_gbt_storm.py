"""Hundreds of random faults between us and the node: every block arrives, each is counted once."""

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from miner.sources.node.source import NodeSource
from miner.work.found import Answer
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import FAST, Sink, solve

Run = Callable[..., NodeSource]
BLOCKS = int(os.environ.get("MINER_STORM_BLOCKS", "20"))  # more for a long run
QUICK = replace(FAST, call=0.3, submit_first=0.01, submit_max=0.05, retry_max=0.1, tip=0.05)

SPOILED: list[Callable[[random.Random], faults.Fault]] = [
    lambda rng: faults.busy(),
    lambda rng: faults.drop(),
    lambda rng: faults.accept_then_close(),
    lambda rng: faults.accept_then_truncate(rng.randrange(1, 100)),
    lambda rng: faults.accept_then_hang(1.0),
    lambda rng: faults.failure(rng.choice([-28, -25, -1, -32603]), "no"),
    lambda rng: faults.fixed(faults.http(401, b"", "text/html")),
    lambda rng: faults.fixed(faults.http(rng.choice([403, 404, 500, 502]), b"<p>", "text/html")),
    lambda rng: faults.fixed(rng.randbytes(30) + b"\r\n\r\n"),
    lambda rng: faults.result(rng.choice(["time-too-new", "what?", 7, [], {"x": "y"}, True])),
]


def row(rng: random.Random) -> list[faults.Fault]:
    return [rng.choice(SPOILED)(rng) for _ in range(rng.randrange(4))]


def open_files() -> int:
    """Descriptors of this process; 0 where the system does not list them."""
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.is_dir() else 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_M3_no_block_is_lost_in_a_storm_of_faults(
    node: FakeNode, sink: Sink, run: Run, seed: int
) -> None:
    print(f"seed {seed}, {BLOCKS} blocks")
    rng = random.Random(seed)
    threads, descriptors = threading.active_count(), open_files()
    source = run(node, timing=QUICK)
    found = []
    for height in range(1, BLOCKS + 1):
        share = solve(sink.job_at(height), rng.randrange(2**40))
        node.fault("submitblock", *row(rng))
        node.fault("getblockheader", *row(rng)[:1])
        if rng.random() < 0.1:
            node.rotate_cookie()
        source.submit(share)
        found.append(share.hash_hex)
        sink.final(height)
    assert Counter(verdict.hash_hex for verdict in sink.final()) == Counter(found)
    assert {verdict.answer for verdict in sink.final()} == {Answer.ACCEPTED}
    assert {entry.hash for entry in node.ledger} == set(found)
    source.stop(1.0)
    node.stop()
    assert threading.active_count() <= threads
    assert open_files() <= descriptors
