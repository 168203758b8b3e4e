"""What a connection wants of a protocol: one session."""

from collections.abc import Callable
from dataclasses import dataclass

from miner.protocol.pool import Leftovers, PoolSession
from miner.sources.pool.options import PoolOptions
from miner.transport.urls import PoolLogin


@dataclass(frozen=True, slots=True)
class Wish:
    """One session, as the connection wants it."""

    name: str  # of the pool, as jobs and verdicts carry it
    pool: PoolLogin
    options: PoolOptions
    number: int = 0  # of the connection
    now: float = 0.0  # monotonic
    handshake_s: float = 15.0  # what is left of its budget


OpenSession = Callable[[Wish, Leftovers | None], PoolSession]
