"""A small real Stratum pool on loopback: it gives jobs, rebuilds each header and judges it.

One template, one difficulty, any number of connections; enough to see what a pool sees. It speaks
what mining pools speak (mining.configure, subscribe, authorize, notify, submit).
"""

import contextlib
import itertools
import json
import socket
import threading
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from miner.bitcoin.encoding import from_hex, sha256d
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_difficulty
from miner.bitcoin.versions import BIP320_MASK
from miner.errors import RemoteProtocolError
from miner.protocol.jsonline import LineSplitter, decode
from miner.work.job import Job

HOST = "127.0.0.1"
EXTRANONCE2_BYTES = 4
READ_S = 0.2  # how often a connection looks whether the pool is closing
MAX_CONNECTIONS = 8


@dataclass(slots=True)
class Ledger:
    """What the pool knows of its miners: shares, and nothing else."""

    accepted: list[bytes] = field(default_factory=list)  # headers
    rejected: list[str] = field(default_factory=list)  # reasons
    blocks: int = 0
    best: int = 2**256  # lowest hash seen


class LoopbackPool:
    """Listens on a free port; leave the `with` block and it is closed."""

    def __init__(self, job: Job, share_target: int, difficulty: float) -> None:
        """`job`: a template with room for an extranonce of 8 bytes; `difficulty` gives the target
        that miners derive themselves, so it must be the exact one of `share_target`."""
        if target_from_difficulty(_exact(difficulty)) != share_target:
            raise ValueError(f"difficulty {difficulty} is not the target's")
        self.job, self.share_target, self.difficulty = job, share_target, difficulty
        self.ledger = Ledger()
        self._lock = threading.Lock()
        self._seen: set[bytes] = set()
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(READ_S)
        self._threads = [threading.Thread(target=self._accept, name="lesson pool", daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"stratum+tcp://{HOST}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "LoopbackPool":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(2.0)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if len(self._threads) > MAX_CONNECTIONS:
                connection.close()
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        extranonce1 = next(self._numbers).to_bytes(4, "big")
        splitter = LineSplitter()
        connection.settimeout(READ_S)
        with connection, contextlib.suppress(OSError, RemoteProtocolError):
            while not self._closing.is_set():
                try:
                    data = connection.recv(1 << 16)
                except TimeoutError:
                    continue
                if not data:
                    return
                for line in splitter.feed(data):
                    answers = self._answer(decode(line), extranonce1)
                    connection.sendall(
                        b"".join(json.dumps(one).encode() + b"\n" for one in answers)
                    )

    def _answer(self, message: dict[str, Any], extranonce1: bytes) -> list[dict[str, Any]]:
        method, params, number = message.get("method"), message.get("params"), message.get("id")
        result: Any = True
        if method == "mining.configure":
            result = {"version-rolling": True, "version-rolling.mask": f"{BIP320_MASK:08x}"}
        elif method == "mining.subscribe":
            result = [[["mining.notify", extranonce1.hex()]], extranonce1.hex(), EXTRANONCE2_BYTES]
        elif method == "mining.authorize":
            return [{"id": number, "result": True, "error": None}, *self._work()]
        elif method == "mining.submit":
            reason = self._judge(params, extranonce1)
            error = None if reason is None else [23, reason, None]
            return [{"id": number, "result": reason is None, "error": error}]
        return [{"id": number, "result": result, "error": None}] if number is not None else []

    def _work(self) -> list[dict[str, Any]]:
        job, coinbase = self.job, self.job.coinbase
        swapped = b"".join(job.prev_hash[at : at + 4][::-1] for at in range(0, 32, 4))
        notify = [
            job.job_id, swapped.hex(), coinbase.part1.hex(), coinbase.part2.hex(),
            [node.hex() for node in coinbase.branch], f"{job.version:08x}", f"{job.nbits:08x}",
            f"{job.ntime:08x}", True,
        ]  # fmt: skip
        return [
            {"id": None, "method": "mining.set_difficulty", "params": [self.difficulty]},
            {"id": None, "method": "mining.notify", "params": notify},
        ]

    def _judge(self, params: Any, extranonce1: bytes) -> str | None:
        """None for a good share, else why not."""
        try:
            header = self._rebuild(params, extranonce1)
        except (TypeError, ValueError, IndexError) as error:
            return f"malformed submit: {error}"
        value = int.from_bytes(sha256d(header), "little")
        with self._lock:
            reason = None
            if header in self._seen:
                reason = "duplicate"
            elif value > self.share_target:
                reason = "low difficulty"
            self._seen.add(header)
            if reason is None:
                self.ledger.accepted.append(header)
                self.ledger.blocks += value <= self.job.network_target
                self.ledger.best = min(self.ledger.best, value)
            else:
                self.ledger.rejected.append(reason)
        return reason

    def _rebuild(self, params: Any, extranonce1: bytes) -> bytes:
        """The header a submit speaks of, from its fields alone."""
        _, job_id, extranonce2, ntime, nonce, *bits = params
        if job_id != self.job.job_id:
            raise ValueError(f"job {job_id!r} is unknown")
        job = self.job
        version = job.version & ~BIP320_MASK | (int(bits[0], 16) & BIP320_MASK if bits else 0)
        second = from_hex(extranonce2, EXTRANONCE2_BYTES)
        root = replace(job.coinbase, extranonce1=extranonce1).root_with(second)
        time, number = (int.from_bytes(from_hex(word, 4), "big") for word in (ntime, nonce))
        return Header(version, job.prev_hash, root, time, job.nbits, number).pack()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _exact(difficulty: float) -> Fraction:
    """The fraction a miner reads from our JSON: the shortest decimal of the number."""
    return Fraction(json.dumps(difficulty))
