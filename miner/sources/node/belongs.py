"""Whether a block of an earlier run belongs to the chain of this node.

Its parent tells: a node that does not know it may not judge the block. Every regtest and every
custom signet begins with the same genesis block, so a block on that needs more: the node has the
block itself, or nothing but the genesis, or stands where the block was found.
"""

import re
from typing import Any

from miner.bitcoin.encoding import display_hex
from miner.errors import RpcError
from miner.transport.rpc import Rpc
from miner.work.found import FoundBlock

BLOCK_NOT_FOUND = -5
METHOD_NOT_FOUND = -32601
LOOPBACK = re.compile(r"^(https?://)(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?=[:/]|$)")


def header_of(lane: Rpc, hash_hex: str) -> dict[str, Any] | None:
    """What getblockheader says; None: the node does not know the block. Raises MinerError."""
    try:
        header = lane.call("getblockheader", hash_hex)
    except RpcError as error:
        if error.code == BLOCK_NOT_FOUND:
            return None
        raise
    return header if isinstance(header, dict) else {}


def tip_height(lane: Rpc) -> int:
    """Raises MinerError; 0 when the node does not say."""
    info = lane.call("getblockchaininfo")
    blocks = info.get("blocks") if isinstance(info, dict) else None
    return blocks if type(blocks) is int else 0


def why_elsewhere(lane: Rpc, node: str, block: FoundBlock) -> str:
    """What the block waits for at a node that does not have it; empty when the node may judge it.
    Raises MinerError when the node does not answer."""
    parent = display_hex(block.header[4:36])
    found_here = same_place(node, block.source)
    try:
        header = header_of(lane, parent)
    except RpcError as error:
        if error.code != METHOD_NOT_FOUND:
            raise
        return "" if found_here else f"it needs the node it was found on, {block.source}"
    if header is None:
        return f"it needs a node that knows its parent block {parent}"
    if header.get("height") == 0 and not found_here and tip_height(lane) > 0:
        return f"every chain of its kind begins with its parent: it needs {block.source}"
    return ""


def same_place(node: str, source: str) -> bool:
    """Is the node among those of the run that found the block, however they were spelt?"""
    return plain(node) in {plain(name) for name in source.split(", ")}


def plain(url: str) -> str:
    """One spelling for this computer."""
    return LOOPBACK.sub(r"\1localhost", url.lower())
