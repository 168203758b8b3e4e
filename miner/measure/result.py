"""A benchmark result: raw slices with what they were measured on, and what follows from them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from miner import units
from miner.measure import stats
from miner.measure.trust import Observed, Trust, judge

SUSTAINED_S = 120.0  # the turbo windows of laptops and desktops (28 and 56 s) are over then
BURST_S = 16.0
GIVEN = "given by user"  # source of joules that were typed in as watts
WALL, CPU_TIME, GPU_TIME = "wall time", "CPU time", "GPU time"
ON_CPU, DRIVER, ON_GPU = "cpu", "driver", "gpu"  # driver: one that computes on the CPU


@dataclass(frozen=True, slots=True)
class Slice:
    """About a second of scanning: all hashes, and the time from first start to last end."""

    hashes: int
    seconds: float
    joules: float | None = None
    clock_mhz: float | None = None
    temperature_c: float | None = None
    at_s: float | None = None  # start, after the first slice of the run
    cpu_s: float | None = None  # CPU time of the threads
    device_s: float | None = None  # time the devices worked, by their own clocks
    cycles: int | None = None  # of the threads, user mode
    instructions: int | None = None
    steal_s: float | None = None  # time the hypervisor gave to others, all CPUs

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
    def given(self) -> bool:
        """Watts that the user typed in: not measured here."""
        return self.source == GIVEN

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
class Proof:
    """The target fixed before the timed part, and every share met at it, 16 bytes each."""

    target: int
    shares: list[bytes] = field(default_factory=list)

    @property
    def chance(self) -> float:
        """That a hash is a share."""
        return (self.target + 1) / 2**256


@dataclass(slots=True)
class CaseResult:
    """One backend with one number of threads; grows while it is measured."""

    backend: str  # family: "native"
    variant: str  # "avx2", or "" when the family has only one
    device: str
    threads: int
    versions: int
    batch: str  # ON_CPU, DRIVER or ON_GPU
    gate: Gate
    warmup: list[Slice] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    energy: Energy | None = None
    overhead: float | None = None
    counters: dict[str, float] = field(default_factory=dict)
    usable_cpus: int = 0  # of this process; 0 = unknown
    shape: str = ""  # of a native variant: how it was compiled
    proof: Proof | None = None
    _kept: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    _kept_of: tuple[list[Slice], int] | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.backend}:{self.variant}" if self.variant else self.backend

    @property
    def on_gpu(self) -> bool:
        return self.batch == ON_GPU

    @property
    def fills(self) -> int:
        """CPUs it keeps busy where there are as many: its threads, or its driver's cores."""
        return (self.usable_cpus or 1) if self.batch == DRIVER else self.threads

    @property
    def cpus(self) -> int:
        """CPUs that it could have."""
        return min(self.fills, self.usable_cpus or self.fills)

    @property
    def share_of_limit(self) -> float | None:
        """Of what these cores could reach if no operation waited; None when that is unknown."""
        limit_hs = self.counters.get("limit_hs")
        if not limit_hs or not self.slices:
            return None
        return stats.centre(self.headline()) / (limit_hs * self.cpus)

    @property
    def label(self) -> str:
        """What tables print: name, threads, versions."""
        return f"{self.name} x{self.threads} v{self.versions}"

    @property
    def spelled(self) -> str:
        """The label for people who have never seen one."""
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        versions = f"{self.versions} header version{'' if self.versions == 1 else 's'}"
        return f"{self.name}, {threads}, {versions}"

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Cases of two files with the same key are compared."""
        return self.backend, self.variant, self.device, self.threads, self.versions

    def rates(self) -> list[float]:
        """Hashes over wall time."""
        return [one.rate_hs for one in self.slices]

    def cpu_rates(self) -> list[float]:
        """What the slices would give if our threads had their CPUs alone: hashes over CPU time.

        Empty for GPUs and where CPU time was not counted in every slice. An estimate: it takes no
        account of caches, clocks and hyper-threads shared with others.
        """
        if self.on_gpu:
            return []
        found = [one.hashes / one.cpu_s * self.cpus for one in self.slices if one.cpu_s]
        return found if len(found) == len(self.slices) else []

    def gpu_rates(self) -> list[float]:
        """Hashes over the time the device worked, by its own clock; empty where it was not read."""
        found = [one.hashes / one.device_s for one in self.slices if one.device_s]
        return found if self.on_gpu and len(found) == len(self.slices) else []

    @property
    def basis(self) -> str:
        """What the headline rate divides by: wall time, unless others disturbed the run."""
        if self.trust().disturbed:
            if self.cpu_rates():
                return CPU_TIME
            if self.gpu_rates():
                return GPU_TIME
        return WALL

    def headline(self) -> list[float]:
        """The rates to be quoted: by wall time, by CPU or GPU time where others had a part."""
        found = {CPU_TIME: self.cpu_rates, GPU_TIME: self.gpu_rates, WALL: self.rates}
        return found[self.basis]()

    @property
    def seconds(self) -> float:
        """How long the timed part was, all slices together."""
        return sum(one.seconds for one in self.slices)

    @property
    def sustained_hs(self) -> float | None:
        """Median of the later half of a run of two minutes or more; None for a burst, whose clocks
        may still be above what the cooling bears."""
        return stats.centre(self.later()) if self.seconds >= SUSTAINED_S else None

    def later(self) -> list[float]:
        """The rates of the later half, or of the whole of a burst: what the run came to."""
        rates = self.headline()
        return rates[len(rates) // 2 :] if self.seconds >= SUSTAINED_S else rates

    @property
    def burst_hs(self) -> float | None:
        """Median of the first 16 seconds of slices."""
        rates, spent = [], 0.0
        for one, rate in zip(self.slices, self.headline(), strict=True):
            rates.append(rate)
            spent += one.seconds
            if spent >= BURST_S:
                break
        return stats.centre(rates) if rates else None

    @property
    def length(self) -> str:
        """What a projection must say of its rate."""
        if self.sustained_hs is not None:
            return f"sustained over {units.span(self.seconds)}"
        return f"{self.seconds:.0f} s burst"

    def summary(self, seed: int) -> stats.Summary | None:
        """Of the headline rates. None unless the gate passed and something was measured."""
        if not self.gate.passed or not self.slices:
            return None
        found: stats.Summary = self._once(seed, lambda: stats.summarize(self.headline(), seed))
        return found

    def energy_interval(self, seed: int) -> tuple[float, float] | None:
        """95 % interval of J/TH, gross, over the slices; None without counted joules in each."""
        costs = [one.joules / one.hashes * 1e12 for one in self.slices if one.joules]
        if self.energy is None or self.energy.given or len(costs) != len(self.slices):
            return None
        found: stats.Summary = self._once(("energy", seed), lambda: stats.summarize(costs, seed))
        return found.ci95

    def trust(self) -> Trust:
        if not self.gate.passed:
            return Trust("INVALID", (self.gate.why,))
        found: Trust = self._once("trust", lambda: judge(observed(self)))
        return found

    def _once(self, key: object, make: Callable[[], Any]) -> Any:
        """Compute a thing once for these slices, which only grow; every table asks again."""
        slices, count = self._kept_of or (None, 0)
        if slices is not self.slices or count != len(self.slices):
            self._kept, self._kept_of = {}, (self.slices, len(self.slices))
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]


def observed(case: CaseResult) -> Observed:
    """What the slices show, for the judgement."""
    slices = case.slices
    speeds = case.cpu_rates() or case.gpu_rates()
    clocks = [
        one.cycles / one.cpu_s / 1e6 if one.cycles and one.cpu_s else one.clock_mhz
        for one in slices
    ]
    steal = [one.steal_s for one in slices]
    known = not case.on_gpu and all(one.cpu_s is not None for one in slices)
    return Observed(
        rates=case.rates(),
        speeds=speeds,
        shares=[(one.cpu_s or 0) / one.seconds / case.cpus for one in slices] if known else [],
        clocks=[one for one in clocks if one] if all(clocks) else [],
        counted=all(one.cycles for one in slices),
        steal=[(one or 0) / case.cpus for one in steal] if not case.on_gpu else [],
        seconds=sum(one.seconds for one in slices),
        throttles=0 if case.on_gpu else case.counters.get("throttles", 0),
        card_heat=case.counters.get("card_heat", 0),
        card_power_cap=case.counters.get("card_power_cap", 0),
        quota_stops=0 if case.on_gpu else case.counters.get("quota_stops", 0),
        cpus=case.cpus,
        gpu=case.on_gpu,
    )


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
    seed_block: str | None = None  # hash, display order: the work was not begun before it
    seed_header: str | None = None  # its 80 bytes in hex, where they are known

    def best(self) -> CaseResult | None:
        """The fastest valid case."""
        found = [(case, case.summary(self.seed)) for case in self.cases]
        valid = [(summary.median, case) for case, summary in found if summary]
        return max(valid, key=lambda pair: pair[0])[1] if valid else None
