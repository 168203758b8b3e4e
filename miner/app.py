"""The only place that wires a mining run: what is started, in which order, and how it stops.

Config, screen, own node if no source is given, source, journal, backends, engine; back again in
the reverse order.
"""

import os
import queue
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from miner import __version__, baseline, paths
from miner.backends import registry
from miner.backends.base import Backend, OpenOptions
from miner.bitcoin.address import Address, decode, p2wsh_address
from miner.bitcoin.versions import BIP320_MASK
from miner.config import Goal, MineConfig
from miner.engine.core import Engine, EngineOptions
from miner.engine.odds import guess_rate, mainnet_sentence
from miner.engine.worker import WorkerOptions
from miner.errors import OutputLeft
from miner.journal import Journal
from miner.protocol.decode import decode_coinbase, user_address
from miner.screens.console import open_console
from miner.screens.jsonl import JsonScreen
from miner.screens.limit import OF_POOLS, SHARES, ShareLimit
from miner.screens.sturdy import SturdyScreen
from miner.signals import ForcedExit, Signals, StopAsked
from miner.sources.base import WorkSource
from miner.sources.node.setup import NodeSetup
from miner.sources.node.source import NodeSource
from miner.sources.pool.options import pool_names
from miner.status import Event, Status, StatusSnapshot
from miner.streams import let_go
from miner.text import scrub
from miner.transport.credentials import CookieFile, find_credentials
from miner.transport.endpoint import parse_node_url
from miner.transport.tls import TlsSettings
from miner.work.job import Job

OP_TRUE = b"\x51"  # anyone may spend: the lessons do
PACED = (
    "every second hash makes a block here, so they are kept {:g} s apart (--block-interval); "
    "most of that is waiting: for this computer's speed run miner bench"
)
OWN_INTERVAL_S = 1.0  # faster for long, and block time runs past the two-hour limit
REFRESH_S = 0.25
RATE_SETTLED_S = 60.0  # a counted rate is worth telling a pool after this
EVENTS_TURN = 500  # shown before the signals and the status are looked at
MOST_EVENTS = 10_000  # waiting to be shown
KEPT_EVENTS = ("block", "rescue", "alarm")  # shown however many wait
BY_SIGNAL = "stopped by a signal"
FAREWELL_S = 1.0  # after a signal, for the last words
HARD_STOP_S = 8.0  # a stop takes 3 s at most; what hangs longer is left to the journal


