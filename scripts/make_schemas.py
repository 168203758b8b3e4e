"""JSON Schemas of the live stream (`miner mine --json`) and of the snapshot, from their classes.

Use: make_schemas.py [--check]. Without it miner/views/schema/ is written anew; with it the exit
code is 1 when a file says something else than the code.
"""

import json
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # this tree's code, not the installed one

from api_schemas import api_schemas

from miner.state import events, snapshot
from miner.state.status import Status
from miner.views.jsonl import status_line

FOLDER = ROOT / "miner" / "views" / "schema"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
NULLABLE = {"type": ["number", "null"]}


def of(kind: Any) -> dict[str, Any]:
    """The schema of an annotation."""
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if get_origin(kind) in (Union, types.UnionType):
        parts = [of(part) for part in get_args(kind)]
        if all(set(part) == {"type"} for part in parts):
            return {"type": [part["type"] for part in parts]}
        return {"anyOf": parts}
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is ...:
            return {"type": "array", "items": of(inner[0])}
        items = [of(part) for part in inner]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [one.value for one in kind]}
    if get_origin(kind) in (dict, Mapping):
        return {"type": "object", "additionalProperties": of(get_args(kind)[1])}
    assert is_dataclass(kind), kind
    hints = get_type_hints(kind)
    return closed({one.name: of(hints[one.name]) for one in fields(kind)})


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def tree() -> dict[str, Any]:
    """What `Snapshot.to_dict` gives."""
    hints = get_type_hints(snapshot.Snapshot)
    names = [one.name for one in fields(snapshot.Snapshot) if one.name != "history"]
    whole = {"schema": {"const": snapshot.SCHEMA}, **{name: of(hints[name]) for name in names}}
    for row in (whole["shares"], whole["sources"]["items"]):
        row["properties"]["rejected_reasons"] = COUNTS
    return {"$schema": DRAFT, "title": "a moment of a homehash run", **closed(whole)}


def line(kind: type[events.Event]) -> dict[str, Any]:
    """An event of the stream."""
    hints = get_type_hints(kind)
    own = {one.name: of(hints[one.name]) for one in fields(kind) if one.name != "wall_s"}
    head = {"type": {"const": kind.kind}, "time_s": {"type": "number"}, "text": {"type": "string"}}
    return closed(head | own)


def status() -> dict[str, Any]:
    """The flat status: names as printed, and what each may hold."""
    named: dict[str, Any] = {"type": {"const": "status"}, "schema": {"const": snapshot.SCHEMA}}
    for name, value in status_line(Status(0.0).snapshot(1.0)).items():
        if name.startswith(("rate_", "expected_", "latency_", "best_")) or value is None:
            named.setdefault(name, NULLABLE)
        other = "array" if isinstance(value, list) else "object"
        named.setdefault(name, {"type": PLAIN.get(type(value), other)})
    named |= {"job_id": {"type": ["string", "null"]}, "height": {"type": ["integer", "null"]}}
    named |= {"rejected_reasons": COUNTS, "time_s": {"type": "number"}}
    rows = of(get_type_hints(snapshot.Snapshot)["workers"])["items"]["properties"]
    rows |= rows.pop("rates")["properties"]
    named["backends"] = {"type": "array", "items": closed(rows)}
    named["luck"] = of(get_type_hints(snapshot.Snapshot)["luck"])
    return closed(named)


def stream() -> dict[str, Any]:
    kinds = [line(kind) for kind in events.every_kind()]
    title = "one line of miner mine --json"
    return {"$schema": DRAFT, "title": title, "anyOf": [*kinds, status()]}


def main() -> None:
    made = {"stream": stream(), "snapshot": tree(), **api_schemas(tree(), of)}
    wrong = []
    for name, schema in made.items():
        path = FOLDER / f"{name}.schema.json"
        text = json.dumps(schema, indent=1) + "\n"
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            wrong.append(path.name)
    if wrong:
        sys.exit(f"{', '.join(wrong)}: not what the code says; run scripts/make_schemas.py")


if __name__ == "__main__":
    main()
