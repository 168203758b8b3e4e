"""What the Stratum tests over loopback share."""

from dataclasses import replace
from typing import Any

from miner.secret import Secret
from miner.sources.pool.connection import PoolConnection
from miner.sources.pool.failover import Failover
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.transport.urls import PoolLogin, pool_login
from tests.fakes.pool import FakePool

QUICK = PoolOptions(
    agent="homehash/test",
    handshake_s=2.0,
    silence_s=2.0,
    answer_s=5.0,
    stable_s=0.5,
    probe_s=0.2,
    least_delay_s=0.05,
    most_delay_s=0.2,
)
CANARY = "canary-5e1f"


def login(pool: FakePool | str, user: str = "alice.w1") -> PoolLogin:
    return pool_login(pool if isinstance(pool, str) else pool.url, user, Secret(CANARY))


def source(pool: FakePool | str, **options: Any) -> PoolConnection:
    return PoolConnection(login(pool), replace(QUICK, **options))


def pools(*places: FakePool | str, **options: Any) -> Failover:
    return pool_source([login(place) for place in places], replace(QUICK, **options))