class Run:
    """One `miner mine`. `run` blocks until a goal, a signal or an error ends it."""

    def __init__(self, config: MineConfig) -> None:
        self.config = config
        self.screen = SturdyScreen(JsonScreen(sys.stdout) if config.json else open_console())
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.share_limit = ShareLimit(OF_POOLS if config.pools else SHARES)
        self.payout = payout_of(config)
        self.rate_hs = 0.0
        self.engine: Engine | None = None
        self._signals: Signals | None = None
        self._forced_exit: ForcedExit | None = None
        self._explained: dict[str, int] = {}  # source: its newest session whose job was explained

    def run(self) -> None:
        """Raises MinerError when the run failed."""
        forced = self._forced_exit = ForcedExit(self._exit_code)
        signals = self._signals = Signals(self.screen.restore, self._stop_unseen, self._exit_code)
        try:
            with ExitStack() as stack:
                try:
                    engine = self._start(stack)
                except StopAsked:
                    signals.notice()
                    self.screen.event(Event("stop", "stopped while starting"))
                    return
                finally:
                    signals.starting = False  # no signal breaks into what follows
                self._loop(engine, signals, forced)
        except BrokenPipeError:  # everything is closed by now; a supervisor starts us again
            raise OutputLeft from None
        finally:
            signals.restore()
            forced.cancel()
            let_go()

    def say(self, kind: str, text: str) -> None:
        """A line from the main thread; while starting also the place to notice a signal whose
        exception was lost (one raised inside a destructor is)."""
        if self._signals is not None and self._signals.asked and self._signals.starting:
            raise StopAsked
        self.screen.event(Event(kind, text))

    def _start(self, stack: ExitStack) -> Engine:
        config = self.config
        self.say("start", f"homehash {__version__}")
        for caution in cautions(config):
            self.screen.event(Event("caution", caution, "warning"))
        status = Status(time.monotonic(), "starting", paths.state_dir() / "best-hash")
        status.tls_insecure = config.tls_insecure
        source, key, folder = self._open_source(stack)
        if config.journal is not None:
            journal = Journal(config.journal, key)
        else:
            journal = Journal.open_own(folder, key)
        journal.earlier.read(paths.state_dir() / "journal")
        stack.callback(journal.close)
        for note in journal.notes:
            self.screen.event(Event("journal", note, "warning"))
        self.say("start", payout_text(config, self.payout))
        backends = self._open_backends(stack)
        engine = Engine(
            source,
            backends,
            journal,
            status,
            self._tell,
            time.monotonic,
            lambda name: registry.open_named(name, self._open_options()),
            engine_options(config),
        )
        self.engine = engine
        stack.callback(engine.stop)
        if config.pools or config.nodes:
            self.rate_hs = guess_rate(backends)
            expect_benchmark(status, backends, config)
        if self._signals is not None:
            self._signals.starting = False  # a half-started engine cannot stop: the loop will
        engine.start()
        return engine

    def _open_source(self, stack: ExitStack) -> tuple[WorkSource, str, Path]:
        """The source, its key in the journal, and the folder of the journal."""
        folder = paths.state_dir() / "journal"
        if self.config.pools:
            pools = pool_source(self.config, self._measured_rate)
            return pools, pools.name, folder
        rest: dict[str, Any] = {
            "tag": self.config.tag.encode(),
            "roll_versions": self.config.version_rolling,
            "wait_min_diff": self.config.wait_min_diff,
            "retries": self.config.retries,
        }
        if self.config.nodes:
            source = NodeSource(node_setups(self.config), self.payout or "", **rest)
            return source, source.name, folder
        return self._open_own_node(stack, folder, rest)

    def _open_own_node(
        self, stack: ExitStack, folder: Path, rest: dict[str, Any]
    ) -> tuple[WorkSource, str, Path]:
        from miner.node.service import Node  # here, since the kernel's library costs memory

        datadir = self.config.datadir
        self.say("node", "no --pool and no --node: starting an own regtest node")
        node = Node.start(datadir, fresh=self.config.fresh)
        stack.callback(node.stop)
        where = datadir or "a temporary folder, removed at the end"
        self.say("node", f"own regtest node at {node.url}, height {node.height}, chain in {where}")
        if pace := engine_options(self.config).block_interval_s:
            self.say("node", PACED.format(pace))
        endpoint = parse_node_url(node.url, node.port).endpoint
        setup = NodeSetup(endpoint, CookieFile(node.cookie_file), long_poll=True)
        source = NodeSource([setup], self.payout or "", new_chain=datadir is None, **rest)
        if datadir is None:  # the blocks' chain dies with the run
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homehash-")))
        return source, f"own node {datadir.resolve() if datadir else ''}", folder

    def _open_backends(self, stack: ExitStack) -> list[Backend]:
        config = self.config

        backends = registry.open_choice(config.backends, config.threads, self._open_options())
        for backend in backends:
            stack.callback(backend.close)
        return backends

    def _open_options(self) -> OpenOptions:
        say = partial(self.say, "backend")
        return OpenOptions(paths.cache_dir(), say, self.config.intensity)

    def _measured_rate(self) -> float | None:
        """For a pool's difficulty."""
        now = self.engine.snapshot() if self.engine is not None else None
        return rate_to_tell(now, self.rate_hs * self.config.throttle / 100)

    def _tell(self, event: Event) -> None:
        """From the engine's threads; the first job of each session is explained.

        While the screen cannot keep up (a terminal on hold), only what matters is kept.
        """
        if not self.share_limit.passes(event, time.monotonic()):
            return
        if self.events.qsize() < MOST_EVENTS or event.kind in KEPT_EVENTS:
            self.events.put(event)
        job = self.engine.latest_job if self.engine is not None else None
        if event.kind == "job" and job is not None:
            self._explain(job)

    def _explain(self, job: Job) -> None:
        if self._explained.get(job.source) == job.session:
            return
        first = not self._explained
        self._explained[job.source] = job.session
        sentence = mainnet_sentence(job, self.rate_hs) if first else None
        if sentence is not None:
            self.events.put(Event("odds", sentence))
        if self.config.decode:
            own = self._own_address(job)
            chain = "main" if sentence or own is None else own.chains[0]
            try:
                lines = decode_coinbase(job, own, chain).lines()
            except ValueError as error:
                lines = [f"coinbase of job {scrub(job.job_id)} cannot be decoded: {error}"]
            for line in lines:
                self.events.put(Event("coinbase", line))

    def _own_address(self, job: Job) -> Address | None:
        """Where the user's coins go: the payout, or the address in the name used at the pool."""
        if self.payout is not None:
            return decode(self.payout)
        users = dict(zip(pool_names(self.config.pools), self.config.pools, strict=True))
        pool = users.get(job.source)
        return None if pool is None else user_address(pool.user)

    def _exit_code(self) -> int:
        """Of a process that is ended by force: that of the run's error."""
        error = self.engine.error if self.engine is not None else None
        return 0 if error is None else error.exit_code

    def _loop(self, engine: Engine, signals: Signals, forced: ForcedExit) -> None:
        shown = 0.0
        while not (engine.done.is_set() or signals.asked):
            self._show_events(wait_s=REFRESH_S)
            if summed := self.share_limit.due(time.monotonic()):
                self.screen.event(summed)
            if time.monotonic() - shown >= REFRESH_S:
                shown = time.monotonic()
                self.screen.tick(engine.snapshot())
        signals.notice()
        if signals.asked:
            engine.finish(BY_SIGNAL)
        forced.within(HARD_STOP_S)
        engine.stop()
        if signals.asked:  # nothing but words is left
            forced.within(FAREWELL_S)
        while not self.events.empty():
            self._show_events(wait_s=0.0)
        if summed := self.share_limit.due(time.monotonic(), last=True):
            self.screen.event(summed)
        self.say("stop", engine.reason)
        self.screen.close(engine.snapshot())
        forced.cancel()
        if engine.error is not None:
            raise engine.error

    def _stop_unseen(self) -> bool:
        """A signal came, but the main thread is stuck: its output is not taken."""
        if self.engine is None or self._forced_exit is None:
            return False
        self._forced_exit.within(HARD_STOP_S)
        self.engine.finish(BY_SIGNAL)
        self.engine.stop()
        return True

    def _show_events(self, wait_s: float) -> None:
        """What is queued, a good deal of it; waits for the first one at most `wait_s`."""
        try:
            self.screen.event(self.events.get(timeout=wait_s) if wait_s else self.events.get(False))
            for _ in range(EVENTS_TURN):  # they may come faster than they are shown
                self.screen.event(self.events.get(block=False))
        except queue.Empty:
            return


