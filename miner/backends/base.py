"""The contract of a hashing backend, and of the provider that finds and opens it.

A scan is pure in its arguments, exact for any number of versions, and counts hashes, which are
(version, nonce) pairs, never nonces. See `Backend.scan`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from miner.devices.gpu import Sensors

CPU_SCAN_S, GPU_SCAN_S = 0.004, 0.050  # usual lengths of a scan: a job switch waits for one
INTENSITY = 8  # the usual one of OpenOptions
NONCES = 2**32  # the nonce is an unsigned 32-bit field


class Hit(NamedTuple):
    """A pair whose header hash meets the target."""

    version: int  # unsigned 32-bit
    nonce: int  # unsigned 32-bit


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one scan found.

    `hits` holds every hit among the hashes tested and none else, ordered by nonce, then version.
    `hashes` is a multiple of len(versions); scanning resumes at start + hashes // len(versions).
    """

    hits: tuple[Hit, ...]
    hashes: int


class Scannable(Protocol):
    """What a backend may see of a work unit."""

    @property
    def prefix(self) -> bytes:
        """header[0:76] as hashed; its version field is versions[0]."""

    @property
    def versions(self) -> tuple[int, ...]:
        """Distinct, ascending, unsigned 32-bit, never empty."""

    @property
    def target(self) -> int:
        """A hit has int.from_bytes(hash, "little") <= target; 0 <= target < 2**256."""


class Kind(StrEnum):
    """What a device is, not how long it scans."""

    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What an opened backend says of itself."""

    name: str  # the user's name for it: "native:avx512"
    device: str  # in words: the CPU or GPU model
    lanes: int  # hashes advanced by one step
    versions_wanted: int  # versions a unit should carry for full speed; 1 = no gain from more
    kind: Kind
    scan_s: float = CPU_SCAN_S  # how long one scan should take
    bus: str = ""  # PCI address of a graphics card, "0000:03:00.0", where the driver tells
    # Hashes in the thread that calls scan, so that its CPU time counts; or in a process of its own,
    # and tells that one's in the attribute `elsewhere_s`.
    in_caller: bool = True
    cores: int = 1  # CPUs that one instance keeps busy; a driver that computes on the CPU has more


class Backend(Protocol):
    """One opened device, used by one thread at a time."""

    @property
    def info(self) -> BackendInfo: ...

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        """Test nonces start .. start + count - 1 with every version of the unit.

        0 <= start, 0 <= count, start + count <= 2**32, else ValueError. May stop early (hit
        buffer full, time) after any nonce all of whose hits are reported, but tests at least
        one nonce when count > 0. Raises BackendFault when the device fails.
        """

    def sensors(self) -> Sensors | None:
        """This moment's reading, for screens; None for a device without sensors of its own, as a
        CPU is. Any thread may ask, also after the device was closed."""

    def close(self) -> None:
        """Give the device back; a second call does nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of `miner devices`: something a provider could open on this machine."""

    name: str  # "family" or "family:detail"
    kind: Kind
    usable: bool
    why_not: str = ""  # the reason in words when it is not usable
    rank: int | None = None  # `auto` prefers the lowest among its kind; None: by name only
    parallel: bool = False  # several instances run at once (no GIL held during a scan)
    detail: str = ""  # lanes, driver, measured rate: whatever helps to choose
    card: str = ""  # model of a GPU; two rows of one card, by address or model, are one device
    bus: str = ""  # its PCI address, "0000:03:00.0", where the driver tells
    external: bool = False  # comes from an entry point, not from homehash; set by the registry

    @property
    def family(self) -> str:
        return self.name.partition(":")[0]


Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What a provider may need beside the name."""

    cache: Path  # a folder for what was measured and compiled
    say: Say = logging.getLogger("miner.backends").info  # hears of what takes long, in words
    intensity: int = INTENSITY  # of a GPU, 1 .. 10; each step is a factor of 1.4 a launch
    workers: int = (
        1  # instances that will scan at once: one that holds the GIL takes a process then
    )


class Provider(Protocol):
    """Finds and opens the backends of one family."""

    @property
    def family(self) -> str: ...

    def probe(self) -> list[Candidate]:
        """Every candidate with its reason if unusable; never raises, never opens a driver."""

    def open(self, name: str, options: OpenOptions) -> Backend:
        """Open "family:detail"; "family" alone opens the best of the family here.

        Raises BackendUnavailable or BackendFault. The registry checks the opened backend's name
        and puts the self-test to it.
        """


@dataclass(frozen=True, slots=True)
class Tuned:
    """The fastest way to build a device's kernel, found by measuring; rates in H/s."""

    name: str  # in full
    shape: dict[str, object]
    words: str  # the shape for people
    rate_hs: float  # with versions enough
    single_rate_hs: float  # with one version
    tried: int  # shapes measured
    alone: bool  # is each version hashed alone?


@runtime_checkable
class Tunable(Protocol):
    """What a provider may offer besides: `miner tune` asks it."""

    def tune(self, name: str, options: OpenOptions, budget_s: float) -> Tuned:
        """Find the fastest shape and remember it. Raises BackendUnavailable or BackendFault."""


@runtime_checkable
class Sparing(Protocol):
    """What a provider may offer besides: `auto` then asks no driver where no device can be."""

    def none_here(self) -> str:
        """Why `auto` finds nothing of this family here, in words; "" where it must be asked."""


def check_range(start: int, count: int) -> None:
    """Raise ValueError unless 0 <= start, 0 <= count and start + count <= 2**32."""
    if start < 0 or count < 0 or start + count > NONCES:
        raise ValueError(f"nonces {start} + {count} leave 0 .. 2**32 - 1")
