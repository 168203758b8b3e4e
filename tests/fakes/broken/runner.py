"""Feeds broken inputs to targets, counts, and keeps what was new or wrong."""

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.broken.mutate import mutate
from tests.fakes.broken.targets import CORPUS, Feed, Target

SLOW_S = 1.0  # a call this long is a failure
MOST_SEEDS = 500  # inputs with a new word are mutated further, up to so many
MOST_BYTES = 200_000


@dataclass
class Outcome:
    """What came of one target's run."""

    target: str
    executions: int = 0
    failures: list[str] = field(default_factory=list)
    words: dict[str, bytes] = field(default_factory=dict)  # the first input of each
    slowest_s: float = 0.0
    wrong: list[bytes] = field(default_factory=list)


def run(target: Target, executions: int, seed: int, seconds: float) -> Outcome:
    """At most so many executions and seconds; the seeds themselves are fed first."""
    dice = random.Random(f"{seed} {target.name}")
    seeds, feed = target.load(dice)
    outcome, deadline = Outcome(target.name), time.monotonic() + seconds
    for data in list(seeds):
        step(outcome, feed, data)
    while outcome.executions < executions and time.monotonic() < deadline:
        data = mutate(dice.choice(seeds), dice)[:MOST_BYTES]
        if step(outcome, feed, data) and len(seeds) < MOST_SEEDS:
            seeds.append(data)
    return outcome


def step(outcome: Outcome, feed: Feed, data: bytes) -> bool:
    """One execution; was its word new?"""
    began = time.perf_counter()
    try:
        word = feed(data)
    except Exception as error:  # noqa: BLE001 - finding them is the purpose
        word = f"{type(error).__name__}: {error}"
        if word not in outcome.words:
            outcome.wrong.append(data)
        outcome.failures.append(f"{word[:300]} for {data[:300]!r}")
    took = time.perf_counter() - began
    outcome.executions += 1
    outcome.slowest_s = max(outcome.slowest_s, took)
    if took > SLOW_S:
        outcome.failures.append(f"{took:.1f} s for {len(data)} bytes {data[:200]!r}")
        outcome.wrong.append(data)
    if word in outcome.words:
        return False
    outcome.words[word] = data
    return True


def keep(outcome: Outcome, most: int, say: Callable[[str], None]) -> None:
    """Write every wrong input, and the shortest of new words, into the corpus."""
    fresh = sorted(outcome.words.values(), key=len)[:most]
    for data in [*outcome.wrong[:20], *fresh]:
        path = CORPUS / outcome.target / hashlib.sha256(data).hexdigest()[:12]
        if len(data) <= 20_000 and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            say(f"kept {path.relative_to(Path(CORPUS).parent)}")
