"""Feed mutated lines to Stratum sessions: `python3 scripts/fuzz_stratum.py [--lines N] [--seed S]`.

Every line starts as a real one and is then broken: bytes flipped, cut, repeated; JSON values
replaced, nested, removed. The session may refuse it; it may not raise, stall, grow, or change its
job because of a message that it calls bad. Exit code 1 when one of these happens.
"""

import argparse
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

import bootstrap

bootstrap.enter()

from miner.protocol.stratum import StratumSession
from miner.protocol.stratum_events import JobReceived, Notice, SessionSettings
from miner.work.roll import Roller
from miner.work.values import Share

SLOW_S = 1.0  # a call this long is a failure
GROWTH_KIB = 20 * 1024
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**32, 2**63, 10**30, 0.5, -0.0, 1e-320, 1e300, "", "0",
    "zz", "00", "ff" * 32, "0" * 63, "x" * 3000, "\x1b[2J\n", "\ud800", "ü", [], {}, [[]], {"a": 1},
    [None] * 40, ["00" * 32] * 33, "1fffe000", "mining.notify", "207fffff",
)  # fmt: skip
ODD_BYTES = (b"\x00", b"\xff", b"\r", b'"', b"\\", b"[", b"]", b"{", b"}", b",", b"NaN", b"1e9999")


def seeds() -> list[bytes]:
    """The recorded pool lines and one of every other kind."""
    lines = []
    for path in sorted((ROOT / "tests" / "vectors" / "stratum").glob("*.jsonl")):
        for row in path.read_text().splitlines():
            entry = json.loads(row)
            if entry["from"] == "pool":
                lines.append(entry["line"].encode())
    calls: list[tuple[str, list[Any]]] = [
        ("mining.set_difficulty", [0.25]),
        ("mining.set_extranonce", ["aabb", 3]),
        ("mining.set_version_mask", ["1fffe000"]),
        ("client.reconnect", ["pool.example", 3333, 5]),
        ("client.show_message", ["hello"]),
        ("client.get_version", []),
        ("mining.ping", []),
    ]
    lines += [json.dumps({"id": 7, "method": m, "params": p}).encode() for m, p in calls]
    grant = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    for request_id in range(1, 9):
        for result in (True, grant, [[["mining.notify", "s"]], "aa", 4]):
            lines.append(json.dumps({"id": request_id, "result": result, "error": None}).encode())
        refusal = {"id": request_id, "result": None, "error": [23, "Above target", None]}
        lines.append(json.dumps(refusal).encode())
    return lines


def mutate(line: bytes, dice: random.Random) -> bytes:
    """Break a line once or a few times."""
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        line = mutate_value(line, dice) if dice.random() < 0.6 else mutate_bytes(line, dice)
    return line.replace(b"\n", b" ") + b"\n"


def mutate_bytes(line: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(line) + 1)
    kind = dice.randrange(5)
    if kind == 0:
        return line[:at] + bytes([dice.randrange(256)]) + line[at + 1 :]
    if kind == 1:
        return line[:at]
    if kind == 2:
        return line[:at] + dice.choice(ODD_BYTES) * dice.choice((1, 1, 20)) + line[at:]
    if kind == 3:
        return line[:at] + line[at + dice.randrange(1, 9) :]
    return line[:at] + line[max(0, at - dice.randrange(1, 60)) :]


def mutate_value(line: bytes, dice: random.Random) -> bytes:
    """Replace, remove or double one value somewhere inside the JSON."""
    try:
        message = json.loads(line)
    except ValueError:
        return mutate_bytes(line, dice)
    place = message
    while isinstance(place, dict | list) and place:
        key: Any = (
            dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
        )
        inner = place[key]
        if isinstance(inner, dict | list) and inner and dice.random() < 0.8:
            place = inner
            continue
        kind = dice.randrange(4)
        if kind == 0:
            del place[key]
        elif kind == 1 and isinstance(place, list):
            place.insert(key, inner)
        else:
            place[key] = dice.choice(ODD_VALUES)
        break
    return json.dumps(message).encode()


class Target:
    """Sessions that are replaced when they close, as a source would."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.now, self.sessions = dice, 0.0, 0
        self.settings = SessionSettings("fuzz", "user.w1", agent="homehash/fuzz")
        self.session = StratumSession(self.settings, 0, 0.0)
        self.jobs = self.bad = 0
        self.replace()

    def replace(self) -> None:
        left = self.session.leave()
        self.bad += self.session.bad_messages
        self.sessions += 1
        self.session = StratumSession(self.settings, self.sessions, self.now, left)
        self.session.open()
        self.session.data_to_send()
        if self.dice.random() < 0.8:
            for request_id in range(self.session._next_id - 4, self.session._next_id):
                result: Any = True if request_id == self.session._next_id - 1 else [[], "aa", 4]
                reply = json.dumps({"id": request_id, "result": result, "error": None}) + "\n"
                self.session.receive_data(reply.encode(), self.now)

    def feed(self, line: bytes) -> str:
        """One line in one or two segments; "" or what is wrong."""
        self.now += 0.01
        session = self.session
        before, bad = session.job, session.bad_messages
        cut = self.dice.randrange(len(line) + 1) if self.dice.random() < 0.2 else 0
        began = time.perf_counter()
        events = session.receive_data(line[:cut], self.now) if cut else []
        events += session.receive_data(line[cut:], self.now)
        if time.perf_counter() - began > SLOW_S:
            return "slow"
        if session.bad_messages > bad and session.job is not before:
            return "a bad message changed the job"
        for event in events:
            if isinstance(event, Notice) and not event.text.isprintable():
                return "unprintable text"
            if isinstance(event, JobReceived):
                self.jobs += 1
                if self.dice.random() < 0.3:
                    self.submit(event)
        if any(len(message) > 1023 for message in session.data_to_send()):
            return "our line is too long"
        session.tick(self.now)
        if session.closed:
            self.replace()
        return ""

    def submit(self, event: JobReceived) -> None:
        unit = Roller(event.job).next(1, 0.0)
        if unit is not None and self.session.subscription is not None:
            header = unit.header(unit.versions[0], 7)
            self.session.submit(Share(unit, unit.versions[0], 7, header, header[-32:]), self.now)


def run(lines: int, seed: int) -> tuple[list[str], str]:
    """Failures, and what the run covered."""
    dice = random.Random(seed)
    corpus, target, failures = seeds(), Target(dice), []
    began = time.monotonic()
    for index in range(lines):
        original = dice.choice(corpus)
        line = original + b"\n" if dice.random() < 0.2 else mutate(original, dice)
        try:
            wrong = target.feed(line)
        except Exception as error:  # noqa: BLE001 - finding them is the purpose
            wrong = repr(error)
            target.replace()
        if wrong:
            failures.append(f"line {index}: {wrong}: {line[:300]!r}")
    rate = lines / (time.monotonic() - began)
    covered = f"{target.jobs} jobs, {target.bad} refused, {target.sessions} sessions"
    return failures, f"{covered}, {rate:.0f} lines/s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run(20_000, options.seed + 1)  # warm caches before memory is measured
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failures, covered = run(options.lines, options.seed)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for failure in failures[:20]:
        print(failure)
    print(
        f"seed {options.seed}: {options.lines} lines, {len(failures)} failures, "
        f"{covered}, memory +{grown} KiB"
    )
    return 1 if failures or grown > GROWTH_KIB else 0


if __name__ == "__main__":
    sys.exit(main())
