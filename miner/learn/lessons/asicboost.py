"""Lesson 13: AsicBoost at work, with a counter on the schedule."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from miner.backends.base import Backend
from miner.backends.speed import Timing
from miner.bitcoin.header import with_nonce
from miner.bitcoin.sha256 import ROUNDS, schedule
from miner.bitcoin.versions import BIP320_MASK, count, versions_at
from miner.learn.answers import near_judge, number_judge
from miner.learn.mining import BASE_VERSION, bench_unit, open_quick, rate
from miner.learn.steps import (
    Bars,
    Check,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.learn.trace import padded
from miner.units import si

SHOWN = 4
EXPANDED = ROUNDS - 16  # schedule words a compression has to compute
SECOND_HASH = 61 - 16  # the second hash needs only 61 rounds to see that it fails
TIMED_S, QUICK_TIMED_S, REPEATS = 1.0, 0.1, 5
NOISY = 1.15  # pairs further apart than this tell nothing


def screens(setting: Setting) -> Iterator[Screen]:
    """Several versions, one second chunk; words counted, then the gain measured."""
    backend = open_quick(setting.backend)
    try:
        yield _one_chunk()
        yield _counted()
        yield _measured(backend, setting)
    finally:
        backend.close()


def _one_chunk() -> Screen:
    versions = versions_at(BASE_VERSION, BIP320_MASK, 0, SHOWN)
    unit = bench_unit(SHOWN, 0)
    chunks = []
    for version in versions:
        header = with_nonce(unit.prefix, version, 0)
        chunks.append((padded(header)[:64], padded(header)[64:128]))
    rows = tuple(
        (f"{version:08x}", one[:8].hex() + "..", two[:12].hex() + "..")
        for version, (one, two) in zip(versions, chunks, strict=True)
    )
    return Screen(
        "Four versions, one second chunk",
        (
            Text(
                "The version field sits in chunk 1, the nonce in chunk 2. Change only the version "
                "and chunk 2 stays **byte for byte the same**. BIP 320 sets 16 version bits aside "
                "for miners to change."
            ),
            Table("", ("version", "chunk 1", "chunk 2"), rows),
            Check(
                "four different first chunks, one second chunk",
                len({one for one, _ in chunks}) == SHOWN and len({two for _, two in chunks}) == 1,
                "header with another version: bytes 64 to 79",
            ),
            Question(
                "How many versions do 16 free bits give?",
                str(count(BIP320_MASK)),
                number_judge(count(BIP320_MASK)),
                "Two to the power of sixteen.",
            ),
            code(versions_at),
        ),
    )


def words_per_hash(versions: int) -> float:
    """Schedule words computed for each hash when `versions` share chunk 2's schedule."""
    return EXPANDED / versions + SECOND_HASH


def _counted() -> Screen:
    shared = (1, 2, 4, 8, 16)
    first = words_per_hash(1)
    return Screen(
        "What is saved",
        (
            Text(
                "A compression first stretches its 16 words to 64: the **schedule**, 48 words to "
                "compute. It depends on the chunk alone, not on the state. So for one nonce it is "
                "computed once and used for every version; only the 64 rounds are done for each."
            ),
            Bars(
                "schedule words computed for each hash",
                tuple(f"{versions} versions" for versions in shared),
                tuple(words_per_hash(versions) for versions in shared),
                "words",
                note="48 / versions, and 45 of the second hash, which nothing can share",
            ),
            Check(
                f"sixteen versions: {1 - words_per_hash(16) / first:.0%} fewer schedule words",
                len(schedule(bytes(64))) - 16 == EXPANDED,
                "len(schedule(chunk)) - 16, divided by the versions",
            ),
            code(schedule),
        ),
    )


@dataclass(frozen=True, slots=True)
class Gain:
    """Speeds with one version and with many, in pairs measured in turn."""

    pairs: tuple[tuple[float, float], ...]
    versions: int

    @property
    def gains(self) -> list[float]:
        """Smallest first."""
        return sorted(many / one for one, many in self.pairs)

    @property
    def middle(self) -> float:
        return self.gains[len(self.pairs) // 2]

    @property
    def saved(self) -> float:
        """Share of the schedule words that many versions do without."""
        return 1 - words_per_hash(self.versions) / words_per_hash(1)

    @property
    def schedule_share(self) -> float:
        """Share of this backend's work that the schedule must then be."""
        return (1 - 1 / self.middle) / self.saved if self.saved else 0.0

    @property
    def bound(self) -> float:
        """No more can be gained, even if the schedule were all of the work."""
        return 1 / (1 - self.saved)

    @property
    def noisy(self) -> bool:
        return self.gains[-1] > NOISY * self.gains[0]

    @property
    def words(self) -> str:
        if self.noisy:
            return f"too noisy to tell: the pairs differ by more than {NOISY - 1:.0%}"
        return "no gain here" if self.middle < 1.02 else "a real gain"


def _measured(backend: Backend, setting: Setting) -> Screen:
    seconds = QUICK_TIMED_S if setting.quick else TIMED_S
    wanted = max(backend.info.versions_wanted, 1)
    one, many = bench_unit(1, 0), bench_unit(wanted, 0)
    pairs = [
        tuple(rate(backend, unit, seconds, time.thread_time) for unit in (one, many))
        for _ in range(REPEATS)
    ]
    return _gained(backend.info.name, Gain(tuple((a, b) for a, b in pairs), wanted))


def _gained(name: str, gain: Gain) -> Screen:
    return Screen(
        "Measured on this computer",
        (
            Table(
                name,
                ("", "one version", f"{gain.versions} versions", "gain"),
                tuple(
                    (f"pair {place + 1}", si(a, "H/s", 3), si(b, "H/s", 3), f"x{b / a:.2f}")
                    for place, (a, b) in enumerate(gain.pairs)
                ),
                "measured in turn, by this thread's CPU time, so that other programs count little",
            ),
            Text(
                f"The middle gain is **x{gain.middle:.2f}**: {gain.words}. A backend that wants "
                f"one version has nothing to share and shows about x1. Here {gain.saved:.0%} of "
                "the schedule words are saved, so the schedule is about "
                f"{gain.schedule_share:.0%} of this backend's work: (1 - 1/gain) / saved. In a "
                "mining chip it is about a quarter."
            ),
            Check(
                f"the gain is below x{gain.bound:.2f}: more than the words saved cannot be "
                "gained, even if the schedule were all of the work",
                gain.noisy or gain.middle <= gain.bound + 0.02,
                "miner bench: versions on and off",
            ),
            code(Timing.sample),
            Question(
                "In a chip the schedule is about a quarter of all work. If half of it vanished, "
                "how many times faster would mining be at most, roughly?",
                "1.14",
                near_judge(1.1, 1.2),
                "1 / (1 - 1/8). AsicBoost is a discount, not a break of SHA-256.",
            ),
        ),
    )
