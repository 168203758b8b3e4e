"""The URL of a pool: `[scheme://][user[:password]@]host:port[/][#xnsub]`.

Schemes: none or stratum+tcp for plain TCP; stratum+ssl, +tls and +tcps for TLS; stratum2+tcp for
Stratum v2, whose path is the pool's authority key: `stratum2+tcp://host:port/KEY[?channel=standard]`.
Credentials are percent-decoded and never part of an error text.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from miner.bitcoin.authority import AuthorityError, authority_from_text
from miner.errors import ConfigError
from miner.secret import Secret

PLAIN = ("stratum+tcp", "stratum", "tcp")
TLS = ("stratum+ssl", "stratum+tls", "stratum+tcps", "stratums", "ssl", "tls")
NODE = ("http", "https", "getwork", "gbt")
V2 = ("stratum2+tcp", "stratum+sv2", "stratum2", "sv2")
CHANNELS = {"": False, "channel=extended": False, "channel=standard": True}
SCHEME = re.compile(r"[0-9A-Za-z+.-]*")
HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z_.-]*[0-9A-Za-z.])?")
IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%[0-9A-Za-z_.-]+)?")  # a zone after % for link-local ones
DUMMY_PASSWORD = Secret("x")  # customary where a pool asks for none
MAX_HOST_CHARS = 253  # RFC 1035


@dataclass(frozen=True, slots=True)
class PoolUrl:
    """Where a pool is; `user` and `password` only if they stood in the URL."""

    host: str  # without brackets
    port: int
    tls: bool = False
    user: str | None = None
    password: Secret | None = None
    xnsub: bool = False  # "#xnsub": the pool is known to change extranonces
    protocol: str = "stratum"  # what is spoken there, after TLS
    authority: bytes | None = None  # sv2: the pool's 32-byte x-only key; None: it was not given
    standard: bool = False  # sv2: header-only work was asked for

    @property
    def pinned(self) -> bool:
        """Must whoever answers prove to hold the key given, wherever it is?"""
        return self.authority is not None

    def __str__(self) -> str:
        """For people, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        plain = "stratum2+tcp" if self.protocol == "sv2" else "stratum+tcp"
        return f"{'stratum+ssl' if self.tls else plain}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PoolLogin:
    """One pool and who we are there."""

    url: PoolUrl
    user: str  # often ADDRESS.WORKER
    password: Secret = DUMMY_PASSWORD


def pool_login(url: str, user: str | None = None, password: Secret | None = None) -> PoolLogin:
    """A pool from its URL and login; what stands in the URL counts where the login is silent.

    Raises ConfigError.
    """
    place = parse_pool_url(url)
    user = user or place.user
    if not user:
        raise ConfigError(f"pool {place}: no user name; give --user NAME or ADDRESS.WORKER")
    return PoolLogin(place, user, password or place.password or DUMMY_PASSWORD)


def is_v2(url: str) -> bool:
    """Is its scheme one of Stratum v2?"""
    return url.strip().partition("://")[0].lower() in V2


def parse_pool_url(text: str, what: str = "pool") -> PoolUrl:
    """Raises ConfigError with one line that names the value and the remedy. `what` is there."""
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "stratum+tcp", text.strip()
    credentials, at, place = rest.rpartition("@")
    place, _, fragment = place.partition("#")  # after the login: a password may hold a #
    if not SCHEME.fullmatch(scheme):  # it may hold a login, so it is not shown
        raise ConfigError(
            f"{what} {place[:100]!r}: no scheme before ://; want stratum+tcp:// there"
        )
    shown = f"{what} " + repr(f"{scheme}://{place}"[:120])
    v2 = scheme.lower() in V2
    tls = not v2 and _is_tls(scheme.lower(), shown)
    host, port = _host_and_port(re.split("[/?]", place)[0], shown)
    user, colon, password = credentials.partition(":")
    url = PoolUrl(
        host,
        port,
        tls,
        unquote(user) if at else None,
        Secret(unquote(password)) if colon else None,
        fragment == "xnsub",
    )
    return _with_key(url, place, what) if v2 else url


def _with_key(url: PoolUrl, place: str, what: str) -> PoolUrl:
    """Add what only Stratum v2 has: the key in the path, the kind of channel after a ?."""
    path, _, query = place.partition("/")[2].partition("?")
    if not path and "?" in place:
        query = place.partition("?")[2]
    url = replace(url, protocol="sv2")
    if query not in CHANNELS:
        raise ConfigError(f"{what} {url}: {query[:40]!r} is unknown; use ?channel=standard")
    try:
        key = authority_from_text(path.rstrip("/")) if path.rstrip("/") else None
    except AuthorityError as error:
        raise ConfigError(f"{what} {url}: {error}") from None
    return replace(url, authority=key, standard=CHANNELS[query])


def _is_tls(scheme: str, shown: str) -> bool:
    if scheme in NODE:
        raise ConfigError(f"{shown}: this is a node's address; use --node for it")
    if scheme not in PLAIN + TLS:
        raise ConfigError(
            f"{shown}: scheme {scheme[:40]!r} is unknown; use stratum+tcp:// or stratum+ssl://"
        )
    return scheme in TLS


def _host_and_port(place: str, shown: str) -> tuple[str, int]:
    if place.startswith("["):
        host, bracket, port_text = place[1:].partition("]")
        good = bool(bracket and IPV6.fullmatch(host) and ":" in host)
        if port_text and not port_text.startswith(":"):
            good = False
        port_text = port_text[1:]
    else:
        host, _, port_text = place.rpartition(":") if ":" in place else (place, "", "")
        good = bool(HOST.fullmatch(host)) and len(host) <= MAX_HOST_CHARS
    if place.count(":") > 1 and not place.startswith("["):
        raise ConfigError(f"{shown}: write an IPv6 address in brackets, as in [::1]:3333")
    if not good:
        raise ConfigError(f"{shown}: {host[:60]!r} is no host name; want HOST:PORT")
    if not port_text:
        raise ConfigError(f"{shown}: the port is missing; add it, as in {place[:60]}:3333")
    return host, _port(port_text, shown)


def _port(text: str, shown: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not 1 <= number <= 65535:
        raise ConfigError(f"{shown}: port {text[:20]!r} is not 1 to 65535")
    return number
