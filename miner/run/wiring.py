"""From settings to the parts of a run: source, journal, backends, engine options."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from miner import __version__, baseline, paths
from miner.backends.base import Backend
from miner.bitcoin.address import decode, p2wsh_address
from miner.bitcoin.versions import BIP320_MASK
from miner.engine.core import EngineOptions
from miner.engine.goal import Goal
from miner.engine.worker import WorkerOptions
from miner.journal import Journal
from miner.run.config import MineConfig
from miner.run.machine import machine
from miner.sources.base import WorkSource
from miner.sources.node.setup import NodeSetup
from miner.sources.node.source import NodeSource
from miner.sources.node.watched import WatchedSource
from miner.sources.node.witness import Witness
from miner.sources.pool.options import PoolOptions, pool_names
from miner.sources.pool.tips import Elsewhere, nowhere
from miner.state.snapshot import Snapshot
from miner.state.sources import Place
from miner.state.status import Facts
from miner.transport.credentials import CookieFile, find_credentials
from miner.transport.endpoint import NodeAddress, parse_node_url
from miner.transport.tls import TlsSettings

OP_TRUE = b"\x51"  # anyone may spend: the lessons do
PACED = (
    "every second hash makes a block here, so they are kept {:g} s apart (--block-interval); "
    "this computer's speed is measured in between"
)
OWN_INTERVAL_S = 1.0  # faster for long, and block time runs past the two-hour limit
RATE_SETTLED_S = 60.0  # a counted rate is worth telling a pool after this
Say = Callable[[str], None]


class Opened(NamedTuple):
    """A source with what belongs to it."""

    source: WorkSource
    key: str  # in the journal
    folder: Path  # of the journal
    places: list[Place]  # rows of the snapshot


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
    if config.address is not None or not config.own_node:
        return config.address
    return p2wsh_address(OP_TRUE, "regtest")


def payout_text(config: MineConfig, payout: str | None) -> str:
    if config.pools or payout is None:
        return f"mining for {', '.join(pool.user for pool in config.pools)}"
    if config.address is None:
        return "blocks pay an address that anyone can spend from: this chain is a toy"
    address = decode(payout)
    return f"blocks pay {payout}, {address.kind}, script {address.script.hex()}"


def engine_options(config: MineConfig) -> EngineOptions:
    interval = config.block_interval_s
    goals = list(config.stop_after)
    if config.blocks is not None:
        goals.append(Goal(config.blocks, "blocks"))
    pace_s = (OWN_INTERVAL_S if config.own_node else 0.0) if interval is None else interval
    return EngineOptions(
        worker=WorkerOptions(throttle=config.throttle, idle=config.idle, paced=pace_s > 0),
        goals=tuple(goals),
        block_interval_s=pace_s,
    )


def tell_facts(facts: Facts, config: MineConfig, options: EngineOptions) -> None:
    """What is known before anything is opened."""
    facts.tls_insecure = config.tls_insecure
    facts.paced = options.block_interval_s > 0
    facts.goals = tuple(f"{goal.amount:g} {goal.unit}" for goal in options.goals)
    facts.machine = machine()


def open_source(
    config: MineConfig,
    payout: str | None,
    rate_hs: Callable[[], float | None],
    say: Say,
    stack: ExitStack,
) -> Opened:
    """Connects to nothing yet; the own node is started. Raises MinerError."""
    folder = paths.state_dir() / "journal"
    if config.pools or config.providers:
        remote = remote_source(config, payout, rate_hs)
        return Opened(remote, remote.name, folder, rows(config, payout))
    rest: dict[str, Any] = {
        "tag": config.tag.encode(),
        "roll_versions": config.version_rolling,
        "wait_min_diff": config.wait_min_diff,
        "retries": config.retries,
    }
    if not config.nodes:
        return open_own_node(config, payout, rest, say, stack)
    source = NodeSource(node_setups(config), payout or "", **rest)
    place = Place(source.name, source.name, "node", user=payout or "")
    return Opened(source, source.name, folder, [place])


def remote_source(
    config: MineConfig, payout: str | None, rate_hs: Callable[[], float | None]
) -> WorkSource:
    """Pools or template providers, looked after by the node of --check-node."""
    witness = None
    if config.check_node is not None:
        witness = Witness(node_setup(config, config.check_node))
    elsewhere = nowhere if witness is None else witness.tip
    if config.pools:
        source = pool_source(config, rate_hs, elsewhere)
    else:
        source = provider_source(config, payout, elsewhere)
    return source if witness is None else WatchedSource(source, witness)


def rows(config: MineConfig, payout: str | None) -> list[Place]:
    """Of the snapshot, in order of priority."""
    kind = "pool" if config.pools else "node"
    urls = [pool.url for pool in config.pools] or list(config.providers)
    users = [pool.user for pool in config.pools] or [payout or ""] * len(urls)
    named = zip(pool_names(urls), urls, users, strict=True)
    return [Place(name, str(url), kind, n, user) for n, (name, url, user) in enumerate(named)]


def open_own_node(
    config: MineConfig, payout: str | None, rest: dict[str, Any], say: Say, stack: ExitStack
) -> Opened:
    from miner.node.service import Node  # here, since the kernel's library costs memory

    datadir, folder = config.datadir, paths.state_dir() / "journal"
    say("no --pool and no --node: starting an own regtest node")
    node = Node.start(datadir, fresh=config.fresh)
    stack.callback(node.stop)
    where = datadir or "a temporary folder, removed at the end"
    say(f"own regtest node at {node.url}, height {node.height}, chain in {where}")
    if pace := engine_options(config).block_interval_s:
        say(PACED.format(pace))
    endpoint = parse_node_url(node.url, node.port).endpoint
    setup = NodeSetup(endpoint, CookieFile(node.cookie_file), long_poll=True)
    source = NodeSource([setup], payout or "", new_chain=datadir is None, **rest)
    if datadir is None:  # the blocks' chain dies with the run
        temporary = tempfile.TemporaryDirectory(prefix="homehash-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
    key = f"own node {datadir.resolve() if datadir else ''}"
    return Opened(source, key, folder, [Place(source.name, node.url, "node", user=payout or "")])


def pool_source(
    config: MineConfig, rate_hs: Callable[[], float | None], elsewhere: Elsewhere = nowhere
) -> WorkSource:
    from miner.sources.pool.pools import pool_source as open_pools

    return open_pools(config.pools, pool_options(config, rate_hs), elsewhere)


def provider_source(
    config: MineConfig, payout: str | None, elsewhere: Elsewhere = nowhere
) -> WorkSource:
    """Templates by Stratum v2."""
    from miner.protocol.sv2.template import Payout
    from miner.sources.sv2.templates import template_source

    address = decode(payout or "")
    plan = Payout(address.script, config.tag.encode(), config.version_rolling, address.chains)
    options = replace(pool_options(config, lambda: None), noun="node")
    return template_source(config.providers, plan, options, elsewhere)


def pool_options(config: MineConfig, rate_hs: Callable[[], float | None]) -> PoolOptions:
    return PoolOptions(
        agent=f"homehash/{__version__}",
        version_mask=BIP320_MASK if config.version_rolling else 0,
        allow_redirect=config.allow_redirect,
        tls=TlsSettings(config.tls_ca, config.tls_pin, config.tls_insecure),
        sv2_insecure=config.sv2_insecure,
        device_name=config.device_name or "",
        retries=config.retries,
        rate_hs=rate_hs,
    )


def node_setups(config: MineConfig) -> list[NodeSetup]:
    return [node_setup(config, node) for node in config.nodes]


def node_setup(config: MineConfig, node: NodeAddress) -> NodeSetup:
    """How to reach it. Raises ConfigError without credentials."""
    chains = decode(config.address).chains if config.address is not None else ()
    return NodeSetup(
        node.endpoint,
        find_credentials(node, cookie=config.cookie, chains=chains),
        TlsSettings(config.tls_ca, config.tls_pin, config.tls_insecure),
        long_poll=config.long_poll,
    )


def open_journal(config: MineConfig, opened: Opened) -> Journal:
    """With what earlier runs left. Raises JournalError."""
    if config.journal is not None:
        journal = Journal(config.journal, opened.key)
    else:
        journal = Journal.open_own(opened.folder, opened.key)
    journal.earlier.read(paths.state_dir() / "journal")
    return journal


def expect_benchmark(facts: Facts, backends: list[Backend], config: MineConfig) -> None:
    """Hold the live rate against `miner bench --save`, unless it is slowed on purpose."""
    running = Counter(backend.info.name for backend in backends)
    saved = baseline.expected(baseline.load(paths.state_dir()), running)
    slowed = config.throttle < 100 or bool(config.block_interval_s)
    if saved is not None and not slowed:
        facts.benchmark_hs, facts.least_hs = saved.rate_hs, baseline.AMBER * saved.low_hs


def rate_to_tell(now: Snapshot, guess_hs: float) -> float | None:
    """Counted rates lag at first and after a pause: the guess then, the better of two windows
    later; None when nothing is known."""
    if now.run.elapsed_s < RATE_SETTLED_S:
        return guess_hs or None
    return max(now.run.rates.rate_1min_hs, now.run.rates.rate_15min_hs) or None
