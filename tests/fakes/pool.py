"""A scripted Stratum pool on loopback: any order, any fault, its own verdict on every share.

By default it behaves; a test changes its public attributes, replaces the handler of a method in
`on`, or writes raw bytes to a connection. It imports nothing of the miner.
"""

import json
import os
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from tests.fakes.pool_judge import Judged, PoolJob, judge, target_of

EASY = "1e-7"  # about 430 hashes a share
COINB1 = "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff"
COINB2 = "ffffffff0100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000"

Handler = Callable[["Connection", Any], None]


class Connection:
    """One miner's connection, served by its own thread."""

    def __init__(self, pool: "FakePool", sock: socket.socket, number: int) -> None:
        self.pool, self.sock, self.number = pool, sock, number
        self.extranonce1 = pool.extranonce1(number)
        self.size: Any = pool.extranonce2_size
        self.mask: int | None = None
        self.difficulty: Any = pool.difficulty
        self.session_id = f"{number:08x}"
        self.user: str | None = None
        self.subscribed = False
        self.jobs: dict[str, PoolJob] = {}
        self.seen: set[bytes] = set()
        self.received: list[Any] = []  # every message of the miner
        self.open = True
        self._write = threading.Lock()

    def send(self, *messages: Any) -> None:
        """Messages in one segment; bytes go out as they are."""
        lines = [m if type(m) is bytes else json.dumps(m).encode() + b"\n" for m in messages]
        with suppress(OSError), self._write:
            self.sock.sendall(b"".join(lines))

    def reply(self, message: Any, result: Any, error: Any = None) -> None:
        self.send({"id": message["id"], "result": result, "error": error})

    def call(self, method: str, *params: Any) -> None:
        self.send({"id": None, "method": method, "params": list(params)})

    def set_difficulty(self, difficulty: Any) -> None:
        self.difficulty = difficulty
        text = str(difficulty).encode()
        self.send(b'{"id":null,"method":"mining.set_difficulty","params":[%s]}\n' % text)

    def give(self, fields: list[Any]) -> None:
        """Send a job and remember it under this connection's terms."""
        self.jobs[fields[0]] = PoolJob(
            fields, self.extranonce1, self.size, target_of(self.difficulty), self.mask
        )
        self.call("mining.notify", *fields)

    def close(self, reset: bool = False) -> None:
        """FIN, or RST with `reset`."""
        self.open = False
        with suppress(OSError):
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self.sock.close()

    def serve(self) -> None:
        tail = b""
        with suppress(OSError):
            while self.open and (data := self.sock.recv(65536)):
                *lines, tail = (tail + data).split(b"\n")
                for line in lines:
                    self._take(line)
        self.open = False
        with suppress(OSError):
            self.sock.close()
        with self.pool.changed:
            self.pool.changed.notify_all()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:  # not ours to talk to: a TLS greeting, say
            self.close()
            return
        self.received.append(message)
        self.pool.handle(self, message)


