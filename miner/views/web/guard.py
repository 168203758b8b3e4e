"""What every request passes before it is routed, and every answer gets on its way out.

Reading alone is allowed, by a name that is this computer's: a page elsewhere whose name is made to
point here (DNS rebinding) sends its own name and is refused. A site whose policy says so takes
POSTs of JSON too, from its own pages alone.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miner.transport.listening import is_loopback
from miner.views.web.answer import JSON, refusal

Headers = list[tuple[bytes, bytes]]

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
READS = ("GET", "HEAD")
MOST_HEAD = 16384  # bytes of headers; the parser bounds only what arrives in pieces
HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z_.-]{1,253}))(?::[0-9]{1,5})?")
ORIGIN = re.compile(r"https?://(.+)", re.IGNORECASE)
PRIVATE = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)


class Policy(NamedTuple):
    """What a site allows its own pages."""

    csp: str = CSP
    most_body: int = 0  # bytes of a POST; 0: none is taken


READ_ONLY = Policy()


class Guard:
    """ASGI: `names` are the host names answered to, beside addresses of this computer."""

    def __init__(
        self, app: ASGIApp, names: Iterable[str], lan: bool, policy: Policy = READ_ONLY
    ) -> None:
        self._app, self._lan, self._policy = app, lan, policy
        self._names = frozenset(name.lower().rstrip(".") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        cross = self._cors(headers)
        extra = [(b"content-security-policy", self._policy.csp.encode()), *ALWAYS, *cross]

        async def out(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        why = self._refused(scope, headers, bool(cross))
        await (self._app if why is None else why)(scope, receive, out)

    def _refused(self, scope: Scope, headers: dict[bytes, bytes], cross: bool) -> ASGIApp | None:
        if scope["http_version"] not in ("1.0", "1.1"):
            return refusal(400, "HTTP/1.1 is spoken here", [(b"connection", b"close")])
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEAD:
            return refusal(431, "too many headers", [(b"connection", b"close")])
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self.answers_to(hosts[0], scope):
            hint = "call it by its address" if self._policy.most_body else "see --web-name"
            return refusal(421, f"this server does not answer to that name; {hint}")
        if scope["method"] == "OPTIONS" and cross and b"access-control-request-method" in headers:
            return refusal(204, "", [(b"access-control-allow-methods", b"GET, HEAD")])
        if scope["method"] == "POST" and self._policy.most_body:
            return post_refused(scope["headers"], hosts[0], self._policy.most_body)
        if scope["method"] not in READS:
            allowed = b"GET, HEAD, POST" if self._policy.most_body else b"GET, HEAD"
            why = "GET, HEAD and POST alone" if self._policy.most_body else "read-only"
            return refusal(405, why, [(b"allow", allowed)])
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            return refusal(413, "a request has no body here", [(b"connection", b"close")])
        return None

    def answers_to(self, host: bytes, scope: Scope) -> bool:
        """Is the Host header a name or address of this computer?"""
        match = HOST.fullmatch(host.decode("latin-1"))
        if match is None:
            return False
        name = (match[1] or match[2]).lower().removesuffix(".")
        server = scope.get("server") or ("", 0)
        return is_loopback(name) or name in self._names or same_address(name, str(server[0]))

    def _cors(self, headers: dict[bytes, bytes]) -> Headers:
        """For pages of other devices at home, when we listen beyond loopback: AxeOS' own rule."""
        origin = headers.get(b"origin")
        if origin is None or not self._lan or not is_at_home(origin.decode("latin-1")):
            return []
        allowed = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
        if b"access-control-request-private-network" in headers:
            allowed.append((b"access-control-allow-private-network", b"true"))
        return allowed


def post_refused(headers: Headers, host: bytes, most: int) -> ASGIApp | None:
    """A browser tells the origin of a POST's page, and asks first before it sends another site's
    JSON: with both, no page elsewhere changes anything here."""
    told = {name: [value for key, value in headers if key == name] for name, _ in headers}
    origins, lengths = told.get(b"origin", []), told.get(b"content-length", [])
    kind = b"".join(told.get(b"content-type", [])).split(b";")[0].strip().lower()
    end = [(b"connection", b"close")]
    if len(origins) != 1 or origins[0].lower() != b"http://" + host.lower():
        return refusal(403, "a POST must come from this server's own page: open it anew", end)
    if kind != JSON.encode():
        return refusal(415, f"a POST must be {JSON}", end)
    if len(lengths) != 1 or b"transfer-encoding" in told:
        return refusal(411, "a POST must tell its length", end)
    if len(lengths[0]) > 9 or int(lengths[0]) > most:
        return refusal(413, f"a POST has at most {most} bytes here", end)
    return None


def same_address(name: str, own: str) -> bool:
    """Is `name` the IP address that the connection was made to?"""
    try:
        told, mine = ipaddress.ip_address(name), ipaddress.ip_address(own.partition("%")[0])
    except ValueError:
        return False
    mapped: Any = getattr(mine, "ipv4_mapped", None)
    return told in (mine, mapped)


def is_at_home(origin: str) -> bool:
    """A private IPv4 address, a name under .local, or a name without a dot."""
    match = ORIGIN.fullmatch(origin)
    host = HOST.fullmatch(match[1]) if match else None
    if host is None or host[2] is None:
        return False
    name = host[2].lower()
    try:
        address = ipaddress.IPv4Address(name)
    except ValueError:
        return name.endswith(".local") or "." not in name
    return any(address in net for net in PRIVATE)
