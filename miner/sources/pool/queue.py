"""Shares on their way from any thread to the one that owns a connection."""

import threading
from collections import deque

from miner.protocol.pool import Item
from miner.work.found import Answer, FoundBlock, Share, Verdict

MAX_QUEUED = 1024  # shares waiting for the connection; a block is never dropped


class ShareQueue:
    """New blocks first, then those of earlier sendings, then shares; when there are too many of
    these the oldest gives way, never a block."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: deque[Item] = deque()
        self._again: deque[Item] = deque()
        self._shares: deque[Item] = deque()
        self.closed = False

    def put(self, item: Item) -> Item | None:
        """Append; what was dropped for it, if anything: after `close` the item itself."""
        with self._lock:
            if self.closed:
                return item
            if isinstance(item, FoundBlock):
                self._again.append(item)
            elif item.is_block:
                self._new.append(item)
            else:
                self._shares.append(item)
                if len(self._shares) > MAX_QUEUED:
                    return self._shares.popleft()
            return None

    def take(self) -> Item | None:
        """The next one, or None."""
        with self._lock:
            for items in (self._new, self._again, self._shares):
                if items:
                    return items.popleft()
            return None

    def close(self) -> None:
        """Nobody will take anything any more, but for what is in it."""
        with self._lock:
            self.closed = True

    def __len__(self) -> int:
        return len(self._new) + len(self._again) + len(self._shares)


def is_block(item: Item) -> bool:
    return isinstance(item, FoundBlock) or item.is_block


def lost(source: str, item: Item, why: str) -> Verdict:
    """The verdict on what was never answered and will not be sent again."""
    height = item.unit.job.height if isinstance(item, Share) else item.height
    return Verdict(
        source, item.hash_hex, Answer.UNKNOWN, is_block(item), "lost", why, height=height
    )


def kept(block: FoundBlock, why: str) -> Verdict:
    """The verdict on a block that stays in the journal: nobody here can take it now."""
    return Verdict(
        block.source, block.hash_hex, Answer.PENDING, True, "kept", why, height=block.height
    )
