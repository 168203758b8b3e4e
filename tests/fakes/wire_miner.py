"""A miner of the wire: reads a Stratum server's lines, finds shares with code of its own.

It imports nothing of the product; headers are rebuilt by the judge of the fake pool.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.pool_judge import PoolJob, double_sha, header_of, target_of


@dataclass
class WireMiner:
    """Feed it what the server sends; ask it for a submit."""

    user: str = "anybody"
    extranonce1: str = ""
    size: int = 0
    session_id: str = ""
    mask: int | None = None
    difficulty: Any = None
    jobs: list[PoolJob] = field(default_factory=list)
    replies: dict[Any, Any] = field(default_factory=dict)  # by id
    messages: list[str] = field(default_factory=list)  # client.show_message
    lines: list[Any] = field(default_factory=list)
    next_extranonce2: int = 0
    _tail: bytes = b""

    def hear(self, data: bytes) -> list[Any]:
        """Take bytes; the messages that they complete."""
        *whole, self._tail = (self._tail + data).split(b"\n")
        heard = [json.loads(line, parse_float=str) for line in whole if line]
        for message in heard:
            self._take(message)
        self.lines += heard
        return heard

    def _take(self, message: Any) -> None:
        params = message.get("params")
        match message.get("method"):
            case "mining.set_difficulty":
                self.difficulty = params[0]
            case "mining.notify":
                target = target_of(self.difficulty)
                self.jobs.append(PoolJob(params, self.extranonce1, self.size, target, self.mask))
            case "client.show_message":
                self.messages.append(params[0])
            case None:
                self.replies[message["id"]] = message
                self._reply(message["result"])

    def _reply(self, result: Any) -> None:
        if isinstance(result, list) and len(result) == 3:
            self.session_id, self.extranonce1, self.size = result[0][1][1], result[1], result[2]
        elif isinstance(result, dict) and result.get("version-rolling") is True:
            self.mask = int(result["version-rolling.mask"], 16)

    def find(
        self, job: PoolJob | None = None, target: int | None = None, low: bool = False
    ) -> list[str]:
        """The params of a good submit; with `low` of one above the target."""
        job = job or self.jobs[-1]
        target = job.target if target is None else target
        extranonce2 = f"{self.next_extranonce2:0{2 * job.size}x}"
        self.next_extranonce2 += 1
        version, ntime = int(job.fields[5], 16), job.fields[7]
        for nonce in range(1 << 22):
            header = header_of(job, extranonce2, ntime, f"{nonce:08x}", version)
            if (int.from_bytes(double_sha(header), "little") <= target) is not low:
                return [self.user, job.fields[0], extranonce2, ntime, f"{nonce:08x}"]
        raise AssertionError("no share within 4 million hashes")


def line(number: Any, method: str, *params: Any) -> bytes:
    """A request as a miner sends it."""
    return json.dumps({"id": number, "method": method, "params": list(params)}).encode() + b"\n"
