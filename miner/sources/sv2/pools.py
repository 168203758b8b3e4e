"""Sessions of Stratum v2 pools."""

from miner.errors import ConfigError
from miner.protocol.pool import Leftovers, PoolSession
from miner.protocol.sv2 import terms as sv2
from miner.protocol.sv2.session import Sv2Session
from miner.sources.pool.wish import Wish
from miner.sources.sv2.secure import secure_link

GUESSED_HS = 1e6  # told to a pool before anything was measured
MAX_USER_BYTES = 255  # of a Stratum v2 string


def stratum_v2(wish: Wish, left: Leftovers | None) -> PoolSession:
    """Raises ConfigError without the libraries or the pool's key, or for too long a name."""
    url, options = wish.pool.url, wish.options
    link = secure_link(wish, "pool", "the pool's page")
    if len(wish.pool.user.encode()) > MAX_USER_BYTES:
        raise ConfigError(f"{wish.name}: the user name is longer than {MAX_USER_BYTES} bytes")
    settings = sv2.Settings(
        source=wish.name,
        user=wish.pool.user,
        host=url.host,
        port=url.port,
        agent=options.agent,
        device=options.device_name or worker_of(wish.pool.user),
        device_id=options.device_name,
        standard=url.standard,
        version_mask=options.version_mask,
        rate_hs=options.rate_hs() or GUESSED_HS,
        handshake_s=wish.handshake_s,
        silence_s=options.silence_s,
        job_age_s=options.job_age_s,
    )
    own = left if isinstance(left, sv2.Leftovers) else None
    return Sv2Session(settings, wish.number, link, wish.now, own)


def worker_of(user: str) -> str:
    """What the user calls this computer in ADDRESS.worker, sri/solo/ADDRESS/worker; else empty."""
    name = user.rpartition("/")[2] if user.count("/") > 2 else user.partition(".")[2]
    return name.strip()
