"""Real headers and recorded answers of Bitcoin Core that the lessons show."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from miner.backends.selftest import BLOCK_125552

DATA = files("miner.learn") / "data"
FAMOUS = 125_552  # a block of May 2011, used in many explanations of mining


@cache
def read(name: str) -> Any:
    """A JSON file of the lessons' data."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@cache
def real_headers() -> dict[int, bytes]:
    """Mainnet headers of every era, 80 bytes each, by height."""
    rows = read("mainnet_headers.json")["headers"]
    found = {row["height"]: bytes.fromhex(row["header"]) for row in rows}
    return dict(sorted({**found, FAMOUS: BLOCK_125552}.items()))


def by_height(height: int) -> bytes:
    """One of the real headers."""
    return real_headers()[height]


def retargets() -> list[dict[str, Any]]:
    """Real difficulty adjustments: first and last time of the period, old and new nbits."""
    found: list[dict[str, Any]] = read("mainnet_headers.json")["retargets"]
    return found
