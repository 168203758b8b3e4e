"""A small real Stratum pool on loopback: one template, one difficulty, a few connections; enough to
see what a pool sees. It is the class server's own protocol core and judge, without a room.
"""

import contextlib
import itertools
import json
import socket
import threading
import time
from dataclasses import dataclass, field, replace
from fractions import Fraction

from miner.bitcoin.target import target_from_difficulty
from miner.bitcoin.versions import BIP320_MASK, effective_mask
from miner.protocol.stratum.server import EXTRANONCE2_BYTES, ServerSession
from miner.work.claim import Answer, Assignment, Claim, Judged, WorkBook
from miner.work.job import Job

HOST = "127.0.0.1"
READ_S = 0.2  # how often a connection looks whether the pool is closing
MAX_CONNECTIONS = 8
ANY_RATE = 10_000  # shares a second: a lesson measures before it knows how fast the computer is


@dataclass(slots=True)
class Ledger:
    """What the pool knows of its miners: shares, and nothing else."""

    accepted: list[bytes] = field(default_factory=list)  # headers
    rejected: list[str] = field(default_factory=list)  # reasons
    blocks: int = 0
    best: int = 2**256  # lowest hash seen

    def count(self, judged: Judged) -> None:
        """A share was judged."""
        share = judged.share
        if judged.answer is not Answer.ACCEPTED or share is None:
            self.rejected.append(judged.answer.words)
            return
        self.accepted.append(share.header)
        self.blocks += judged.is_block
        self.best = min(self.best, share.value)


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
        miner = Miner(self, next(self._numbers).to_bytes(4, "big"))
        connection.settimeout(READ_S)
        with connection, contextlib.suppress(OSError):
            while not (self._closing.is_set() or miner.session.closing):
                try:
                    data = connection.recv(1 << 16)
                except TimeoutError:
                    continue
                if not data:
                    return
                miner.session.receive(data, time.time())
                connection.sendall(miner.session.data_to_send())

    def count(self, judged: Judged) -> None:
        """Count a judged share; the threads of all connections call this."""
        with self._lock:
            self.ledger.count(judged)


class Miner:
    """One connection: the host of its session."""

    def __init__(self, pool: LoopbackPool, extranonce1: bytes) -> None:
        self._pool, self._extranonce1 = pool, extranonce1
        self._book = WorkBook()
        self.session = ServerSession(
            self, extranonce1, extranonce1.hex(), time.time(), most_a_second=ANY_RATE
        )

    def resume(self, session_id: str) -> bytes | None:
        return None

    def enter(self, user: str, agent: str, now: float) -> str:
        return ""

    def ready(self, now: float) -> None:
        job = self._pool.job
        merkle = replace(
            job.coinbase, extranonce1=self._extranonce1, extranonce2_size=EXTRANONCE2_BYTES
        )
        mask = effective_mask(BIP320_MASK, BIP320_MASK, job.version)
        job = replace(job, merkle=merkle, version_mask=mask, share_target=self._pool.share_target)
        self._book.give(Assignment(job, _exact(self._pool.difficulty), job.network_target))
        self.session.give(job, _exact(self._pool.difficulty))

    def submit(self, claim: Claim, now: float) -> Judged:
        judged = self._book.judge(claim, self._pool.job.prev_hash, now)
        self._pool.count(judged)
        return judged

    def suggest(self, difficulty: Fraction, now: float) -> None:
        """The lesson's difficulty is for the lesson."""


def _exact(difficulty: float) -> Fraction:
    """The fraction a miner reads from our JSON: the shortest decimal of the number."""
    return Fraction(json.dumps(difficulty))
