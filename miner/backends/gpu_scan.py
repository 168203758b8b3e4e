"""A scan on a GPU by any interface: cut into short launches, two queued, drained at the end."""

import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from miner.backends.base import GPU_SCAN_S as SCAN_S
from miner.backends.base import (
    INTENSITY,
    BackendInfo,
    Hit,
    Kind,
    Scannable,
    ScanResult,
    check_range,
)
from miner.backends.gpu_work import (
    CAPACITY,
    SINGLE_COST,
    SLOTS,
    Slice,
    Words,
    midstates,
    padded,
    slices,
    zero_bits,
)  # fmt: skip
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import with_nonce
from miner.devices.gpu import Sensors

LAUNCH_S = 0.012  # a desktop drawn by the same GPU stays smooth below one frame of 60 Hz
CPU_LAUNCH_S = 0.024  # no desktop waits for a driver that computes on the CPU: fewer gaps
FIRST_RATE_HS = 2e6  # before anything is measured; a few launches find the true one
EXPECTED_CANDIDATES = CAPACITY // 4  # of one launch, so that overflow is an accident


class Shape(Protocol):
    """How a kernel is built, as far as a scan must know."""

    @property
    def wide(self) -> int:
        """Versions a work-group of the shared kernel holds."""

    @property
    def nonces(self) -> int:
        """Nonces of its block; blocks start at multiples."""


class Launch(Protocol):
    """A kernel on its way."""

    @property
    def part(self) -> Slice: ...
    @property
    def start(self) -> int: ...
    @property
    def count(self) -> int:
        """Nonces."""

    @property
    def slot(self) -> int: ...


class Session(Protocol):
    """An opened device: buffers, kernels, launches. One thread at a time; raises BackendFault."""

    @property
    def shape(self) -> Shape: ...
    @property
    def most_nonces(self) -> int:
        """Of one launch."""

    @property
    def own_clock(self) -> bool:
        """Are launches timed by the device itself?"""

    def upload(self, words: Words) -> Any:
        """A read-only buffer of 32-bit words."""

    def start(
        self, slot: int, part: Slice, midstates: Any, stride: int, tail: tuple[int, ...],
        start: int, count: int, mask: int,
    ) -> Any:  # fmt: skip
        """Queue one launch in a slot: a Launch."""

    def wait(self, launch: Any) -> None:
        """Until it has ended."""

    def pairs(self, launch: Any) -> Words | None:
        """Its candidates as rows (index of the version in the slice, nonce); None = overflow."""

    def busy_interval(self, launch: Any) -> tuple[int, int]:
        """When the kernel ran, in nanoseconds of any clock."""

    def sensors(self) -> Sensors | None:
        """See Backend.sensors."""

    def close(self) -> None:
        """Let go of everything on the device; a launch after that is a fault."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What depends on prefix and versions alone, on the device."""

    prefix: bytes
    versions: tuple[int, ...]
    tail: tuple[int, ...]
    parts: tuple[tuple[Slice, Any, int], ...]  # slice, midstates on the device, their stride


