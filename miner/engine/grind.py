"""Finds the nonce of one given header: its other fields stay as they are.

Nonces are handed out in chunks, so each is tested once whatever the speeds of the devices; a chunk
that a failing device drops is given to another.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from miner.backends.base import NONCES, Backend
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.errors import BackendFault, MinerError

CHUNK_S = 0.05  # how long a worker looks away from "found" and "stop"
FIRST_CHUNK = 256  # small enough for the slowest backend
GROWTH = 8  # a chunk is at most this many times the one before
TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class FixedUnit:
    """One version of one header, as a backend sees it."""

    prefix: bytes
    versions: tuple[int, ...]
    target: int


class Grinder:
    """One search; `hashes` may be read while it runs."""

    def __init__(self, header: Header, backends: Sequence[Backend]) -> None:
        """Raises MinerError when no hash can meet the header's nbits."""
        try:
            target = target_from_nbits(header.nbits)
        except ValueError as error:
            raise MinerError(f"no hash can meet this header's target: {error}") from error
        self._header, self._backends = header, backends
        self._unit = FixedUnit(header.pack()[:76], (header.version,), target)
        self._lock = threading.Lock()
        self._next = 0
        self._dropped: list[tuple[int, int]] = []  # chunks whose device failed
        self._stop = threading.Event()
        self._faults: list[Exception] = []
        self.found: Header | None = None
        self.hashes = 0

    @property
    def target(self) -> int:
        """What the hash must not exceed."""
        return self._unit.target

    def run(self, tick: Callable[[], None] = lambda: None) -> Header | None:
        """The header with a nonce that meets its nbits; None when there is none.

        `tick` is called a few times a second. Raises a device's error when nonces were left
        untested because of it.
        """
        workers = [
            threading.Thread(target=self._work, args=(backend,), daemon=True)
            for backend in self._backends
        ]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                while worker.is_alive():
                    worker.join(TICK_S)
                    tick()
        finally:
            self._stop.set()
            for worker in workers:
                worker.join()
        if self.found is None and self.hashes < NONCES and self._faults:
            raise self._faults[0]
        return self.found

    def _work(self, backend: Backend) -> None:
        size, chunk = FIRST_CHUNK, None
        try:
            while not self._stop.is_set() and (chunk := self._take(size)) is not None:
                begun = time.monotonic()
                self._scan(backend, *chunk)
                spent = max(time.monotonic() - begun, 1e-6)
                size = max(1, min(int(chunk[1] * CHUNK_S / spent), chunk[1] * GROWTH, NONCES))
        except Exception as error:  # noqa: BLE001 - of another thread: raised again by run()
            with self._lock:
                self._faults.append(error)
                if chunk is not None:
                    self._dropped.append(chunk)

    def _take(self, size: int) -> tuple[int, int] | None:
        with self._lock:
            if self._dropped:
                return self._dropped.pop()
            start, count = self._next, min(size, NONCES - self._next)
            self._next += count
        return (start, count) if count else None

    def _scan(self, backend: Backend, start: int, count: int) -> None:
        """Test a whole chunk, or until its first hit; the hit is hashed again by hashlib."""
        end = start + count
        while start < end and not self._stop.is_set():
            result = backend.scan(self._unit, start, end - start)
            with self._lock:
                self.hashes += result.hashes
            for hit in result.hits:
                solved = replace(self._header, nonce=hit.nonce)
                if hit.version != solved.version or not solved.meets(self._unit.target):
                    raise BackendFault(backend.info.name, f"nonce {hit.nonce} is a false hit")
                self.found = solved
                self._stop.set()
                return
            start += result.hashes
