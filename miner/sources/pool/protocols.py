"""The protocols that pools speak: each makes the sessions of its URLs. A new one is one line."""

from collections.abc import Mapping
from dataclasses import replace

from miner.protocol.pool import Leftovers, PoolSession
from miner.protocol.stratum import shares as stratum
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.wish import OpenSession, Wish
from miner.sources.sv2.pools import stratum_v2
from miner.transport.urls import PoolLogin
from miner.work.luck import suggested_difficulty

FLOOD = 100  # times more shares than we asked for are more than we want


def stratum_v1(wish: Wish, left: Leftovers | None) -> PoolSession:
    """Raises ConfigError when the login does not fit a line."""
    options, rate_hs = wish.options, wish.options.rate_hs()
    difficulty = options.suggest_difficulty
    if difficulty is None and rate_hs is not None:
        difficulty = suggested_difficulty(rate_hs)
    settings = SessionSettings(
        source=wish.name,
        user=wish.pool.user,
        password=wish.pool.password,
        agent=options.agent,
        version_mask=options.version_mask,
        suggest_difficulty=difficulty,
        keep_suggestion=options.suggest_difficulty is not None,
        minimum_difficulty=None if difficulty is None else difficulty / FLOOD,
        handshake_s=wish.handshake_s,
        silence_s=options.silence_s,
        answer_s=options.answer_s,
        job_age_s=options.job_age_s,
    )
    own = left if isinstance(left, stratum.Leftovers) else None
    return StratumSession(settings, wish.number, wish.now, own)


PROTOCOLS: Mapping[str, OpenSession] = {
    "stratum": stratum_v1,
    "sv2": stratum_v2,
}


def open_session(wish: Wish, left: Leftovers | None = None) -> PoolSession:
    """A session of the protocol that the pool's URL names."""
    return PROTOCOLS[wish.pool.url.protocol](wish, left)


def check(name: str, pool: PoolLogin, options: PoolOptions) -> None:
    """Raises ConfigError for a login that the protocol cannot carry, before anything is opened."""
    open_session(Wish(name, pool, replace(options, rate_hs=lambda: None)))
