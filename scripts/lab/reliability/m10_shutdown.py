"""M10: signals at random moments of a run; how long the end takes, and what it leaves behind.

Two homes: a node that answers, and one that takes blocks and never says so, for a submit that is
open while the signal comes. A second signal comes in every fifth trial.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
from lab.reliability.measure import Row, Run, quantile
from lab.reliability.zygote import Zygote

from tests.fakes import exchange
from tests.fakes.node import FakeNode
from tests.fakes.sink import REGTEST

IDLE_GOAL_S, OPEN_GOAL_S = 1.0, 3.0
LATEST_S = 1.5  # the moment of the signal, from the fork: half-way started or mining
CHILDREN_S = 1.0  # after a forced end its children see their pipe close, and end by themselves
EARLY = (
    signal.SIGTERM,
    signal.SIGINT,
    1 << 8,
)  # before our handlers: the system's word, or click's "Aborted!"


def measure(run: Run) -> list[Row]:
    trials = run.pick(6, 12, 200)
    zygote = Zygote()
    try:
        idle = Stops(run, zygote, "idle").take(trials // 2)
        opened = Stops(run, zygote, "open").take(trials - trials // 2)
    finally:
        zygote.close()
    return [
        idle.row("signal to exit, mining", IDLE_GOAL_S),
        opened.row("signal to exit, a submit unanswered", OPEN_GOAL_S),
    ]


class Stops:
    """Signals to miners on one node."""

    def __init__(self, run: Run, zygote: Zygote, kind: str) -> None:
        self.dice, self.zygote, self.kind = run.dice(kind), zygote, kind
        self.folder = run.folder / kind
        self.folder.mkdir()
        self.took: list[float] = []
        self.failed: list[str] = []
        self.early = 0

    def take(self, trials: int) -> "Stops":
        with FakeNode(self.folder) as node:
            flags = ("--node", node.url, "--cookie", str(node.cookie), "--address", REGTEST)
            for trial in range(trials):
                if self.kind == "open":
                    node.fault("submitblock", exchange.accept_then_hang(30), times=3)
                self._stop_one(trial, flags)
        return self

    def _stop_one(self, trial: int, flags: tuple[str, ...]) -> None:
        out = self.folder / f"out{trial}"
        number = self.dice.choice((signal.SIGINT, signal.SIGTERM))
        pid = self.zygote.start(
            "mine", *flags, "--backend", "hashlib", "--threads", "2", "--block-interval", "0.01",
            "--json", home=self.folder / "home", out=out,
        )  # fmt: skip
        time.sleep(self.dice.uniform(0.0, LATEST_S))
        began = time.monotonic()
        self.zygote.kill(number)
        if trial % 5 == 4:
            time.sleep(self.dice.uniform(0.0, 0.2))
            self.zygote.kill(number)
        status = self.zygote.wait(20.0)
        self.took.append(time.monotonic() - began)
        self._judge(trial, status, out, pid)

    def _judge(self, trial: int, status: int | None, out: Path, pid: int) -> None:
        text = out.read_text(errors="replace") if out.exists() else ""
        begun = '"type": "start"' in text
        if not begun and "KeyboardInterrupt" in text:  # between the interpreter and our handlers
            self.early += 1
            return
        if status is None:
            self.zygote.kill(signal.SIGKILL)
            self.failed.append(f"{self.kind} {trial}: still there after 20 s")
        elif status != 0 and (begun or status not in EARLY):
            self.failed.append(f"{self.kind} {trial}: wait status {status}: {text[-200:]!r}")
        if "Traceback" in text:
            self.failed.append(f"{self.kind} {trial}: {text[-400:]!r}")
        deadline = time.monotonic() + CHILDREN_S
        while (left := orphans(pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        if left:
            self.failed.append(f"{self.kind} {trial}: left {left} behind")

    def row(self, figure: str, goal_s: float) -> Row:
        late = sum(value > goal_s for value in self.took)
        p50, p99 = quantile(self.took, 0.5), quantile(self.took, 0.99)
        value = f"p50 {p50:.2f} s, p99 {p99:.2f} s, {late} above {goal_s:g} s"
        note = f"{self.kind}: {self.early} SIGINT came before any code of ours"
        return Row("M10", figure, value, f"p99 <= {goal_s:g} s; no traceback, no orphan",
                   len(self.took), len(self.failed), p99 <= goal_s,
                   (note, *self.failed[:5]))  # fmt: skip


def orphans(group: int) -> list[int]:
    """Who runs on in the ended miner's session; not who only waits to be reaped by its adopter."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            if process.pid != group and os.getsid(process.pid) == group:
                found += [process.pid] * (process.status() != psutil.STATUS_ZOMBIE)
    return found
