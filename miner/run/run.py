"""A mining run without a head: it starts, pauses and stops; views show it.

A program can hold two. Parts are opened in this order and closed in the reverse: source (with the
own node where none is given), journal, backends, engine. Three threads beside the parts' own: one
publishes the snapshot, one reads the CPU's sensors, one writes what outlives the run.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple, TypeVar

from miner import __version__, paths
from miner.backends import registry
from miner.backends.base import Backend, OpenOptions
from miner.engine.core import Engine
from miner.engine.odds import guess_rate
from miner.errors import MinerError, OutputLeft
from miner.run.background import Background
from miner.run.config import MineConfig
from miner.run.explain import Explainer
from miner.run.machine import CpuSensors
from miner.run.records import keeper
from miner.run.wiring import (
    cautions,
    engine_options,
    expect_benchmark,
    open_journal,
    open_source,
    payout_of,
    payout_text,
    rate_to_tell,
    tell_facts,
)
from miner.state.events import (
    BackendTold,
    Caution,
    Event,
    JobArrived,
    JournalWarned,
    NodeTold,
    Paused,
    PayoutTold,
    Started,
    Stopped,
)
from miner.state.kept import Kept
from miner.state.snapshot import Snapshot
from miner.state.status import Status
from miner.views.base import View, ViewThread, join_all
from miner.views.limit import OF_POOLS, SHARES, ShareLimit

PUBLISH_S = 0.25
CLOSE_S = 5.0  # for views that get on with their last lines
RECORDS_S, SENSORS_S = 1.0, 0.2  # for what a thread does last

Check = Callable[[], None]
T = TypeVar("T")


def go_on() -> None:
    """The check of a start that nothing interrupts."""


class Outcome(NamedTuple):
    """How a run ended."""

    reason: str  # in words
    error: MinerError | None  # why it failed, when it did


class Run:
    """One run. Every method may be called from any thread."""

    def __init__(self, config: MineConfig, mainnet_difficulty: float | None = None) -> None:
        """`mainnet_difficulty` is for the odds that snapshots give for comparison."""
        self.config = config
        self._explainer = Explainer(config, payout_of(config))
        self._kept = Kept(time.monotonic(), paths.state_dir())
        self._status = Status(time.monotonic(), self._kept, self._explainer.row)
        self._status.facts.mainnet_difficulty = mainnet_difficulty
        self._limit = ShareLimit(OF_POOLS if config.pools else SHARES)
        self._views: list[ViewThread] = []
        self._stack = ExitStack()
        self._engine: Engine | None = None
        self._guess_hs = 0.0
        self._newest = self._status.snapshot(time.monotonic())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="run", daemon=True)

    def add(self, view: View) -> ViewThread:
        """Show the run on it from now on, in a thread of its own.

        Raises MinerError when the system has no thread left.
        """
        thread = ViewThread(view)
        start_thread(thread.start)
        self._views.append(thread)
        return thread

    def snapshot(self) -> Snapshot:
        """The newest; no lock is taken."""
        return self._newest

    def tell(self, event: Event) -> None:
        """Have the views show something that happened beside the run."""
        self._emit(event)

    def open(self, check: Check = go_on) -> None:
        """Open all parts; `check` is called between two steps and may raise to give up, which
        closes what was opened. Raises MinerError."""
        try:
            self._open(check)
        except BaseException:
            self._close("stopped while starting")
            raise

    def start(self) -> None:
        """Hash. Opens what is not open yet. Raises MinerError."""
        if self._engine is None:
            self.open()
        assert self._engine is not None
        try:
            self._engine.start()
            start_thread(self._thread.start)
        except BaseException:
            self._close("could not start")
            raise

    def wait(self, timeout_s: float | None = None) -> Outcome | None:
        """How the run ended; None when it still goes on after this time."""
        return self.outcome if self._ended.wait(timeout_s) else None

    @property
    def ending(self) -> bool:
        """Has a goal, an error or a stop ended the hashing? What follows should be short."""
        return self._ended.is_set() or (self._engine is not None and self._engine.done.is_set())

    @property
    def outcome(self) -> Outcome:
        """As far as it is known: of a run that goes on it is no error."""
        engine = self._engine
        return Outcome("", None) if engine is None else Outcome(engine.reason, engine.error)

    def stop(self, reason: str = "stopped") -> None:
        """End the run: open submits get 2 s, views that get on with their lines some more."""
        if self._engine is None or self._thread.ident is None:
            self._close(reason)
            return
        self._engine.finish(reason)
        self._ended.wait()

    def pause(self, paused: bool) -> None:
        """Stop hashing and go on later; connections are kept."""
        if self._engine is not None and self._status.facts.paused != paused:
            self._status.facts.paused = paused
            self._engine.pause(paused)
            self._emit(Paused(paused))

    # -- opening

    def _open(self, check: Check) -> None:
        config, status = self.config, self._status
        options, payout = engine_options(config), payout_of(config)
        tell_facts(status.facts, config, options)
        self._emit(Started(__version__))
        self._start(Background("records", keeper(self._kept, self._emit), RECORDS_S))
        for caution in cautions(config):
            self._emit(Caution(caution))

        def say_node(text: str) -> None:
            check()
            self._emit(NodeTold(text))

        opened = open_source(config, payout, self._measured_rate, say_node, self._stack)
        status.expect_sources(opened.places)
        check()
        journal = open_journal(config, opened)
        self._stack.callback(journal.close)
        for note in journal.notes:
            self._emit(JournalWarned(note))
        self._emit(PayoutTold(payout_text(config, payout)))
        check()
        backends = self._open_backends(check)
        self._engine = Engine(
            opened.source,
            backends,
            journal,
            status,
            self._tell,
            time.monotonic,
            lambda name: registry.open_named(name, self._open_options(go_on, len(backends))),
            options,
        )
        self._start(Background("cpu sensors", CpuSensors(status.see_cpu).work, SENSORS_S))
        if not config.own_node:
            self._guess_hs = guess_rate(backends)
            expect_benchmark(status.facts, backends, config)
        check()

    def _start(self, part: Background) -> None:
        self._stack.callback(part.stop)
        start_thread(part.start)

    def _open_backends(self, check: Check) -> list[Backend]:
        config = self.config
        options = self._open_options(check)
        backends = registry.open_choice(config.backends, config.threads, options)
        for backend in backends:
            self._stack.callback(backend.close)
        return backends

    def _open_options(self, check: Check, workers: int = 1) -> OpenOptions:
        def say(text: str) -> None:
            check()
            self._emit(BackendTold(text))

        return OpenOptions(paths.cache_dir(), say, self.config.intensity, workers)

    def _measured_rate(self) -> float | None:
        """For a pool's difficulty."""
        return rate_to_tell(self._newest, self._guess_hs * self.config.throttle / 100)

    # -- events

    def _tell(self, event: Event) -> None:
        """From the engine's threads; the first job of each session is explained."""
        if not self._limit.passes(event, time.monotonic()):
            return
        self._emit(event)
        job = self._engine.latest_job if self._engine is not None else None
        if isinstance(event, JobArrived) and job is not None:
            for said in self._explainer.explain(job, self._guess_hs):
                self._emit(said)

    def _emit(self, event: Event) -> None:
        for view in self._views:
            view.put(event)

    def _publish(self) -> None:
        self._status.facts.views_dropped = sum(view.dropped for view in self._views)
        self._newest = self._status.snapshot(time.monotonic())
        for view in self._views:
            view.show(self._newest)

    # -- the run's own thread

    def _work(self) -> None:
        engine = self._engine
        assert engine is not None
        while not engine.done.wait(PUBLISH_S):
            if summed := self._limit.due(time.monotonic()):
                self._emit(summed)
            self._publish()
            if any(view.left for view in self._views):  # nobody sees what is mined any more
                engine.finish("the reader of the output left", OutputLeft())
        self._close(engine.reason)

    def _close(self, reason: str) -> None:
        """Stop and close everything; the first call counts."""
        if self._ended.is_set():
            return
        try:
            if self._engine is not None:
                self._engine.stop()
            if summed := self._limit.due(time.monotonic(), last=True):
                self._emit(summed)
            self._emit(Stopped(reason))
            self._publish()
            for view in self._views:
                view.close(self._newest)
        finally:
            self._stack.close()
            join_all(self._views, CLOSE_S)
            self._ended.set()


def start_thread(start: Callable[[], T]) -> T:
    """Call what starts a thread. Raises MinerError when the system has none left."""
    try:
        return start()
    except RuntimeError as error:
        raise MinerError(f"{error}: raise the limits on threads and memory") from None
