"""A connection of the Stratum server under broken miners: it may refuse and end, never raise; every
line it writes is JSON, and what was good before a bad message is good after it."""

import json
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

from miner.bitcoin.target import target_from_difficulty
from miner.bitcoin.versions import BIP320_MASK
from miner.learn.mining import REGTEST_GENESIS, job_after
from miner.pool.names import clean, of_user
from miner.protocol.stratum.server import EXTRANONCE2_BYTES, ServerSession
from miner.work.claim import Assignment, Claim, Judged, WorkBook
from miner.work.found import Share
from miner.work.roll import Roller
from tests.fakes.broken.targets import Feed, gist

EASY = Fraction(1, 10**9)  # a few hashes a share
START_S = 1_700_000_000.0


class OneJob:
    """A host with one job, which every miner may mine."""

    def __init__(self, now: float) -> None:
        base = job_after(REGTEST_GENESIS[::-1], 1, 1, int(now))
        merkle = replace(base.coinbase, extranonce1=b"\1\2\3\4", extranonce2_size=EXTRANONCE2_BYTES)
        target = target_from_difficulty(EASY)
        mask = BIP320_MASK & ~base.version
        self.job = replace(base, merkle=merkle, share_target=target, version_mask=mask)
        self.book, self.names = WorkBook(), list[str]()
        self.session = ServerSession(self, b"\1\2\3\4", "ab" * 12, now)

    def resume(self, session_id: str) -> bytes | None:
        return b"\1\2\3\4" if session_id == "ab" * 12 else None

    def enter(self, user: str, agent: str, now: float) -> str:
        name, _ = of_user(user)
        assert name == clean(name) and name.isprintable() and len(name.encode()) <= 40
        assert agent.isprintable()
        return "" if name != "nobody" else "nobody is not let in"

    def ready(self, now: float) -> None:
        self.book.give(Assignment(self.job, EASY, 1))
        self.session.give(self.job, EASY)

    def submit(self, claim: Claim, now: float) -> Judged:
        return self.book.judge(claim, self.job.prev_hash, now)

    def suggest(self, difficulty: Fraction, now: float) -> None:
        assert difficulty > 0


class Driver:
    """Connections that are replaced when they end; a good share now and then."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.now = dice, START_S
        self.units = 0
        self.replace()

    def replace(self) -> None:
        self.host = OneJob(self.now)
        if self.dice.random() < 0.8:
            for method, params in (("mining.subscribe", ["f/1"]), ("mining.authorize", ["a", "x"])):
                self.host.session.receive(line(1, method, *params), self.now)

    def feed(self, data: bytes) -> str:
        try:
            return self._feed(data + b"\n")
        except BaseException:
            self.replace()  # the next input meets a sound connection
            raise

    def _feed(self, data: bytes) -> str:
        self.now += 0.05
        session = self.host.session
        session.data_to_send()
        was_ready = session.ready
        cut = self.dice.randrange(len(data) + 1)
        session.receive(data[:cut], self.now)
        session.receive(data[cut:], self.now)
        session.tick(self.now)
        words = spoken(session)
        if was_ready and not session.closing and self.dice.random() < 0.2:
            assert self.good_share() == "True", "a good share is refused after a bad message"
        closed = gist(session.closing)
        if closed or self.dice.random() < 0.01:
            self.replace()
        return f"{words} {closed}"

    def good_share(self) -> str:
        self.units += 1
        unit = Roller(self.host.job, self.units).next(1, 0.0)
        assert unit is not None
        found = (Share.from_hit(unit, unit.versions[0], nonce) for nonce in range(1000))
        share = next(one for one in found if one is not None)
        params = ["a", unit.job.job_id, unit.extranonce2.hex(), f"{unit.ntime:08x}"]
        self.host.session.receive(line(2, "mining.submit", *params, f"{share.nonce:08x}"), self.now)
        return spoken(self.host.session)


def spoken(session: ServerSession) -> str:
    """What the server said, in short; each line is JSON, but for the answer to HTTP."""
    data = session.data_to_send()
    if b"HTTP/1.1 400" in data:
        return "http"
    said = set()
    for row in data.splitlines():
        message: dict[str, Any] = json.loads(row)
        error = message.get("error")
        said.add(message.get("method") or (gist(error[1]) if error else str(message["result"])[:4]))
    return " ".join(sorted(said))


def line(number: int, method: str, *params: Any) -> bytes:
    return json.dumps({"id": number, "method": method, "params": list(params)}).encode() + b"\n"


def server(dice: random.Random) -> tuple[list[bytes], Feed]:
    rolling = {"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}
    calls: list[tuple[Any, ...]] = [
        ("mining.configure", ["version-rolling", "minimum-difficulty"],
         {**rolling, "minimum-difficulty.value": 0.001}),
        ("mining.subscribe", "miner/1", "ab" * 12), ("mining.subscribe",),
        ("mining.authorize", "Ann.desk", "x"), ("mining.authorize", "nobody", "x"),
        ("mining.authorize", "bc1q" + "q" * 38, "x"),
        ("mining.suggest_difficulty", 0.001), ("mining.suggest_target", "00" * 4 + "ff" * 28),
        ("mining.extranonce.subscribe",), ("mining.get_transactions", "1"), ("mining.ping",),
        ("mining.submit", "a", "1", "00000000", f"{int(START_S):08x}", "00000001"),
        ("mining.submit", "a", "1", "00000001", f"{int(START_S):08x}", "00000001", "00002000"),
    ]  # fmt: skip
    seeds = [line(7, method, *params)[:-1] for method, *params in calls]
    seeds += [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b'{"id":1,"result":true,"error":null}']
    return seeds, Driver(dice).feed
