"""A snapshot as XMRig's summary: the most widely read API whose rates are in hashes a second.

As there, null is what is not known. Source: XMRig's Api.cpp, Miner.cpp and NetworkState.cpp.
"""

import hashlib
from typing import Any

from miner.state.rates import Rates
from miner.state.snapshot import Snapshot

ALGORITHM = "sha256d"
BEST = 10


def summary(now: Snapshot) -> dict[str, Any]:
    """GET /2/summary."""
    run, shares, machine = now.run, now.shares, now.machine
    best = [int(row.difficulty) for row in shares.best[:BEST]]
    return {
        "id": hashlib.sha256(f"{machine.host} {machine.mac}".encode()).hexdigest()[:16],
        "worker_id": machine.host,
        "uptime": int(run.elapsed_s),
        "restricted": True,  # it only reads
        "resources": {"hardware_concurrency": machine.threads or None},
        "features": [],
        "results": {
            "diff_current": now.job.share_difficulty if now.job else None,
            "shares_good": shares.accepted,
            "shares_total": shares.accepted + shares.rejected + shares.stale,
            "hashes_total": run.hashes,
            "best": best + [0] * (BEST - len(best)),
            **average(now),
        },
        "algo": ALGORITHM,
        "connection": connection(now),
        "version": run.version,
        "kind": "miner",
        "ua": f"homehash/{run.version}",
        "cpu": {"brand": machine.cpu, "threads": machine.threads or None},
        "donate_level": 0,
        "paused": run.paused,
        "algorithms": [ALGORITHM],
        "hashrate": {
            "total": None if run.paced else windows(run.rates),
            "highest": None,
            "threads": [windows(row.rates) for row in now.workers],
        },
    }


def windows(rates: Rates) -> list[float | None]:
    """10 s, 1 min, 15 min."""
    told = (rates.rate_10s_hs, rates.rate_1min_hs, rates.rate_15min_hs)
    return [round(rate, 2) for rate in told]


def average(now: Snapshot) -> dict[str, Any]:
    """Seconds to an accepted share."""
    accepted, elapsed_s = now.shares.accepted, now.run.elapsed_s
    if not accepted:
        return {"avg_time": None, "avg_time_ms": None}
    return {
        "avg_time": round(elapsed_s / accepted),
        "avg_time_ms": round(1000 * elapsed_s / accepted),
    }


def connection(now: Snapshot) -> dict[str, Any]:
    """Of the source that has the work, or of the first."""
    rows = sorted(now.sources, key=lambda row: (not row.active, row.priority))
    if not rows:
        return {"pool": None, "failures": 0, "accepted": 0, "rejected": 0, "algo": ALGORITHM}
    row = rows[0]
    latency = row.latency_median_s
    return {
        "pool": row.url.partition("://")[2] or row.url,
        "ping": None if latency is None else round(1000 * latency),
        "failures": max(row.connects - 1, 0),
        "tls": "TLS" if row.url.startswith(("stratum+ssl", "https")) else None,
        "algo": ALGORITHM,
        "diff": row.difficulty,
        "accepted": row.accepted,
        "rejected": row.rejected,
        **average(now),
    }
