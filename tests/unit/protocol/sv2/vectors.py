"""Published and recorded vectors of Stratum v2; each entry names its source."""

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[3] / "vectors" / "sv2.json"
VECTORS: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))


def unhex(row: dict[str, str], *names: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(row[name]) for name in names)
