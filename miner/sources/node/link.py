"""One node: connects, checks its chain, follows its tip, and hands on each template.

One thread and one connection: it watches for a new tip (tips.py) and fetches a template at each and
every 30 s. Where long polls are wanted they have another of both (longpoll.py). Blocks go out
beside them, see submitter.py.
"""

import logging
import random
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from miner.bitcoin.target import EASIEST_NBITS
from miner.errors import (
    MinerError,
    RemoteProtocolError,
    RpcAuthError,
    RpcError,
    RpcForbidden,
    RpcNotReady,
    SourceRefused,
    TransportError,
)
from miner.protocol.gbt.job import refuse_signed_signet, template_request
from miner.protocol.gbt.template import Template, parse_template
from miner.sources.base import Health
from miner.sources.node.longpoll import LongPoll
from miner.sources.node.min_diff import MinDifficulty
from miner.sources.node.tips import WAIT_S, Ask, TipWatch
from miner.sources.sleep import SleepWatch
from miner.text import scrub
from miner.transport.credentials import Credentials
from miner.transport.endpoint import Endpoint
from miner.transport.rpc import Rpc
from miner.transport.tls import TlsSettings

log = logging.getLogger(__name__)

OTHER_TIP_S = 0.25  # before the tip is asked for again when the template was of another
AUTH_TRIES = 2  # before wrong credentials end the run: a cookie may just be changing


@dataclass(frozen=True, slots=True)
class NodeSetup:
    """How to reach one node."""

    endpoint: Endpoint
    credentials: Credentials
    tls: TlsSettings | None = None
    long_poll: bool = False  # its workers are all ours: wait for templates in long polls


@dataclass(frozen=True, slots=True)
class Timing:
    """Every wait, in seconds; tests shorten them."""

    call: float = 30.0
    connect: float = 2.5  # the first try: an unreachable node is named within 3 s
    longpoll: float = 600.0  # Core answers within a minute once transactions arrive, else never
    tip: float = WAIT_S
    tip_beside_longpoll: float = 5.0
    tip_call: float = 10.0  # a dead connection, as after a suspend, is noticed by then
    refresh: float = 30.0  # a template is fetched again after this
    template_age: float = 300.0  # and not mined any longer after this
    longpoll_grace: float = 0.5  # a new tip seen by polling: let the long poll bring it first
    retry_first: float = 1.0
    retry_max: float = 15.0  # a node is mostly our own: it may be asked often
    not_ready: float = 2.0
    submit_first: float = 0.25
    submit_max: float = 5.0
    side_poll: float = 10.0


class LinkOwner(Protocol):
    """Who listens to a link, from its threads."""

    def on_chain(self, link: "NodeLink", chain: str) -> None:
        """Raise SourceRefused when this chain cannot be mined."""

    def on_template(self, link: "NodeLink", template: Template) -> None:
        """Raise RemoteProtocolError when no job can be made of it."""

    def on_health(
        self, link: "NodeLink", health: Health, text: str, fatal: MinerError | None = None
    ) -> None: ...


