"""One node: connects, checks its chain, follows its tip, and hands on each template.

One thread and one connection: it watches for a new tip (tips.py) and fetches a template at each and
every 30 s (feed.py). Where long polls are wanted they have another of both (longpoll.py). Blocks go
out beside them, see submitter.py.
"""

import logging
import threading
import time
from functools import partial
from typing import Any, Protocol

from miner.bitcoin.target import EASIEST_NBITS
from miner.errors import (
    MinerError,
    RemoteProtocolError,
    RpcError,
    RpcNotReady,
    SourceRefused,
    TransportError,
)
from miner.protocol.gbt.job import refuse_signed_signet, template_request
from miner.protocol.gbt.template import Template
from miner.sources.base import Health
from miner.sources.node.bell import Bell
from miner.sources.node.feed import TemplateFeed
from miner.sources.node.longpoll import LongPoll
from miner.sources.node.min_diff import MinDifficulty
from miner.sources.node.retries import Retries
from miner.sources.node.setup import NodeSetup, Timing
from miner.sources.node.tips import Ask, TipWatch
from miner.sources.sleep import SleepWatch
from miner.text import scrub
from miner.transport.rpc import Rpc

log = logging.getLogger(__name__)

OTHER_TIP_S = 0.25  # before the tip is asked for again when the template was of another


