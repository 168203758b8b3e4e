"""What the user wants of pools: which ones, in which order, and how to treat them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from miner.bitcoin.versions import BIP320_MASK
from miner.transport.tls import TlsSettings
from miner.transport.urls import PoolUrl


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How to treat every pool."""

    noun: str = "pool"  # what people call such a server
    agent: str = "homehash"
    version_mask: int = BIP320_MASK  # bits we are willing to roll; 0 = --no-version-rolling
    allow_redirect: tuple[str, ...] = ()  # hosts client.reconnect may name besides the pool's own
    tls: TlsSettings = field(default_factory=TlsSettings)
    device_name: str = ""  # told to pools that ask which computer found a share
    sv2_insecure: bool = False  # a Stratum v2 pool whose key is not known may be used
    retries: int | None = None  # failed attempts in a row before a pool is given up; None = never
    suggest_difficulty: float | None = None  # None: from the measured rate, once it is known
    rate_hs: Callable[[], float | None] = lambda: None  # measured hashes per second
    handshake_s: float = 15.0  # one budget for TCP, TLS, subscribe and authorize
    silence_s: float = 180.0  # without a complete line: the connection is dropped
    answer_s: float = 120.0  # a submit unanswered for longer is unknown
    job_age_s: float = 600.0  # the oldest job worth hashing
    stable_s: float = 60.0  # the primary must hold that long before it gets the work back
    penalty_s: float = 300.0  # without work for a pool that misbehaves, while another has it
    alone_s: float = 60.0  # the same for the only one
    rest_s: float = 300.0  # so long after the work went back, the pools behind are disconnected
    probe_s: float = 20.0  # longest pause before a try while another pool has the work
    least_delay_s: float = 1.0  # back-off: full jitter, doubling from here
    most_delay_s: float = 60.0  # to here


def pool_names(urls: Sequence[PoolUrl]) -> list[str]:
    """How jobs and verdicts name each: host:port, with a number where two logins share one."""
    names: list[str] = []
    for url in urls:
        name = str(url).partition("://")[2]
        names.append(name if name not in names else f"{name}#{len(names) + 1}")
    return names
