"""The lessons in order. A lesson is NAME.py beside LANG/NAME.md; it needs no other edit.

Those of COURSE have their number and place here; any other that is found comes after them. The
text is read when the list is made, the Python when the lesson is opened.
"""

import difflib
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path

from miner.errors import ConfigError
from miner.learn.fill import Filler
from miner.learn.live import Live
from miner.learn.script import LEVELS, Script, complete, parse
from miner.learn.steps import Lesson, Screen, Setting
from miner.learn.voice import BASE, TEXT, voice

# The way through the course; numbers are kept when the order changes.
COURSE = {
    "why": 0, "header": 1, "target": 3, "search": 4, "verdict": 8, "shares": 7, "joules": 11,
    "sha256": 2, "ladder": 5, "coinbase": 6, "retarget": 9, "pools": 10,
    "power": 12, "asicboost": 13, "attack": 14,
}  # fmt: skip
LESSON_NUMBER = re.compile(r"\{lesson:([a-z0-9_]+)\}")

Play = Callable[[Setting], Iterator[Live]]


@dataclass(frozen=True, slots=True)
class Course:
    """Every lesson in one language, in the order of the way through them."""

    lang: str
    lessons: tuple[Lesson, ...]
    missing: tuple[str, ...] = ()  # texts that are shown in English
    texts: int = 0  # how many there are

    def find(self, key: str) -> Lesson:
        """The lesson of a number or name. Raises ConfigError with the nearest names."""
        wanted = key.strip().lower()
        for lesson in self.lessons:
            if wanted in (str(lesson.number), lesson.name):
                return lesson
        known = sorted(self.lessons, key=lambda lesson: lesson.number)
        near = difflib.get_close_matches(wanted, [lesson.name for lesson in known], 2, 0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        names = ", ".join(f"{lesson.number} {lesson.name}" for lesson in known)
        raise ConfigError(f"there is no lesson {key!r}; choose one of: {names}{hint}")

    def following(self, lesson: Lesson) -> Lesson | None:
        """The next one of the course; None after the last."""
        place = [one.name for one in self.lessons].index(lesson.name) + 1
        return self.lessons[place] if place < len(self.lessons) else None


def course(lang: str = BASE, folder: Path | None = None) -> Course:
    """The course in a language, with the lessons of a folder of the learner's own after it.

    Raises ConfigError for a text that cannot be read as a lesson.
    """
    places: list[tuple[str, Traversable, Path | None]] = [
        (name, TEXT, None) for name in _names(TEXT)
    ]
    if folder is not None:
        places += [(name, folder, folder / f"{name}.py") for name in _names(folder)]
        if len(places) == len(_names(TEXT)):
            raise ConfigError(f"{folder}: no lessons in it; want NAME.py beside en/NAME.md")
    order = sorted(places, key=lambda one: list(COURSE).index(one[0]) if one[0] in COURSE else 99)
    numbers = dict(COURSE)
    for name, _, _ in order:
        numbers.setdefault(name, max(numbers.values()) + 1)
    if len({name for name, _, _ in order}) < len(order):
        raise ConfigError(f"{folder}: a lesson there has the name of one of the course")
    missing, texts, lessons = list(voice(lang).missing), len(voice(lang).words), []
    for name, text, code in order:
        script = _script(name, lang, text, numbers)
        missing += [f"{name}: {key}" for key in script.missing]
        texts += script.texts
        lessons.append(_lesson(name, numbers[name], script, code, lang))
    return Course(lang, tuple(lessons), tuple(missing), texts)


def _names(folder: Traversable) -> list[str]:
    """The lessons that have an English text."""
    base = folder / BASE
    if not base.is_dir():
        return []
    return sorted(one.name[:-3] for one in base.iterdir() if one.name.endswith(".md"))


def script(name: str, lang: str = BASE) -> Script:
    """The text of a lesson that ships, completed from English where it has gaps."""
    return _script(name, lang, TEXT, COURSE)


def _script(name: str, lang: str, folder: Traversable, numbers: dict[str, int]) -> Script:
    def read(language: str) -> Script | None:
        path = folder / language / f"{name}.md"
        if not path.is_file():
            return None
        raw = path.read_text(encoding="utf-8")
        try:
            raw = LESSON_NUMBER.sub(lambda found: str(numbers[found[1]]), raw)
        except KeyError as error:
            raise ConfigError(f"{path}: {{lesson:..}} names {error}, no lesson") from error
        return parse(raw.replace("{this}", str(numbers.get(name, ""))), str(path))

    base = read(BASE)
    assert base is not None  # _names found it
    own = base if lang == BASE else read(lang) or replace(base, pages=(), words={}, head={})
    return complete(own, base)


def _lesson(name: str, number: int, script: Script, code: Path | None, lang: str) -> Lesson:
    def screens(setting: Setting) -> Iterator[Screen]:
        filler = Filler(script, voice(lang), setting)
        told = replace(setting, progress=lambda shown: setting.progress(filler.say(shown)))
        return filler.screens(_play(name, code)(told))

    head = {"about": "", "minutes": "5", "level": LEVELS[0], **script.head}
    return Lesson(
        number, name, script.title, head["about"], int(head["minutes"]), head["level"], screens,
        lang, None if code is None else code.parent,
    )  # fmt: skip


def _play(name: str, code: Path | None) -> Play:
    """The function of the lesson's file that makes its live values."""
    if code is None:
        play: Play = importlib.import_module(f"miner.learn.lessons.{name}").screens
        return play
    spec = importlib.util.spec_from_file_location(f"lesson_{name}", code)
    if spec is None or spec.loader is None or not code.is_file():
        raise ConfigError(f"{code}: a lesson needs this file beside its text")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own: Play = module.screens
    return own


@cache
def english() -> Course:
    """The course as it ships, in English."""
    return course()


def find(key: str) -> Lesson:
    """A lesson of the English course. Raises ConfigError."""
    return english().find(key)


LESSONS = english().lessons
