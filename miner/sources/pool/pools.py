"""The pools of a run as one WorkSource."""

from collections.abc import Sequence
from functools import partial

from miner.sources.pool.connection import PoolConnection
from miner.sources.pool.failover import Failover, PoolSlot, Times
from miner.sources.pool.options import PoolOptions, pool_names
from miner.sources.pool.protocols import check
from miner.sources.pool.tips import Elsewhere, nowhere
from miner.transport.urls import PoolLogin


def pool_source(
    pools: Sequence[PoolLogin], options: PoolOptions, elsewhere: Elsewhere = nowhere
) -> Failover:
    """A WorkSource over the pools, in order of priority.

    `options`: version mask, redirects, TLS, retries, `rate_hs` (a function that gives the measured
    rate), timers. Nothing is connected before `start`. Raises ConfigError for what cannot be used.
    Jobs, verdicts and states carry the name of their pool, "host:port".
    """
    options.tls.context()  # a bad --tls-ca is an error at once
    names = pool_names([pool.url for pool in pools])
    for name, pool in zip(names, pools, strict=True):
        check(name, pool, options)  # a login too long for a line is an error at once, too
    slots = [
        PoolSlot(name, partial(PoolConnection, pool, options, name))
        for name, pool in zip(names, pools, strict=True)
    ]
    times = Times(options.stable_s, options.penalty_s, options.rest_s, options.answer_s / 60)
    return Failover(slots, times, elsewhere=elsewhere)
