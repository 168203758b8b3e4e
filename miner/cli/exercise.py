"""`miner learn exercise`: list the exercises, show a task, try a learner's file."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click
from rich.rule import Rule
from rich.text import Text

from miner import paths
from miner.errors import ConfigError, MinerError
from miner.learn import attempt, exercises, marking, progress, render
from miner.learn.exercises import Exercise
from miner.learn.marking import Report
from miner.learn.tasks import miner as mining
from miner.learn.voice import Voice, voice

ENOUGH = 2  # runs that did not pass, until the solution is shown
WIDTH, LABEL = 80, 11  # columns


@dataclass(frozen=True, slots=True)
class Judged:
    """How a file did: so many of its cases are right, the node's blocks among them."""

    name: str  # of the exercise
    right: int
    count: int
    solved: bool


def exercise(words: tuple[str, ...], lang: str, skeleton: bool, solution: bool) -> Judged | None:
    """`miner learn exercise [N|NAME [FILE]]`; None where no file was tried."""
    if len(words) > 2:
        raise ConfigError(f"exercise takes a number and a file, not {' '.join(words[2:])!r} too")
    if not words:
        list_exercises(lang)
        return None
    one = exercises.find(words[0], lang)
    if solution:
        show_solution(one)
    elif len(words) == 1:
        if skeleton:
            raise ConfigError("--skeleton needs a file to write: miner learn exercise N FILE")
        show_task(one)
    else:
        path = Path(words[1])
        if skeleton or (not path.exists() and wants_skeleton(one, path)):
            write_skeleton(one, path)
        else:
            return try_file(one, path)
    return None


def list_exercises(lang: str) -> None:
    """All of them, with ticks."""
    said, tried = voice(lang), progress.tried(paths.state_dir())
    click.echo(said.say("ex_list"))
    open_ones = []
    for one in exercises.catalogue(lang):
        solved = tried.get(one.name, progress.Tried()).solved
        open_ones += [] if solved else [one]
        entry = said.say("ex_entry", title=one.title, minutes=one.minutes, lesson=one.lesson_number)
        click.echo(f"[{'x' if solved else ' '}] {one.number:>2}  {one.name:<10} {entry}")
        click.echo(f"        {one.about}")
    word = "ex_list_next" if open_ones else "ex_list_done"
    click.echo(f"\n{said.say(word, number=open_ones[0].number if open_ones else 0)}")


def show_task(one: Exercise) -> None:
    """What is asked for, the skeleton, and how to go on."""
    console, said = render.console_for(sys.stdout), voice(one.lang)
    console.print()
    console.print(Rule(said.say("ex_rule", number=one.number, title=one.title), align="left"))
    for item in one.screen.items:
        render.show_item(console, item, said)
    console.print(f"\n{said.say('ex_skeleton')}\n")
    console.print(Text(one.skeleton.rstrip()), soft_wrap=True)
    file = f"my_{one.name}.py"
    console.print()
    console.print(Text(said.say("ex_how", number=one.number, file=file)))
    console.print(Text(said.say("ex_guard", seconds=f"{attempt.SECONDS:g}")))


def show_solution(one: Exercise) -> None:
    """One way to solve it, for whoever has tried twice."""
    tried = progress.tried(paths.state_dir()).get(one.name, progress.Tried())
    if tried.failed < ENOUGH and not tried.solved:
        said = voice(one.lang)
        raise ConfigError(said.say("ex_locked", number=one.number, failed=tried.failed))
    click.echo(one.solution.rstrip())


def wants_skeleton(one: Exercise, path: Path) -> bool:
    """Ask, where there is somebody to ask. Raises ConfigError where there is not."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(f"{path}: No such file; add --skeleton to begin one there")
    try:
        answer = input(voice(one.lang).say("ex_write", file=str(path))).strip().lower()
    except (EOFError, KeyboardInterrupt):
        click.echo()
        answer = "n"
    if answer[:1] in ("n", "q"):
        raise ConfigError(f"{path}: No such file")
    return True


def write_skeleton(one: Exercise, path: Path) -> None:
    """A file to begin with. Raises ConfigError where there is one, or none can be."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(one.skeleton)
    except FileExistsError:
        raise ConfigError(f"{path} exists: the skeleton would replace it; name another") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path} cannot be written: {why}") from error
    click.echo(voice(one.lang).say("ex_written", number=one.number, file=str(path)))