class FakePool:
    """Use as a context manager; `url` is where it listens."""

    def __init__(
        self, tls: ssl.SSLContext | None = None, seed: int = 1, port: int = 0, **options: Any
    ) -> None:
        self.difficulty: Any = options.pop("difficulty", EASY)
        self.extranonce2_size: Any = options.pop("extranonce2_size", 4)
        self.mask: int | None = options.pop("mask", 0x1FFFE000)
        self.version: str = options.pop("version", "20000000")
        self.nbits: str = options.pop("nbits", "1d00ffff")
        self.users: set[str] | None = options.pop("users", None)  # None: everybody
        self.resume: bool = options.pop("resume", False)
        assert not options, options
        self.tls, self.port = tls, port
        self.dice = random.Random(seed)
        self.connections: list[Connection] = []
        self.ledger: list[Judged] = []
        self.changed = threading.Condition()
        self.on: dict[str, Handler] = {}
        self.on_accept: Callable[[Connection], bool] = lambda _: True  # False: do not serve
        self.prevhash = self.dice.randbytes(32).hex()
        self.height, self.jobs_made = 1000, 0
        self.job: list[Any] = []
        self.resumed: dict[str, Connection] = {}
        self.extranonce1: Callable[[int], str] = lambda n: f"{seed & 0xFF:02x}{n:06x}"
        self.new_job()

    # --- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.running = True
        self._threads = [threading.Thread(target=self._accept, name="fake pool", daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.running = False
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop_all()
        for thread in self._threads:
            thread.join(5.0)

    @property
    def url(self) -> str:
        return f"stratum+{'ssl' if self.tls else 'tcp'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while self.running:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        if self.tls is not None:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        with self.changed:
            connection = Connection(self, sock, len(self.connections) + 1)
            self.connections.append(connection)
            self.changed.notify_all()
        if self.on_accept(connection):
            connection.serve()

    def wait(self, test: Callable[[], object], seconds: float = 10.0) -> None:
        """Until the test holds; fails loudly when it does not in time."""
        with self.changed:
            assert self.changed.wait_for(test, seconds), "the fake pool waited in vain"

    def drop_all(self, reset: bool = False) -> None:
        for connection in list(self.connections):
            connection.close(reset)

    @property
    def live(self) -> list[Connection]:
        return [connection for connection in self.connections if connection.open]

    # --- work ---------------------------------------------------------------------------------

    def new_job(self, clean: bool = False, tip: bool = False, **changes: Any) -> list[Any]:
        """The fields of a fresh job, on a new tip if asked; not sent yet."""
        self.jobs_made += 1
        if tip:
            self.prevhash, self.height = self.dice.randbytes(32).hex(), self.height + 1
        salt = bytes(byte | 0x80 for byte in os.urandom(4))  # no letters: they would be a tag
        script = b"\x03" + self.height.to_bytes(3, "little") + b"\x04" + salt
        tag = b"/fake/"
        hole = len(bytes.fromhex(self.extranonce1(1))) + (
            self.extranonce2_size if type(self.extranonce2_size) is int else 4
        )
        length = len(script) + 1 + hole + len(tag)
        names = ("job_id", "prevhash", "coinb1", "coinb2", "branch", "version", "nbits", "ntime")
        values: tuple[Any, ...] = (
            f"j{self.jobs_made:x}",
            self.prevhash,
            COINB1 + f"{length & 0xFF:02x}" + script.hex() + f"{hole & 0xFF:02x}",
            tag.hex() + COINB2,
            [self.dice.randbytes(32).hex() for _ in range(2)],
            self.version,
            self.nbits,
            f"{int(time.time()):08x}",
            clean or tip,
        )
        fields = dict(zip((*names, "clean"), values, strict=True)) | changes
        self.job = list(fields.values())
        return self.job

    def notify(self, clean: bool = False, tip: bool = False, **changes: Any) -> list[Any]:
        """A fresh job to everybody who is subscribed; its fields."""
        fields = self.new_job(clean, tip, **changes)
        for connection in self.live:
            if connection.subscribed:
                connection.give(fields)
        return fields

    def shares(self, accepted: bool = True) -> list[Judged]:
        return [entry for entry in self.ledger if (entry.error is None) is accepted]

    # --- default behaviour --------------------------------------------------------------------

    def handle(self, connection: Connection, message: Any) -> None:
        """Dispatch one message of a miner."""
        handler = self.on.get(message.get("method")) or getattr(
            self, "_" + str(message.get("method")).replace(".", "_"), None
        )
        if handler is not None:
            handler(connection, message)
        elif "method" in message:
            connection.reply(message, None, [20, "Method not found", None])
        with self.changed:
            self.changed.notify_all()

    def _mining_configure(self, connection: Connection, message: Any) -> None:
        result: dict[str, Any] = {"version-rolling": self.mask is not None}
        if self.mask is not None:
            connection.mask = self.mask
            result["version-rolling.mask"] = f"{self.mask:08x}"
        connection.reply(message, result)

    def _mining_subscribe(self, connection: Connection, message: Any) -> None:
        asked = message["params"][1] if len(message["params"]) > 1 else None
        old = self.resumed.get(asked) if self.resume and asked else None
        if old is not None:
            connection.extranonce1, connection.seen = old.extranonce1, old.seen
            connection.jobs = {
                job_id: job for job_id, job in old.jobs.items() if job.size == connection.size
            }
        self.resumed[connection.session_id] = connection
        pairs = [["mining.notify", connection.session_id]]
        connection.reply(message, [pairs, connection.extranonce1, connection.size])
        connection.subscribed = True

    def _mining_authorize(self, connection: Connection, message: Any) -> None:
        user = message["params"][0]
        if self.users is not None and user not in self.users:
            connection.reply(message, False, [24, "unknown user", None])
            return
        connection.user = user
        connection.reply(message, True)
        connection.set_difficulty(connection.difficulty)
        connection.give(self.job)

    def _mining_submit(self, connection: Connection, message: Any) -> None:
        params = message["params"]
        job = connection.jobs.get(params[1]) if len(params) > 1 else None
        judged = judge(connection.number, job, params, connection.seen, connection.user)
        with self.changed:
            self.ledger.append(judged)
        connection.reply(message, judged.error is None, judged.error)
