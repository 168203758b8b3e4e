"""Checks of install, devices, disk, nodes and pools: each passes, warns or fails with one remedy.

A check never raises for what it looks at; what it cannot look at is itself a finding.
"""

import importlib.util
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from miner import files, paths
from miner.backends import registry
from miner.backends.base import Kind
from miner.backends.choice import choose
from miner.backends.native import library
from miner.bitcoin.address import (
    TEST_CHAINS,
    Address,
    WrongChain,
    decode,
    p2wsh_address,
    script_from_address,
)
from miner.errors import (
    ConnectFailed,
    MinerError,
    RemoteProtocolError,
    RpcAuthError,
    RpcError,
    RpcForbidden,
    RpcNotReady,
    SourceRefused,
    TransportError,
)
from miner.node.rules import PRIVATE
from miner.protocol.gbt.job import (
    MiningPlan,
    make_job,
    proposal_hex,
    proposal_request,
    refuse_signed_signet,
    template_request,
)
from miner.protocol.gbt.template import Template, parse_template
from miner.protocol.gbt.verdicts import explain
from miner.run.config import MineConfig
from miner.run.wiring import node_setup, node_setups, pool_source, provider_source
from miner.sources.base import WorkSource
from miner.sources.look import look_at
from miner.sources.node.setup import NodeSetup
from miner.text import scrub
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc

SLOW_FSYNC_S = 0.05  # a found block is written before it is sent
LOW_DISK_BYTES = 100 << 20
CLOCK_SKEW_S = 600
POOL_WAIT_S = 20.0  # a pool's budget from name to first job
ANYONE = bytes.fromhex("51")  # a payout for the dry run when no address is given


