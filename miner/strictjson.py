"""JSON as its standard has it: no NaN, no infinity, no key twice in one object."""

import json
from typing import Any

from miner.text import scrub


class Repeated(ValueError):
    """A key stands twice in one object: which value counts would be a guess."""


def loads(text: str | bytes, **numbers: Any) -> Any:
    """The value; `numbers` are json's parse_int and parse_float.

    Raises Repeated, ValueError, or RecursionError for what is nested too deep.
    """
    return json.loads(text, parse_constant=refuse, object_pairs_hook=_object, **numbers)


def refuse(constant: str) -> Any:
    """For json's parse_constant. Raises ValueError."""
    raise ValueError(f"{constant} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Repeated(f"key '{scrub(twice, 40)}' stands twice")
    return values
