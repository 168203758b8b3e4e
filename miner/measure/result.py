"""A benchmark result: raw slices with what they were measured on; JSON in and out (schema 1)."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from miner import files
from miner.errors import ConfigError
from miner.measure import schema, stats
from miner.measure.trust import Trust, judge
from miner.protocol.scrub import scrub

SCHEMA = 1
MAX_BYTES = 64 * 1024 * 1024  # a ten-hour soak stays far below


@dataclass(frozen=True, slots=True)
class Slice:
    """About a second of scanning; hashes / seconds is the sum of the threads' own rates."""

    hashes: int
    seconds: float
    joules: float | None = None
    clock_mhz: float | None = None
    temperature_c: float | None = None
    at_s: float | None = None  # start, after the first slice of the run
    cpu_s: float | None = None  # CPU time of this process, all threads

    @property
    def rate_hs(self) -> float:
        return self.hashes / self.seconds


@dataclass(frozen=True, slots=True)
class Gate:
    """Was the variant right before it was timed?"""

    vectors: int
    digest: str  # hex SHA-256 over every hit of the seeded ranges
    passed: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Energy:
    """Joules over all slices of a case, inside one named boundary."""

    joules: float
    hashes: int
    seconds: float
    boundary: str
    source: str
    idle_w: float | None = None

    @property
    def gross_j_per_th(self) -> float:
        return self.joules / self.hashes * 1e12

    @property
    def net_j_per_th(self) -> float | None:
        """Without the idle draw; None when idle was not measured or swallows everything."""
        if self.idle_w is None:
            return None
        net = self.joules - self.idle_w * self.seconds
        return net / self.hashes * 1e12 if net > 0 else None

    @property
    def watts(self) -> float:
        return self.joules / self.seconds


@dataclass(slots=True)
class CaseResult:
    """One backend with one number of threads; grows while it is measured."""

    backend: str  # family: "native"
    variant: str  # "avx2", or "" when the family has only one
    device: str
    threads: int
    versions: int
    batch: str
    gate: Gate
    warmup: list[Slice] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    energy: Energy | None = None
    overhead: float | None = None
    counters: dict[str, float] = field(default_factory=dict)
    usable_cpus: int = 0  # of this process; 0 = unknown
    _known: dict[tuple[int, int], stats.Summary] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        return f"{self.backend}:{self.variant}" if self.variant else self.backend

    @property
    def cpus(self) -> int:
        """CPUs that the threads could fill."""
        return min(self.threads, self.usable_cpus or self.threads)

    @property
    def label(self) -> str:
        """What tables print: name, threads, versions."""
        return f"{self.name} x{self.threads} v{self.versions}"

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Cases of two files with the same key are compared."""
        return self.backend, self.variant, self.device, self.threads, self.versions

    def rates(self) -> list[float]:
        return [one.rate_hs for one in self.slices]

    def cpu_rates(self) -> list[float]:
        """What the slices would give if our threads had their CPUs alone: hashes over CPU time.

        Empty for GPUs and where CPU time was not counted. An estimate: it takes no account of
        caches, clocks and hyper-threads shared with others.
        """
        if self.batch != "cpu":
            return []
        return [one.hashes / one.cpu_s * self.cpus for one in self.slices if one.cpu_s]

    def summary(self, seed: int) -> stats.Summary | None:
        """None unless the gate passed and something was measured."""
        if not self.gate.passed or not self.slices:
            return None
        key = seed, len(self.slices)  # slices are only added, so the bootstrap runs once
        if key not in self._known:
            self._known[key] = stats.summarize(self.rates(), seed)
        return self._known[key]

    def trust(self) -> Trust:
        if not self.gate.passed:
            return Trust("INVALID", (self.gate.why,))
        clocks = [one.clock_mhz for one in self.slices if one.clock_mhz]
        return judge(self.rates(), clocks, self.counters, self.batch, self.cpus)


@dataclass(slots=True)
class Result:
    """Everything one `miner bench` found out."""

    created: str
    version: str
    commit: str | None
    environment: dict[str, Any]
    seed: int
    mode: str
    cases: list[CaseResult] = field(default_factory=list)
    partial: bool = False

    def best(self) -> CaseResult | None:
        """The fastest valid case."""
        found = [(case, case.summary(self.seed)) for case in self.cases]
        valid = [(summary.median, case) for case, summary in found if summary]
        return max(valid, key=lambda pair: pair[0])[1] if valid else None


def to_dict(result: Result) -> dict[str, Any]:
    """The published form; stats and trust are derived from the slices beside them."""
    return {
        "schema": SCHEMA,
        "created": result.created,
        "homehash": {"version": result.version, "commit": result.commit},
        "mode": result.mode,
        "partial": result.partial,
        "seed": result.seed,
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
        "stats": found and _stats_dict(found),
        "verdict": {"word": word.word, "reasons": list(word.reasons)},
        "energy": case.energy and _energy_dict(case.energy),
        "overhead": case.overhead,
        "counters": case.counters,
        "usable_cpus": case.usable_cpus,
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
    homehash = data["homehash"]
    return Result(
        created=data["created"],
        version=homehash["version"],
        commit=homehash["commit"],
        environment=data["environment"],
        seed=data["seed"],
        mode=data.get("mode", ""),
        cases=[_case(one) for one in data["cases"]],
        partial=data["partial"],
    )


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
        usable_cpus=data.get("usable_cpus", 0),
    )


def _slice(data: dict[str, Any]) -> Slice:
    optional = {
        name: data.get(name) for name in ("joules", "clock_mhz", "temperature_c", "at_s", "cpu_s")
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
        data = json.loads(files.read(path, MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read as a result of `miner bench`: {error}") from error
    if not isinstance(data, dict) or "cases" not in data or "schema" not in data:
        raise ConfigError(f"{path} is JSON, but not from `miner bench --export`")
    return from_dict(data, str(path))
