"""The one loop that times a backend; mining itself and `miner bench` time the worker's own."""

import time
from collections.abc import Callable, Sequence

from miner.backends.base import NONCES, Backend, Scannable
from miner.backends.selftest import GENESIS, Question

MOST_NONCES = 1 << 31  # in one scan


def never(versions: int) -> Question:
    """A unit with so many versions that no hash meets: pure speed."""
    return Question(GENESIS[:76], tuple(1 + (step << 13) for step in range(versions)), 0, 0, 0)


class Timing:
    """Scans of one unit; their length grows to the backend's own and is kept between samples."""

    def __init__(
        self,
        backend: Backend,
        unit: Scannable | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.backend = backend
        self.unit = unit or never(backend.info.versions_wanted)
        self._clock = clock
        self._count = 0  # nonces of the next scan; 0: none has run
        self._nonce = 0

    def sample(self, seconds: float) -> float:
        """Hashes a second over at least so many seconds and one scan.

        What a backend makes at its first scan (it may compile) is not timed. Raises BackendFault.
        """
        if not self._count:
            self.backend.scan(self.unit, 0, 1)
            self._count = max(1, self.backend.info.lanes)
        hashes, begun = 0, self._clock()
        ended = begun
        while True:
            hashes += self._scan()
            before, ended = ended, self._clock()
            if ended - before < self.backend.info.scan_s / 2:
                self._count = min(2 * self._count, MOST_NONCES)
            if ended - begun >= seconds:
                return hashes / max(ended - begun, 1e-9)

    def _scan(self) -> int:
        count = min(self._count, NONCES - self._nonce)
        result = self.backend.scan(self.unit, self._nonce, count)
        self._nonce = (self._nonce + result.hashes // len(self.unit.versions)) % NONCES
        return result.hashes


def in_turns(timings: Sequence[Timing], rounds: int, seconds: float) -> list[float]:
    """The best of some samples of each, taken in turns, so that a busy moment hits all alike.

    The best, not the median: other load can only slow a sample down.
    """
    best = [0.0] * len(timings)
    for _ in range(rounds):
        best = [max(old, one.sample(seconds)) for old, one in zip(best, timings, strict=True)]
    return best
