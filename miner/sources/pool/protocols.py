"""The protocols that pools speak: each makes the sessions of its URLs. A new one is one line."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from miner.errors import ConfigError
from miner.protocol.pool import Leftovers, PoolSession
from miner.protocol.stratum import shares as stratum
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.protocol.sv2 import crypto
from miner.protocol.sv2 import terms as sv2
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.session import Sv2Session
from miner.sources.pool.options import PoolOptions
from miner.transport.urls import PoolLogin
from miner.work.luck import suggested_difficulty

GUESSED_HS = 1e6  # told to a pool before anything was measured
MAX_USER_BYTES = 255  # of a Stratum v2 string
FLOOD = 100  # times more shares than we asked for are more than we want


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


def stratum_v2(wish: Wish, left: Leftovers | None) -> PoolSession:
    """Raises ConfigError without the libraries or the pool's key, or for too long a name."""
    url, options = wish.pool.url, wish.options
    if (lack := crypto.missing()) is not None:
        raise ConfigError(f"pool {url}: {lack}")
    if url.authority is None and not options.sv2_insecure:
        raise ConfigError(
            f"pool {url}: no key: Stratum v2 would take whoever answers; add the authority key "
            "from the pool's page, as in stratum2+tcp://HOST:PORT/9..., or --sv2-insecure"
        )
    if len(wish.pool.user.encode()) > MAX_USER_BYTES:
        raise ConfigError(f"{wish.name}: the user name is longer than {MAX_USER_BYTES} bytes")
    settings = sv2.Settings(
        source=wish.name,
        user=wish.pool.user,
        host=url.host,
        port=url.port,
        agent=options.agent,
        standard=url.standard,
        version_mask=options.version_mask,
        rate_hs=options.rate_hs() or GUESSED_HS,
        handshake_s=wish.handshake_s,
        silence_s=options.silence_s,
        job_age_s=options.job_age_s,
    )
    key = crypto.new_key(os.urandom(crypto.RANDOM_BYTES))
    link = SecureLink(key, url.authority, lambda: int(time.time()))
    own = left if isinstance(left, sv2.Leftovers) else None
    return Sv2Session(settings, wish.number, link, wish.now, own)


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
