"""Mine the blocks of tests/vectors/difficulty_1.json, which cost some 26 Ghash.

`python3 scripts/lab/difficulty_1.py [--threads 2]`. Two branches of a private chain under
testnet4's rules, 2 and 3 blocks from its genesis block; and on block 2,015 of
tests/vectors/mainnet_alt.json a block that has the work of its old bits. The file is written after
each block and what it has is kept, so a search that was stopped goes on with its block. Everything
but nonce and version is fixed.
"""

import argparse
import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bootstrap

bootstrap.enter()

from miner.backends import registry
from miner.backends.base import NONCES, Backend, OpenOptions
from miner.bitcoin.block import block_bytes
from miner.bitcoin.coinbase import (
    build_coinbase,
    commitment_script,
    push_height,
    with_witness,
    witness_root,
)
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header, with_nonce
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import NULL_INDEX, Transaction, TxIn, TxOut
from miner.paths import cache_dir

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
FILE = VECTORS / "difficulty_1.json"
ABOUT = (
    "Whole blocks with the work of difficulty 1, mined once by scripts/lab/difficulty_1.py. A and "
    "B: branches from testnet4's genesis block. old_bits: on block 2,015 of mainnet_alt.json, with "
    "the bits of the period that ended there."
)
TESTNET4_GENESIS = "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"
TESTNET4_TIME, TEN_MINUTES = 1714777860, 600
MAINNET_GENESIS = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
ALT_SCRIPT = bytes.fromhex("76a914eadbac7f36c37e39361168b7aaee3cb24a25312d88ac")
NBITS, COINS = 0x1D00FFFF, 50 * 10**8
VERSIONS = tuple(0x20000000 + (k << 13) for k in range(16))  # 2**36 headers a block
CHUNK = 2**22  # nonces a scan


@dataclass(frozen=True)
class Task:
    """A block to be mined; its prefix, versions and target are what a backend sees."""

    prefix: bytes
    coinbase: bytes
    versions: tuple[int, ...] = VERSIONS
    target: int = target_from_nbits(NBITS)


def testnet4_task(side: str, height: int, prev_hash: bytes) -> Task:
    outputs = [TxOut(COINS, b"\x51"), TxOut(0, commitment_script(witness_root([])))]
    bare = build_coinbase(height, outputs, 0, f"/homehash {side}/".encode()).fill(b"")
    seconds = TESTNET4_TIME + TEN_MINUTES * height
    header = Header(VERSIONS[0], prev_hash, sha256d(bare), seconds, NBITS, 0)
    return Task(header.pack()[:76], with_witness(bare))


def alt_coinbase(height: int) -> bytes:
    script = push_height(height) + (b"\x00" if height <= 16 else b"")
    spent = TxIn(bytes(32), NULL_INDEX, script, 0xFFFFFFFF)
    return Transaction((spent,), (TxOut(COINS, ALT_SCRIPT),), 2, 0).serialize()


def old_bits_task() -> Task:
    """Block 2,016 of the prepared chain, but with the bits of the blocks before."""
    told = json.loads((VECTORS / "mainnet_alt.json").read_text())
    prev_hash, times = bytes.fromhex(MAINNET_GENESIS)[::-1], told["timestamps"]
    for height in range(1, 2016):
        root = sha256d(alt_coinbase(height))
        nonce = told["nonces"][height - 1]
        header = Header(0x20000000, prev_hash, root, times[height - 1], NBITS, nonce)
        assert header.meets(target_from_nbits(NBITS)), f"block {height} is rebuilt wrongly"
        prev_hash = header.hash
    coinbase = alt_coinbase(2016)
    header = Header(VERSIONS[0], prev_hash, sha256d(coinbase), times[2015], NBITS, 0)
    return Task(header.pack()[:76], coinbase)


class Search:
    """Several backends on one task, each with nonces of its own."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._next = self.hashes = 0
        self.header: bytes | None = None

    def run(self, backend: Backend) -> None:
        while self.header is None:
            with self._lock:
                start, self._next = self._next, self._next + CHUNK
            if start >= NONCES:
                return
            done = 0
            while done < CHUNK and self.header is None:
                result = backend.scan(self._task, start + done, CHUNK - done)
                done += result.hashes // len(self._task.versions)
                with self._lock:
                    self.hashes += result.hashes
                for hit in result.hits:
                    self.header = with_nonce(self._task.prefix, hit.version, hit.nonce)


def mine(backends: list[Backend], name: str, task: Task) -> str:
    """A whole block as hex."""
    search, started = Search(task), time.monotonic()
    threads = [threading.Thread(target=search.run, args=(one,)) for one in backends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if search.header is None:
        raise SystemExit(f"{name}: 2**36 headers without a hit")
    header, seconds = Header.parse(search.header), time.monotonic() - started
    assert header.meets(task.target)
    print(f"{name} {header.hash_hex} {search.hashes / 1e9:.2f} Ghash, {seconds:.0f} s", flush=True)
    return block_bytes(search.header, task.coinbase, b"", 1).hex()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    blocks: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    opened = OpenOptions(cache_dir())
    backends = [registry.open_named("native", opened) for _ in range(options.threads)]

    def keep(name: str, block: Any) -> None:
        blocks["about"], blocks[name] = ABOUT, block
        FILE.write_text(json.dumps(blocks, indent=1) + "\n")

    for side, count in (("A", 2), ("B", 3)):
        branch = list(blocks.get(side, ()))
        while len(branch) < count:
            prev_hash = bytes.fromhex(TESTNET4_GENESIS)[::-1]
            if branch:
                prev_hash = sha256d(bytes.fromhex(branch[-1])[:80])
            height = len(branch) + 1
            task = testnet4_task(side, height, prev_hash)
            branch.append(mine(backends, f"{side}{height}", task))
            keep(side, branch)
    if "old_bits" not in blocks:
        keep("old_bits", mine(backends, "old_bits", old_bits_task()))


if __name__ == "__main__":
    main()
