"""Shares on their way from any thread to the one that owns a connection."""

import json
import threading
import time
from collections import deque

from miner.protocol.stratum_job import submit_params
from miner.work.values import Answer, FoundBlock, Share, Verdict

MAX_QUEUED = 1024  # shares waiting for the connection; a block is never dropped

Item = Share | FoundBlock


class ShareQueue:
    """Bounded: when full the oldest share gives way, never a block."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()

    def put(self, item: Item) -> Item | None:
        """Append; the share that was dropped for it, if any."""
        with self._lock:
            self._items.append(item)
            if len(self._items) <= MAX_QUEUED:
                return None
            dropped = next((old for old in self._items if not is_block(old)), None)
            if dropped is not None:
                self._items.remove(dropped)
            return dropped

    def take(self) -> Item | None:
        """The oldest, or None."""
        with self._lock:
            return self._items.popleft() if self._items else None

    def __len__(self) -> int:
        return len(self._items)


def is_block(item: Item) -> bool:
    return isinstance(item, FoundBlock) or item.is_block


def lost(source: str, item: Item, why: str) -> Verdict:
    """The verdict on what was never answered and will not be sent again."""
    height = item.unit.job.height if isinstance(item, Share) else item.height
    return Verdict(
        source, item.hash_hex, Answer.UNKNOWN, is_block(item), "lost", why, height=height
    )


def pack_share(name: str, user: str, share: Share, granted: int | None) -> FoundBlock:
    """What the journal keeps of a block found for a pool."""
    params = submit_params(user, share, granted)
    return FoundBlock(
        source=name,
        hash_hex=share.hash_hex,
        height=share.unit.job.height,
        header=share.header,
        kind="stratum",
        payload=json.dumps({"method": "mining.submit", "params": params}),
        context=share.unit.job.extranonce1.hex(),
        found_at=int(time.time()),
    )
