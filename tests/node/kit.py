"""A tiny miner and RPC client for the node's tests: hashlib, struct and http.client alone."""

import base64
import hashlib
import http.client
import json
import struct
from dataclasses import dataclass, field
from typing import Any

from miner.node.rules import ChainRules, Difficulty
from miner.node.service import Node

# Mainnet's rules exist here alone: nothing that a user could start has them.
MAINNET = ChainRules(
    "main", "MAINNET", Difficulty(0x1D00FFFF), period=2016, halving=210_000, rpc_port=8332, pace_s=0
)
OP_TRUE = b"\x51"
ANYONE = b"\x00\x20" + hashlib.sha256(OP_TRUE).digest()  # P2WSH of OP_TRUE: anyone may spend it
BARE = OP_TRUE  # the same without segwit
REGTEST_TARGET = 0x7FFFFF << 232
SEGWIT = {"rules": ["segwit"]}


class RpcFailed(Exception):
    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"HTTP {status}: {error}")
        self.status, self.code, self.message = status, error["code"], error["message"]


class Rpc:
    """One keep-alive connection with the node's cookie."""

    def __init__(self, node: Node, timeout: float = 20) -> None:
        cookie = node.cookie_file.read_bytes()
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(cookie).decode(),
            "Content-Type": "application/json",
        }
        self._http = http.client.HTTPConnection("127.0.0.1", node.port, timeout=timeout)

    def __call__(self, method: str, *params: Any) -> Any:
        status, reply = self.post({"method": method, "params": list(params), "id": 7})
        assert reply["id"] == 7
        if reply["error"] is not None:
            raise RpcFailed(status, reply["error"])
        assert status == 200
        return reply["result"]

    def post(self, body: Any) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._http.request("POST", "/", raw, self._headers)
        response = self._http.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None

    def close(self) -> None:
        self._http.close()


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def size(number: int) -> bytes:
    if number < 0xFD:
        return bytes([number])
    short = number < 0x10000
    return b"\xfd" + struct.pack("<H", number) if short else b"\xfe" + struct.pack("<I", number)


def sized(data: bytes) -> bytes:
    return size(len(data)) + data


def script_height(height: int) -> bytes:
    if height <= 16:
        return bytes([0x50 + height])
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(number)]) + number


def merkle(leaves: list[bytes]) -> bytes:
    while len(leaves) > 1:
        leaves = leaves + leaves[-1:] if len(leaves) % 2 else leaves
        leaves = [sha256d(leaves[i] + leaves[i + 1]) for i in range(0, len(leaves), 2)]
    return leaves[0]


@dataclass
class Tx:
    """A transaction with its parts serialized by hand."""

    inputs: list[tuple[bytes, int, bytes, int]]  # txid, index, scriptSig, sequence
    outputs: list[tuple[int, bytes]]
    witnesses: list[list[bytes]] = field(default_factory=list)
    version: int = 2
    locktime: int = 0

    def bare(self) -> bytes:
        return struct.pack("<I", self.version) + self._body() + struct.pack("<I", self.locktime)

    def full(self) -> bytes:
        if not any(self.witnesses):
            return self.bare()
        stacks = [size(len(w)) + b"".join(sized(item) for item in w) for w in self.witnesses]
        head = struct.pack("<I", self.version) + b"\x00\x01" + self._body()
        return head + b"".join(stacks) + struct.pack("<I", self.locktime)

    def _body(self) -> bytes:
        ins = [
            txid + struct.pack("<I", index) + sized(script) + struct.pack("<I", sequence)
            for txid, index, script, sequence in self.inputs
        ]
        outs = [struct.pack("<q", value) + sized(script) for value, script in self.outputs]
        return size(len(ins)) + b"".join(ins) + size(len(outs)) + b"".join(outs)

    @property
    def txid(self) -> bytes:
        return sha256d(self.bare())

    @property
    def triple(self) -> tuple[bytes, bytes, bytes]:
        """txid, wtxid, wire form: what Work.transactions holds."""
        return self.txid, sha256d(self.full()), self.full()


def spend(
    txid: bytes,
    index: int,
    outputs: list[tuple[int, bytes]],
    *,
    segwit: bool = True,
    sequence: int = 0xFFFFFFFF,
    locktime: int = 0,
) -> Tx:
    """Spend one output locked by ANYONE (segwit) or BARE."""
    witnesses = [[OP_TRUE]] if segwit else []
    return Tx([(txid, index, b"", sequence)], outputs, witnesses, locktime=locktime)


@dataclass
class Work:
    """A block under construction; every field may be broken on purpose before build()."""

    previous: bytes
    height: int
    value: int
    time: int
    version: int = 0x20000000
    nbits: int = 0x207FFFFF
    script: bytes = ANYONE
    script_sig: bytes | None = None
    transactions: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    commitment: bytes | None = None  # None: the right one; b"": none at all
    witness: bool = True
    merkle_root: bytes | None = None
    solved: bool = True
    extra: bytes = b"\x00\x00\x00\x00"

    def coinbase(self) -> Tx:
        leaves = [bytes(32), *(wtxid for _, wtxid, _ in self.transactions)]
        right = bytes.fromhex("6a24aa21a9ed") + sha256d(merkle(leaves) + bytes(32))
        commitment = right if self.commitment is None else self.commitment
        outputs = [(self.value, self.script)] + ([(0, commitment)] if commitment else [])
        default = script_height(self.height) + sized(self.extra)
        script_sig = default if self.script_sig is None else self.script_sig
        spent = [(bytes(32), 0xFFFFFFFF, script_sig, 0xFFFFFFFF)]
        witnesses = [[bytes(32)]] if commitment and self.witness else []
        return Tx(spent, outputs, witnesses)

    def build(self) -> bytes:
        """Header ground to meet regtest's target, or to miss it when not `solved`."""
        coinbase = self.coinbase()
        root = merkle([coinbase.txid, *(txid for txid, _, _ in self.transactions)])
        root = root if self.merkle_root is None else self.merkle_root
        nonce = 0
        while True:
            header = struct.pack(
                "<I32s32sIII", self.version, self.previous, root, self.time, self.nbits, nonce
            )
            if (int.from_bytes(sha256d(header), "little") <= REGTEST_TARGET) == self.solved:
                break
            nonce += 1
        body = coinbase.full() + b"".join(raw for _, _, raw in self.transactions)
        return header + size(len(self.transactions) + 1) + body


def work_from(template: dict[str, Any], **changes: Any) -> Work:
    """What the template asks for, with changes."""
    transactions = [
        (internal(tx["txid"]), internal(tx["hash"]), bytes.fromhex(tx["data"]))
        for tx in template["transactions"]
    ]
    fields = {
        "previous": internal(template["previousblockhash"]),
        "height": template["height"],
        "value": template["coinbasevalue"],
        "time": template["curtime"],
        "version": template["version"],
        "transactions": transactions,
    }
    return Work(**(fields | changes))


def internal(display: str) -> bytes:
    return bytes.fromhex(display)[::-1]


def mine(rpc: Rpc, count: int = 1, **changes: Any) -> list[Work]:
    """Mine blocks the node accepts."""
    mined = []
    for _ in range(count):
        work = work_from(rpc("getblocktemplate", SEGWIT), **changes)
        verdict = rpc("submitblock", work.build().hex())
        assert verdict is None, f"height {work.height}: {verdict}"
        mined.append(work)
    return mined
