"""The running node for code in the same process: templates, blocks and news without RPC."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from miner.errors import NodeError
from miner.node.chain import KernelFailed
from miner.node.index import Row
from miner.node.rules import ChainRules
from miner.node.split import Split
from miner.node.state import News, NodeState
from miner.node.template import TemplateMaker


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest block of the active chain."""

    hash: bytes  # internal order
    height: int
    time: int  # of its header, seconds
    nbits: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The kernel gave verdicts, and mostly has another tip now. Hashes are in internal order."""

    tip: Tip
    left: tuple[bytes, ...]  # blocks that fell out of the chain, the newest first
    joined: tuple[bytes, ...]  # blocks that are in it now, the oldest first
    verdicts: dict[bytes, str]  # by hash: "" valid, else the BIP 22 word

    @property
    def reorganised(self) -> bool:
        return bool(self.left)


class LocalChain:
    """May be used from any thread; every call takes about a millisecond."""

    def __init__(self, state: NodeState, templates: TemplateMaker) -> None:
        self._state, self._templates = state, templates

    @property
    def rules(self) -> ChainRules:
        return self._state.rules

    @property
    def tip(self) -> Tip:
        return _tip(self._state.tip)

    def template(self) -> dict[str, Any]:
        """getblocktemplate's answer on the tip of this moment."""
        return self._templates.make()

    def submit(self, raw: bytes) -> str:
        """Judge a block: "" accepted, "inconclusive" kept on a branch with less work, else the
        word of BIP 22. Who subscribed has heard of it before this returns.

        Raises NodeError when the kernel can give no verdict, chain.Undecodable for no block.
        """
        try:
            return self._state.submit(raw)
        except KernelFailed as failed:
            raise NodeError(f"the node cannot judge a block: {failed}") from failed

    def subscribe(self, callback: Callable[[Moved], None]) -> Callable[[], None]:
        """Be told of each move, from the thread that submitted the block and under the node's
        lock: pass it on and return. The answer ends it."""

        def tell(news: News) -> None:
            hashes = [tuple(row.hash for row in rows) for rows in (news.left, news.joined)]
            callback(Moved(_tip(news.tip), hashes[0], hashes[1], news.verdicts))

        with self._state.lock:
            self._state.listeners.append(tell)

        def end() -> None:
            with self._state.lock:
                if tell in self._state.listeners:
                    self._state.listeners.remove(tell)

        return end

    def split(self, sides: tuple[str, str] = ("A", "B")) -> Split:
        """Two branches from the tip of this moment, each with miners of its own."""
        return Split(self._state, self._templates, sides)


def _tip(row: Row) -> Tip:
    return Tip(row.hash, row.height, row.header.time, row.header.nbits)
