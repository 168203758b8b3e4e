"""JSON Schemas of the web API: the snapshot's, with what the API adds and leaves out.

What is not known has no key there: a property that may be null in the snapshot is one that may be
missing.
"""

import copy
from collections.abc import Callable
from typing import Any

from miner.state import snapshot
from miner.state.history import Row
from miner.views.api import LEFT_OUT

Schema = dict[str, Any]

TEXT, WHOLE, NUMBER, YES_NO = ({"type": one} for one in ("string", "integer", "number", "boolean"))
HEX = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def api_schemas(tree: Schema, of: Callable[[Any], Schema]) -> dict[str, Schema]:
    """By file name."""
    head = {"$schema": tree["$schema"]}
    status = known(tree)
    coinbase = status["properties"]["job"]["properties"]["coinbase"]
    del coinbase["properties"]["parts"]
    coinbase["required"].remove("parts")
    status["properties"] |= {"time_s": NUMBER, "health": health("word")}
    status["required"] += ["time_s", "health"]
    made = {
        "status": status,
        "events": compact(status),
        "history": history(),
        "shares": shares(of),
        "block": block(),
        "healthz": health("state"),
    }
    about = {
        "status": "GET /api/v1/status",
        "events": "data of each event of GET /api/v1/events",
        "healthz": "GET /healthz",
    }
    return {
        f"api-{name}": {**head, "title": about.get(name, f"GET /api/v1/{name}"), **part}
        for name, part in made.items()
    }


def known(schema: Schema) -> Schema:
    """The same without nulls: such properties are optional."""
    made = copy.deepcopy(schema)
    for name in ("$schema", "title"):
        made.pop(name, None)
    without_nulls(made)
    return made


def without_nulls(schema: Any) -> None:
    if isinstance(schema, list):
        for one in schema:
            without_nulls(one)
    if not isinstance(schema, dict):
        return
    if "anyOf" in schema:
        kinds = [one for one in schema.pop("anyOf") if one != {"type": "null"}]
        schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    for name, part in schema.get("properties", {}).items():
        if "null" in part.get("type", ()) or {"type": "null"} in part.get("anyOf", ()):
            schema["required"].remove(name)
    if isinstance(schema.get("type"), list):
        (schema["type"],) = [one for one in schema["type"] if one != "null"]
    for part in schema.values():
        if isinstance(part, dict | list):
            without_nulls(part)


def compact(status: Schema) -> Schema:
    """The status without the branches and names of LEFT_OUT."""
    made = copy.deepcopy(status)
    for branch, names in LEFT_OUT.items():
        inner = made if names is None else made["properties"][branch]
        for name in (branch,) if names is None else names:
            del inner["properties"][name]
            if name in inner["required"]:
                inner["required"].remove(name)
    return made


def thing(required: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def several(item: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": item, **({} if most is None else {"maxItems": most})}


def health(word: str) -> Schema:
    words = ["mining", "paused", "starting", "waiting", "stuck", "stopped"]
    return thing({"ok": YES_NO, word: {"enum": words}, "reason": TEXT})


def history() -> Schema:
    size = len(Row._fields)
    row = {
        "type": "array",
        "items": {"type": ["number", "null"]},
        "minItems": size,
        "maxItems": size,
    }
    return thing(
        {
            "change": WHOLE,
            "columns": {"const": list(Row._fields)},
            "fine_every_s": NUMBER,
            "coarse_every_s": NUMBER,
            "fine": several(row, 720),
            "coarse": several(row, 1440),
        }
    )


def shares(of: Callable[[Any], Schema]) -> Schema:
    best = known(of(snapshot.BestShare))
    best["properties"] |= {"rank": WHOLE, "check": TEXT}
    best["required"] += ["rank", "check"]
    return thing(
        {
            "change": WHOLE,
            "found": WHOLE,
            "recent": several(known(of(snapshot.FoundShare)), 256),
            "best": several(best, 20),
        },
        {"share_difficulty": NUMBER, "network_difficulty": NUMBER},
    )


def block() -> Schema:
    """Without a job there is only the change number."""
    field = thing(
        {"name": TEXT, "start": WHOLE, "bytes": WHOLE, "about": TEXT, "rolls": YES_NO},
        {"hex": HEX, "display": HEX, "number": WHOLE, "how": TEXT},
    )
    part = thing({"name": TEXT, "bytes": WHOLE, "rolls": YES_NO}, {"hex": HEX})
    output = thing({"value_sat": WHOLE, "to": TEXT, "is_user": YES_NO})
    step = thing({"hash": HASH, "partner": HASH, "gives": HASH})
    header = thing(
        {
            "scanned": YES_NO,
            "fields": several(field, 6),
            "version_mask": HEX,
            "versions_per_scan": WHOLE,
        },
        {"hex": {"type": "string", "pattern": "^[0-9a-f]{160}$"}},
    )
    target = {"nbits": HEX, "network": HASH, "share": HASH}
    target |= {"network_zero_bits": WHOLE, "share_zero_bits": WHOLE}
    target |= {"network_difficulty": NUMBER, "share_difficulty": NUMBER}
    coinbase = thing(
        {"tag": TEXT, "total_sat": WHOLE, "outputs": several(output), "parts": several(part)},
        {"height": WHOLE, "hex": HEX, "txid": HASH},
    )
    best = {"difficulty": NUMBER, "hash": HASH, "zero_bits": WHOLE, "found_at_s": NUMBER}
    job = {"source": TEXT, "job_id": TEXT, "jobs": WHOLE, "age_s": NUMBER, "clean": YES_NO}
    return thing(
        {"change": WHOLE},
        {
            **job,
            "height": WHOLE,
            "header": header,
            "coinbase": coinbase,
            "merkle": thing({"branch": several(HASH)}, {"steps": several(step), "root": HASH}),
            "transactions": thing({}, {"count": WHOLE, "at_least": WHOLE, "at_most": WHOLE}),
            "target": thing(target),
            "best": thing(best),
        },
    )
