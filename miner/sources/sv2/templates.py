"""Solo mining by Template Distribution: sv2-tp beside Bitcoin Core gives templates.

The connections and the choice among several providers are those of pools; the session is another.
"""

from collections.abc import Sequence
from functools import partial

from miner.protocol.pool import Leftovers, PoolSession
from miner.protocol.sv2.fates import FateBook
from miner.protocol.sv2.provider import TEMPLATE_CAP, ProviderSession, ProviderSettings
from miner.protocol.sv2.template import Payout
from miner.sources.pool.connection import Outside, PoolConnection
from miner.sources.pool.failover import Failover, PoolSlot, Times
from miner.sources.pool.options import PoolOptions, pool_names
from miner.sources.pool.tips import Elsewhere, nowhere
from miner.sources.pool.wish import Wish
from miner.sources.sv2.secure import secure_link
from miner.transport.urls import PoolLogin, PoolUrl


def template_source(
    providers: Sequence[PoolUrl],
    payout: Payout,
    options: PoolOptions,
    elsewhere: Elsewhere = nowhere,
) -> Failover:
    """A WorkSource over the providers, in order of priority: each has its own Bitcoin Core.

    Nothing is connected before `start`. Raises ConfigError for what cannot be used.
    """
    logins = [PoolLogin(url, "") for url in providers]
    names = pool_names(providers)
    for name, login in zip(names, logins, strict=True):
        open_provider(payout, Wish(name, login, options), None)  # no key is an error at once
    slots = [
        PoolSlot(name, partial(connection, payout, login, options, name))
        for name, login in zip(names, logins, strict=True)
    ]
    times = Times(options.stable_s, options.penalty_s, options.rest_s, options.answer_s / 60)
    return Failover(slots, times, noun=options.noun, elsewhere=elsewhere)


def connection(payout: Payout, login: PoolLogin, options: PoolOptions, name: str) -> PoolConnection:
    """To one provider."""
    return PoolConnection(
        login, options, name, Outside(open_session=partial(open_provider, payout))
    )


def open_provider(payout: Payout, wish: Wish, left: Leftovers | None) -> PoolSession:
    """Raises ConfigError without the libraries or the provider's key."""
    url, options = wish.pool.url, wish.options
    link = secure_link(wish, "node", "the provider's log", TEMPLATE_CAP)
    settings = ProviderSettings(
        source=wish.name,
        host=url.host,
        port=url.port,
        payout=payout,
        agent=options.agent,
        handshake_s=wish.handshake_s,
        job_age_s=options.job_age_s,
    )
    own = left if isinstance(left, FateBook) else None
    return ProviderSession(settings, wish.number, link, wish.now, own)
