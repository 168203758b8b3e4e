"""One setting of `miner mine`: what it takes, and the check of a value, wherever it comes from.

A wrong value is a ConfigError that names its key and the value (never a secret's).
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from miner import units
from miner.engine.goal import Goal
from miner.errors import ConfigError
from miner.transport.listening import listen_address

WEB_PORT, CGMINER_PORT = 8080, 4028  # where they listen when no port is named
MAX_DEVICE_NAME = 32  # bytes; what a share of Stratum v2 may carry


class Setting(NamedTuple):
    """One key: flag --some-name, variable MINER_SOME_NAME, TOML some_name or some-name."""

    parse: Callable[[object], object]
    default: object = None
    many: bool = False
    secret: bool = False


def text(value: object) -> str:
    if type(value) is not str or not value or not value.isprintable():
        raise ValueError("is not a printable text")
    return value


def path(value: object) -> Path:
    try:
        return Path(text(value)).expanduser()
    except RuntimeError:  # "~name" of a user that this machine does not have
        raise ValueError("begins with ~ and a user's name that is not known here") from None


def switch(value: object) -> bool:
    if type(value) is bool:
        return value
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    if type(value) is not str or value.lower() not in words:
        raise ValueError("is not true or false")
    return words[value.lower()]


def whole(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if type(value) is str and re.fullmatch(r"[+-]?[0-9]{1,12}", value):
            value = int(value)
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"is not a whole number from {least} to {most}")
        return value

    return parse


def seconds(value: object) -> float:
    """A number of seconds, or a text such as 500ms, 60s, 10m, 1h."""
    if isinstance(value, int | float) and type(value) is not bool and abs(value) < 1e12:
        value = f"{value:.9f}"
    return units.seconds_of(value if type(value) is str else "")


def goal(value: object) -> Goal:
    """60s, 10m, 5shares, 5blocks."""
    match = re.fullmatch(r"([0-9]{1,9})\s*(shares?|blocks?)", value) if type(value) is str else None
    if match:
        amount = int(match[1])
        reached = Goal(amount, "shares" if match[2].startswith("share") else "blocks")
    else:
        reached = Goal(seconds(value), "s")
    if reached.amount <= 0 or (type(value) is str and value[-1:].isdigit()):
        raise ValueError("is not a goal such as 60s, 5shares or 5blocks")
    return reached


def backend(value: object) -> str:
    name = text(value)
    if not re.fullmatch(r"[A-Za-z0-9_.+-]+(:[A-Za-z0-9_.+ -]+){0,2}", name):
        raise ValueError("is not a backend name such as auto, hashlib, native:avx2 or opencl:0:0")
    return name


def pin(value: object) -> str:
    digits = text(value).replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError("is not a SHA-256 fingerprint of 64 hex digits")
    return digits


def host_name(value: object) -> str:
    name = text(value)
    if not re.fullmatch(r"[0-9A-Za-z_.-]{1,253}", name):
        raise ValueError("is not a host name such as miner.lan")
    return name


def device_name(value: object) -> str:
    name = text(value)
    if len(name.encode()) > MAX_DEVICE_NAME:
        raise ValueError(f"is not a name of at most {MAX_DEVICE_NAME} bytes")
    return name


def tag(value: object) -> str:
    if type(value) is not str or not value.isprintable() or len(value.encode()) > 40:
        raise ValueError("is not a coinbase tag of at most 40 printable bytes")
    return value


def retries(value: object) -> int | None:
    count = whole(-1, 1_000_000)(value)
    return None if count == -1 else count  # -1 is the customary "for ever"


SETTINGS: dict[str, Setting] = {
    "pool": Setting(text, many=True),
    "node": Setting(text, many=True),
    "check_node": Setting(text),
    "user": Setting(text, many=True),
    "password": Setting(text, many=True, secret=True),
    "userpass": Setting(text, many=True, secret=True),
    "pass_file": Setting(path),
    "cookie": Setting(path),
    "address": Setting(text),
    "tag": Setting(tag, "/homehash/"),
    "backend": Setting(backend, ("auto",), many=True),
    "threads": Setting(whole(1, 4096)),
    "throttle": Setting(whole(1, 100), 100),
    "idle": Setting(switch, True),
    "intensity": Setting(whole(1, 10), 8),
    "blocks": Setting(whole(1, 10**9)),
    "block_interval": Setting(seconds),
    "stop_after": Setting(goal, (), many=True),
    "wait_min_diff": Setting(switch, False),
    "long_poll": Setting(switch, False),
    "version_rolling": Setting(switch, True),
    "allow_redirect": Setting(text, (), many=True),
    "tls_ca": Setting(path),
    "tls_pin": Setting(pin),
    "tls_insecure": Setting(switch, False),
    "sv2_insecure": Setting(switch, False),
    "device_name": Setting(device_name),
    "journal": Setting(path),
    "retries": Setting(retries),
    "decode": Setting(switch, False),
    "json": Setting(switch, False),
    "datadir": Setting(path),
    "fresh": Setting(switch, False),
    "web": Setting(listen_address(WEB_PORT)),
    "web_name": Setting(host_name, (), many=True),
    "web_full_address": Setting(switch, False),
    "cgminer_api": Setting(listen_address(CGMINER_PORT)),
    "on_event": Setting(text),
}


def check(key: str, value: object, origin: str) -> object:
    """The parsed value; ConfigError names where it came from."""
    setting = SETTINGS[key]
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not setting.many and isinstance(value, list | tuple):
        raise ConfigError(f"{origin}: takes one value, not a list")
    parsed = []
    for item in values:
        try:
            parsed.append(setting.parse(item))
        except ValueError as error:
            shown = "the value" if setting.secret else presentable(item)
            raise ConfigError(f"{origin}: {shown} {error}") from None
    return tuple(parsed) if setting.many else parsed[0]


def presentable(value: object) -> str:
    """A wrong value, fit to print: no login of a URL, and no table, which may hold a password."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list in a list"
    if type(value) is int and value.bit_length() > 1000:
        return "so large a number"
    if type(value) is str:
        value = re.sub(r"^(\w[\w+.-]*://)?.*@", r"\1", value)
    return repr(value)[:200]
