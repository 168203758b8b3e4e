"""The miner's own JSON API, version 1: pure functions of a snapshot.

Units are in the names: `_hs` hashes a second, `_s` seconds, `_w` watts, `_sat` satoshi. What is not
known has no key. Shapes: `schema/api.schema.json`.
"""

import math
import time
from typing import Any

from miner.state.snapshot import BestShare, Snapshot, plain
from miner.views.health import Health

LEFT_OUT = {  # of a compact status: what changes with a job or not at all
    "machine": None,
    "workers": None,
    "job": ("branch", "coinbase", "network_target", "share_target", "prev_hash", "extranonce1"),
    "shares": ("best",),
}
CHECK = (
    'python3 -c "from hashlib import sha256 as s; '
    "print(s(s(bytes.fromhex('{header}')).digest()).digest()[::-1].hex())\""
)


def status(now: Snapshot, health: Health) -> dict[str, Any]:
    """The whole snapshot but history, newest shares and the coinbase's bytes, with the health."""
    told, tree = {"ok": health.ok, "word": health.word, "reason": health.reason}, now.to_dict()
    if now.job is not None and now.job.coinbase is not None:
        del tree["job"]["coinbase"]["parts"]  # they spell addresses: see /api/v1/block
    return {"time_s": round(time.time(), 3), "health": told, **tree}


def compact(now: Snapshot, health: Health) -> dict[str, Any]:
    """The status without what seldom changes: sent every second."""
    whole = status(now, health)
    for branch, names in LEFT_OUT.items():
        if names is None:
            del whole[branch]
        elif whole[branch] is not None:
            whole[branch] = {k: v for k, v in whole[branch].items() if k not in names}
    return whole


def shares(now: Snapshot, since_s: float = 0.0) -> dict[str, Any]:
    """The newest 256 shares, newest last, and the 20 best with a command that checks each."""
    job = now.job
    return {
        "change": now.change,
        "share_difficulty": job.share_difficulty if job else None,
        "network_difficulty": job.network_difficulty if job else None,
        "found": now.shares.found,
        "recent": [plain(row) for row in now.history.shares if row.found_at_s > since_s],
        "best": [scored(row, rank) for rank, row in enumerate(now.shares.best, 1)],
    }


def scored(row: BestShare, rank: int) -> dict[str, Any]:
    return {"rank": rank, **plain(row), "check": CHECK.format(header=row.header)}


def known(value: Any) -> Any:
    """Without keys whose value is not known (None, NaN, infinite); lists keep their length."""
    if isinstance(value, dict):
        return {key: known(one) for key, one in value.items() if is_known(one)}
    if isinstance(value, list | tuple):
        return [known(one) for one in value]
    return value if is_known(value) else None


def is_known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))
