"""The long poll of getblocktemplate (BIP 22), for nodes whose workers are all ours.

It brings a new template the moment the node has one, and keeps a worker of the node meanwhile.
"""

import logging
import threading
import time
from typing import Protocol

from miner.errors import MinerError
from miner.protocol.gbt.template import Template
from miner.transport.rpc import Rpc

log = logging.getLogger(__name__)

AT_ONCE_S = 0.25  # an answer sooner than this did not wait; also the pause after it
NO_NEWS_S = 1.0  # the pause after one that moreover told of no higher block
BUG_S = 15.0


class PolledLink(Protocol):
    """What the long poll needs of its link."""

    @property
    def name(self) -> str: ...

    @property
    def template(self) -> Template | None: ...

    def await_connected(self) -> bool:
        """Wait until the link is connected; False when it stops."""

    def long_poll(self, longpollid: str, lane: Rpc) -> None:
        """Ask, and take the answer. Raises MinerError."""

    def missed(self, error: MinerError, failures: int) -> float:
        """A long poll failed, this many in a row: look at the tip. Seconds until the next one."""

    def rest(self, seconds: float) -> None:
        """Sleep, or until the link stops."""


class LongPoll:
    """One thread and one connection beside the link's own."""

    def __init__(self, link: PolledLink, lane: Rpc) -> None:
        self._link, self._lane = link, lane
        self.waiting = False  # at the node: it will bring the next tip
        self._thread = threading.Thread(target=self._run, name=f"{link.name} longpoll", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Break the call; the link has been told to stop."""
        self._lane.abort()

    def join(self, deadline: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        self._lane.close()

    def _run(self) -> None:
        failures = 0
        while self._link.await_connected():
            try:
                pause_s = self._poll(self._link.template)
                failures = 0
            except MinerError as error:
                self.waiting, failures = False, failures + 1
                pause_s = self._link.missed(error, failures)
            except Exception:
                log.exception("%s: the long poll met a bug", self._link.name)
                pause_s = BUG_S
            self.waiting = False
            if pause_s:
                self._link.rest(pause_s)

    def _poll(self, before: Template | None) -> float:
        """One long poll; seconds until the next."""
        if before is None or before.longpollid is None:
            return NO_NEWS_S  # this node has none: its tip is polled
        self.waiting, began = True, time.monotonic()
        self._link.long_poll(before.longpollid, self._lane)
        if time.monotonic() - began >= AT_ONCE_S:
            return 0.0
        now = self._link.template
        return AT_ONCE_S if now is None or now.height > before.height else NO_NEWS_S
