"""A Stratum session under broken messages: it may refuse, never raise, stall, or change its job
because of a message that it calls bad."""

import json
import random
from collections.abc import Sequence
from typing import Any

from miner.protocol.pool import JobReceived, Notice
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.work.found import Share
from miner.work.roll import Roller
from tests.fakes.broken.targets import VECTORS, Feed, gist


def recorded() -> list[dict[str, Any]]:
    """What real pools said."""
    messages = []
    for path in sorted((VECTORS / "stratum").glob("*.jsonl")):
        entries = [json.loads(row) for row in path.read_text().splitlines()]
        messages += [json.loads(e["line"]) for e in entries if e["from"] == "pool"]
    return messages


def call(method: str, *params: Any) -> bytes:
    return json.dumps({"id": 7, "method": method, "params": list(params)}).encode()


def target(dice: random.Random, seeds: Sequence[bytes]) -> tuple[list[bytes], Feed]:
    driver = Driver(dice)
    return list(seeds), driver.feed


class Driver:
    """Sessions that are replaced when they close, as a source would; real jobs in between."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.now, self.sessions = dice, 0.0, 0
        self.settings = SessionSettings("fuzz", "user.w1", agent="homehash/fuzz")
        self.notifies = [m for m in recorded() if m.get("method") == "mining.notify"]
        self.session = StratumSession(self.settings, 0, 0.0)
        self.replace()

    def replace(self) -> None:
        left = self.session.leave()
        self.sessions += 1
        self.session = StratumSession(self.settings, self.sessions, self.now, left)
        self.session.open()
        asked = [json.loads(line) for line in self.session.data_to_send()]
        if self.dice.random() < 0.8:
            for message in asked:
                result: Any = message["method"] == "mining.authorize" or [[], "aa", 4]
                reply = {"id": message["id"], "result": result, "error": None}
                self.session.receive(json.dumps(reply).encode() + b"\n", self.now)
        if self.dice.random() < 0.5:
            line = json.dumps(self.dice.choice(self.notifies)).encode()
            self.session.receive(line + b"\n", self.now)

    def feed(self, data: bytes) -> str:
        """One line, in one or two segments."""
        try:
            return self._feed(data.replace(b"\n", b" ") + b"\n")
        except BaseException:
            self.replace()  # the next input meets a sound session
            raise

    def _feed(self, line: bytes) -> str:
        self.now += 0.01
        session = self.session
        before, bad = session.job, session.bad_messages
        cut = self.dice.randrange(len(line) + 1) if self.dice.random() < 0.2 else 0
        events = session.receive(line[:cut], self.now) if cut else []
        events += session.receive(line[cut:], self.now)
        refused = session.bad_messages > bad
        assert not refused or session.job is before, "a bad message changed the job"
        for event in events:
            if isinstance(event, Notice):
                assert event.text.isprintable()
            if isinstance(event, JobReceived) and self.dice.random() < 0.3:
                self.submit(event)
        assert all(len(message) <= 1023 for message in session.data_to_send()), "too long a line"
        events += session.tick(self.now)
        closed = session.closed
        if closed or self.dice.random() < 0.001:
            self.replace()
        kinds = sorted({type(event).__name__ for event in events})
        words = [gist(event.text) for event in events if isinstance(event, Notice)]
        return f"{refused} {bool(closed)} {kinds} {words[:1]}"

    def submit(self, event: JobReceived) -> None:
        unit = Roller(event.job).next(1, 0.0)
        if unit is not None and self.session.ready:
            header = unit.header(unit.versions[0], 7)
            self.session.submit(Share(unit, unit.versions[0], 7, header, header[-32:]), self.now)


def notify(dice: random.Random) -> tuple[list[bytes], Feed]:
    found = [json.dumps(m).encode() for m in recorded() if m.get("method") == "mining.notify"]
    return target(dice, found)


def set_difficulty(dice: random.Random) -> tuple[list[bytes], Feed]:
    values = (0.25, 1, 1024, 1e-6, 0.9999847)
    return target(dice, [call("mining.set_difficulty", value) for value in values])


def set_extranonce(dice: random.Random) -> tuple[list[bytes], Feed]:
    return target(dice, [call("mining.set_extranonce", "aabb", 3)])


def set_version_mask(dice: random.Random) -> tuple[list[bytes], Feed]:
    return target(dice, [call("mining.set_version_mask", "1fffe000")])


def reconnect(dice: random.Random) -> tuple[list[bytes], Feed]:
    seeds = [call("client.reconnect", "pool.example", 3333, 5), call("client.reconnect")]
    return target(dice, seeds)


def chatter(dice: random.Random) -> tuple[list[bytes], Feed]:
    calls = [
        call("client.show_message", "hello"), call("client.get_version"), call("mining.ping"),
        call("mining.no_such_method", {"a": [1]}),
    ]  # fmt: skip
    return target(dice, calls)


def answers(dice: random.Random) -> tuple[list[bytes], Feed]:
    grant = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    seeds = [json.dumps(m).encode() for m in recorded() if "method" not in m]
    for request_id in range(1, 9):
        for result in (True, grant, [[["mining.notify", "s"]], "aa", 4]):
            seeds.append(json.dumps({"id": request_id, "result": result, "error": None}).encode())
        refusal = {"id": request_id, "result": None, "error": [23, "Above target", None]}
        seeds.append(json.dumps(refusal).encode())
    return target(dice, seeds)
