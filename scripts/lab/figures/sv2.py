"""Times Stratum v2's own work, without a network: handshake, job and share, by CPU time.

    python3 scripts/figures.py sv2 [--runs 500]

The server's side is the double of the tests; its time is not counted. Prints median, 99th
percentile and worst of each, and what a thousand sessions leave behind in memory.
"""

import argparse
import gc
import os
import statistics
import time

import psutil

from miner.protocol.pool import JobReceived, PoolEvent
from miner.protocol.sv2.crypto import RANDOM_BYTES, new_key
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.session import Sv2Session
from miner.protocol.sv2.terms import Settings
from miner.work.found import Share
from miner.work.job import Job
from miner.work.roll import Roller
from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY, NOW, FakeSv2Pool

RECONNECTS = 1000
AUTHORITY_X = sv2_noise.authority_x(AUTHORITY)
SETTINGS = Settings("pool", "bcrt1quser.desk", "127.0.0.1", 3333, device="desk")


class Client:
    """A session whose own CPU time is summed up."""

    def __init__(self, pool: FakeSv2Pool) -> None:
        begun = time.thread_time()
        link = SecureLink(new_key(os.urandom(RANDOM_BYTES)), AUTHORITY_X, lambda: NOW)
        self.session = Sv2Session(SETTINGS, 1, link, 0.0)
        self.session.open()
        self.spent_s = time.thread_time() - begun
        self.pool = pool
        self.exchange()

    def exchange(self) -> None:
        while pieces := self._timed_send():
            for piece in pieces:
                self.give(self.pool.feed(piece))

    def _timed_send(self) -> list[bytes]:
        begun = time.thread_time()
        pieces = self.session.data_to_send()
        self.spent_s += time.thread_time() - begun
        return pieces

    def give(self, data: bytes) -> list[PoolEvent]:
        """Bytes of the pool; the events."""
        begun = time.thread_time()
        events = self.session.receive(data, 0.0)
        self.spent_s += time.thread_time() - begun
        return events

    def lap_s(self) -> float:
        """CPU seconds since the last lap."""
        spent_s, self.spent_s = self.spent_s, 0.0
        return spent_s


def job_of(client: Client, height: int) -> Job:
    number = client.pool.next_job
    client.give(client.pool.send_job(height, path=tuple(bytes([n]) * 32 for n in range(12))))
    events = client.give(client.pool.send_tip(number, height.to_bytes(32, "little"), NOW))
    return next(event.job for event in events if isinstance(event, JobReceived))


def share_of(job: Job) -> Share:
    unit = Roller(job).next(1, 0.0)
    assert unit is not None
    tries = (Share.from_hit(unit, unit.versions[0], nonce) for nonce in range(100_000))
    return next(share for share in tries if share is not None)


def measure(runs: int) -> dict[str, list[float]]:
    """CPU seconds of each kind of work."""
    taken: dict[str, list[float]] = {"handshake and opening": [], "job and tip": [], "share": []}
    for _ in range(runs):
        client = Client(FakeSv2Pool())
        taken["handshake and opening"].append(client.lap_s())
        job = job_of(client, 100)
        taken["job and tip"].append(client.lap_s())
        share = share_of(job)
        begun = time.thread_time()
        client.session.submit(share, 0.0)
        client.spent_s += time.thread_time() - begun
        client.exchange()
        taken["share"].append(client.lap_s())
        assert client.pool.shares[-1].verdict == "ok"
    return taken


def growth_bytes() -> int:
    """What a thousand sessions, one after the other, leave behind."""
    process = psutil.Process()
    for _ in range(50):
        Client(FakeSv2Pool())
    gc.collect()
    before = process.memory_info().rss
    for _ in range(RECONNECTS):
        Client(FakeSv2Pool())
    gc.collect()
    return int(process.memory_info().rss - before)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    for name, seconds in measure(runs).items():
        milli = sorted(1e3 * one for one in seconds)
        p99 = milli[int(0.99 * len(milli))]
        print(
            f"{name:22} median {statistics.median(milli):.3f} ms, p99 {p99:.3f}, "
            f"worst {milli[-1]:.3f}, n {runs}"
        )
    print(f"{RECONNECTS} sessions leave {growth_bytes() / 1024:.0f} KiB")
    return 0
