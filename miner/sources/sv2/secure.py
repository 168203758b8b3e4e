"""Opens the encrypted link under a Stratum v2 session."""

import os
import time

from miner.errors import ConfigError
from miner.protocol.sv2 import crypto
from miner.protocol.sv2.frames import MINING_CAP
from miner.protocol.sv2.link import SecureLink
from miner.sources.pool.wish import Wish


def secure_link(wish: Wish, what: str, keys_place: str, cap: int = MINING_CAP) -> SecureLink:
    """`keys_place`: where a user finds the key. Raises ConfigError without the libraries or the
    key."""
    url = wish.pool.url
    if (lack := crypto.missing()) is not None:
        raise ConfigError(f"{what} {url}: {lack}")
    if url.authority is None and not wish.options.sv2_insecure:
        raise ConfigError(
            f"{what} {url}: no key: Stratum v2 would take whoever answers; add the authority key "
            f"from {keys_place}, as in stratum2+tcp://HOST:PORT/9..., or --sv2-insecure"
        )
    key = crypto.new_key(os.urandom(crypto.RANDOM_BYTES))
    return SecureLink(key, url.authority, lambda: int(time.time()), cap)
