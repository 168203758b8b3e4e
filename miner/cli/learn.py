"""`miner learn`: list the lessons, or walk through one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from miner import paths
from miner.bitcoin.encoding import from_hex
from miner.cli import learn_files
from miner.errors import MinerError
from miner.learn import progress
from miner.learn.catalogue import Course, course
from miner.learn.live import Shown
from miner.learn.player import Walk
from miner.learn.script import LEVELS
from miner.learn.steps import Check, Lesson, Screen, Setting, failed
from miner.learn.voice import BASE, chosen, voice

QUIZ, EXERCISES = "quiz", ("exercise", "exercises")  # in the place of a lesson's name
ALONE = ("--try", "--check", "--quiz", "exercise")  # nothing else is done beside these
FIGURES = ("watts", "share", "difficulty")  # the learner's own, by option


class LessonFailed(MinerError):
    """A check of a lesson did not pass: a bug of ours, or of this machine."""


def header_bytes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> bytes | None:
    """80 bytes of hex, or a usage error."""
    if value is None:
        return None
    try:
        return from_hex(value.strip(), 80)
    except ValueError as error:
        raise click.BadParameter(f"{error}; a header is 160 hex digits") from error


@click.command()
@click.argument("lesson", required=False)
@click.argument("more", nargs=-1)
@click.option("--lang", help="Language of the lessons: en or de. Default: that of LANG.")
@click.option("--auto", is_flag=True, help="Show everything in a row, without waiting.")
@click.option("--check", "check_only", is_flag=True, help="Run the checks alone; all lessons.")
@click.option("--try", "expression", help="Evaluate EXPRESSION with the lessons' functions.")
@click.option("--seed", type=int, default=2009, show_default=True, help="For everything random.")
@click.option("--header", callback=header_bytes, help="80 bytes of your own, as hex.")
@click.option("--text", default="homehash", show_default=True, help="Your own words to hash.")
@click.option("--backend", help="Hash with this backend where a lesson hashes.")
@click.option("--watts", type=float, help="Power at the wall while hashing, for lesson 11.")
@click.option("--share", type=click.FloatRange(0, 0.49), help="Attacker's share, for lesson 14.")
@click.option(
    "--difficulty", type=click.FloatRange(1, 1e30), help="Of the network; lessons 10, 11."
)
@click.option(
    "--pools",
    "pools_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Blocks per miner (JSON or name,blocks), for lesson 12.",
)
@click.option("--node", help="Count coinbase tags on this node, for lesson 12.")
@click.option("--cookie", help="That node's cookie file.")
@click.option(
    "--lessons",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Lessons of your own: NAME.py beside en/NAME.md in this folder.",
)
@click.option("--quiz", is_flag=True, help="Ask questions: about LESSON, or about all.")
@click.option("--questions", type=click.IntRange(1, 60), default=10, help="Of the quiz.")
@click.option("--skeleton", is_flag=True, help="Begin FILE of an exercise with its skeleton.")
@click.option("--solution", is_flag=True, help="Of an exercise, after two runs that did not pass.")
@learn_files.options
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Add your result to this CSV file: of a lesson, a quiz or an exercise.",
)
@click.option("--pupil", default="", help="Your name in that file.")
@click.option("--no-color", is_flag=True, help="No colours (NO_COLOR works too).")
def learn(
    lesson: str | None,
    more: tuple[str, ...],
    lang: str | None,
    expression: str | None,
    **given: Any,
) -> None:
    """Explain proof of work with this miner's own real data. LESSON is a number or a name.

    `miner learn exercise [N [FILE]]` lists small programs to write, shows one, or tries your FILE
    (exit code 1: it does not pass yet).
    """
    files = learn_files.asked(given)
    quiz, exercise = given["quiz"] or lesson == QUIZ, lesson in EXERCISES
    one_of(
        expression is not None and "--try", given["check_only"] and "--check", quiz and "--quiz",
        exercise and "exercise", *files,
    )  # fmt: skip
    if expression is not None:
        from miner.learn import trying

        click.echo(trying.evaluate(expression))
        return
    if exercised(lesson, more, lang, given):
        return
    lessons = course(chosen(lang), given["folder"])
    if quiz:
        ask_quiz(lessons, None if lesson == QUIZ else lesson, given)
        return
    setting = setting_of(given, lesson)
    wanted = [lessons.find(lesson)] if lesson else list(lessons.lessons)
    if files:
        learn_files.write(files, wanted, setting, waiting)
    elif given["check_only"]:
        check_lessons(wanted, setting)
    elif lesson is None:
        list_lessons(lessons)
    else:
        record_walk(given, wanted[0].name, walk_through(lessons, wanted[0], setting, given))


def record(given: dict[str, Any], name: str, right: int, asked: int) -> None:
    """Add a result to the learner's own file, if there is one."""
    if given["report"] is not None:
        from miner.learn import report

        now = datetime.now().astimezone()
        report.add(given["report"], given["pupil"], name, right, asked, now)


