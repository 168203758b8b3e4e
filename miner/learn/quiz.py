"""The quiz bank: questions whose wrong answers name the mistake behind them, as data.

They stand in text/LANG/quiz.toml, where the format is told. Terminal, page and notebook use `bank`;
`quiz` makes a lesson of some of them, which the player asks as it asks any other question.
"""

import random
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from miner.errors import ConfigError
from miner.learn.answers import Rule, judge_from, word_judge
from miner.learn.catalogue import COURSE, course
from miner.learn.steps import Lesson, Question, Screen, Setting, Table
from miner.learn.voice import BASE, TEXT, voice

FILE = "quiz.toml"
COUNT = 10  # questions of a quiz, unless asked for more
WIDTH = 76  # columns of the choices


@dataclass(frozen=True, slots=True)
class Entry:
    """A question of the bank."""

    name: str
    lesson: str  # the name of the lesson it belongs to
    level: str  # "start", "deeper" or "hard"
    ask: str
    right: str
    why: str
    wrong: tuple[tuple[str, str], ...]  # an answer, or a judge of answers; the mistake behind it
    lang: str
    judge: str = ""  # for answers that are typed; "" where there are choices
    proof: str = ""  # an expression for --try that is True
    source: str = ""

    @property
    def typed(self) -> bool:
        """Is the answer typed? Else it is one of `choices`."""
        return bool(self.judge)

    def choices(self, rng: random.Random) -> tuple[str, ...]:
        """The right answer and the wrong ones, in an order by chance."""
        found = [self.right, *(answer for answer, _ in self.wrong)]
        rng.shuffle(found)
        return tuple(found)

    def question(self, rng: random.Random) -> Question:
        """As lessons ask it: with the mistake as hint to each wrong answer."""
        if self.typed:
            hints = [(judge_from(rule, self.lang), mistake) for rule, mistake in self.wrong]
            return Question(
                self.ask, self.right, judge_from(self.judge, self.lang), self.why, tuple(hints)
            )
        choices = self.choices(rng)
        hints = [(chosen(choices, answer), mistake) for answer, mistake in self.wrong]
        place = choices.index(self.right) + 1
        lines = [
            textwrap.fill(one, WIDTH, initial_indent=f"  {number}  ", subsequent_indent=" " * 5)
            for number, one in enumerate(choices, 1)
        ]
        prompt = "\n".join([self.ask, *lines])
        right = f"{place}, {self.right.rstrip('.')}"
        return Question(prompt, right, chosen(choices, self.right), self.why, tuple(hints))


def chosen(choices: tuple[str, ...], wanted: str) -> Rule:
    """Takes the number of a choice, or its words."""
    place = choices.index(wanted) + 1
    return Rule(f"number {place}", word_judge(str(place), wanted.rstrip(".!"), wanted))


@cache
def bank(lang: str = BASE) -> tuple[Entry, ...]:
    """Every question, in the order of the course; what a translation lacks is in English."""
    levels = {lesson.name: lesson.level for lesson in course(BASE).lessons}
    base, own = _read(BASE), _read(lang)
    found = []
    for name, fields in base.items():
        lesson = name.partition("-")[0]
        said = {**fields, **own.get(name, {})}
        wrong = tuple((answer, mistake) for answer, mistake in said["wrong"])
        judge, proof, source = (fields.get(key, "") for key in ("judge", "proof", "source"))
        level = fields.get("level", levels[lesson])
        spoken = lang if name in own else BASE
        entry = Entry(
            name, lesson, level, said["ask"], said["right"], said["why"], wrong, spoken, judge,
            proof, source,
        )  # fmt: skip
        found.append(entry)
    return tuple(found)


def missing(lang: str) -> tuple[str, ...]:
    """Questions that a language lacks."""
    own = _read(lang)
    return tuple(f"quiz: {name}" for name in _read(BASE) if name not in own)


def _read(lang: str) -> dict[str, dict[str, Any]]:
    path = TEXT / lang / FILE
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def drawn(lang: str, seed: int, count: int, lesson: str | None = None) -> tuple[Entry, ...]:
    """So many questions, of one lesson or of all, in the order of the course.

    The same seed gives the same ones. Raises ConfigError where there are none.
    """
    entries = [one for one in bank(lang) if lesson in (None, one.lesson)]
    if not entries:
        raise ConfigError(f"the quiz has no questions about lesson {lesson}")
    places = random.Random(seed).sample(range(len(entries)), min(count, len(entries)))
    return tuple(entries[place] for place in sorted(places))


def quiz(entries: tuple[Entry, ...], lang: str, seed: int, handout: bool = False) -> Lesson:
    """These questions as a lesson, one on each screen; a handout names the mistakes too."""
    said, titles = voice(lang), {one.name: one.title for one in course(lang).lessons}

    def screens(_: Setting) -> Iterator[Screen]:
        rng = random.Random(seed)
        for place, one in enumerate(entries, 1):
            mistakes = Table(
                "", (said.say("quiz_wrong"), said.say("quiz_mistake")),
                tuple((_spelled(answer), mistake) for answer, mistake in one.wrong),
            )  # fmt: skip
            items = (one.question(rng), mistakes) if handout else (one.question(rng),)
            title = said.say("quiz_about", number=COURSE[one.lesson], title=titles[one.lesson])
            yield Screen(title, items, one.name, place, len(entries))

    return Lesson(
        0, "quiz", said.say("quiz_title"), "", len(entries), entries[0].level, screens, lang
    )


def _spelled(answer: str) -> str:
    """A judge as an answer that it takes."""
    kind, _, rest = answer.partition(" ")
    if kind == "near":
        return rest.replace(" ", " .. ")
    return rest.partition(",")[0] if kind in ("number", "words") else answer