class Outcome(Enum):
    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do about it."""

    check: str
    outcome: Outcome
    text: str  # one line, scrubbed
    remedy: str = ""


def passed(check: str, text: str) -> Finding:
    return Finding(check, Outcome.PASS, scrub(text))


def warned(check: str, text: object, remedy: str) -> Finding:
    return Finding(check, Outcome.WARN, scrub(text), remedy)


def failed(check: str, text: object, remedy: str) -> Finding:
    return Finding(check, Outcome.FAIL, scrub(text), remedy)


# -- this machine -----------------------------------------------------------------------------
def check_install() -> Iterator[Finding]:
    """Python, the C library, the kernel binding."""
    yield passed("python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    try:
        library.load()
    except library.NotUsable as why:
        remedy = "do what it says: without the C backends mining is much slower"
        yield warned("native", f"the C backends are {why}", remedy)
    else:
        yield passed("native", "the C backends are built")
    if importlib.util.find_spec("pbk") is None:
        remedy = "use CPython 3.11 to 3.13, or mine with --node or --pool"
        yield warned("own node", "py-bitcoinkernel is not installed here", remedy)
    else:
        yield passed("own node", "py-bitcoinkernel is installed")


def check_devices() -> Iterator[Finding]:
    """What can hash, and what could but does not."""
    rows = registry.probe_all()
    choice = choose(rows)
    usable = [row.name for row in rows if choice.takes(row)]
    if usable:
        yield passed("devices", f"usable: {', '.join(usable)}")
    else:
        yield failed("devices", "no backend is usable", "see `miner devices` for the reasons")
    for row in rows:
        if not row.usable and row.kind is Kind.GPU:
            text = f"{row.name}: {row.why_not}"
            yield warned("devices", text, "nothing to do unless you want this one")


def check_disk(folder: Path | None = None) -> Iterator[Finding]:
    """Can a found block be kept, and how fast?"""
    try:
        folder = files.private_dir(folder or paths.state_dir())
        free = shutil.disk_usage(folder).free
        with tempfile.NamedTemporaryFile(dir=folder, prefix="doctor-") as file:
            started = time.monotonic()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            took_s = time.monotonic() - started
    except OSError as error:
        remedy = "make the folder writable, or set MINER_HOME to another one"
        yield failed("disk", f"cannot write in {folder}: {error.strerror}", remedy)
        return
    if free < LOW_DISK_BYTES:
        yield warned("disk", f"{free >> 20} MiB free in {folder}", "free some space")
    elif took_s > SLOW_FSYNC_S:
        text = f"writing 4 KiB in {folder} took {1000 * took_s:.0f} ms"
        yield warned("disk", text, "name a file on a faster disk with --journal")
    else:
        yield passed("disk", f"{folder}: {free >> 30} GiB free, synced in {1000 * took_s:.1f} ms")


# -- a node -----------------------------------------------------------------------------------
class NodeDoctor:
    """Looks at one node the way mining will use it."""

    def __init__(self, setup: NodeSetup, address: Address | None, timeout_s: float = 10.0) -> None:
        self._rpc = Rpc(setup.endpoint, setup.credentials, timeout_s, setup.tls)
        self._setup, self._address = setup, address
        self._chain = ""
        self._info: dict[str, Any] = {}

    def findings(self) -> Iterator[Finding]:
        """Every check that the ones before it leave possible."""
        try:
            yield from self._reach()
            if self._chain:
                yield from self._look()
        finally:
            self._rpc.close()

    def _look(self) -> Iterator[Finding]:
        for name, check in (
            ("chain", self._on_chain),
            ("sync", self._synced),
            ("peers", self._peers),
            ("address", self._payout),
            ("template", self._mines),
        ):
            try:
                yield from check()
            except MinerError as error:
                yield failed(name, error, remedy_for(error))

    def _ask(self, method: str, *params: str) -> dict[str, Any]:
        """The answer of a method that gives an object."""
        answer = self._rpc.call(method, *params)
        if not isinstance(answer, dict):
            raise RemoteProtocolError(f"{method} gave no object but {scrub(answer, 40)}")
        return answer

    def _reach(self) -> Iterator[Finding]:
        """Connection, credentials and readiness, by one call."""
        where, started = self._setup.endpoint, time.monotonic()
        try:
            info = self._rpc.call("getblockchaininfo")
            took = f"{where} answers in {1000 * (time.monotonic() - started):.0f} ms"
        except RpcNotReady as error:
            yield passed("reach", f"{where} answers")
            yield warned("ready", error.reason, "wait: mining starts by itself when it is ready")
            return
        except (RpcAuthError, RpcForbidden) as error:
            yield passed("reach", f"{where} answers")
            yield failed("login", error, remedy_for(error))
            return
        except MinerError as error:
            yield failed("reach", error, remedy_for(error))
            return
        yield passed("reach", took)
        yield passed("login", f"{self._setup.credentials} accepted")
        if isinstance(info, dict) and isinstance(info.get("chain"), str):
            self._info, self._chain = info, info["chain"]
        else:
            yield failed("reach", "it does not answer like a Bitcoin node", "check --node")

    def _on_chain(self) -> Iterator[Finding]:
        version = self._ask("getnetworkinfo").get("subversion")
        text = f"{self._chain} at height {self._info.get('blocks')}, {scrub(version, 60)}"
        yield passed("chain", text)
        if self._chain == "signet":
            refuse_signed_signet(self._info.get("signet_challenge"))

    def _synced(self) -> Iterator[Finding]:
        blocks, headers = self._info.get("blocks"), self._info.get("headers")
        if self._chain != "regtest" and self._info.get("initialblockdownload") is True:
            text = f"initial block download: block {blocks} of {headers}"
            yield warned("sync", text, "wait: mining starts by itself when it is done")
        elif type(blocks) is int and type(headers) is int and headers - blocks > 2:
            yield warned("sync", f"{headers - blocks} blocks behind its headers", "wait a moment")
        else:
            yield passed("sync", f"at its newest header, {headers}")

    def _peers(self) -> Iterator[Finding]:
        count = self._ask("getnetworkinfo").get("connections")
        warnings = self._info.get("warnings")
        if isinstance(warnings, list) and PRIVATE in warnings:
            yield passed("peers", f"{count}; {PRIVATE}")
        elif self._chain == "regtest":
            yield passed("peers", f"{count}; regtest needs none")
        elif count:
            yield passed("peers", f"{count} connected")
        else:
            text = "no peers: a block found now would reach nobody"
            yield failed("peers", text, "check the node's network, or add peers with addnode")

    def _payout(self) -> Iterator[Finding]:
        address = self._address
        if address is None:
            yield warned("address", "none given: not checked", "give --address")
            return
        try:
            script = script_from_address(address.text, self._chain)
        except WrongChain as error:
            yield failed("address", error, f"give an address of {self._chain}")
            return
        told = self._ask("validateaddress", address.text)
        if told.get("isvalid") is not True:
            yield failed("address", f"the node calls {address.text} invalid", "check every letter")
        elif told.get("scriptPubKey") not in (None, script.hex()):
            yield failed("address", "the node decodes it to another script", "please report this")
        elif self._chain in TEST_CHAINS:
            others = " and ".join(chain for chain in address.chains if chain != self._chain)
            text = f"{address.kind}, script {script.hex()}, but valid on {others} too"
            yield warned("address", text, f"make sure that {self._chain} is meant")
        else:
            yield passed("address", f"{address.kind}, script {script.hex()}")

    def _mines(self) -> Iterator[Finding]:
        """A template, read as mining reads it, and a dry run of the block made from it."""
        reply = self._rpc.call("getblocktemplate", template_request(self._chain))
        template = parse_template(reply, self._chain)
        for alarm in template.alarms:
            yield warned("template", alarm, "mining goes on without these; update the node")
        count = len(template.transactions)
        yield passed("template", f"height {template.height}, {count} transactions")
        skew = template.curtime - time.time()
        if abs(skew) > CLOCK_SKEW_S:
            text = f"the node's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
            yield warned("clock", text, "correct whichever is wrong; blocks carry the node's time")
        yield self._dry_run(template)

    def _dry_run(self, template: Template) -> Finding:
        script = self._address.script if self._address is not None else ANYONE
        job = make_job(template, MiningPlan(script), source="doctor", job_id="0", clean=True)
        request = proposal_request(self._chain, proposal_hex(job), template.workid)
        try:
            word = self._rpc.call("getblocktemplate", request)
        except RpcError as error:
            return warned("dry run", error, "only the dry run is missing; mining works")
        if word is None:
            return passed("dry run", "the node would accept our block, but for its work")
        if word == "inconclusive-not-best-prevblk":
            return passed("dry run", "a new block came in between; run doctor again")
        meaning = explain(word) if isinstance(word, str) else ""
        return failed("dry run", f"{scrub(word, 60)}: {meaning}", "please report this")


def remedy_for(error: MinerError) -> str:
    """One thing to do about an error of a node."""
    if isinstance(error, RpcAuthError):
        return "give --cookie FILE, or the rpcuser and rpcpassword of bitcoin.conf"
    if isinstance(error, RpcForbidden):
        return "allow this machine with rpcallowip and the methods with rpcwhitelist"
    if isinstance(error, RpcNotReady):
        return "wait: mining starts by itself when it is ready"
    if isinstance(error, ConnectFailed) and "cookie" in str(error):
        return "start the node, or give --cookie FILE"
    if isinstance(error, ConnectFailed):
        return "start the node with server=1, and check --node"
    if isinstance(error, SourceRefused):
        return "use another node or chain"
    if isinstance(error, RemoteProtocolError | TransportError):
        return "check that --node names a Bitcoin node's RPC port"
    return "see the node's debug.log"


def check_own_node() -> Iterator[Finding]:
    """The built-in node, looked at as if it were yours."""
    if importlib.util.find_spec("pbk") is None:
        return  # check_install said so
    from miner.node.service import Node  # here, since the kernel's library costs memory

    try:
        with Node.start() as node:
            endpoint = parse_node_url(node.url, node.port).endpoint
            setup = NodeSetup(endpoint, CookieFile(node.cookie_file))
            address = decode(p2wsh_address(ANYONE, "regtest"))
            yield from NodeDoctor(setup, address).findings()
    except MinerError as error:
        yield failed("own node", error, "mine with --node or --pool meanwhile")


def check_trust(config: MineConfig) -> Iterator[Finding]:
    """Are certificates checked at all?"""
    if config.tls_insecure:
        text = "TLS IS NOT VERIFIED (--tls-insecure): anyone in between can pose as the other side"
        yield warned(
            "tls", text, "trust one certificate with --tls-pin, or authorities by --tls-ca"
        )


# -- a pool, or a template provider ------------------------------------------------------------
def check_source(check: str, source: WorkSource, remedy: str) -> Iterator[Finding]:
    """Connect to a pool or template provider as mining would and wait for work."""
    look = look_at(source, POOL_WAIT_S)
    for fact in look.facts:
        yield passed(check, fact)
    for alarm in look.alarms:
        yield warned(check, alarm, "act upon it before you mine")
    if look.job is not None:
        yield passed(check, f"{look.job.source}: logged in, work after {look.took_s:.1f} s")
        return
    yield failed(check, look.last or f"no work within {POOL_WAIT_S:.0f} s", remedy)


def examine(config: MineConfig) -> Iterator[Finding]:
    """Every check that fits what the user wants to mine with."""
    yield from check_install()
    yield from check_devices()
    yield from check_disk()
    yield from check_trust(config)
    address = decode(config.address) if config.address is not None else None
    looked_at = [] if config.check_node is None else [node_setup(config, config.check_node)]
    for setup in node_setups(config) + looked_at:
        yield from NodeDoctor(setup, address).findings()
    for pool in config.pools:
        source = pool_source(replace(config, pools=(pool,), retries=0), lambda: None)
        yield from check_source("pool", source, "check --pool, --user and the pool's own page")
    for provider in config.providers:
        source = provider_source(replace(config, providers=(provider,), retries=0), config.address)
        yield from check_source("templates", source, "check --node, and sv2-tp's own log")
    if config.own_node:
        yield from check_own_node()