def record_walk(given: dict[str, Any], name: str, walk: Walk | None) -> None:
    """The same for a lesson or quiz, if it was played to its end."""
    if walk is not None:
        record(given, name, walk.right, walk.asked)


def exercised(
    lesson: str | None, more: tuple[str, ...], lang: str | None, given: dict[str, Any]
) -> bool:
    """Do what an exercise is asked for; False where none is. Raises Exit with 1 for a file that
    does not pass, and UsageError for what belongs to exercises alone."""
    if lesson in EXERCISES:
        from miner.cli.exercise import exercise

        judged = exercise(more, chosen(lang), given["skeleton"], given["solution"])
        if judged is not None:
            record(given, f"exercise {judged.name}", judged.right, judged.count)
            if not judged.solved:
                raise click.exceptions.Exit(1)
        return True
    if more:
        raise click.UsageError(f"Got unexpected extra argument ({' '.join(more)})")
    if given["skeleton"] or given["solution"]:
        raise click.UsageError("--skeleton and --solution need an exercise: miner learn exercise N")
    return False


def ask_quiz(lessons: Course, lesson: str | None, given: dict[str, Any]) -> None:
    """Questions about one lesson or all, others each time unless a seed is given."""
    from miner.cli import quiz

    source = click.get_current_context().get_parameter_source("seed")
    seed = None if source is ParameterSource.DEFAULT else given["seed"]
    about = lessons.find(lesson).name if lesson else None
    asked = quiz.Asked(about, given["questions"], seed, given["auto"], colour_of(given))
    record_walk(given, f"quiz {about}" if about else "quiz", quiz.ask(lessons, asked))


def colour_of(given: dict[str, Any]) -> bool | None:
    """False where the learner wants none; None: as the terminal has it."""
    return False if given["no_color"] or os.environ.get("NO_COLOR") else None


def one_of(*asked: str | bool) -> None:
    """Raises UsageError unless all that was asked for is files, or one thing alone."""
    named = [learn_files.OPTIONS.get(one, one) for one in asked if isinstance(one, str)]
    alone = [one for one in named if one in ALONE]
    if alone and len(named) > 1:
        raise click.UsageError(f"{alone[0]} goes alone, without {named[-1]}: one after the other")


def setting_of(given: dict[str, Any], lesson: str | None) -> Setting:
    """What the learner chose. One lesson's checks run as long as the lesson itself does."""
    quick = given["auto"] or (given["check_only"] and lesson is None)
    figures = {name: given[name] for name in FIGURES if given[name] is not None}
    named = {name: given[name] for name in ("seed", "header", "text", "backend", "pools_file")}
    return Setting(
        quick=quick, figures=figures, node=given["node"], cookie=given["cookie"], **named
    )


