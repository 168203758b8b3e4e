"""Check JSON against the shipped schema: the few keywords of JSON Schema 2020-12 it uses.

One description for readers, tests and this program; the error names the path of the first fault.
"""

import json
import math
import re
from importlib import resources
from typing import Any

from miner.errors import ConfigError

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def load(name: str = "result-v1.schema.json") -> dict[str, Any]:
    text = (resources.files("miner.measure") / "data" / name).read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check(value: Any, schema: dict[str, Any], where: str) -> None:
    """Raises ConfigError naming the path. Unknown keys of objects are ignored."""
    _check(value, schema, schema, where)


def _check(value: Any, part: dict[str, Any], whole: dict[str, Any], where: str) -> None:
    while "$ref" in part:
        part = whole["$defs"][part["$ref"].rpartition("/")[2]]
    wanted = part.get("type", [])
    names = [wanted] if isinstance(wanted, str) else wanted
    if names and not any(_is(value, name) for name in names):
        raise ConfigError(f"{where} is {_short(value)}, want {' or '.join(names)}")
    if "const" in part and value != part["const"]:
        raise ConfigError(f"{where} is {_short(value)}, want {part['const']!r}")
    if isinstance(value, dict):
        for key in part.get("required", []):
            if key not in value:
                raise ConfigError(f"{where}.{key} is missing")
        known, others = part.get("properties", {}), part.get("additionalProperties", {})
        for key, below in value.items():
            _check(below, known.get(key, others), whole, f"{where}.{key}")
    elif isinstance(value, list):
        if not part.get("minItems", 0) <= len(value) <= part.get("maxItems", 10**9):
            least, most = part.get("minItems", 0), part.get("maxItems", "any number")
            raise ConfigError(f"{where} has {len(value)} items, want {least} to {most}")
        for index, item in enumerate(value):
            _check(item, part.get("items", {}), whole, f"{where}[{index}]")
    elif isinstance(value, str):
        if "pattern" in part and not re.search(part["pattern"], value):
            want = part.get("description", part["pattern"])
            raise ConfigError(f"{where} is {_short(value)}, want {want}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_bounds(value, part, where)


def _check_bounds(value: float, part: dict[str, Any], where: str) -> None:
    """JSON has no NaN and no infinity, but 1e999 reads as one."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} is {value}, want a finite number")
    low, above = part.get("minimum"), part.get("exclusiveMinimum")
    if (low is not None and value < low) or (above is not None and value <= above):
        want = f"at least {low}" if low is not None else f"more than {above}"
        raise ConfigError(f"{where} is {_short(value)}, want {want}")
    if value > part.get("maximum", value):
        raise ConfigError(f"{where} is {_short(value)}, want at most {part['maximum']}")


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def _short(value: Any) -> str:
    if isinstance(value, int) and abs(value) > 10**30:
        return f"a number of {len(str(abs(value)))} digits"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
