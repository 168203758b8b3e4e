"""A session and the fake pool on two ends of a list of bytes."""

from typing import Any

from miner.protocol.pool import Dropped, JobReceived, PoolEvent, Refused, ShareAnswered
from miner.protocol.sv2.crypto import new_key
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.session import Sv2Session
from miner.protocol.sv2.terms import Leftovers, Settings
from miner.work.found import Share
from miner.work.job import Job
from miner.work.roll import Roller
from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY, NOW, FakeSv2Pool

TIP = bytes(range(32))
EASY = 2**256 - 1


def session_of(
    left: Leftovers | None = None, authority: bytes | None = None, key: int = 1, **settings: Any
) -> Sv2Session:
    values: dict[str, Any] = {
        "source": "pool", "user": "bcrt1quser.desk", "host": "127.0.0.1", "port": 3333, **settings,
    }  # fmt: skip
    pinned = sv2_noise.authority_x(AUTHORITY) if authority is None else authority
    link = SecureLink(new_key(bytes(range(key, key + 64))), pinned, lambda: NOW)
    return Sv2Session(Settings(**values), 7, link, 0.0, left)


class Pair:
    """Both ends; `events` collects what the session said."""

    def __init__(self, pool: FakeSv2Pool, session: Sv2Session) -> None:
        self.pool, self.session = pool, session
        self.events: list[PoolEvent] = []
        self.now = 0.0
        self.step = 10**9  # bytes a read brings
        session.open()
        self.exchange()

    @classmethod
    def between(cls, pool: FakeSv2Pool, session: Sv2Session) -> "Pair":
        """Of two that have begun already."""
        pair = cls.__new__(cls)
        pair.pool, pair.session, pair.events = pool, session, []
        pair.now, pair.step = 0.0, 10**9
        pair.exchange()
        return pair

    def exchange(self) -> None:
        """Until neither has anything to say."""
        while pieces := self.session.data_to_send():
            for piece in pieces:
                self.give(self.pool.feed(piece))

    def give(self, data: bytes) -> list[Any]:
        """Bytes of the pool; the new events."""
        before = len(self.events)
        while data:
            self.events += self.session.receive(data[: self.step], self.now)
            data = data[self.step :]
        self.exchange()
        return self.events[before:]

    def mine(self, height: int = 100, **job: Any) -> Job:
        """A first job upon a first tip."""
        number = job.get("job_id", self.pool.next_job)
        self.give(self.pool.send_job(height, **job))
        self.give(self.pool.send_tip(number, TIP, NOW))
        current = self.session.job
        assert current is not None
        return current

    def submit(self, share: Share) -> list[Any]:
        before = len(self.events)
        assert self.session.takes(share)
        self.events += self.session.submit(share, self.now)
        self.exchange()
        return self.events[before:]

    @property
    def jobs(self) -> list[Job]:
        return [event.job for event in self.events if isinstance(event, JobReceived)]

    @property
    def answers(self) -> list[ShareAnswered]:
        return [event for event in self.events if isinstance(event, ShareAnswered)]

    @property
    def end(self) -> Refused | Dropped | None:
        return next((one for one in self.events if isinstance(one, Refused | Dropped)), None)


def running(
    pool: FakeSv2Pool | None = None, left: Leftovers | None = None, **settings: Any
) -> Pair:
    """Handshake, set-up and channel done."""
    pair = Pair(pool or FakeSv2Pool(), session_of(left, **settings))
    assert pair.session.ready, pair.events
    return pair


def find(job: Job, start: int = 0, extranonce2_start: int = 0) -> Share:
    """Grind a share of the job, by the product's own roller."""
    unit = Roller(job, extranonce2_start).next(1, 0.0)
    assert unit is not None
    for nonce in range(start, start + 100_000):
        share = Share.from_hit(unit, unit.versions[0], nonce)
        if share is not None:
            return share
    raise AssertionError("no share in 100,000 hashes")
