"""What a node says: templates, whole HTTP answers, verdicts on blocks."""

import io
import json
import random
from functools import cache
from typing import Any, cast

from miner.errors import MinerError, RemoteProtocolError, SourceRefused
from miner.protocol.gbt.job import MiningPlan, block_hex, make_job
from miner.protocol.gbt.template import parse_template
from miner.protocol.gbt.verdicts import Ruling, judge
from miner.secret import Secret
from miner.transport.credentials import UserPassword
from miner.transport.endpoint import Endpoint
from miner.transport.rpc import Rpc
from miner.transport.strict_http import Connection
from miner.work.found import Share
from miner.work.roll import Roller
from tests.fakes.blocks import parse_block
from tests.fakes.broken.targets import VECTORS, Feed, gist

PLAN = MiningPlan(bytes.fromhex("0014fa07334319fda5ee5ab2748be258ce6f7d95c015"), b"/fuzz/")
ENDPOINT = Endpoint("http", "127.0.0.1", 1)


@cache
def recorded() -> tuple[tuple[str, Any], ...]:
    """Method and response of every recorded exchange with Bitcoin Core."""
    found = []
    for path in sorted((VECTORS / "rpc").glob("*.json")):
        for each in json.loads(path.read_text())["exchanges"]:
            found.append((each["request"]["method"], each["response"]))
    return tuple(found)


def template(dice: random.Random) -> tuple[list[bytes], Feed]:
    """An accepted one gives work, and a block that an independent parser can read."""
    seeds = [
        json.dumps(response["result"]).encode()
        for method, response in recorded()
        if method == "getblocktemplate" and isinstance(response.get("result"), dict)
    ]
    chains = ("regtest", "main", "test", "testnet4", "signet")

    def feed(data: bytes) -> str:
        try:
            reply = json.loads(data)
        except (ValueError, RecursionError):
            return "not JSON"  # the transport's business
        try:
            parsed = parse_template(reply, dice.choice(chains))
            job = make_job(parsed, PLAN, source="node", job_id="1", clean=True)
        except (RemoteProtocolError, SourceRefused) as error:
            assert str(error).isprintable()
            return gist(error)
        unit = Roller(job).next(2, 0.0)
        assert unit is not None
        share = Share(unit, unit.versions[0], 7, unit.header(unit.versions[0], 7), bytes(32))
        block = parse_block(bytes.fromhex(block_hex(share)))
        assert block.raw[:80] == share.header
        assert len(block.transactions) >= 1
        return f"work {len(parsed.alarms)} {min(len(block.transactions), 3)} {parsed.segwit}"

    return seeds, feed


class Canned(Connection):
    """A connection whose peer has said everything already; ID stands for the request's id."""

    said = b""

    def connect(self) -> None:
        self.sock = cast(Any, _Wire(self))

    def usable(self, now: float) -> bool:
        return True


class _Wire:
    def __init__(self, connection: Canned) -> None:
        self._connection = connection

    def settimeout(self, seconds: float) -> None: ...

    def sendall(self, data: bytes) -> None: ...

    def close(self) -> None: ...

    def makefile(self, mode: str, buffering: int = -1) -> io.BytesIO:
        ours = b"%d" % self._connection._request_id
        return io.BytesIO(self._connection.said.replace(b"ID", ours, 1))


def http(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def rpc_reply(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Raw bytes of an answer: a result, or one of our errors."""
    lane = Rpc(ENDPOINT, UserPassword("user", Secret("pA55word")), timeout_s=5.0)

    def feed(data: bytes) -> str:
        connection = Canned(ENDPOINT)
        connection.said = data
        connection.connect()
        lane._connection = connection
        try:
            result = lane.call("getblockheader", "00")
        except MinerError as error:
            assert "pA55" not in str(error)
            assert str(error).isprintable()
            return f"{type(error).__name__} {gist(str(error).rpartition(': ')[2])}"
        return type(result).__name__

    bodies = [b'{"result":null,"error":null,"id":ID}']
    bodies += [b'{"result":{"height":1.5,"time":1e30},"error":null,"id":ID }']
    failure = b'{"result":null,"error":{"code":-28,"message":"Loading"},"id":ID}'
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n0\r\n\r\n'
    seeds = [*map(http, bodies), http(failure, b"500 Internal Server Error"), chunked]
    seeds += [http(b"", b"401 Unauthorized"), http(b"<html>", b"503 Service Unavailable")]
    return seeds, feed


def verdict(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Any JSON as submitblock's result; accepted only for what BIP 22 says is."""
    words = [response.get("result") for method, response in recorded() if method == "submitblock"]
    words += ["duplicate", "inconclusive", "bad-cb-amount", "duplicate-invalid", {"a": 1}]

    def feed(data: bytes) -> str:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            return "not JSON"
        ruled = judge(answer, dice.choice(("regtest", "main", "")))
        assert ruled.reason.isprintable() and ruled.explanation.isprintable()
        assert (ruled.ruling is Ruling.ACCEPTED) <= (answer is None)
        return f"{ruled.ruling} {gist(ruled.explanation)}"

    return [json.dumps(word).encode() for word in words], feed
