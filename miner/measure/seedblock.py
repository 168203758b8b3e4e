"""The tip of the user's node as the seed of a benchmark's work."""

from pathlib import Path

from miner.errors import ConfigError, RemoteProtocolError
from miner.measure.proof import parse_seed_block
from miner.text import scrub
from miner.transport.credentials import find_credentials
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc

DEFAULT_PORT = 8332


def from_node(url: str, cookie: Path | None) -> tuple[str, str | None]:
    """(hash, header) of the node's best block, both in hex.

    Raises ConfigError, TransportError, RpcError, RemoteProtocolError.
    """
    address = parse_node_url(url, DEFAULT_PORT)
    rpc = Rpc(address.endpoint, find_credentials(address, cookie=cookie))
    try:
        header = rpc.call("getblockheader", rpc.call("getbestblockhash"), False)
    finally:
        rpc.close()
    if not isinstance(header, str):
        raise RemoteProtocolError(
            f"getblockheader answered {scrub(header, 40)}, want 160 hex digits"
        )
    try:
        return parse_seed_block(header)
    except ConfigError as error:
        raise RemoteProtocolError(f"getblockheader: {error}") from error