def try_file(one: Exercise, path: Path) -> Judged:
    """Judge a file, count the run, and say what to do next."""
    said = voice(one.lang)
    if sys.stderr.isatty():
        click.echo(said.say("ex_trying", file=str(path)), err=True)
    report = marking.try_file(one, path)
    show_report(report, said, path)
    at_node = report.solved and one.name == "miner"
    solved = report.solved and (not at_node or judged_by_node(one, path))
    count = progress.note(paths.state_dir(), one.name, solved)
    click.echo()
    judged = Judged(
        one.name, len(report.right) + (solved and at_node), report.total + at_node, solved
    )
    if solved:
        click.echo(said.say("ex_solved", count=judged.count))
        show_next(one, said)
    else:
        click.echo(said.say("ex_failed", right=judged.right, count=judged.count))
        if count.failed >= ENOUGH:
            click.echo(said.say("ex_compare", number=one.number))
    return judged


def show_next(one: Exercise, said: Voice) -> None:
    """The solution to compare with, and the next one."""
    click.echo(said.say("ex_compare", number=one.number))
    ahead = [other for other in exercises.catalogue(one.lang) if other.number == one.number + 1]
    if ahead:
        click.echo(said.say("ex_next", number=ahead[0].number, title=ahead[0].title))


def show_report(report: Report, said: Voice, path: Path) -> None:
    """The cases that are right, and everything about the first that is not."""
    for name in report.right:
        click.echo(said.say("ex_case", name=name))
    wrong = report.wrong
    if wrong is not None:
        key = "ex_wrong_case" if wrong.case else "ex_unusable"
        click.echo(said.say(key, name=wrong.case, file=str(path)))
        came = "ex_happened" if wrong.raised else "ex_answer"
        for label, text in (
            ("ex_given", wrong.given), (came, wrong.answer), ("ex_expected", wrong.expected),
            ("ex_hint", wrong.hint),
        ):  # fmt: skip
            labelled(said.say(label), text)
    labelled(said.say("ex_printed"), "\n".join(report.printed))


def labelled(label: str, text: str) -> None:
    """A label, and lines beside it; nothing for no text."""
    pieces = [piece for line in text.splitlines() for piece in cut(line, WIDTH - LABEL - 2)]
    for number, piece in enumerate(pieces):
        click.echo(f"  {'' if number else label:<{LABEL}}{piece}")


def cut(line: str, room: int) -> list[str]:
    """A line in pieces that fit, parted at blanks where there are some."""
    pieces = []
    while len(line) > room:
        at = line.rfind(" ", 1, room + 1)
        at = at if at > room // 2 else room
        pieces.append(line[:at])
        line = line[at:].lstrip()
    return [*pieces, line]


class NoBlock(Exception):
    """The learner's miner gave nothing that could be sent to a node."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def judged_by_node(one: Exercise, path: Path) -> bool:
    """Blocks of the learner's miner, sent to a node of our own."""
    said, source = voice(one.lang), attempt.source_of(path)

    def mine(job: mining.Work) -> bytes:
        tried = attempt.run(path, source, one.task.function, [(job,)])
        value = tried.outcomes[0].value if tried.outcomes else None
        if not isinstance(value, bytes):
            raise NoBlock(marking.report(one, tried, (mining.node_case(job),)))
        return value

    click.echo(said.say("ex_node"))
    try:
        done = mining.on_node(mine)
    except NoBlock as none:
        show_report(none.report, said, path)
        return False
    except MinerError as error:
        click.echo(said.say("ex_no_node", why=str(error)))
        return True
    for height, sent in enumerate(done, 1):
        key = "ex_node_block" if sent.accepted else "ex_node_refused"
        word = sent.judgement.explanation or sent.judgement.reason
        click.echo(said.say(key, height=height, hash=sent.hash_hex, word=word))
    return all(sent.accepted for sent in done)
