"""The last blocks of a chain that was there before the room opened, with their finders' names."""

from typing import Any

from miner.bitcoin.block import Block
from miner.bitcoin.target import expected_hashes, target_from_nbits
from miner.errors import MinerError
from miner.pool.forks import MOST_BLOCKS
from miner.pool.names import clean
from miner.pool.values import BlockRow
from miner.protocol.gbt.job import OP_RETURN
from miner.transport.rpc import Rpc


def past_blocks(rpc: Rpc) -> list[BlockRow]:
    """At most 64, oldest first; none when the node does not tell."""
    try:
        height = int(rpc.call("getblockcount"))
        first = max(height - MOST_BLOCKS, 0)
        raw = [block_at(rpc, one) for one in range(first, height + 1)]
    except (MinerError, TypeError, ValueError):
        return []
    rows: list[BlockRow] = []
    for place, block in enumerate(raw):
        header = block.header
        waited_s = float(header.time - raw[place - 1].header.time) if place else None
        weight = float(expected_hashes(target_from_nbits(header.nbits)))
        rows.append(
            BlockRow(first + place, header.hash_hex, finder_of(block), None, float(header.time),
                     waited_s, "", weight, True)
        )  # fmt: skip
    return rows[1:]


def block_at(rpc: Rpc, height: int) -> Block:
    """Raises MinerError, ValueError."""
    raw: Any = rpc.call("getblock", rpc.call("getblockhash", height), 0)
    return Block.parse(bytes.fromhex(raw))


def finder_of(block: Block) -> str:
    """The name that a class puts into its coinbases; empty when there is none."""
    for out in block.transactions[0].outputs:
        script = out.script
        if (
            script[:1] == OP_RETURN
            and len(script) > 2
            and script[1] == len(script) - 2
            and not out.value
        ):
            return clean(script[2:].decode(errors="replace"))
    return ""