class NodeLink:
    """Keeps one node's newest template. `start` once, `stop` once."""

    def __init__(
        self, setup: NodeSetup, owner: LinkOwner, timing: Timing, retries: int | None, wait: bool
    ) -> None:
        self.name = str(setup.endpoint)
        self.setup, self._owner, self.timing = setup, owner, timing
        self._retries = retries
        self._work = self.lane()
        self._tips = TipWatch(self._ask, timing.tip_call, waits=not setup.long_poll)
        self._longpoll = LongPoll(self, self.lane()) if setup.long_poll else None
        self._min_diff = MinDifficulty(wait)
        self._stopping = threading.Event()
        self._changed = threading.Condition()  # guards what follows
        self._woken = False
        self.health = Health.CONNECTING
        self.chain = ""
        self.template: Template | None = None
        self._fetched = 0.0
        self._connected = self._ever_connected = False
        self._sleep = SleepWatch()
        self._thread = threading.Thread(target=self._run, name=f"{self.name} tip", daemon=True)

    def lane(self) -> Rpc:
        """A new connection of its own."""
        setup = self.setup
        return Rpc(setup.endpoint, setup.credentials, self.timing.call, setup.tls)

    def start(self) -> None:
        self._thread.start()
        if self._longpoll is not None:
            self._longpoll.start()

    def stop(self) -> None:
        """Tell the threads to end and break their calls; `join` waits for them."""
        self._stopping.set()
        self._work.abort()
        if self._longpoll is not None:
            self._longpoll.stop()
        self.wake()

    def join(self, deadline: float) -> None:
        """Wait for the threads until a monotonic time; one stuck in a connect dies with us."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        self._work.close()
        if self._longpoll is not None:
            self._longpoll.join(deadline)

    def wake(self) -> None:
        """Look at the tip now: a block was accepted, or the node answers again."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    # -- tip thread -------------------------------------------------------------------------
    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._connect(self.timing.call if failures else self.timing.connect)
                failures = 0
                self._follow()
            except MinerError as error:
                self._disconnected()
                failures += 1
                if self._stopping.is_set() or self._ended(error, failures):
                    break
                self._pause(self._delay(error, failures))
            except Exception:
                log.exception("%s: the tip thread met a bug", self.name)
                self._disconnected()
                self._pause(self.timing.retry_max)

    def _connect(self, timeout_s: float) -> None:
        """Chain, sync state and a first template."""
        info = self._work.call("getblockchaininfo", timeout_s=timeout_s)
        chain = info.get("chain") if isinstance(info, dict) else None
        if not isinstance(chain, str):  # a spoilt answer, which the next may not be
            raise RemoteProtocolError(f"{self.name}: getblockchaininfo names no chain")
        if chain not in EASIEST_NBITS:
            raise SourceRefused(f"{self.name}: chain {scrub(chain, 40)!r} is not known")
        self._owner.on_chain(self, chain)
        self.chain = chain
        self._check_synced(info)
        if chain == "signet":
            refuse_signed_signet(info.get("signet_challenge"))
        self._fetch()
        with self._changed:
            self._connected = self._ever_connected = True
            self._changed.notify_all()

    def _check_synced(self, info: dict[str, Any]) -> None:
        """On test chains Core gives templates while it still syncs: wait all the same."""
        if self.chain != "regtest" and info.get("initialblockdownload") is True:
            blocks, headers = scrub(info.get("blocks"), 12), scrub(info.get("headers"), 12)
            reason = f"initial block download, at block {blocks} of {headers}"
            raise RpcNotReady("getblockchaininfo", -10, reason)

    def _follow(self) -> None:
        """Watch the tip until something breaks; fetch when it moved or the template aged."""
        while not self._stopping.is_set():
            best = self._next_tip()
            if self._stopping.is_set():
                return
            if self._sleep.slept():
                self._owner.on_health(self, self.health, "this computer slept: connecting again")
                self._work.close()  # it may be dead without knowing
                self._fetch()
                best = self._tips.now()
            if self._moved_to(best):
                self._fetch()
                if self._is_old(best):  # its tip and its template disagree: not at once again
                    self._pause(OTHER_TIP_S)
            elif time.monotonic() >= self._due():
                self._fetch()

    def _next_tip(self) -> object:
        """The tip, when it changed, a template is due, or a moment has passed."""
        with self._changed:
            woken, self._woken = self._woken, False
        if woken or self.template is None:
            return self._tips.now()
        every_s = self.timing.tip_beside_longpoll if self._longpoll else self.timing.tip
        limit_s = min(every_s, max(0.05, self._due() - time.monotonic()))
        return self._tips.next(self.template.prev_hash_hex, limit_s, self._pause)

    def _moved_to(self, best: object) -> bool:
        """Is there a new tip whose template the long poll does not bring in a moment?"""
        with self._changed:
            polling = self._longpoll is not None and self._longpoll.waiting
            return not self._changed.wait_for(
                lambda: self._stopping.is_set() or not self._is_old(best),
                self.timing.longpoll_grace if polling else 0.0,
            )

    def _is_old(self, best: object) -> bool:
        return self.template is None or self.template.prev_hash_hex != best

    def _due(self) -> float:
        """When the template must be fetched again at the latest."""
        template = self.template
        if template is None:
            return 0.0
        wait = self.timing.refresh
        if template.expires_s is not None:
            wait = min(wait, 0.8 * template.expires_s)
        until_easy = self._min_diff.until_easy(template)
        return self._fetched + (wait if until_easy is None else min(wait, until_easy))

    def _fetch(self) -> None:
        self._take(self._ask("getblocktemplate", template_request(self.chain)), self._ask)

    def _ask(self, method: str, *params: Any, timeout_s: float | None = None) -> object:
        return self._call(self._work, method, *params, timeout_s=timeout_s)

    def _call(self, lane: Rpc, method: str, *params: Any, timeout_s: float | None = None) -> object:
        """An answer that is surely of our chain: a new connection is asked for it again."""
        before = lane.opened
        answer = lane.call(method, *params, timeout_s=timeout_s)
        if lane.opened != before:
            info = lane.call("getblockchaininfo")
            if not isinstance(info, dict) or info.get("chain") != self.chain:
                raise TransportError(f"{self.name}: it came back on another chain")
        return answer

    def _take(self, reply: object, ask: Ask) -> None:
        """Validate and hand on; a refused template leaves the old one until it is too old."""
        before, fetched, template = self.template, self._fetched, None
        try:
            template = parse_template(reply, self.chain, before)
            wait_s = self._min_diff.held_back(template, ask)
            with self._changed:
                self.template, self._fetched = template, time.monotonic()
                self._changed.notify_all()
            if wait_s is None:
                self._owner.on_template(self, template)
        except RemoteProtocolError as error:
            with self._changed:
                if self.template is template:  # else the other thread has brought a newer one
                    self.template, self._fetched = before, fetched
            self._keep_old(error)
            return
        if wait_s is not None:
            text = f"waiting for minimum difficulty: {wait_s:.0f} s left unless a block comes first"
            self._owner.on_health(self, Health.WAITING, text)

    def _keep_old(self, error: RemoteProtocolError) -> None:
        age = time.monotonic() - self._fetched
        if self.template is None or age > self.timing.template_age:
            raise error
        self._owner.on_health(self, self.health, f"{error}; the template before it stays")

    # -- for the long poll's thread ---------------------------------------------------------
    def await_connected(self) -> bool:
        """Wait until a template came; False when the link stops."""
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self._stopping.is_set())
            return not self._stopping.is_set()

    def long_poll(self, longpollid: str, lane: Rpc) -> None:
        """Wait for the next template. Raises MinerError."""
        ask, request = partial(self._call, lane), template_request(self.chain, longpollid)
        self._take(ask("getblocktemplate", request, timeout_s=self.timing.longpoll), ask)

    def missed(self, error: MinerError, failures: int) -> float:
        """The tip thread decides what a failure means: let it look at once. Seconds to wait."""
        if not isinstance(error, RpcError):
            self.wake()
        return self._delay(error, failures)

    def rest(self, seconds: float) -> None:
        """Sleep, or until the link stops."""
        self._stopping.wait(seconds)

    # -- failures ---------------------------------------------------------------------------
    def _disconnected(self) -> None:
        with self._changed:
            self._connected = False

    def _ended(self, error: MinerError, failures: int) -> bool:
        """Report; is this node given up?"""
        fatal = self._fatal(error, failures)
        if fatal is not None:
            self._owner.on_health(self, Health.REFUSED, scrub(fatal), fatal)
            return True
        gone = self._retries is not None and failures > self._retries
        waits = isinstance(error, RpcNotReady)
        text = error.reason if isinstance(error, RpcNotReady) else str(error)
        health = Health.WAITING if waits else Health.DOWN
        self._owner.on_health(self, health, scrub(text), error if gone else None)
        return gone

    def _fatal(self, error: MinerError, failures: int) -> MinerError | None:
        """The error that waiting cannot cure, if this is one."""
        if isinstance(error, RpcAuthError | RpcForbidden):
            return None if self._ever_connected or failures < AUTH_TRIES else error
        if isinstance(error, SourceRefused):
            return error
        if isinstance(error, RpcError) and error.code in (-32601, -8):
            return SourceRefused(f"{self.name} cannot be mined on: {error}")
        return error if not isinstance(error, _CURABLE) else None

    def _delay(self, error: MinerError, failures: int) -> float:
        if isinstance(error, RpcNotReady):
            return self.timing.not_ready
        if isinstance(error, RpcAuthError):
            return self.timing.retry_first
        longest = min(self.timing.retry_max, self.timing.retry_first * 2.0 ** min(failures, 10))
        return random.uniform(self.timing.retry_first / 4, longest)

    def _pause(self, seconds: float) -> None:
        """Wait, or until `wake` or `stop`."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._stopping.is_set(), seconds)
            self._woken = False


_CURABLE: tuple[type[MinerError], ...] = (
    RpcError,
    RpcAuthError,
    RpcForbidden,
    TransportError,
    RemoteProtocolError,
)
