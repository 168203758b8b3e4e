"""One row a worker, and one a device: a piece of hardware with all its workers."""

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field

from miner.devices.gpu import Sensors
from miner.state.activity import WorkerState
from miner.state.rates import Windows, total
from miner.state.snapshot import DeviceRow, WorkerRow
from miner.work.unit import WorkUnit


@dataclass(slots=True, eq=False)
class WorkerMeter:
    """One worker's counters; its worker writes `hashes`, `versions`, `unit`, `nonce`, `trial_hs`,
    its engine the rest. Read without a lock: each field has one writer."""

    name: str
    device: str
    now: InitVar[float]
    kind: str = "cpu"  # or "gpu"
    state: WorkerState = WorkerState.STARTING
    why: str = ""  # it is so
    hashes: int = 0
    versions: int = 0
    false_hits: int = 0
    faults: int = 0
    restarts: int = 0
    sensors: Sensors | None = None  # None: a device without any of its own, as a CPU is
    unit: WorkUnit | None = None  # that it scans
    nonce: int = 0  # where that scan is
    trial_hs: float | None = None  # its speed, measured between paced blocks
    windows: Windows = field(init=False)

    def __post_init__(self, now: float) -> None:
        self.windows = Windows(now)

    def row(self, now: float) -> WorkerRow:
        return WorkerRow(
            name=self.name,
            device=self.device,
            kind=self.kind,
            state=f"{self.state.value}: {self.why}" if self.why else self.state.value,
            hashes=self.hashes,
            rates=self.windows.rates(now, self.hashes),
            versions=self.versions,
            false_hits=self.false_hits,
            faults=self.faults,
            restarts=self.restarts,
            sensors=self.sensors,
        )


class Hardware:
    """All workers with the energy of their devices. One writer but for the meters' own fields."""

    def __init__(self) -> None:
        self.meters: list[WorkerMeter] = []
        self.began: float | None = None  # monotonic: the first worker was made
        self.cpu: Sensors | None = None  # of the package, for all its workers together
        self._joules: dict[str, float] = {}  # by device
        self._seen: dict[str, float] = {}  # when its power was told last

    @property
    def hashes(self) -> int:
        return sum(meter.hashes for meter in self.meters)

    def tick(self, now: float) -> None:
        """Call about once a second: samples of the rates, joules from watts."""
        for meter in self.meters:
            meter.windows.sample(now, meter.hashes)
        for device, kind in {(meter.device, meter.kind) for meter in self.meters}:
            told = self.sensors(device, kind)
            if told is None or told.power_w is None:
                self._seen.pop(device, None)
                continue
            elapsed = now - self._seen.get(device, now)
            self._seen[device] = now
            self._joules[device] = self._joules.get(device, 0.0) + told.power_w * elapsed

    def sensors(self, device: str, kind: str) -> Sensors | None:
        own = (m.sensors for m in self.meters if m.device == device and m.sensors is not None)
        return next(own, self.cpu if kind == "cpu" else None)

    def devices(self, workers: Sequence[WorkerRow]) -> tuple[DeviceRow, ...]:
        """One row a piece of hardware, in the order of their first workers."""
        groups: dict[tuple[str, str], list[WorkerRow]] = {}
        for row in workers:
            groups.setdefault((row.device, row.kind), []).append(row)
        return tuple(
            DeviceRow(
                name=device,
                kind=kind,
                workers=len(rows),
                hashes=sum(row.hashes for row in rows),
                rates=total(row.rates for row in rows),
                sensors=self.sensors(device, kind),
                joules=self._joules.get(device),
                false_hits=sum(row.false_hits for row in rows),
                faults=sum(row.faults for row in rows),
                restarts=sum(row.restarts for row in rows),
            )
            for (device, kind), rows in groups.items()
        )
