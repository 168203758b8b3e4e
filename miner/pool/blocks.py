"""Blocks of the room on their way: journal first, then node, then the kernel's word. As in mining.

Everything here runs in the listeners' loop; the journal's thread and the node's threads answer into
it. A disk that takes longer than 50 ms is not waited for, and a full one loses no block: its bytes
are printed, and it is sent all the same.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from miner.engine.durable import DurableQueue, Written
from miner.engine.replay import Replay
from miner.engine.rivals import Rivals
from miner.journal import Journal
from miner.protocol.gbt.verdicts import explain
from miner.sources.base import WorkSource
from miner.state.events import Event
from miner.work.found import Answer, FoundBlock, Share, Verdict

PATIENCE_S = 0.050  # a disk slower than this is not waited for
CLOSE_S = 1.0
SET_ASIDE = {
    "surplus": "another block at this height was first",
    "dropped": "its work had been replaced",
    "not_sent": "not sent: newer blocks took its turn",
}


class Judge(Protocol):
    """Who hears what became of a block: the room's `block_judged`."""

    def __call__(
        self, hash_hex: str, accepted: bool, word: str, final: bool, now: float
    ) -> None: ...


class Blocks:
    """From a share that is a block to the word of the kernel."""

    def __init__(
        self, source: WorkSource, journal: Journal, judged: Judge, tell: Callable[[str], None]
    ) -> None:
        """`judged` hears of each block, `tell` is for lines that the teacher must see."""
        self._source, self._journal, self._judged, self._tell = source, journal, judged, tell
        self._disk = DurableQueue(journal, self._from_disk, time.monotonic)
        self._rivals = Rivals(None, self._set_aside)
        self._unsent: dict[str, tuple[FoundBlock, Callable[[FoundBlock], None]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.replay = Replay(journal.left, source, self._tell_event, time.monotonic)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._disk.start()

    def send(self, share: Share) -> None:
        """A block of a member: on each parent one at a time, the others wait for its fate."""
        if self._rivals.admit(share):
            self._rivals.sent(share)
            self._write(share, self._source.send)

    def send_to(self, share: Share, node: Callable[[FoundBlock], None]) -> None:
        """A block for another judge than the source, at once: its verdict comes by `verdict`."""
        self._write(share, node)

    def verdict(self, verdict: Verdict) -> None:
        """What the node says; a word that is not final keeps the block in the journal."""
        if not verdict.is_block or self.replay.verdict(verdict):
            return
        self._disk.settle(verdict)
        accepted = verdict.answer is Answer.ACCEPTED
        word = "" if accepted else f"{verdict.reason} {explain(verdict.reason)}".strip()
        self._judged(verdict.hash_hex, accepted, word, verdict.final, time.time())
        judged = self._rivals.judge(verdict)
        for share in judged.again if judged is not None else ():
            self.send(share)

    def reopen(self, prev_hash: bytes) -> None:
        """The node lost a block of ours that it had taken: its parent is mined again."""
        self._rivals.reopen(prev_hash)

    def tick(self) -> None:
        """Offer what earlier runs left, and say what waits."""
        self.replay.tick(time.monotonic())

    def close(self) -> None:
        """Write what is queued; what the node has not judged waits for the next start."""
        self._rivals.close()
        self._disk.close(CLOSE_S)
        self._journal.close()

    def _write(self, share: Share, node: Callable[[FoundBlock], None]) -> None:
        assert self._loop is not None
        block = self._source.pack(share)
        self._unsent[block.hash_hex] = block, node
        self._disk.append(block, time.monotonic())
        self._loop.call_later(PATIENCE_S, self._send_late, block.hash_hex)

    def _send_late(self, hash_hex: str) -> None:
        if hash_hex in self._unsent:
            self._tell(f"the disk keeps block {hash_hex} waiting; it is sent meanwhile")
            self._to_node(hash_hex)

    def _to_node(self, hash_hex: str) -> None:
        unsent = self._unsent.pop(hash_hex, None)
        if unsent is not None:
            block, node = unsent
            node(block)

    def _from_disk(self, done: Written) -> None:
        """On the journal's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._written, done)

    def _written(self, done: Written) -> None:
        if done.error:
            self._tell(f"journal: {done.error}; blocks are held in memory and sent all the same")
        for block, _ in done.appended:
            if done.error:
                self._tell(f"rescue {block.hash_hex} {block.payload}")
            self._to_node(block.hash_hex)

    def _set_aside(self, share: Share, why: str) -> None:
        self._judged(share.hash_hex, False, SET_ASIDE[why], True, time.time())

    def _tell_event(self, event: Event) -> None:
        self._tell(str(getattr(event, "text", event)))
