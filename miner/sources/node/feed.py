"""The newest template of one node: checked, kept while it is good, handed on."""

import threading
import time
from typing import Protocol

from miner.errors import RemoteProtocolError
from miner.protocol.gbt.template import Template, parse_template
from miner.sources.node.bell import Bell
from miner.sources.node.min_diff import MinDifficulty
from miner.sources.node.setup import Timing
from miner.sources.node.tips import Ask


class Taker(Protocol):
    """Who gets the templates."""

    def take_template(self, template: Template) -> None:
        """Raise RemoteProtocolError when no job can be made of it."""

    def keep_old(self, why: str) -> None:
        """A template was refused; the one before it is good for a while."""

    def hold_back(self, why: str) -> None:
        """The template is not to be mined yet."""


class TemplateFeed:
    """Takes answers of getblocktemplate, from any thread of its link."""

    def __init__(self, taker: Taker, bell: Bell, timing: Timing, min_diff: MinDifficulty) -> None:
        self._taker, self._bell, self._timing, self._min_diff = taker, bell, timing, min_diff
        self.chain = ""  # as getblockchaininfo names it
        self._lock = threading.Lock()  # guards what follows
        self.template: Template | None = None
        self._fetched = 0.0

    @property
    def due(self) -> float:
        """When a template must be fetched again at the latest, on the monotonic clock."""
        template = self.template
        if template is None:
            return 0.0
        wait = self._timing.refresh
        if template.expires_s is not None:
            wait = min(wait, 0.8 * template.expires_s)
        until_easy = self._min_diff.until_easy(template)
        return self._fetched + (wait if until_easy is None else min(wait, until_easy))

    def is_upon(self, tip: object) -> bool:
        """Does the template build on the tip of this hash?"""
        return self.template is not None and self.template.prev_hash_hex == tip

    def comes_upon(self, tip: object, within_s: float) -> bool:
        """Wait for a template upon this tip; True also when the link stops."""
        return self._bell.wait_for(lambda: self.is_upon(tip), within_s)

    def take(self, reply: object, ask: Ask) -> None:
        """Validate and hand on; a refused template leaves the old one until it is too old, then
        RemoteProtocolError is raised."""
        before, fetched, template = self.template, self._fetched, None
        try:
            template = parse_template(reply, self.chain, before)
            wait_s = self._min_diff.held_back(template, ask)
            with self._lock:
                self.template, self._fetched = template, time.monotonic()
            self._bell.news()
            if wait_s is None:
                self._taker.take_template(template)
        except RemoteProtocolError as error:
            with self._lock:
                if self.template is template:  # else the other thread has brought a newer one
                    self.template, self._fetched = before, fetched
            self._judge_old(error)
            return
        if wait_s is not None:
            text = f"waiting for minimum difficulty: {wait_s:.0f} s left unless a block comes first"
            self._taker.hold_back(text)

    def _judge_old(self, error: RemoteProtocolError) -> None:
        age = time.monotonic() - self._fetched
        if self.template is None or age > self._timing.template_age:
            raise error
        self._taker.keep_old(f"{error}; the template before it stays")
