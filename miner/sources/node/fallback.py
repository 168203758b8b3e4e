"""A node that falls back behind a block of ours: invalidateblock, or a crash before its flush.

Its template then stands on the parent of a block that it had accepted. The block is offered again;
only when the node does not take it, the search goes on upon that parent.
"""

import time
from collections import OrderedDict

from miner.errors import MinerError
from miner.protocol.gbt.verdicts import judge
from miner.transport.rpc import Rpc
from miner.work.found import FoundBlock

MOST_KEPT = 1000  # blocks: a chain of ours that a crash cost is built again
MOST_CHARS = 16 * 1024 * 1024  # of their payloads, but the newest is always kept
PATIENCE_S = 1.5  # for the whole offer


class OurChain:
    """Our accepted blocks by their parent. Called under its owner's lock."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, FoundBlock] = OrderedDict()
        self._chars = 0
        self._since: tuple[bytes, float] = (b"", 0.0)  # the last parent asked for, and since when
        self._lost: OrderedDict[bytes, None] = OrderedDict()  # parents to be searched again

    def keep(self, block: FoundBlock) -> None:
        """A node accepted it."""
        self._drop(parent_of(block))
        self._lost.pop(parent_of(block), None)
        self._since = (b"", 0.0)
        self._kept[parent_of(block)] = block
        self._chars += len(block.payload)
        while len(self._kept) > 1 and (len(self._kept) > MOST_KEPT or self._chars > MOST_CHARS):
            self._drop(next(iter(self._kept)))

    def upon(self, prev_hash: bytes) -> FoundBlock | None:
        """Our accepted block on this parent."""
        return self._kept.get(prev_hash)

    def waited_s(self, prev_hash: bytes, now: float) -> float:
        """How long templates have stood on this parent, and on no other of ours between."""
        if self._since[0] != prev_hash:
            self._since = (prev_hash, now)
        return now - self._since[1]

    def lose(self, block: FoundBlock) -> None:
        """Its node does not take it again."""
        self._drop(parent_of(block))
        self._lost[parent_of(block)] = None
        while len(self._lost) > MOST_KEPT:
            self._lost.popitem(last=False)

    def lost_upon(self, prev_hash: bytes) -> bool:
        """Must this parent be searched again, though a block of ours on it was accepted?"""
        return prev_hash in self._lost

    def _drop(self, prev_hash: bytes) -> None:
        dropped = self._kept.pop(prev_hash, None)
        self._chars -= len(dropped.payload) if dropped else 0


def offer_again(lane: Rpc, block: FoundBlock, chain: str) -> tuple[bool, str]:
    """Is the block in the node's best chain, perhaps after a second submit? And what happened: ""
    when it had been there all the time. Never raises; takes PATIENCE_S at most."""
    deadline = time.monotonic() + PATIENCE_S
    try:
        if _is_best(lane, block, deadline):
            return True, ""
        workid = [{"workid": block.context}] if block.context else []
        timeout_s = max(deadline - time.monotonic(), 0.1)
        answer = lane.call("submitblock", block.payload, *workid, timeout_s=timeout_s)
        if _is_best(lane, block, deadline):
            return True, "offered again, taken"
        judgement = judge(answer, chain)
        return False, f"offered again, not taken ({judgement.reason[:60] or 'accepted'})"
    except MinerError as error:
        return False, f"cannot be offered again ({str(error)[:60]})"


def _is_best(lane: Rpc, block: FoundBlock, deadline: float) -> bool:
    timeout_s = max(deadline - time.monotonic(), 0.1)
    try:
        header = lane.call("getblockheader", block.hash_hex, timeout_s=timeout_s)
    except MinerError:
        return False
    depth = header.get("confirmations") if isinstance(header, dict) else None
    return type(depth) is int and depth >= 0


def parent_of(block: FoundBlock) -> bytes:
    """As hashed."""
    return block.header[4:36]