def list_lessons(lessons: Course) -> None:
    """The table of contents."""
    said = voice(lessons.lang)
    click.echo(said.say("list"))
    done = progress.finished(paths.state_dir())
    for level in LEVELS:
        click.echo(f"\n{said.say(level)}:")
        for one in lessons.lessons:
            if one.level == level:
                tick = "x" if one.name in done else " "
                entry = said.say("entry", title=one.title, minutes=one.minutes)
                click.echo(f"[{tick}] {one.number:>2}  {one.name:<10} {entry}")
                click.echo(f"        {one.about}")
    ahead = next((one for one in lessons.lessons if one.name not in done), None)
    word = said.say("list_next", number=ahead.number) if ahead else said.say("list_done")
    click.echo(f"\n{word}")
    click.echo(said.say("list_more"))
    missing, texts = untranslated(lessons)
    if missing:
        click.echo(said.say("untranslated", count=missing, total=texts))


def untranslated(lessons: Course) -> tuple[int, int]:
    """How many texts of lessons, exercises and quiz are shown in English, and of how many."""
    if lessons.lang == BASE:
        return 0, lessons.texts
    from miner.learn import exercises, quiz

    missing = len(lessons.missing) + len(exercises.missing(lessons.lang))
    missing += len(quiz.missing(lessons.lang))
    return missing, lessons.texts + exercises.texts() + len(quiz.bank(lessons.lang))


class Line:
    """One line on the terminal about what takes a while; gone when something is shown."""

    def __init__(self) -> None:
        self.shown = False

    def tell(self, text: Shown) -> None:
        self.shown = True
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)

    def clear(self) -> None:
        if self.shown:
            click.echo("\r\x1b[K", err=True, nl=False)
        self.shown = False


@contextmanager
def waiting(setting: Setting) -> Iterator[Setting]:
    """The setting with a line that tells what takes a while, where somebody sees it."""
    line = Line()
    try:
        yield replace(setting, progress=line.tell) if sys.stderr.isatty() else setting
    finally:
        line.clear()


def walk_through(
    lessons: Course, lesson: Lesson, setting: Setting, given: dict[str, Any]
) -> Walk | None:
    """Play one lesson on this terminal; the walk if a learner came to its end."""
    from miner.learn import player, render

    console, said = render.console_for(sys.stdout, colour_of(given)), voice(lessons.lang)
    playing = not given["auto"] and sys.stdin.isatty() and sys.stdout.isatty()
    line = Line()
    if sys.stderr.isatty():
        setting = replace(setting, progress=line.tell)

    def show(one: Lesson, screen: Screen) -> None:
        line.clear()
        if playing:
            console.clear()
        render.show_title(console, one, screen)

    stage = player.Stage(
        screen=show,
        item=lambda item: render.show_item(console, item, said),
        frame=lambda frame: console.print(render.frame_panel(frame)),
        say=lambda text: console.print(render.marked(text)),
        height=lambda item: render.height(console, item, said),
        rows=console.height,
    )
    walk = player.play(lesson, setting, stage, input if playing else None)
    line.clear()
    wrong = failed(walk.screens)
    if wrong:
        raise LessonFailed(f"lesson {lesson.number}: {wrong[0].claim}: not so here; please report")
    if playing and walk.finished:
        click.echo(f"\n{said.say('done', right=walk.right, asked=walk.asked)}")
        progress.finish(paths.state_dir(), lesson.name)
        if (ahead := lessons.following(lesson)) is not None:
            click.echo(said.say("ahead", number=ahead.number, title=ahead.title))
        return walk
    return None


def check_lessons(lessons: list[Lesson], setting: Setting) -> None:
    """Run lessons without showing them; one line a check."""
    broken = 0
    for lesson in lessons:
        for screen in lesson.screens(setting):
            for item in screen.items:
                if isinstance(item, Check):
                    broken += not item.passed
                    word = "ok    " if item.passed else "FAILED"
                    click.echo(f"{word} {lesson.number:>2} {lesson.name}: {item.claim}")
    if broken:
        raise LessonFailed(f"{broken} checks failed")
