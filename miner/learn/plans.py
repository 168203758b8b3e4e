"""Lesson plans of 45 minutes: text/LANG/plans/NAME.md, for a teacher to read and to change.

    [goals]
    - Say why a small hash proves work.

    [needs]
    - One computer for two pupils.

    [step 10 fingerprint]
    say: A hash is a fingerprint.
    ask: Who could find the text again?

    [step 5]
    title: To end with
    say: ..

    [fast]
    - ..

    [slow]
    - ..

A part ends at a blank line. A step has its minutes and the screens that it shows; one without
screens has a title. {lesson:attack} is the number of another lesson. A language without a plan gets
the English one. For a lesson of one's own they stand in the same places of its folder.
"""

import re
from dataclasses import dataclass

from miner.errors import ConfigError
from miner.learn.catalogue import COURSE, LESSON_NUMBER
from miner.learn.steps import Lesson
from miner.learn.voice import BASE, TEXT

FOLDER = "plans"
MINUTES = 45
LISTS = ("goals", "needs", "fast", "slow")
OPENING = re.compile(r"\[([a-z]+)(?: (\d+)((?: [a-z0-9-]+)*))?\]")
FIELD = re.compile(r"(title|say|ask|do): (.*)")


@dataclass(frozen=True, slots=True)
class Step:
    """Some minutes of the plan, and the lesson's screens that they show."""

    minutes: int
    screens: tuple[str, ...]
    fields: dict[str, str]  # title, say, ask, do


@dataclass(frozen=True, slots=True)
class Plan:
    """A lesson's plan; `lists` are goals, needs, fast and slow."""

    lists: dict[str, tuple[str, ...]]
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        return sum(step.minutes for step in self.steps)


def plan_of(lesson: Lesson) -> Plan | None:
    """The plan in the lesson's language, else in English; None for a lesson that has none.

    Raises ConfigError naming the file and what is wrong in it.
    """
    home = TEXT if lesson.home is None else lesson.home
    for lang in (lesson.lang, BASE):
        path = home / lang / FOLDER / f"{lesson.name}.md"
        if path.is_file():
            return parse(path.read_text(encoding="utf-8"), str(path))
    return None


def parse(text: str, where: str) -> Plan:
    """The text of a plan. Raises ConfigError with the part that cannot be read."""
    text = LESSON_NUMBER.sub(lambda found: str(COURSE.get(found[1], found[0])), text)
    lists: dict[str, tuple[str, ...]] = {}
    steps: list[Step] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        opening, *lines = (line.strip() for line in part.splitlines())
        found = OPENING.fullmatch(opening)
        if found is None or not lines:
            raise ConfigError(f"{where}: {opening!r}: want [goals] or [step 10 screen], then lines")
        if found[1] == "step" and found[2]:
            steps.append(
                Step(int(found[2]), tuple((found[3] or "").split()), _fields(lines, where))
            )
        elif found[1] in LISTS and not found[2]:
            lists[found[1]] = _items(lines, where)
        else:
            raise ConfigError(f"{where}: [{found[1]}]: want step, {', '.join(LISTS)}")
    plan = Plan(lists, tuple(steps))
    lacks = [name for name in LISTS if name not in lists]
    if lacks or plan.minutes != MINUTES:
        told = f"no [{lacks[0]}]" if lacks else f"steps of {plan.minutes} minutes, want {MINUTES}"
        raise ConfigError(f"{where}: {told}")
    return plan


def _items(lines: list[str], where: str) -> tuple[str, ...]:
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:])
        elif items:
            items[-1] += f" {line}"
        else:
            raise ConfigError(f"{where}: {line!r}: want - before each thing of a list")
    return tuple(items)


def _fields(lines: list[str], where: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    current = ""
    for line in lines:
        if found := FIELD.fullmatch(line):
            current = found[1]
            fields[current] = found[2]
        elif current:
            fields[current] += f" {line}"
        else:
            raise ConfigError(f"{where}: {line!r}: want title, say, ask or do before it")
    return fields
