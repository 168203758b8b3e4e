"""`miner learn --quiz`: questions of the bank at the terminal, and what to read again."""

import random
import sys
from dataclasses import dataclass

import click
from rich.rule import Rule
from rich.text import Text

from miner.learn import player, quiz, render
from miner.learn.catalogue import Course
from miner.learn.player import Walk
from miner.learn.quiz import Entry
from miner.learn.steps import Lesson, Question, Screen, Setting
from miner.learn.voice import voice


@dataclass(frozen=True, slots=True)
class Asked:
    """What the learner wants to be asked."""

    lesson: str | None  # its name; None: all of the course
    count: int
    seed: int | None  # None: another one each time
    auto: bool  # show all with answers and mistakes
    colour: bool | None = None


def ask(course: Course, asked: Asked) -> Walk | None:
    """Play a quiz on this terminal, or show it in a pipe; the walk if somebody came to its end."""
    seed = random.SystemRandom().randrange(10_000) if asked.seed is None else asked.seed
    playing = not asked.auto and sys.stdin.isatty() and sys.stdout.isatty()
    entries = quiz.drawn(course.lang, seed, asked.count, asked.lesson)
    lesson = quiz.quiz(entries, course.lang, seed, handout=asked.auto)
    walk = player.play(lesson, Setting(seed), stage(lesson, playing, asked.colour),
                       input if playing else None)  # fmt: skip
    if playing:
        score(course, entries, walk)
    said, whole = voice(course.lang), f" {asked.lesson}" if asked.lesson else ""
    more = "" if asked.count == quiz.COUNT else f" --questions {asked.count}"
    click.echo(f"\n{said.say('quiz_again', how=f'miner learn{whole} --quiz{more} --seed {seed}')}")
    return walk if playing and walk.finished else None


def stage(lesson: Lesson, playing: bool, colour: bool | None) -> player.Stage:
    """This terminal, or a pipe."""
    console, said = render.console_for(sys.stdout, colour), voice(lesson.lang)

    def show(_: Lesson, screen: Screen) -> None:
        if playing:
            console.clear()
        place = said.say("quiz_rule", place=screen.place, total=screen.total)
        console.print()
        console.print(Rule(place, align="left"))
        console.print(Text(screen.title, style="bold"))

    return player.Stage(
        show,
        lambda item: render.show_item(console, item, said),
        lambda frame: None,  # nothing to step through
        lambda text: console.print(render.marked(text)),
    )


def score(course: Course, entries: tuple[Entry, ...], walk: Walk) -> None:
    """How many were right at the first try, and which lessons to read again."""
    if not walk.asked:
        return
    said = voice(course.lang)
    click.echo(f"\n{said.say('quiz_score', right=walk.right, asked=walk.asked)}")
    missed: dict[str, int] = {}
    for screen in walk.screens:
        (question, *_) = screen.items
        if isinstance(question, Question) and walk.answered.get(question.prompt) is False:
            lesson = next(one.lesson for one in entries if one.name == screen.name)
            missed[lesson] = missed.get(lesson, 0) + 1
    for one in course.lessons:
        if one.name in missed:
            click.echo(said.say("quiz_read", number=one.number, title=one.title))
