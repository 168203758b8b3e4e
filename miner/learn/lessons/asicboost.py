"""AsicBoost at work, with a counter on the schedule."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from miner.backends.base import Backend
from miner.backends.speed import Timing
from miner.bitcoin.header import with_nonce
from miner.bitcoin.sha256 import ROUNDS, schedule
from miner.bitcoin.versions import BIP320_MASK, versions_at
from miner.learn.live import Live, Series, Shown, Si, word
from miner.learn.mining import BASE_VERSION, bench_unit, open_quick, rate
from miner.learn.steps import Setting
from miner.learn.trace import padded

SHOWN = 4
EXPANDED = ROUNDS - 16  # schedule words a compression has to compute
SECOND_HASH = 61 - 16  # the second hash needs only 61 rounds to see that it fails
TIMED_S, QUICK_TIMED_S, REPEATS = 1.0, 0.1, 5
NOISY = 1.15  # pairs further apart than this tell nothing
SHARED = (1, 2, 4, 8, 16)


def screens(setting: Setting) -> Iterator[Live]:
    """Several versions, one second chunk; words counted, then the gain measured."""
    backend = open_quick(setting.backend)
    try:
        yield _one_chunk()
        yield Live(
            "saved",
            words=Series(
                [word("versions", count=count) for count in SHARED],
                [words_per_hash(count) for count in SHARED],
            ),
            part=1 - words_per_hash(16) / words_per_hash(1),
            fewer=len(schedule(bytes(64))) - 16 == EXPANDED,
            code=schedule,
        )
        yield _gained(backend.info.name, _measured(backend, setting))
    finally:
        backend.close()


def _one_chunk() -> Live:
    versions = versions_at(BASE_VERSION, BIP320_MASK, 0, SHOWN)
    unit = bench_unit(SHOWN, 0)
    whole = [padded(with_nonce(unit.prefix, version, 0)) for version in versions]
    return Live(
        "chunk",
        chunks=[
            (f"{version:08x}", f"{raw[:8].hex()}..", f"{raw[64:76].hex()}..")
            for version, raw in zip(versions, whole, strict=True)
        ],
        one=len({raw[:64] for raw in whole}) == SHOWN and len({raw[64:128] for raw in whole}) == 1,
        code=versions_at,
    )


def words_per_hash(versions: int) -> float:
    """Schedule words computed for each hash when `versions` share chunk 2's schedule."""
    return EXPANDED / versions + SECOND_HASH


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
    def verdict(self) -> str:
        """noisy, none or real: a word of the lesson's text."""
        if self.noisy:
            return "noisy"
        return "none" if self.middle < 1.02 else "real"


def _measured(backend: Backend, setting: Setting) -> Gain:
    seconds = QUICK_TIMED_S if setting.quick else TIMED_S
    wanted = max(backend.info.versions_wanted, 1)
    one, many = bench_unit(1, 0), bench_unit(wanted, 0)
    pairs = []
    for place in range(REPEATS):
        setting.progress(word("timing", place=place + 1, total=REPEATS))
        speeds = [rate(backend, unit, seconds, time.thread_time) for unit in (one, many)]
        pairs.append((speeds[0], speeds[1]))
    return Gain(tuple(pairs), wanted)


def _gained(name: str, gain: Gain) -> Live:
    rows: list[tuple[Shown, ...]] = [
        (word("pair", place=place), Si(a, "H/s"), Si(b, "H/s"), word("times", gain=b / a))
        for place, (a, b) in enumerate(gain.pairs, 1)
    ]
    return Live(
        "measured",
        name=name,
        pairs=rows,
        versions=gain.versions,
        middle=gain.middle,
        verdict=word(gain.verdict, noise=NOISY - 1),
        saved=gain.saved,
        part=gain.schedule_share,
        bound=gain.bound,
        bounded=gain.noisy or gain.middle <= gain.bound + 0.02,
        code=Timing.sample,
    )
