"""A snapshot as the API of AxeOS, the firmware of Bitaxe miners: what home-mining tools look for.

Rates are GH/s with seven decimals. What is not known has no key; nothing pretends to be a chip.
Source: ESP-Miner's system_api_json.c, asic_settings.c and openapi.yaml.
"""

import hashlib
import math
from typing import Any
from urllib.parse import urlsplit

from miner.state.history import Row
from miner.state.snapshot import MachineRow, Snapshot, SourceRow
from miner.views.names import Names

MODEL = "homehash"
COLOUR = "orange"  # by which a swarm's page tells devices apart
NO_SECOND_SENSOR = -1  # AxeOS' own word for it
MOST_ASICS, MOST_MHZ = 256, 10_000  # a reader refuses more
LABELS = {"hashrate": "rate_hs", "asicTemp": "temperature_c", "power": "power_w",
          "responseTime": "latency_s"}  # fmt: skip
SCALES = {"hashrate": 1e-9, "responseTime": 1e3}


def info(now: Snapshot, names: Names) -> dict[str, Any]:
    """GET /api/system/info; None where the key is to be left out."""
    return {
        **identity(now),
        **speed(now),
        **sensors(now),
        **shares(now),
        **block(now),
        **pools(now, names),
        **settings(now),
    }


def model(now: Snapshot) -> str:
    """homehash CPU, homehash GPU or homehash CPU+GPU."""
    kinds = sorted({row.kind.upper() for row in now.devices})
    return f"{MODEL} {'+'.join(kinds)}".strip()


def asic(now: Snapshot) -> dict[str, Any]:
    """GET /api/system/asic."""
    return {
        "ASICModel": model(now),
        "deviceModel": MODEL,
        "swarmColor": COLOUR,
        "asicCount": min(len(now.workers), MOST_ASICS),
    }


def identity(now: Snapshot) -> dict[str, Any]:
    machine, version = now.machine, f"{MODEL} {now.run.version}"
    return {
        "ASICModel": model(now),
        "deviceModel": MODEL,
        "boardVersion": MODEL,
        "version": version,
        "axeOSVersion": version,
        "asicCount": min(len(now.workers), MOST_ASICS),
        "smallCoreCount": 0,  # it has none
        "hostname": machine.host or MODEL,
        "ipv4": machine.addresses[0] if machine.addresses else None,
        "macAddr": mac(machine),
        "uptimeSeconds": int(now.run.elapsed_s),
        "totalUptimeSeconds": int(now.run.lifetime_s),
    }


def mac(machine: MachineRow) -> str:
    """A card's own address; else one that is stable and marked as locally administered."""
    digits = machine.mac.replace(":", "")
    if len(digits) == 12 and not int(digits, 16) >> 40 & 1:
        return machine.mac.upper()
    made = hashlib.sha256(f"{machine.host} {machine.cpu}".encode()).digest()[:5]
    return ":".join(f"{byte:02X}" for byte in (0x02, *made))


def ghs(rate_hs: float | None) -> float | None:
    return None if rate_hs is None else round(rate_hs / 1e9, 7)


def speed(now: Snapshot) -> dict[str, Any]:
    """While blocks are paced, what this computer does in between: the windows are of waiting."""
    run, told = now.run, now.run.rates
    windows: dict[str, float] = {}
    if not run.paced:
        windows = {"_1m": told.rate_1min_hs, "_10m": told.rate_10min_hs, "_1h": told.rate_1h_hs}
    found, false = now.shares.found, sum(row.false_hits for row in now.devices)
    return {
        "hashRate": ghs((run.paced and run.rate_computer_hs) or told.rate_10s_hs),
        **{f"hashRate{name}": ghs(rate) for name, rate in windows.items()},
        "expectedHashrate": ghs(run.rate_benchmark_hs),
        "errorPercentage": round(100 * false / max(found + false, 1), 4),
        "totalHashes": run.hashes,
        "totalLog2Work": round(math.log2(run.hashes), 7) if run.hashes else None,
        "miningPaused": run.paused,
    }


def sensors(now: Snapshot) -> dict[str, Any]:
    """The hottest of all devices, the fastest clock, the watts of those that tell."""
    told = [row.sensors for row in now.devices if row.sensors is not None]
    warm = [one.temperature_c for one in told if one.temperature_c is not None]
    clocks = [round(one.clock_mhz) for one in told if one.clock_mhz is not None]
    watts = [one.power_w for one in told if one.power_w is not None]
    clock = max((one for one in clocks if 1 <= one <= MOST_MHZ), default=None)
    return {
        "temp": round(max(warm), 1) if warm else None,
        "temp2": NO_SECOND_SENSOR if warm else None,
        "power": round(sum(watts), 2) if watts else None,
        "frequency": clock,
        "actualFrequency": clock,
    }


