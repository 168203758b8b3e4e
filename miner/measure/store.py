"""Result files: JSON in and out (schema 1). What a stranger wrote is refused unless it agrees."""

import math
from datetime import datetime
from pathlib import Path
from typing import Any

from miner import files, strictjson
from miner.errors import ConfigError
from miner.measure import schema, stats
from miner.measure.result import (
    CPU_TIME,
    GPU_TIME,
    WALL,
    CaseResult,
    Energy,
    Gate,
    Proof,
    Result,
    Slice,
)  # fmt: skip
from miner.text import scrub

SCHEMA = 1
MAX_BYTES = 64 * 1024 * 1024  # a ten-hour soak stays far below


def to_dict(result: Result) -> dict[str, Any]:
    """The published form; stats and trust are derived from the slices beside them."""
    return {
        "schema": SCHEMA,
        "created": result.created,
        "homehash": {"version": result.version, "commit": result.commit},
        "mode": result.mode,
        "partial": result.partial,
        "seed": result.seed,
        "seed_block": result.seed_block,
        "seed_header": result.seed_header,
        "environment": result.environment,
        "cases": [_case_dict(case, result.seed) for case in result.cases],
    }


def _case_dict(case: CaseResult, seed: int) -> dict[str, Any]:
    found, word = case.summary(seed), case.trust()
    return {
        "backend": case.backend,
        "variant": case.variant,
        "device": case.device,
        "threads": case.threads,
        "versions": case.versions,
        "batch": case.batch,
        "gate": _fields(case.gate),
        "warmup": [_fields(one) for one in case.warmup],
        "slices": [_fields(one) for one in case.slices],
        "stats": found and _stats_dict(found) | {"basis": case.basis},
        "verdict": {"word": word.word, "reasons": list(word.reasons)},
        "energy": case.energy and _energy_dict(case.energy),
        "overhead": case.overhead,
        "counters": case.counters,
        "shape": case.shape,
        "usable_cpus": case.usable_cpus,
        "proof": case.proof
        and {
            "target": f"{case.proof.target:064x}",
            "shares": [share.hex() for share in case.proof.shares],
        },
    }


def _stats_dict(found: stats.Summary) -> dict[str, Any]:
    return {
        "n": found.n,
        "median": found.median,
        "mean": found.mean,
        "sd": found.sd,
        "mad": found.mad,
        "min": found.low,
        "max": found.high,
        "ci95": list(found.ci95) if found.ci95 else None,
        "method": stats.METHOD,
    }


def _energy_dict(energy: Energy) -> dict[str, Any]:
    return _fields(energy) | {
        "j_per_th_gross": energy.gross_j_per_th,
        "j_per_th_net": energy.net_j_per_th,
    }


def _fields(value: Slice | Gate | Energy) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def from_dict(data: dict[str, Any], where: str) -> Result:
    """Raises ConfigError with the path of the first missing or wrong value."""
    number = data.get("schema")
    if type(number) is int and number > SCHEMA:
        raise ConfigError(f"{where}: schema {number} is newer than this homehash; update it")
    schema.check(data, schema.load(), where)
    data = _scrubbed(data)
    try:
        datetime.fromisoformat(data["created"])
    except ValueError as error:
        raise ConfigError(f"{where}.created is {data['created']!r}: no such time") from error
    homehash = data["homehash"]
    found = Result(
        created=data["created"],
        version=homehash["version"],
        commit=homehash["commit"],
        environment=data["environment"],
        seed=data["seed"],
        mode=data.get("mode", ""),
        cases=[_case(one) for one in data["cases"]],
        partial=data["partial"],
        seed_block=data.get("seed_block"),
        seed_header=data.get("seed_header"),
    )
    for index, (case, raw) in enumerate(zip(found.cases, data["cases"], strict=True)):
        _agree(case, raw["stats"], f"{where}.cases[{index}]")
        _agree_on_joules(case, f"{where}.cases[{index}].energy")
        if any(case.key == other.key for other in found.cases[:index]):
            raise ConfigError(f"{where}.cases[{index}] is a second {case.label} on {case.device}")
    return found


