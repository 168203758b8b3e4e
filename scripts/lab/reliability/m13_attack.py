"""M13: malformed requests and slow clients at the embedded node's RPC, while it is mined on.

The miner paces its blocks, so blocks a second tell whether mining goes on undisturbed.
"""

import base64
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from os import environ

from lab.reliability.measure import NotRun, Row, Run

from tests.fakes.broken.mutate import mutate

BODY = b'{"method":"getblockheader","params":["%s",true],"id":1}' % (b"00" * 32)
ANSWERS = {200, 204, 400, 401, 403, 404, 405, 413}
BUSY = 503  # all places taken: the right word to a crowd
CLIENTS, AT_ONCE = 200, 12
INTERVAL_S = 0.1
LOSS_GOAL = 0.02


@dataclass
class Attack:
    """What came back."""

    requests: int = 0
    statuses: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def measure(run: Run) -> list[Row]:
    with ExitStack() as stack:
        miner = Target(run, stack)
        attack = Attack()
        each = run.pick(240, 1500, 10_000) // AT_ONCE
        threads = [
            threading.Thread(target=malformed, args=(attack, run.dice(n), miner, each))
            for n in range(AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        crowd = slow_clients(miner, run.pick(1.5, 8.0, 60.0))
        code = miner.stop()
    text = miner.out.read_text()
    found = [word for word in ("Traceback", "the node's RPC failed") if word in text]
    attack.wrong += found + ([f"exit code {code}"] if code else [])
    value = f"statuses {sorted(attack.statuses)}, {len(attack.wrong)} wrong"
    row = Row("M13", "malformed requests to the node's RPC", value, "10,000: no 5xx, no traceback",
              attack.requests, len(attack.wrong), notes=tuple(attack.wrong[:4]))  # fmt: skip
    return [row, crowd]


class Target:
    """The real command, mining on its own node."""

    def __init__(self, run: Run, stack: ExitStack) -> None:
        datadir = run.folder / "chain"
        command = [
            sys.executable, "-P", "-m", "miner", "mine", "--backend", "hashlib", "--threads", "1",
            "--json", "--datadir", str(datadir), "--block-interval", str(INTERVAL_S),
        ]  # fmt: skip
        self.out = run.folder / "out"
        own = {"MINER_HOME": str(run.folder / "home"), "MINER_IDLE": "no"}
        file = stack.enter_context(self.out.open("w"))
        self.process = subprocess.Popen(
            command, stdout=file, stderr=file, env={**environ, **own}
        )  # fmt: skip
        stack.callback(self.process.kill)
        self.port = self._wait()
        cookie = next(datadir.rglob("*cookie*")).read_bytes()
        self.head = (
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )
        self.login = base64.b64encode(cookie.strip())

    def request(self, body: bytes) -> bytes:
        return self.head % (self.login, len(body)) + body

    def blocks(self) -> int:
        return self.out.read_text().count('"type": "block"')

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def _wait(self) -> int:
        """Its node's port, once blocks come."""
        mark, deadline = "own regtest node at http://127.0.0.1:", time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self.out.read_text()
            if mark in text and '"type": "block"' in text:
                return int(text.split(mark)[1].split(",")[0])
            time.sleep(0.1)
        raise NotRun(f"no own node: {self.out.read_text()[-200:]}")


def malformed(attack: Attack, dice: random.Random, miner: Target, times: int) -> None:
    """Broken heads and broken bodies, one connection each."""
    for number in range(times):
        in_body = number % 3
        raw = miner.request(mutate(BODY, dice)) if in_body else mutate(miner.request(BODY), dice)
        reply = b""
        with suppress(OSError), socket.create_connection(("127.0.0.1", miner.port), 10) as sock:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                reply += chunk
        attack.requests += 1
        if reply:
            judge(attack, raw, reply)


def judge(attack: Attack, raw: bytes, reply: bytes) -> None:
    """A status we know; 500 alone with a JSON-RPC error in it, as Bitcoin Core answers them."""
    status = int(reply[9:12]) if reply.startswith(b"HTTP/1.1 ") else 0
    attack.statuses.add(status)
    failed = status == 500 and b'"error":{"code":' in reply and b"inside the node" not in reply
    if status not in ANSWERS and status != BUSY and not failed:
        attack.wrong.append(f"{status} {reply[-100:]!r} for {raw[:200]!r}")


def slow_clients(miner: Target, seconds: float) -> Row:
    """Calm and crowd in turns; each client of the crowd sends a byte a second."""
    calm = crowded = 0
    for _ in range(3):
        calm += during(miner, seconds / 3, 0)
        crowded += during(miner, seconds / 3, CLIENTS)
    loss = 1 - crowded / calm if calm else 1.0
    value = f"{crowded} blocks with, {calm} without them: {100 * loss:+.1f} % loss, {seconds:.0f} s"
    return Row("M13", f"mining beside {CLIENTS} slow clients", value, "loss < 2 %", CLIENTS,
               int(not crowded), loss < LOSS_GOAL)  # fmt: skip


def during(miner: Target, seconds: float, clients: int) -> int:
    """Blocks found in so many seconds with so many slow clients."""
    with ExitStack() as stack:
        crowd = []
        for _ in range(clients):
            with suppress(OSError):
                made = socket.create_connection(("127.0.0.1", miner.port), 5)
                crowd.append(stack.enter_context(made))
        before, until = miner.blocks(), time.monotonic() + seconds
        while time.monotonic() < until:
            for sock in crowd:
                with suppress(OSError):
                    sock.send(b"P")
            time.sleep(min(1.0, max(until - time.monotonic(), 0.0)))
        return miner.blocks() - before
