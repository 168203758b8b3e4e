"""The lessons in order. A lesson's file is imported when it is opened."""

import importlib
from collections.abc import Iterator

from miner.errors import ConfigError
from miner.learn.steps import Lesson, Screen, Setting

# number, name (also the file in lessons/), title, one line, minutes of reading, level
ENTRIES = (
    (0, "why", "Why work?", "What a hash is for, and the price of changing the past", 7, "start"),
    (1, "header", "The 80 bytes", "What is hashed: a real block header, byte by byte", 6, "start"),
    (
        2,
        "sha256",
        "Two hashes, 64 rounds",
        "SHA-256 stepped on your text and a real header",
        9,
        "deeper",
    ),
    (3, "target", "The target is a number", "nbits, target and difficulty, exactly", 7, "start"),
    (4, "search", "Search without memory", "Mine, and see how long searches take", 7, "start"),
    (
        5,
        "ladder",
        "The midstate and the ladder",
        "From pencil to ASIC, measured on the spot",
        8,
        "deeper",
    ),
    (
        6,
        "coinbase",
        "From transactions to the root",
        "Coinbase, branch and second tree by hand",
        8,
        "deeper",
    ),
    (7, "shares", "Share and block", "Mine on a small real pool; what it can know", 8, "start"),
    (
        8,
        "verdict",
        "The node judges",
        "Your own block: autopsy, reject gallery, verdict",
        9,
        "start",
    ),
    (
        9,
        "retarget",
        "Difficulty keeps time",
        "Real adjustments recomputed; a simulator",
        7,
        "deeper",
    ),
    (10, "pools", "Pools and luck", "Four ways to be paid, hopping, ruin", 8, "deeper"),
    (
        11,
        "joules",
        "Joules per hash",
        "From pencil to ASIC in energy, and your own point",
        6,
        "start",
    ),
    (12, "power", "Who mines?", "Concentration measured; a real reorganisation", 8, "hard"),
    (13, "asicboost", "AsicBoost at work", "Several versions share one second chunk", 6, "hard"),
    (14, "attack", "Attacks in numbers", "Catching up, growth, lying about the time", 8, "hard"),
)
# The way through them: what comes next after each.
LEVELS = {"start": "Start here", "deeper": "Deeper", "hard": "Hard"}
COURSE = (0, 1, 3, 4, 8, 7, 11, 2, 5, 6, 9, 10, 12, 13, 14)


class _Opener:
    """Imports the lesson's file on the first call."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, setting: Setting) -> Iterator[Screen]:
        module = importlib.import_module(f"miner.learn.lessons.{self.name}")
        screens: Iterator[Screen] = module.screens(setting)
        return screens


LESSONS = tuple(Lesson(*entry, _Opener(entry[1])) for entry in ENTRIES)


def in_order() -> list[Lesson]:
    """The lessons as the course takes them."""
    return [find(str(number)) for number in COURSE]


def following(lesson: Lesson) -> Lesson | None:
    """The next one of the course; None after the last."""
    place = COURSE.index(lesson.number) + 1
    return find(str(COURSE[place])) if place < len(COURSE) else None


def find(key: str) -> Lesson:
    """The lesson of a number or name. Raises ConfigError."""
    for lesson in LESSONS:
        if key.lower() in (str(lesson.number), lesson.name):
            return lesson
    names = ", ".join(f"{lesson.number} {lesson.name}" for lesson in LESSONS)
    raise ConfigError(f"there is no lesson {key!r}; choose one of: {names}")
