"""A pool on a real node: jobs from its templates, blocks to its submitblock, all by own code.

It imports nothing of the miner: header, coinbase, merkle branch and block are built here.
"""

import base64
import http.client
import json
import threading
from pathlib import Path
from typing import Any

from tests.fakes.pool import Connection, FakePool
from tests.fakes.pool_judge import Judged, double_sha

OP_TRUE_P2WSH = "00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260"


def varint(number: int) -> bytes:
    if number < 0xFD:
        return bytes([number])
    return b"\xfd" + number.to_bytes(2, "little")


def height_push(height: int) -> bytes:
    """BIP 34, with a byte after OP_1 .. OP_16 so that the script has two."""
    if height <= 16:
        return bytes([0x50 + height, 0x00])
    body = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(body)]) + body


def branch_of(txids: list[bytes]) -> list[bytes]:
    """Merkle branch of the coinbase, from the other transactions' ids."""
    branch, level = [], [b"", *txids]
    while len(level) > 1:
        branch.append(level[1])
        if len(level) % 2:
            level.append(level[-1])
        level = [b""] + [double_sha(level[i] + level[i + 1]) for i in range(2, len(level), 2)]
    return branch


class NodePool(FakePool):
    """Every share that meets the network target goes to the node; each block brings a new job."""

    def __init__(self, url: str, cookie: Path, **options: Any) -> None:
        self.node, self.cookie = url.partition("://")[2].rstrip("/"), cookie
        self.blocks: list[tuple[int, str | None]] = []  # height, the node's answer
        self.templates: dict[str, dict[str, Any]] = {}
        self._node_lock = threading.Lock()
        super().__init__(**options)

    def rpc(self, method: str, *params: Any) -> Any:
        """One call on one connection, with the cookie of the moment."""
        login = base64.b64encode(self.cookie.read_bytes().strip()).decode()
        connection = http.client.HTTPConnection(self.node, timeout=10)
        try:
            connection.request(
                "POST", "/", json.dumps({"id": 1, "method": method, "params": list(params)}),
                {"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            )  # fmt: skip
            reply = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert reply.get("error") is None, reply
        return reply["result"]

    def new_job(self, clean: bool = False, tip: bool = False, **changes: Any) -> list[Any]:
        """A job from a fresh template."""
        template = self.rpc("getblocktemplate", {"rules": ["segwit"]})
        txids = [bytes.fromhex(tx["txid"])[::-1] for tx in template["transactions"]]
        before = height_push(template["height"]) + b"\x08"  # the push of 4 + 4 bytes
        tag = b"\x06/node/"
        outputs = (
            b"\x02"
            + template["coinbasevalue"].to_bytes(8, "little")
            + b"\x22" + bytes.fromhex(OP_TRUE_P2WSH)
            + bytes(8)
            + b"\x26" + bytes.fromhex(template["default_witness_commitment"])
        )  # fmt: skip
        outpoint = bytes(32) + b"\xff" * 4
        script_size = bytes([len(before) + 8 + len(tag)])
        self.jobs_made += 1
        self.job = [
            f"n{self.jobs_made:x}",
            b"".join(
                bytes.fromhex(template["previousblockhash"])[::-1][i : i + 4][::-1]
                for i in range(0, 32, 4)
            ).hex(),
            (b"\x02\0\0\0\x01" + outpoint + script_size + before).hex(),
            (tag + b"\xff\xff\xff\xff" + outputs + bytes(4)).hex(),
            [node.hex() for node in branch_of(txids)],
            f"{template['version']:08x}",
            template["bits"],
            f"{template['curtime']:08x}",
            clean or tip,
        ]
        self.templates[self.job[0]] = template
        return self.job

    def _mining_submit(self, connection: Connection, message: Any) -> None:
        before = len(self.ledger)
        super()._mining_submit(connection, message)
        judged = self.ledger[before]
        network = int(self.templates[self.job[0]]["target"], 16)
        if judged.error is None and judged.value <= network:
            self._block(connection, judged)

    def _block(self, connection: Connection, judged: Judged) -> None:
        """Send the block; a new tip makes the jobs of everybody stale."""
        fields, template = connection.jobs[judged.job_id].fields, self.templates[judged.job_id]
        coinbase = bytes.fromhex(fields[2] + connection.extranonce1 + judged.params[2] + fields[3])
        item = b"\x01\x20" + bytes(32)
        with_witness = coinbase[:4] + b"\0\x01" + coinbase[4:-4] + item + coinbase[-4:]
        others = [bytes.fromhex(tx["data"]) for tx in template["transactions"]]
        block = judged.headers[0] + varint(1 + len(others)) + with_witness + b"".join(others)
        with self._node_lock:
            answer = self.rpc("submitblock", block.hex())
            self.blocks.append((template["height"], answer))
            if answer is None:
                for other in self.live:
                    other.jobs.clear()
                self.notify(tip=True)
