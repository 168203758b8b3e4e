"""A sink that collects what a source says, and helpers to mine on the fake node."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from miner.sources.base import SourceState, WorkSource
from miner.sources.node.setup import NodeSetup, Timing
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.work.found import Share, Verdict
from miner.work.job import Job
from miner.work.roll import Roller
from tests.fakes.node import FakeNode

REGTEST = "bcrt1qlgrnxscelkj7uk4jwj97ykxwda7etsq4jee8hz"
TESTNET = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
MAINNET = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
FAST = Timing(
    call=2.0, connect=2.0, longpoll=5.0, tip=0.1, tip_beside_longpoll=0.1, refresh=5.0,
    longpoll_grace=0.3, retry_first=0.05, retry_max=0.2, not_ready=0.1, submit_first=0.03,
    submit_max=0.2, side_poll=0.1,
)  # fmt: skip


@dataclass
class Sink:
    """Collects what a source says, and waits for it."""

    jobs: list[Job] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    states: list[SourceState] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def job(self, job: Job) -> None:
        self._add(self.jobs, job)

    def verdict(self, verdict: Verdict) -> None:
        self._add(self.verdicts, verdict)

    def state(self, state: SourceState) -> None:
        assert state.text.isprintable()
        self._add(self.states, state)

    def alarm(self, text: str) -> None:
        assert text.isprintable()
        self._add(self.alarms, text)

    def _add(self, where: list[Any], what: object) -> None:
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait(self, test: Callable[[], object], seconds: float = 10.0) -> None:
        with self.changed:
            assert self.changed.wait_for(test, seconds), (self.states, self.verdicts)

    def job_at(self, height: int) -> Job:
        self.wait(lambda: any(job.height == height for job in self.jobs))
        return next(job for job in reversed(self.jobs) if job.height == height)

    def state_with(self, text: str) -> SourceState:
        self.wait(lambda: any(text in state.text for state in self.states))
        return next(state for state in reversed(self.states) if text in state.text)

    def final(self, count: int = 1) -> list[Verdict]:
        self.wait(lambda: sum(verdict.final for verdict in self.verdicts) >= count)
        return [verdict for verdict in self.verdicts if verdict.final]


def setup(node: FakeNode, *, long_poll: bool = False) -> NodeSetup:
    endpoint = parse_node_url(node.url, 1).endpoint
    return NodeSetup(endpoint, CookieFile(node.cookie), long_poll=long_poll)


def solve(job: Job, extranonce2: int = 0) -> Share:
    """The first share of a job; easy on regtest."""
    unit = Roller(job, extranonce2).next(1, 0.0)
    assert unit is not None
    for nonce in range(1000):
        if share := Share.from_hit(unit, job.version, nonce):
            return share
    raise AssertionError("no share in 1000 nonces")


def until(test: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def submitted(source: WorkSource, sink: Sink) -> Share:
    share = solve(sink.job_at(1))
    source.submit(share)
    return share
