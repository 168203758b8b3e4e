"""Who mined the last blocks? Read from the tags in their coinbases, on the user's own node."""

import re
from collections import Counter
from pathlib import Path

from miner.bitcoin.block import Block
from miner.errors import RemoteProtocolError
from miner.text import scrub
from miner.transport.credentials import find_credentials
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc

BLOCKS = 144  # a day
READABLE = re.compile(rb"[ -~]{4,}")
DEFAULT_PORT = 8332


def tag_of(script: bytes) -> str:
    """The longest readable run of a coinbase script, or a word for none."""
    runs = READABLE.findall(script)
    return scrub(max(runs, key=len).decode("ascii"), 40) if runs else "(no tag)"


def count(url: str, cookie: Path | None, blocks: int = BLOCKS) -> dict[str, float]:
    """Blocks per tag among the last `blocks` of the node's chain."""
    address = parse_node_url(url, DEFAULT_PORT)
    rpc = Rpc(address.endpoint, find_credentials(address, cookie=cookie))
    try:
        tip = rpc.call("getblockcount")
        if type(tip) is not int or tip < 0:
            raise RemoteProtocolError(f"getblockcount answered {scrub(tip, 40)}")
        tags: Counter[str] = Counter()
        for height in range(max(tip - blocks + 1, 1), tip + 1):
            raw = rpc.call("getblock", rpc.call("getblockhash", height), 0)
            try:
                block = Block.parse(bytes.fromhex(raw))
            except (TypeError, ValueError) as error:
                raise RemoteProtocolError(f"getblock {height}: {scrub(str(error))}") from error
            tags[tag_of(block.transactions[0].inputs[0].script)] += 1
    finally:
        rpc.close()
    return {tag: float(number) for tag, number in tags.items()}
