"""Where a node listens: a URL taken apart, so that no password stays in it."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from miner.errors import ConfigError
from miner.secret import Secret

# Bitcoin Core, chainparamsbase.cpp, by the name getblockchaininfo gives the chain.
RPC_PORTS = {"main": 8332, "test": 18332, "testnet4": 48332, "signet": 38332, "regtest": 18443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to connect to; never holds a credential, so it may be shown anywhere."""

    scheme: str  # http or https
    host: str  # without brackets
    port: int
    path: str = "/"

    @property
    def authority(self) -> str:
        """host:port as the Host header wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node's URL, taken apart."""

    endpoint: Endpoint
    user: str | None = None
    password: Secret | None = None


def parse_node_url(url: str, default_port: int) -> NodeAddress:
    """Read http(s)://[user[:password]@]host[:port][/path]; the scheme may be left out.

    User and password are percent-decoded. Raises ConfigError, which never repeats a credential.
    """
    shown = url.rsplit("@", 1)[-1][:100]
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"node URL {shown!r} cannot be read: {_why(error, url)}") from None
    if parts.scheme not in ("http", "https"):
        raise ConfigError(f"node URL {shown!r}: want http:// or https://; pools go to --pool")
    if not parts.hostname or any(char.isspace() or not char.isprintable() for char in url):
        raise ConfigError(f"node URL {shown!r}: no host; want http://HOST:PORT")
    if port == 0:
        raise ConfigError(f"node URL {shown!r}: port 0 cannot be connected to")
    if "@" in parts.path:  # it may be a login, and paths are shown
        raise ConfigError(f"node URL {shown!r}: an @ in the path; want http://USER@HOST:PORT")
    if parts.query or parts.fragment:
        raise ConfigError(f"node URL {shown!r}: nothing may follow the path")
    if not parts.path.isascii():
        raise ConfigError(f"node URL {shown!r}: a path goes over the wire percent-encoded")
    try:  # HTTP names hosts in ASCII (RFC 3490)
        host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    except UnicodeError:
        raise ConfigError(f"node URL {shown!r}: its host is no host name") from None
    endpoint = Endpoint(parts.scheme, host, port or default_port, parts.path or "/")
    return NodeAddress(endpoint, *_user_and_password(parts))


def _user_and_password(parts: SplitResult) -> tuple[str | None, Secret | None]:
    if parts.username is None:
        return None, None
    return unquote(parts.username), Secret(unquote(parts.password or ""))


def _why(error: ValueError, url: str) -> str:
    """urllib's sentence, unless it could quote a credential."""
    return "is the password percent-encoded?" if "@" in url else str(error)
