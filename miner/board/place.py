"""Where a miner is and what it speaks: `[NAME=]KIND://HOST[:PORT]`.

homehash://desk:8080   axeos://192.168.1.20   cgminer://192.168.1.30:4028   xmrig://box:8080
ckpool:/var/log/ckpool/logs   publicpool://192.168.1.2:3334/bc1q...   192.168.1.40 (any)
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from miner.errors import ConfigError
from miner.text import scrub

PORTS = {"homehash": 8080, "axeos": 80, "cgminer": 4028, "xmrig": 8080, "publicpool": 3334}
ANY = "any"  # found out by asking
KINDS = (*PORTS, "ckpool")
HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z_.-]*[0-9A-Za-z.])?")
IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+)\]")
LABEL = re.compile(r"[^=:/]{1,40}")
ADDRESS = re.compile(r"[0-9A-Za-z]{20,120}")  # of a pool's user


@dataclass(frozen=True, slots=True)
class Place:
    """One source of the board."""

    kind: str
    host: str = ""
    port: int = 0
    path: str = ""  # a folder, or the address whose workers a pool is asked for
    label: str = ""  # what its user calls it

    def __str__(self) -> str:
        """For people and as the row's address."""
        if self.kind == "ckpool":
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


def parse(text: str) -> Place:
    """Raises ConfigError with one line that names the value and the remedy."""
    label, equals, rest = text.strip().partition("=")
    if not equals or not LABEL.fullmatch(label) or not label.isprintable():
        label, rest = "", text.strip()
    if rest.startswith("ckpool:"):
        folder = rest.removeprefix("ckpool:").removeprefix("//")
        if not folder:
            raise ConfigError(f"source {scrub(text)!r}: want ckpool:/path/to/logs")
        return Place("ckpool", path=str(Path(folder).expanduser()), label=label.strip())
    scheme, separator, where = rest.partition("://")
    kind = scheme.lower() if separator else ANY
    if kind not in PORTS and kind != ANY:
        near = get_close_matches(kind, KINDS, 1)
        meant = f"; is {near[0]} meant?" if near else f"; one of {', '.join(KINDS)}"
        raise ConfigError(f"source {scrub(text)!r}: {scrub(scheme)} is not known{meant}")
    authority, _, path = (where if separator else rest).partition("/")
    if "@" in authority:
        raise ConfigError("a source has no login: the board only reads what is open")
    host, port = host_and_port(authority, text)
    if kind == "publicpool" and not ADDRESS.fullmatch(path):
        raise ConfigError(
            f"source {scrub(text)!r}: want publicpool://HOST:PORT/ADDRESS, whose workers it shows"
        )
    return Place(
        kind,
        host,
        port or PORTS.get(kind, 0),
        path if kind == "publicpool" else "",
        label.strip(),
    )


def host_and_port(authority: str, text: str) -> tuple[str, int]:
    host, port = authority, ""
    bracketed = re.fullmatch(r"(\[.*\])(?::(.*))?", authority)
    if bracketed:
        host, port = bracketed[1], bracketed[2] or ""
    elif authority.count(":") == 1:
        host, _, port = authority.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ConfigError(f"source {scrub(text)!r}: the port is not a number from 1 to 65535")
    if inner := IPV6.fullmatch(host):
        return inner[1], int(port or 0)
    if not HOST.fullmatch(host) or len(host) > 253:
        raise ConfigError(
            f"source {scrub(text)!r}: want [NAME=]KIND://HOST[:PORT], KIND one of "
            f"{', '.join(KINDS)}"
        )
    return host, int(port or 0)
