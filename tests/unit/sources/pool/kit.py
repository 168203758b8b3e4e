"""A pool without sockets: streams that are lists, a clock that is told the time, a sink."""

import json
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from miner.errors import ConnectFailed, TransportError
from miner.secret import Secret
from miner.sources.base import Health, SourceState
from miner.sources.pool.connection import Outside, PoolConnection
from miner.sources.pool.options import PoolOptions
from miner.transport.stream import Stream
from miner.transport.tls import TlsSettings
from miner.transport.urls import PoolLogin, pool_login
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job
from tests.unit.protocol.stratum_lines import SUBSCRIPTION, notify, share_of

NAME = "pool.example:3333"
WALL = 1_347_323_600.0  # about when the golden job was given


class FakeClock:
    """Stands still but for `advance`."""

    def __init__(self) -> None:
        self.now, self.jumped = 1000.0, False

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return WALL + self.now - 1000.0

    def slept(self) -> bool:
        jumped, self.jumped = self.jumped, False
        return jumped

    def advance(self, seconds: float) -> None:
        self.now += seconds


Step = bytes | float | Exception | Callable[["ListStream"], bytes | None]


class ListStream:
    """A Stream over a list: each wait takes one step. Bytes are what arrives then, a number lets
    time pass, an error ends the connection, a function looks at what was sent and may answer. After
    the last step the pool closes."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.sent: list[dict[str, Any]] = []
        self.closed = False
        self.clock = FakeClock()
        self._next: bytes | Exception = b""

    def wait(self, timeout_s: float) -> None:
        end = TransportError("the server closed the connection")
        step = self.steps.pop(0) if self.steps else end
        self._next = b""
        if isinstance(step, bytes | Exception):
            self._next = step
        elif isinstance(step, float):
            self.clock.advance(step)
        else:
            self._next = step(self) or b""

    def read(self) -> bytes:
        if isinstance(self._next, Exception):
            raise self._next
        return self._next

    def send(self, messages: Iterable[bytes]) -> None:
        self.sent += [json.loads(message) for message in messages]

    def close(self) -> None:
        self.closed = True

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [message for message in self.sent if message.get("method") == method]


class FakeLink:
    """Gives the streams of a list, one after the other; after the last one the miner stops."""

    def __init__(self, clock: FakeClock, *streams: ListStream | Exception) -> None:
        self.clock, self.streams = clock, list(streams)
        self.opened: list[tuple[str, int, bool]] = []
        self.slept: list[float] = []  # the pauses between two connections, added up
        self.woken = 0
        self.stopping = False
        self.done = threading.Event()
        self.while_asleep: Callable[[], None] = lambda: None

    def open(
        self, host: str, port: int, tls: TlsSettings | None, budget_s: float
    ) -> tuple[Stream, float]:
        self.opened.append((host, port, tls is not None))
        self.slept.append(0.0)
        if not self.streams:
            self.stopping = True
            raise ConnectFailed("no more streams")
        stream = self.streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        stream.clock = self.clock
        return stream, budget_s

    def sleep(self, seconds: float) -> None:
        self.clock.advance(max(seconds, 1e-6))  # or what is left would be too little to add
        self.slept[-1] += seconds
        self.while_asleep()

    def wake(self) -> None:
        self.woken += 1

    def stop(self) -> None:
        self.stopping = True

    def close(self) -> None:
        self.done.set()


@dataclass
class Log:
    """A sink that writes everything down."""

    jobs: list[Job] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    states: list[SourceState] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def job(self, job: Job) -> None:
        self.jobs.append(job)

    def verdict(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def state(self, state: SourceState) -> None:
        assert state.text.isprintable()
        self.states.append(state)

    def alarm(self, text: str) -> None:
        assert text.isprintable()
        self.alarms.append(text)

    def said(self, words: str) -> list[SourceState]:
        return [state for state in self.states if words in state.text]

    def answers(self) -> list[Answer]:
        return [verdict.answer for verdict in self.verdicts]

    def healths(self) -> list[Health]:
        return [state.health for state in self.states]


class LowDice(random.Random):
    """Throws the longest pause."""

    def uniform(self, a: float, b: float) -> float:
        return b


@dataclass
class Bench:
    """One connection with everything around it."""

    connection: PoolConnection
    link: FakeLink
    clock: FakeClock
    log: Log

    def run(self) -> Log:
        """From the first stream to the last."""
        self.connection.start(self.log)
        assert self.link.done.wait(20.0)
        return self.log


def bench(
    *streams: ListStream | Exception, url: str = f"stratum+tcp://{NAME}", **options: Any
) -> Bench:
    clock = FakeClock()
    link = FakeLink(clock, *streams)
    outside = Outside(link=link, clock=clock, dice=LowDice())
    chosen = replace(PoolOptions(agent="homehash/test"), **options)
    return Bench(PoolConnection(login(url), chosen, "", outside), link, clock, Log())


def login(url: str = f"stratum+tcp://{NAME}") -> PoolLogin:
    return pool_login(url, "alice.w1", Secret("canary-5e1f"))


# --- what a pool says -----------------------------------------------------------------------


def to(method: str, result: Any, error: Any = None) -> Callable[[ListStream], bytes]:
    """The reply to the newest request of that kind."""

    def answer(stream: ListStream) -> bytes:
        request = stream.asked(method)[-1]
        message = {"id": request["id"], "result": result, "error": error}
        return json.dumps(message).encode() + b"\n"

    return answer


def together(*steps: Callable[[ListStream], bytes] | bytes) -> Callable[[ListStream], bytes]:
    """Several in one segment."""
    return lambda stream: b"".join(s if isinstance(s, bytes) else s(stream) for s in steps)


def logged_in(extranonce1: str = "08000002", **job: Any) -> Callable[[ListStream], bytes]:
    """The whole handshake and a job, in one segment."""
    grant = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    steps: list[Any] = [
        to("mining.subscribe", [SUBSCRIPTION[0], extranonce1, 4]),
        to("mining.authorize", True),
        notify(**job),
    ]
    plain = together(*steps)

    def answer(stream: ListStream) -> bytes:
        configure = to("mining.configure", grant) if stream.asked("mining.configure") else b""
        return together(configure, plain)(stream)

    return answer


def finding(bench: Bench, share: Callable[[Job], Share]) -> Callable[[ListStream], None]:
    """The engine finds a share of the newest job."""
    return lambda _: bench.connection.submit(share(bench.log.jobs[-1]))


def flood(bench: Bench, shares: int) -> Callable[[ListStream], None]:
    """The engine finds so many shares at once."""

    def find(_: ListStream) -> None:
        for nonce in range(shares):
            bench.connection.submit(share_of(bench.log.jobs[-1], nonce))

    return find