def shares(now: Snapshot) -> dict[str, Any]:
    """A best difficulty of 0 says that no share was found."""
    told = now.shares
    latency = told.latency_last_s
    return {
        "sharesAccepted": told.accepted,
        "sharesRejected": told.rejected,
        "sharesPending": told.pending,
        "sharesRejectedReasons": [
            {"message": reason or "no reason given", "count": count}
            for reason, count in told.rejected_reasons
        ],
        "bestDiff": told.best_ever or 0,
        "bestSessionDiff": told.best_session or 0,
        "responseTime": None if latency is None else round(1000 * latency, 3),
        "blockFound": now.blocks.accepted,
        "showNewBlock": False,
    }


def block(now: Snapshot) -> dict[str, Any]:
    job = now.job
    if job is None:
        return {}
    told: dict[str, Any] = {
        "workReceived": job.jobs,
        "poolDifficulty": job.share_difficulty,
        "networkDifficulty": job.network_difficulty,
        "blockHeight": job.height,
    }
    if (coinbase := job.coinbase) is not None:
        told |= {
            "scriptsig": coinbase.tag,
            "coinbaseValueTotalSatoshis": coinbase.total,
            "coinbaseValueUserSatoshis": sum(value for value, _, own in coinbase.outputs if own),
            "coinbaseOutputs": [{"value": v, "address": to} for v, to, _ in coinbase.outputs],
        }
    return told


def pools(now: Snapshot, names: Names) -> dict[str, Any]:
    """The first two in the flat form that clients know, all of them as a list. No password, not
    even stars."""
    rows = sorted(now.sources, key=lambda row: row.priority)
    active = next((row for row in rows if row.active), None)
    flat: dict[str, Any] = {}
    for prefix, row in zip(("stratum", "fallbackStratum"), [*rows[:2], None, None], strict=False):
        host, port = place(row)
        user = names.user(row.user) if row else ""
        flat |= {f"{prefix}URL": host, f"{prefix}Port": port, f"{prefix}User": user}
        if row is not None and row.kind == "pool":
            flat[f"{prefix}Protocol"] = "SV2" if row.url.startswith("stratum2") else "SV1"
            flat[f"{prefix}TLS"] = int(row.url.startswith("stratum+ssl"))
    listed = [
        {"id": number, "stratumURL": place(row)[0], "stratumPort": place(row)[1],
         "stratumUser": names.user(row.user)}
        for number, row in enumerate(rows)
    ]  # fmt: skip
    return {
        **flat,
        "pools": listed,
        "primaryPoolIndex": 0 if rows else None,
        "secondaryPoolIndex": 1 if len(rows) > 1 else None,
        "isUsingFallbackStratum": int(active is not None and active is not rows[0]),
    }


def place(row: SourceRow | None) -> tuple[str, int]:
    """Host and port; of none, as AxeOS writes a pool that is not set."""
    if row is None:
        return "", 0
    parts = urlsplit(row.url if "://" in row.url else f"//{row.url}")
    try:
        return parts.hostname or row.url, parts.port or 0
    except ValueError:  # several nodes in one row
        return row.url, 0


def settings(now: Snapshot) -> dict[str, Any]:
    return {"autofanspeed": 1, "overheat_mode": 0}  # the system's business, and no fault of ours


def statistics(now: Snapshot, columns: list[str]) -> dict[str, Any]:
    """GET /api/system/statistics: the last hour of this run. A column that nothing is known of is
    left out; in others null is a moment that is not known."""
    began = now.run.started_at_s
    rows = [row for row in now.history.fine if row.time_s >= began]
    asked = [name for name in columns if name in LABELS] if columns else list(LABELS)
    kept = [name for name in asked if any(cell(row, name) is not None for row in rows)]
    return {
        "currentTimestamp": int(1000 * now.run.elapsed_s),
        "labels": [*kept, "timestamp"],
        "statistics": [
            [*(cell(row, name) for name in kept), int(1000 * (row.time_s - began))] for row in rows
        ],
    }


def cell(row: Row, label: str) -> float | None:
    value = float(getattr(row, LABELS[label])) * SCALES.get(label, 1.0)
    return round(value, 7) if math.isfinite(value) else None


def scoreboard(now: Snapshot) -> list[dict[str, Any]]:
    """GET /api/system/scoreboard: the 20 best, the best first."""
    return [
        {
            "difficulty": row.difficulty,
            "job_id": row.job_id,
            "extranonce2": row.extranonce2,
            "ntime": row.ntime,
            "nonce": f"{row.nonce:08X}",
            "version_bits": f"{row.version_bits:08X}",
        }
        for row in now.shares.best
    ]