def cautions(config: MineConfig) -> list[str]:
    """What the user should be told about once, at start."""
    told = []
    if config.tls_insecure:
        told.append(
            "TLS IS NOT VERIFIED (--tls-insecure): whoever sits between can pose as your pool or "
            "node, read the password and take your shares; better --tls-pin or --tls-ca"
        )
    if config.sv2_insecure:
        told.append(
            "STRATUM V2 WITHOUT A KEY (--sv2-insecure): whoever sits between can pose as your pool "
            "and take your shares; better the authority key in the URL"
        )
    if getattr(os, "geteuid", lambda: 1)() == 0:
        told.append("running as root: homehash needs no such rights; use an ordinary user")
    return told


def payout_of(config: MineConfig) -> str | None:
    """Where solo rewards go: the address given; on the own node P2WSH of OP_TRUE."""
    if config.address is not None or config.pools or config.nodes:
        return config.address
    return p2wsh_address(OP_TRUE, "regtest")


def payout_text(config: MineConfig, payout: str | None) -> str:
    if config.pools or payout is None:
        return f"mining for {', '.join(pool.user for pool in config.pools)}"
    address = decode(payout)
    whose = "" if config.address else " (anyone can spend it: this chain is a toy)"
    return f"blocks pay {payout}, {address.kind}, script {address.script.hex()}{whose}"


def engine_options(config: MineConfig) -> EngineOptions:
    own = not (config.pools or config.nodes)
    interval = config.block_interval_s
    goals = list(config.stop_after)
    if config.blocks is not None:
        goals.append(Goal(config.blocks, "blocks"))
    return EngineOptions(
        worker=WorkerOptions(throttle=config.throttle, idle=config.idle),
        goals=tuple(goals),
        block_interval_s=(OWN_INTERVAL_S if own else 0.0) if interval is None else interval,
    )


def expect_benchmark(status: Status, backends: list[Backend], config: MineConfig) -> None:
    """Hold the live rate against `miner bench --save`, unless it is slowed on purpose."""
    running = Counter(backend.info.name for backend in backends)
    saved = baseline.expected(baseline.load(paths.state_dir()), running)
    slowed = config.throttle < 100 or bool(config.block_interval_s)
    if saved is not None and not slowed:
        status.expect(saved.rate_hs, baseline.AMBER * saved.low_hs)


def pool_source(config: MineConfig, rate_hs: Callable[[], float | None]) -> WorkSource:
    from miner.sources.pool.options import PoolOptions
    from miner.sources.pool.pools import pool_source as open_pools

    options = PoolOptions(
        agent=f"homehash/{__version__}",
        version_mask=BIP320_MASK if config.version_rolling else 0,
        allow_redirect=config.allow_redirect,
        tls=TlsSettings(config.tls_ca, config.tls_pin, config.tls_insecure),
        sv2_insecure=config.sv2_insecure,
        retries=config.retries,
        rate_hs=rate_hs,
    )
    return open_pools(config.pools, options)


def rate_to_tell(now: StatusSnapshot | None, guess_hs: float) -> float | None:
    """Counted rates lag at first and after a pause: the guess then, the better of two windows
    later; None when nothing is known."""
    if now is None or now.elapsed_s < RATE_SETTLED_S:
        return guess_hs or None
    return max(now.rate_1min_hs, now.rate_15min_hs) or None


def node_setups(config: MineConfig) -> list[NodeSetup]:
    chains = decode(config.address).chains if config.address is not None else ()
    tls = TlsSettings(config.tls_ca, config.tls_pin, config.tls_insecure)
    return [
        NodeSetup(
            node.endpoint,
            find_credentials(node, cookie=config.cookie, chains=chains),
            tls,
            long_poll=config.long_poll,
        )
        for node in config.nodes
    ]