def _agree(case: CaseResult, stored: dict[str, Any] | None, where: str) -> None:
    """Stored statistics are what other programs read, so they must be those of the slices."""
    if (stored is None) != (not case.slices or not case.gate.passed):
        raise ConfigError(f"{where}.stats and its slices contradict each other")
    if stored is None:
        return
    bases = {CPU_TIME: case.cpu_rates, GPU_TIME: case.gpu_rates}
    rates = bases.get(stored.get("basis", WALL), case.rates)()
    if stored["n"] != len(rates) or not rates:
        raise ConfigError(f"{where}.stats.n is {stored['n']}, the slices say {len(rates)}")
    found = stats.summarize(rates, 0, interval=False)
    for name, value in (("median", found.median), ("mean", found.mean), ("sd", found.sd),
                        ("mad", found.mad), ("min", found.low), ("max", found.high)):  # fmt: skip
        if not math.isclose(stored[name], value, rel_tol=1e-6, abs_tol=1e-9 * found.median):
            raise ConfigError(f"{where}.stats.{name} is {stored[name]}, the slices say {value}")
    low, high = stored["ci95"] or (found.median, found.median)
    if not low <= found.median <= high:
        raise ConfigError(f"{where}.stats.ci95 is [{low}, {high}], the median {found.median}")


def _agree_on_joules(case: CaseResult, where: str) -> None:
    """The sums are those of the slices that were metered."""
    metered = [one for one in case.slices if one.joules is not None]
    if case.energy is None:
        return
    for name, told, value in (
        ("joules", case.energy.joules, sum(one.joules or 0.0 for one in metered)),
        ("hashes", case.energy.hashes, sum(one.hashes for one in metered)),
        ("seconds", case.energy.seconds, sum(one.seconds for one in metered)),
    ):
        if not math.isclose(told, value, rel_tol=1e-6):
            raise ConfigError(f"{where}.{name} is {told}, the slices say {value}")


def _scrubbed(value: Any) -> Any:
    """The same without control characters: a file may come from anybody, and gets printed."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: _scrubbed(below) for key, below in value.items()}
    return [_scrubbed(below) for below in value] if isinstance(value, list) else value


def _case(data: dict[str, Any]) -> CaseResult:
    gate = data["gate"]
    slices = [_slice(one) for one in data["slices"]]
    return CaseResult(
        backend=data["backend"],
        variant=data["variant"],
        device=data["device"],
        threads=data["threads"],
        versions=data["versions"],
        batch=data["batch"],
        gate=Gate(gate["vectors"], gate["digest"], gate["passed"], gate.get("why", "")),
        warmup=[_slice(one) for one in data["warmup"]],
        slices=slices,
        energy=_energy(data["energy"], slices),
        overhead=data.get("overhead"),
        counters=data.get("counters", {}),
        shape=data.get("shape", ""),
        usable_cpus=data.get("usable_cpus", 0),
        proof=_proof(data.get("proof")),
    )


def _proof(data: dict[str, Any] | None) -> Proof | None:
    if data is None:
        return None
    return Proof(int(data["target"], 16), [bytes.fromhex(one) for one in data["shares"]])


def _slice(data: dict[str, Any]) -> Slice:
    optional: dict[str, Any] = {
        name: data.get(name) for name in Slice.__slots__ if name not in ("hashes", "seconds")
    }
    return Slice(data["hashes"], data["seconds"], **optional)


def _energy(data: dict[str, Any] | None, slices: list[Slice]) -> Energy | None:
    if data is None:
        return None
    return Energy(
        joules=data["joules"],
        hashes=data.get("hashes") or sum(one.hashes for one in slices),
        seconds=data.get("seconds") or sum(one.seconds for one in slices),
        boundary=data["boundary"],
        source=data["source"],
        idle_w=data["idle_w"],
    )


def load(path: Path) -> Result:
    """Read a result file. Raises ConfigError: unreadable, foreign, newer, incomplete."""
    try:
        data = strictjson.loads(files.read(path, MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error).partition(";")[0]
        raise ConfigError(f"{path} cannot be read as a result of `miner bench`: {why}") from error
    if not isinstance(data, dict) or "cases" not in data or "schema" not in data:
        raise ConfigError(f"{path} is JSON, but not from `miner bench --export`")
    return from_dict(data, str(path))
