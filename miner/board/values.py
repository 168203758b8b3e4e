"""Values out of strangers' JSON: what is missing, of a wrong type or no sensible number is None.

Nothing here raises: a miner with one odd field still has its other figures.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from miner.text import scrub

LONGEST = 60  # characters of a name
MOST = 1e30  # above every rate and difficulty there is
SUFFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
SUFFIXED = re.compile(r"\s*([0-9]{1,24}(?:\.[0-9]{1,12})?(?:[eE][+-]?[0-9]{1,2})?)\s*([kKMGTPE]?)")


def number(tree: Any, *names: str, scale: float = 1.0) -> float | None:
    """The first of these fields that holds a number from 0 up, times `scale`. A text such as
    "1.01 G" counts: older firmware writes difficulties so, pools their rates."""
    for name in names:
        value = field(tree, name)
        if isinstance(value, str):
            value = from_text(value)
        if isinstance(value, int | float) and type(value) is not bool:
            found = as_float(value)
            if math.isfinite(found) and 0 <= found <= MOST:
                return found * scale
    return None


def as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def whole(tree: Any, *names: str) -> int | None:
    found = number(tree, *names)
    return None if found is None else int(found)


def from_text(value: str) -> float | None:
    match = SUFFIXED.fullmatch(value[:60].rstrip())
    return float(match[1]) * SUFFIXES[match[2]] if match else None


def words(tree: Any, *names: str) -> str | None:
    """The first of these fields that holds a text, made fit to show."""
    for name in names:
        value = field(tree, name)
        if isinstance(value, str) and (shown := scrub(value, LONGEST)):
            return shown
    return None


def flag(tree: Any, name: str) -> bool:
    """true, 1 or a text that says so."""
    return field(tree, name) in (True, 1, "1", "true")


def field(tree: Any, name: str) -> Any:
    """`name` may be a path: "run.rates.rate_10s_hs"."""
    for part in name.split(".") if isinstance(tree, Mapping) and name not in tree else [name]:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def rows(tree: Any, name: str, most: int = 256) -> list[Any]:
    """The objects of a list; at most so many."""
    value = field(tree, name)
    found = value if isinstance(value, list) else []
    return [one for one in found[:most] if isinstance(one, Mapping)]


def place(tree: Any, host: str, port: str) -> str | None:
    """Host and port of a pool from two fields, without a login or a path."""
    name, number_ = words(tree, host), whole(tree, port)
    if name is None:
        return None
    bare = authority(name)
    return f"{bare}:{number_}" if number_ and ":" not in bare else bare


def authority(url: str) -> str:
    """Of stratum+tcp://user:word@host:3333/path only host:3333."""
    return re.split("[/?#]", url.rpartition("://")[2])[0].rpartition("@")[2]
