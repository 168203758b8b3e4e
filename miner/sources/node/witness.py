"""A node that gives no work and knows the chain: which blocks are in it, and which one is the last.

A pool's yes is about a share, and a template provider answers nothing at all; your own node is the
witness. One thread asks it by JSON-RPC. Whole blocks are handed to it as well: a second way into
the network costs nothing.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from miner.errors import MinerError
from miner.protocol.gbt.verdicts import Ruling, judge
from miner.sources.node.bell import Bell
from miner.sources.node.belongs import header_of
from miner.sources.node.setup import NodeSetup
from miner.sources.pool.tips import Tip
from miner.text import scrub
from miner.transport.rpc import Rpc
from miner.work.found import FoundBlock

log = logging.getLogger(__name__)

POLL_S = 2.0
CALL_S = 10.0
LACKS_S = 60.0  # a block that the node has not by then did not spread
MAX_WATCHED = 1_000
SYNC_LAG = 2  # heights: a node further behind a block is not in sync and says nothing about it


class Sight(Enum):
    """What the node says of a block."""

    IN_CHAIN = "in the best chain"
    ABSENT = "not there"  # after LACKS_S


class Listener(Protocol):
    """Who hears of it, on the witness' thread."""

    def seen(self, block: FoundBlock, sight: Sight) -> None: ...

    def alarm(self, text: str) -> None: ...


@dataclass(slots=True)
class Watched:
    """A block whose place in the chain is looked for."""

    block: FoundBlock
    since: float  # monotonic
    whole: FoundBlock | None  # as submitblock takes it, until the node had it
    told: bool = False  # that it is absent


class Witness:
    """Looks for blocks at one node. `start` once, `stop` once."""

    def __init__(
        self,
        setup: NodeSetup,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = str(setup.endpoint)
        self._rpc = Rpc(setup.endpoint, setup.credentials, CALL_S, setup.tls)
        self._poll_s, self._clock, self._bell = poll_s, clock, Bell()
        self._lock = threading.Lock()  # guards the table
        self._watched: OrderedDict[str, Watched] = OrderedDict()
        self._tip: tuple[str, Tip] | None = None  # with its hash, as the node writes it
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"{self.name} check", daemon=True)
        self._listener: Listener | None = None

    def start(self, listener: Listener) -> None:
        self._listener = listener
        self._thread.start()

    def stop(self) -> None:
        """Break what runs; at most a moment's wait."""
        self._bell.stop()
        self._rpc.abort()
        if self._thread.ident is not None:
            self._thread.join(1.0)
        self._rpc.close()

    def tip(self) -> Tip | None:
        """The last block it knows; any thread."""
        return None if self._tip is None else self._tip[1]

    def watch(self, block: FoundBlock, whole: FoundBlock | None = None) -> None:
        """Look for a block until it is found; any thread. `whole`: to be handed to the node."""
        with self._lock:
            if block.hash_hex not in self._watched:
                self._watched[block.hash_hex] = Watched(block, self._clock(), whole)
            if len(self._watched) > MAX_WATCHED:
                self._watched.popitem(last=False)
        self._bell.wake()

    def forget(self, hash_hex: str) -> None:
        """Its fate is known."""
        with self._lock:
            self._watched.pop(hash_hex, None)

    # --- the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._bell.stopped:
            try:
                self.look()
                self._trouble = ""
            except MinerError as error:
                self._complain(f"cannot be asked: {error}")
            except Exception:
                log.exception("%s: the check met a bug", self.name)
            self._bell.pause(self._poll_s)

    def look(self) -> None:
        """Ask about the tip and every watched block. Raises MinerError."""
        self._look_at_tip()
        with self._lock:
            watched = list(self._watched.values())
        for one in watched:
            self._look_for(one)

    def _look_at_tip(self) -> None:
        best = self._rpc.call("getbestblockhash")
        if not isinstance(best, str) or (self._tip is not None and self._tip[0] == best):
            return
        header = header_of(self._rpc, best) or {}
        height, bits, before = (header.get(k) for k in ("height", "bits", "previousblockhash"))
        try:
            parent = bytes.fromhex(before)[::-1] if isinstance(before, str) else None
            nbits = int(bits, 16) if isinstance(bits, str) else None
        except ValueError:
            return
        if type(height) is int and nbits is not None:
            self._tip = best, Tip(self.name, height, nbits, parent)

    def _look_for(self, one: Watched) -> None:
        block = one.block
        header = header_of(self._rpc, block.hash_hex)
        depth = None if header is None else header.get("confirmations")
        if type(depth) is int and depth >= 0:
            self.forget(block.hash_hex)
            self._tell(block, Sight.IN_CHAIN)
            return
        if header is None and one.whole is not None:
            self._submit(one, one.whole)
        late = self._clock() - one.since >= LACKS_S
        if late and not one.told and self._may_judge(block):
            one.told = True
            self._tell(block, Sight.ABSENT)

    def _submit(self, one: Watched, whole: FoundBlock) -> None:
        """Hand the block over; a refusal is told, once."""
        one.whole = None
        judgement = judge(self._rpc.call("submitblock", whole.payload), "")
        if judgement.ruling is Ruling.DEAD and self._listener is not None:
            why = scrub(f"{judgement.reason}: {judgement.explanation}", 200)
            self._listener.alarm(f"{self.name} refuses our block {one.block.hash_hex}: {why}")
        self._bell.wake()  # look for it at once

    def _may_judge(self, block: FoundBlock) -> bool:
        """Is the node in sync, as far as this block goes?"""
        tip = self.tip()
        return tip is not None and (block.height is None or tip.height >= block.height - SYNC_LAG)

    def _tell(self, block: FoundBlock, sight: Sight) -> None:
        if self._listener is not None:
            self._listener.seen(block, sight)

    def _complain(self, what: str) -> None:
        """Once for each kind of trouble, until it answers again."""
        if self._trouble != what and not self._bell.stopped and self._listener is not None:
            self._trouble = what
            self._listener.alarm(scrub(f"--check-node {self.name} {what}", 300))