class LinkOwner(Protocol):
    """Who listens to a link, from its threads."""

    def on_chain(self, link: "NodeLink", chain: str, warnings: object) -> None:
        """`warnings`: what the node says of it, unchecked. Raise SourceRefused when it cannot be
        mined."""

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
        """`wait`: for minimum difficulty on the test networks that have it."""
        self._setup, self._owner, self._timing = setup, owner, timing
        self.health = Health.CONNECTING
        self._bell, self._sleep = Bell(), SleepWatch()
        self._feed = TemplateFeed(self, self._bell, timing, MinDifficulty(wait))
        self._retries = Retries(self.name, retries, timing)
        self._lane = self.lane()
        self._tips = TipWatch(self._ask, timing.tip_call, waits=not setup.long_poll)
        self._longpoll = LongPoll(self, self.lane()) if setup.long_poll else None
        self._thread = threading.Thread(target=self._run, name=f"{self.name} tip", daemon=True)

    @property
    def name(self) -> str:
        return str(self._setup.endpoint)

    @property
    def template(self) -> Template | None:
        """The newest good one."""
        return self._feed.template

    def lane(self) -> Rpc:
        """A new connection of its own."""
        setup = self._setup
        return Rpc(setup.endpoint, setup.credentials, self._timing.call, setup.tls)

    def start(self) -> None:
        self._thread.start()
        if self._longpoll is not None:
            self._longpoll.start()

    def stop(self) -> None:
        """Tell the threads to end and break their calls; `join` waits for them."""
        self._bell.stop()
        self._lane.abort()
        if self._longpoll is not None:
            self._longpoll.stop()

    def join(self, deadline: float) -> None:
        """Wait for the threads until a monotonic time; one stuck in a connect dies with us."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        self._lane.close()
        if self._longpoll is not None:
            self._longpoll.join(deadline)

    def wake(self) -> None:
        """Look at the tip now: a block was accepted, or the node answers again."""
        self._bell.wake()

    # -- the thread -------------------------------------------------------------------------
    def _run(self) -> None:
        while not self._bell.stopped:
            try:
                self._connect(self._timing.call if self._retries.failures else self._timing.connect)
                self._follow()
            except MinerError as error:
                self._retries.failed()
                if self._bell.stopped or self._ended(error):
                    break
                self._bell.pause(self._retries.delay_s(error, self._retries.failures))
            except Exception:
                log.exception("%s: the tip thread met a bug", self.name)
                self._retries.failed()
                self._bell.pause(self._timing.retry_max)

    def _connect(self, timeout_s: float) -> None:
        """Chain, sync state and a first template."""
        info = self._lane.call("getblockchaininfo", timeout_s=timeout_s)
        chain = info.get("chain") if isinstance(info, dict) else None
        if not isinstance(chain, str):  # a spoilt answer, which the next may not be
            raise RemoteProtocolError(
                f"{self.name}: getblockchaininfo names no chain: is this a Bitcoin node?"
            )
        if chain not in EASIEST_NBITS:
            raise SourceRefused(
                f"{self.name}: chain {scrub(chain, 40)!r} is not one of {', '.join(EASIEST_NBITS)}"
            )
        self._owner.on_chain(self, chain, info.get("warnings"))
        self._feed.chain = chain
        refuse_unsynced(chain, info)
        if chain == "signet":
            refuse_signed_signet(info.get("signet_challenge"))
        self._fetch()
        self._retries.succeeded()
        self._bell.news()

    def _follow(self) -> None:
        """Watch the tip until something breaks; fetch when it moved or the template aged."""
        while not self._bell.stopped:
            tip = self._next_tip()
            if self._bell.stopped:
                return
            if self._sleep.slept():
                self._owner.on_health(self, self.health, "this computer slept: connecting again")
                self._lane.close()  # it may be dead without knowing
                self._fetch()
                tip = self._tips.now()
            polling = self._longpoll is not None and self._longpoll.waiting
            if not self._feed.comes_upon(tip, self._timing.longpoll_grace if polling else 0.0):
                self._fetch()
                if not self._feed.is_upon(tip):  # tip and template disagree: not at once again
                    self._bell.pause(OTHER_TIP_S)
            elif time.monotonic() >= self._feed.due:
                self._fetch()

    def _next_tip(self) -> object:
        """The tip, when it changed, a template is due, or a moment has passed."""
        template = self.template
        if self._bell.take_woken() or template is None:
            return self._tips.now()
        every_s = self._timing.tip_beside_longpoll if self._longpoll else self._timing.tip
        limit_s = min(every_s, max(0.05, self._feed.due - time.monotonic()))
        return self._tips.next(template.prev_hash_hex, limit_s, self._bell.pause)

    def _fetch(self) -> None:
        request = template_request(self._feed.chain)
        self._feed.take(self._ask("getblocktemplate", request), self._ask)

    def _ask(self, method: str, *params: Any, timeout_s: float | None = None) -> object:
        return self._call(self._lane, method, *params, timeout_s=timeout_s)

    def _call(self, lane: Rpc, method: str, *params: Any, timeout_s: float | None = None) -> object:
        """An answer that is surely of our chain: a new connection is asked for it again."""
        before = lane.opened
        answer = lane.call(method, *params, timeout_s=timeout_s)
        if lane.opened != before:
            info = lane.call("getblockchaininfo")
            if not isinstance(info, dict) or info.get("chain") != self._feed.chain:
                raise TransportError(f"{self.name}: it came back on another chain")
        return answer

    def _ended(self, error: MinerError) -> bool:
        """Report; is this node given up?"""
        fatal = self._retries.fatal(error)
        if fatal is not None:
            self._owner.on_health(self, Health.REFUSED, scrub(fatal), fatal)
            return True
        gone = self._retries.exhausted
        waits = isinstance(error, RpcNotReady)
        text = error.reason if isinstance(error, RpcNotReady) else str(error)
        health = Health.WAITING if waits else Health.DOWN
        self._owner.on_health(self, health, scrub(text), error if gone else None)
        return gone

    # -- from the feed ----------------------------------------------------------------------
    def take_template(self, template: Template) -> None:
        """A good one. Raises RemoteProtocolError when no job can be made of it."""
        self._owner.on_template(self, template)

    def keep_old(self, why: str) -> None:
        """A template was refused, the one before it stays."""
        self._owner.on_health(self, self.health, why)

    def hold_back(self, why: str) -> None:
        """The template is not to be mined yet."""
        self._owner.on_health(self, Health.WAITING, why)

    # -- from the long poll's thread --------------------------------------------------------
    def await_connected(self) -> bool:
        """Wait until a template came; False when the link stops."""
        self._bell.wait_for(lambda: self._retries.connected)
        return not self._bell.stopped

    def long_poll(self, longpollid: str, lane: Rpc) -> None:
        """Wait for the next template. Raises MinerError."""
        ask: Ask = partial(self._call, lane)
        request = template_request(self._feed.chain, longpollid)
        self._feed.take(ask("getblocktemplate", request, timeout_s=self._timing.longpoll), ask)

    def missed(self, error: MinerError, failures: int) -> float:
        """The tip thread decides what a failure means: let it look at once. Seconds to wait."""
        if not isinstance(error, RpcError):
            self.wake()
        return self._retries.delay_s(error, failures)

    def rest(self, seconds: float) -> None:
        """Sleep, or until the link stops."""
        self._bell.rest(seconds)


def refuse_unsynced(chain: str, info: dict[str, Any]) -> None:
    """Raise RpcNotReady while the node syncs: on test chains Core gives templates all the same."""
    if chain != "regtest" and info.get("initialblockdownload") is True:
        blocks, headers = scrub(info.get("blocks"), 12), scrub(info.get("headers"), 12)
        reason = f"initial block download, at block {blocks} of {headers}"
        raise RpcNotReady("getblockchaininfo", -10, reason)
