"""hashlib in a process of its own, so that each core has one: it holds Python's lock to hash.

`HashlibProcess` is a backend; its child runs `main`. They talk through two pipes, all numbers
little-endian: a scan is two integers, and before the first of a job comes the job. The child ends
when its pipe closes, however the parent ended.

    to the child    start, count                       two u64; a start of NO_NONCE brings a job,
                                                       count its versions: prefix, target, versions
    from the child  hashes, hits, its CPU time, hits   u64, u32, f64 in s; version, nonce, u32 each
"""

import os
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from miner.backends.base import Hit, Scannable, ScanResult, check_range
from miner.backends.hashlib.scan import HashlibBackend
from miner.errors import BackendFault

ASK, REPLY, HIT = struct.Struct("<2Q"), struct.Struct("<QId"), struct.Struct("<2I")
NO_NONCE = 2**64 - 1
PREFIX, TARGET = 76, 32
NEW_GROUP = 0x200  # Windows: CREATE_NEW_PROCESS_GROUP
END_S = 1.0  # a child whose pipe is closed has that long: no scan of it takes as much


class HashlibProcess:
    """One worker's backend. Raises OSError when no process is to be had."""

    info = HashlibBackend.info

    def __init__(self) -> None:
        # -P: the folder the user happens to be in is not searched for modules. A group of its own:
        # Ctrl-C is the parent's business.
        windows = sys.platform == "win32"
        self._child: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=None if windows else 0,
            creationflags=NEW_GROUP if windows else 0,
        )
        self.elsewhere_s = 0.0  # CPU time of the child
        self._sent: tuple[bytes, tuple[int, ...], int] | None = None

    @property
    def pid(self) -> int:
        """The child's."""
        return self._child.pid

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        """See Backend.scan."""
        check_range(start, count)
        if count == 0:
            return ScanResult((), 0)
        try:
            return self._asked(unit, start, count)
        except (OSError, ValueError, EOFError) as error:
            code = self._child.poll()
            ended = "is gone" if code is None else f"ended with {code}"
            raise BackendFault(self.info.name, f"its process {ended}") from error

    def _asked(self, unit: Scannable, start: int, count: int) -> ScanResult:
        to, come = self._child.stdin, self._child.stdout
        assert to is not None and come is not None, "both are pipes"
        job = (unit.prefix, unit.versions, unit.target)
        if self._sent != job:
            to.write(ASK.pack(NO_NONCE, len(unit.versions)))
            to.write(unit.prefix + unit.target.to_bytes(TARGET, "little"))
            to.write(struct.pack(f"<{len(unit.versions)}I", *unit.versions))
            self._sent = job
        to.write(ASK.pack(start, count))
        to.flush()
        hashes, hits, self.elsewhere_s = REPLY.unpack(whole(come, REPLY.size))
        rows = HIT.iter_unpack(whole(come, hits * HIT.size))
        return ScanResult(tuple(Hit(version, nonce) for version, nonce in rows), hashes)

    def sensors(self) -> None:
        """A CPU's are not this backend's."""

    def close(self) -> None:
        """The child ends; a scan that goes on in another thread raises BackendFault."""
        assert self._child.stdin is not None and self._child.stdout is not None
        with suppress(OSError):  # it may be gone already
            self._child.stdin.close()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        with suppress(OSError, RuntimeError):  # another thread may be reading
            self._child.stdout.close()


def whole(pipe: IO[bytes], size: int) -> bytes:
    """Exactly that many bytes. Raises EOFError when the pipe closes before."""
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


# -- the child --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Unit:
    """What the child scans."""

    prefix: bytes
    versions: tuple[int, ...]
    target: int


def serve(come: IO[bytes], to: IO[bytes]) -> None:
    """Answer until the pipe closes: EOFError."""
    backend, unit = HashlibBackend(), Unit(bytes(PREFIX), (0,), 0)
    while True:
        start, count = ASK.unpack(whole(come, ASK.size))
        if start == NO_NONCE:
            data = whole(come, PREFIX + TARGET + 4 * count)
            versions = struct.unpack(f"<{count}I", data[PREFIX + TARGET :])
            target = int.from_bytes(data[PREFIX : PREFIX + TARGET], "little")
            unit = Unit(data[:PREFIX], versions, target)
            continue
        found = backend.scan(unit, start, count)
        to.write(REPLY.pack(found.hashes, len(found.hits), time.process_time()))
        to.write(b"".join(HIT.pack(*hit) for hit in found.hits))
        to.flush()


def main() -> None:
    """The child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):  # the parent has closed its end, or is no more
        serve(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # what is still in a buffer has no reader