class GpuBackend:
    """One opened device. `intensity` may be set between scans: less is kinder to a desktop."""

    def __init__(
        self, session: Session, info: BackendInfo, single_cost: float = SINGLE_COST
    ) -> None:
        self.info, self._session, self._single_cost = info, session, single_cost
        self.intensity = INTENSITY
        self._launch_s = LAUNCH_S if info.kind is Kind.GPU else CPU_LAUNCH_S
        self._busy_s = 0.0
        self._rate_hs = FIRST_RATE_HS
        self._prepared: Prepared | None = None
        self._busy_until = 0

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        """See Backend.scan. Stops early when SCAN_S is up, never inside a nonce."""
        check_range(start, count)
        if count == 0:
            return ScanResult((), 0)
        prepared = self._prepare(unit)
        mask = zero_bits(unit.target)
        flying: deque[Launch] = deque()
        rows: list[tuple[int, int]] = []
        at, end, slot = start, start + count, 0
        spare_s = (SCAN_S - SLOTS * self._launch_s) * self._scale
        until = time.monotonic() + spare_s  # for a new launch
        while at == start or (at < end and time.monotonic() < until):
            step = self._step(at, end, len(unit.versions), mask)
            for part, buffer, stride in prepared.parts:
                if len(flying) == self._depth:
                    rows += self._finish(flying.popleft(), prepared, mask)
                flying.append(
                    self._session.start(slot, part, buffer, stride, prepared.tail, at, step, mask)
                )
                slot = (slot + 1) % SLOTS
            at += step
        while flying:
            rows += self._finish(flying.popleft(), prepared, mask)
        return ScanResult(exact_hits(unit, rows), (at - start) * len(unit.versions))

    def sensors(self) -> Sensors | None:
        """See Backend.sensors."""
        return self._session.sensors()

    def close(self) -> None:
        """Let go of the context; nothing is in flight between scans. Twice does nothing."""
        self._prepared = None
        self._session.close()

    @property
    def busy_s(self) -> float | None:
        """Time the device worked during scans, by its own clock; None where it has none."""
        return self._busy_s if self._session.own_clock else None

    @property
    def _scale(self) -> float:
        return float(1.4 ** (min(max(self.intensity, 1), 10) - INTENSITY))

    @property
    def _depth(self) -> int:
        return SLOTS if self.intensity >= 4 else 1

    def _prepare(self, unit: Scannable) -> Prepared:
        """Midstates on the device; kept while the same prefix and versions are asked for."""
        kept = self._prepared
        if kept and (kept.prefix, kept.versions) == (unit.prefix, unit.versions):
            return kept
        words = midstates(unit.prefix, unit.versions)
        wide = self._session.shape.wide
        parts = []
        for part in slices(len(unit.versions), wide, self._single_cost):
            columns = words[:, part.first : part.first + part.count]
            columns = padded(columns, 1 if part.single else wide)
            parts.append((part, self._session.upload(columns), columns.shape[1]))
        tail = struct.unpack(">3I", unit.prefix[64:76])
        self._prepared = Prepared(unit.prefix, unit.versions, tail, tuple(parts))
        return self._prepared

    def _step(self, at: int, end: int, versions: int, mask: int) -> int:
        """Nonces of the next launch: of its usual length, ending where a work-group does."""
        hashes = self._rate_hs * self._launch_s * self._scale
        hashes = min(hashes, EXPECTED_CANDIDATES << mask.bit_count(), 1 << 36)
        step = max(1, min(end - at, int(hashes / versions), self._session.most_nonces))
        block = self._session.shape.nonces
        return step - (at + step) % block if step > 2 * block and at + step < end else step

    def _finish(self, launch: Launch, prepared: Prepared, mask: int) -> list[tuple[int, int]]:
        """Wait for a launch: its candidates as (nonce, index of the version in the unit)."""
        self._session.wait(launch)
        self._measure(launch)
        pairs = self._session.pairs(launch)
        if pairs is None:
            return self._bisect(launch, prepared, mask)
        first = launch.part.first
        return [(nonce, first + version) for version, nonce in pairs.tolist()]

    def _measure(self, launch: Launch) -> None:
        """Learn the rate by the device's clock: on a busy computer ours also counts waiting.

        In bounded steps; a launch far shorter than it should be can only show that the device is
        faster than thought. Launches that overlap count once.
        """
        begun, ended = self._session.busy_interval(launch)
        worked_s = (ended - max(begun, self._busy_until)) * 1e-9
        self._busy_until = max(ended, self._busy_until)
        if worked_s <= 0:
            return
        self._busy_s += worked_s
        hashes = launch.count * launch.part.count
        rate = min(hashes / worked_s, self._rate_hs * 8)
        short = hashes < self._rate_hs * self._launch_s * self._scale / 4
        self._rate_hs = max(rate, self._rate_hs if short else self._rate_hs / 4)

    def _bisect(self, launch: Launch, prepared: Prepared, mask: int) -> list[tuple[int, int]]:
        """More candidates than the buffer holds: ask for the halves. One nonce always fits."""
        rows: list[tuple[int, int]] = []
        half = launch.count // 2
        for at, count in ((launch.start, half), (launch.start + half, launch.count - half)):
            for part, buffer, stride in prepared.parts:
                if part is launch.part:
                    again = self._session.start(
                        launch.slot, part, buffer, stride, prepared.tail, at, count, mask
                    )  # fmt: skip
                    rows += self._finish(again, prepared, mask)
        return rows


def exact_hits(unit: Scannable, rows: Sequence[tuple[int, int]]) -> tuple[Hit, ...]:
    """The candidates that meet all 256 bits of the target, by hashlib, in order."""
    hits = []
    for nonce, index in sorted(rows):
        version = unit.versions[index]
        header = with_nonce(unit.prefix, version, nonce)
        if int.from_bytes(sha256d(header), "little") <= unit.target:
            hits.append(Hit(version, nonce))
    return tuple(hits)
