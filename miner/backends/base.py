"""The contract of a hashing backend, and of the provider that finds and opens it.

A scan is pure in its arguments, exact for any number of versions, and counts hashes, which are
(version, nonce) pairs, never nonces. See `Backend.scan`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

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


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What an opened backend says of itself."""

    name: str  # the user's name for it: "native:avx512"
    device: str  # in words: the CPU or GPU model
    lanes: int  # hashes advanced by one step
    versions_wanted: int  # versions a unit should carry for full speed; 1 = no gain from more
    batch: Literal["cpu", "gpu"]  # how long one scan may take: about 4 ms or 50 ms


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

    def close(self) -> None:
        """Give the device back; a second call does nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of `miner devices`: something a provider could open on this machine."""

    name: str
    usable: bool
    why_not: str = ""  # the reason in words when it is not usable
    auto: bool = True  # may `--backend auto` choose it?
    detail: str = ""  # lanes, driver, measured rate: whatever helps to choose
    parallel: bool = False  # several instances run at once (no GIL held during a scan)
    external: bool = False  # comes from an entry point, not from homehash


class Provider(Protocol):
    """Finds and opens the backends of one family."""

    @property
    def family(self) -> str: ...

    def probe(self) -> list[Candidate]:
        """Every candidate with its reason if unusable; never raises, never opens a driver."""

    def open(self, name: str, cache: Path) -> Backend:
        """Open by name; the self-test has passed before it returns.

        Raises BackendUnavailable(name, why) or BackendFault when the self-test fails.
        """


def check_range(start: int, count: int) -> None:
    """Raise ValueError unless 0 <= start, 0 <= count and start + count <= 2**32."""
    if start < 0 or count < 0 or start + count > NONCES:
        raise ValueError(f"nonces {start} + {count} leave 0 .. 2**32 - 1")
