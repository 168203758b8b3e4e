"""A scripted Bitcoin node on loopback: raw HTTP under the test's control.

It keeps a chain of headers, serves templates, has submitted blocks judged by blocks.py, and notes
each submitblock by hash. A fault replaces the answer to the next calls of one method.
"""

import hashlib
import json
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes import blocks
from tests.fakes.exchange import Failure
from tests.fakes.node_wire import NodeWire

GENESIS = {
    "regtest": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    "main": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "test": "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    "testnet4": "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "signet": "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
}
NO_TRANSACTIONS = "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"


@dataclass
class Block:
    hash: str  # display order
    previous: str
    height: int
    time: int
    bits: str


@dataclass
class Submission:
    hash: str
    at: float
    verdict: str | None
    raw: str


@dataclass
class FakeNode(NodeWire):
    """Start with `with FakeNode(tmp_path) as node:`; attributes may change while it runs."""

    folder: Path
    chain: str = "regtest"
    bits: str = "207fffff"
    challenge: str | None = None
    ibd: bool = False
    peers: int = 8
    host: str = "127.0.0.1"
    validate: Callable[[str, dict[str, Any]], str | None] | None = None  # raw hex, template
    template_patch: dict[str, Any] = field(default_factory=dict)  # None removes a field
    ledger: list[Submission] = field(default_factory=list)
    calls: list[tuple[float, str, list[Any]]] = field(default_factory=list)
    held: list[tuple[str, float]] = field(default_factory=list)  # seconds a worker was taken
    clock: Callable[[], int] = lambda: int(time.time())
    workers: int | None = None  # as -rpcthreads; None: one for each connection
    wait_arguments: int = 2  # that waitfornewblock takes; 0: there is none
    # Told of each step of a call, "connect", "half", "read", "judged", with the method once known.
    watch: Callable[[str, str], None] = lambda step, method: None

    def __post_init__(self) -> None:
        genesis = Block(GENESIS[self.chain], "00" * 32, 0, self.clock() - 600, self.bits)
        self.blocks = {genesis.hash: genesis}
        self.tip = genesis
        self.invalid: set[str] = set()
        self.open_wire()

    # -- chain ------------------------------------------------------------------------------
    def mine(self, count: int = 1, after: str | None = None) -> Block:
        """Other people's blocks: on the tip, or on `after` (a reorganisation when longer)."""
        with self.changed:
            parent = self.blocks[after] if after else self.tip
            for _ in range(count):
                when = max(parent.time + 1, self.clock())
                parent = Block(
                    os.urandom(32).hex(), parent.hash, parent.height + 1, when, self.bits
                )
                self.blocks[parent.hash] = parent
            if parent.height > self.tip.height:
                self.tip = parent
            self.changed.notify_all()
            return parent

    def fall_back(self, block_hash: str, *, forget: bool = False) -> None:
        """To the parent of this block: invalidateblock, or (`forget`) a crash before the flush."""
        with self.changed:
            walk = self.tip
            while walk.hash != block_hash:
                walk = self.blocks[walk.previous]
            left, self.tip = self.tip, self.blocks[walk.previous]
            while left is not self.tip:
                self.invalid.add(left.hash)
                if forget:
                    self.invalid.remove(left.hash)
                    del self.blocks[left.hash]
                left = self.blocks[left.previous]
            self.changed.notify_all()

    def touch(self) -> None:
        """Let waiting long polls answer, as a mempool change does."""
        with self.changed:
            self.changed.notify_all()

    def template(self) -> dict[str, Any]:
        with self.lock:
            mantissa, exponent = int(self.bits[2:], 16), int(self.bits[:2], 16)
            now = self.clock()
            template = {
                "capabilities": ["proposal"],
                "version": 0x20000000,
                "rules": ["csv", "!segwit", "taproot"] + ["!signet"] * (self.chain == "signet"),
                "vbavailable": {},
                "vbrequired": 0,
                "previousblockhash": self.tip.hash,
                "transactions": [],
                "coinbaseaux": {},
                "coinbasevalue": 5000000000,
                "longpollid": f"{self.tip.hash}{len(self.calls)}",
                "target": f"{mantissa << 8 * (exponent - 3):064x}",
                "mintime": self.tip.time + 1,
                "mutable": ["time", "transactions", "prevblock"],
                "noncerange": "00000000ffffffff",
                "sigoplimit": 80000,
                "sizelimit": 4000000,
                "weightlimit": 4000000,
                "curtime": max(now, self.tip.time + 1),
                "bits": self.bits,
                "height": self.tip.height + 1,
                "default_witness_commitment": NO_TRANSACTIONS,
            }
            if self.challenge is not None:
                template["signet_challenge"] = self.challenge
            template.update(self.template_patch)
            return {name: value for name, value in template.items() if value is not _ABSENT}

    def sent(self, block_hash: str) -> int:
        """How often this block arrived."""
        return sum(entry.hash == block_hash for entry in self.ledger)

    # -- methods ----------------------------------------------------------------------------
    def answer(self, method: str, params: list[Any], id_: Any) -> tuple[int, bytes]:
        handler = getattr(self, f"do_{method}", None)
        try:
            if handler is None:
                raise Failure(-32601, "Method not found")
            reply, status = {"result": handler(*params), "error": None, "id": id_}, 200
        except Failure as failed:
            error = {"code": failed.code, "message": failed.message}
            reply = {"result": None, "error": error, "id": id_}
            status = 404 if failed.code == -32601 else 500
        return status, json.dumps(reply).encode()

    def do_getblockchaininfo(self) -> dict[str, Any]:
        info = {
            "chain": self.chain,
            "blocks": self.tip.height,
            "headers": self.tip.height + (100 if self.ibd else 0),
            "bestblockhash": self.tip.hash,
            "initialblockdownload": self.ibd,
        }
        return info | ({"signet_challenge": self.challenge} if self.challenge is not None else {})

    def do_getnetworkinfo(self) -> dict[str, Any]:
        return {"version": 319900, "subversion": "/Fake:31.99.0/", "connections": self.peers}

    def do_getmininginfo(self) -> dict[str, Any]:
        return {"blocks": self.tip.height, "chain": self.chain, "networkhashps": 0, "pooledtx": 0}

    def do_getblockcount(self) -> int:
        return self.tip.height

    def do_getbestblockhash(self) -> str:
        return self.tip.hash

    def do_waitfornewblock(self, *arguments: Any) -> dict[str, Any]:
        """As Bitcoin Core's: the limit in milliseconds, 0 for none, and since 29 a known tip."""
        if not self.wait_arguments:
            raise Failure(-32601, "Method not found")
        if len(arguments) > self.wait_arguments:
            raise Failure(-1, "waitfornewblock ( timeout )")
        timeout, known = [*arguments, 0, None][:1] + [*arguments[1:], None][:1]
        with self.changed:
            known = known or self.tip.hash
            self.changed.wait_for(
                lambda: self.stopping.is_set() or self.tip.hash != known, timeout / 1000 or None
            )
            return {"hash": self.tip.hash, "height": self.tip.height}

    def do_validateaddress(self, address: str) -> dict[str, Any]:
        return {"isvalid": True, "address": address}

    def do_getblockheader(self, block_hash: str) -> dict[str, Any]:
        block = self.blocks.get(block_hash)
        if block is None:
            raise Failure(-5, "Block not found")
        active, walk = False, self.tip
        while walk.height >= block.height:
            active = active or walk.hash == block_hash
            if walk.height == 0:
                break
            walk = self.blocks[walk.previous]
        depth = self.tip.height - block.height + 1 if active else -1
        return {
            "hash": block.hash,
            "confirmations": depth,
            "height": block.height,
            "time": block.time,
            "bits": block.bits,
            "previousblockhash": block.previous,
        }

    def do_getblocktemplate(self, request: dict[str, Any] | None = None) -> Any:
        if not isinstance(request, dict) or "segwit" not in request.get("rules", []):
            raise Failure(-8, "getblocktemplate must be called with the segwit rule set")
        if self.chain == "signet" and "signet" not in request["rules"]:
            raise Failure(-8, "getblocktemplate must be called with the signet rule set")
        if request.get("mode") == "proposal":
            return self.judge(request["data"], proposal=True)
        poll = request.get("longpollid")
        if poll is not None:
            with self.changed:
                self.changed.wait_for(
                    lambda: self.stopping.is_set() or not poll.startswith(self.tip.hash), 60
                )
                if self.stopping.is_set():
                    raise Failure(-9, "Shutting down")
        return self.template()

    def do_submitblock(self, raw: str, *_: Any) -> str | None:
        verdict = self.judge(raw)
        name = _hash(bytes.fromhex(raw)[:80])
        self.ledger.append(Submission(name, time.monotonic(), verdict, raw))
        return verdict

    def judge(self, raw: str, proposal: bool = False) -> str | None:
        """BIP 22's word for this block; None takes it into the chain."""
        with self.changed:
            header = bytes.fromhex(raw)[:80]
            name, previous = _hash(header), header[4:36][::-1].hex()
            when, bits = struct.unpack_from("<II", header, 68)
            if name in self.invalid:
                return "duplicate-invalid"
            if name in self.blocks:
                return "duplicate"
            if not proposal and int(name, 16) > int(self.template()["target"], 16):
                return "high-hash"
            parent = self.blocks.get(previous)
            if parent is None:
                return "prev-blk-not-found"
            if f"{bits:08x}" != self.bits:
                return "bad-diffbits"
            if when <= parent.time:
                return "time-too-old"
            if self.validate and (reason := self.validate(raw, self.template())):
                return reason
            if proposal:
                return None
            if word := self._independent(raw, parent):
                return word
            block = Block(name, previous, parent.height + 1, when, f"{bits:08x}")
            self.blocks[name] = block
            if block.height <= self.tip.height:
                return "inconclusive"
            self.tip = block
            self.changed.notify_all()
            return None

    def _independent(self, raw: str, parent: Block) -> str | None:
        """The word of code that shares nothing with the miner's."""
        place = blocks.Place(
            height=parent.height + 1,
            previous=bytes.fromhex(parent.hash)[::-1],
            median_time=parent.time,
            bits=int(self.bits, 16),
            subsidy=self.template()["coinbasevalue"],
            now=self.clock(),
        )
        try:
            return blocks.judge(bytes.fromhex(raw), place)
        except blocks.Undecodable:
            raise Failure(-22, "Block decode failed") from None


_ABSENT = object()
ABSENT: Any = _ABSENT  # in template_patch: leave the field out


def _hash(header: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()[::-1].hex()
