"""`miner learn`: list the lessons, or walk through one."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from miner import paths
from miner.bitcoin.encoding import from_hex
from miner.errors import ConfigError, MinerError
from miner.learn import progress
from miner.learn.catalogue import LESSONS, LEVELS, find, following, in_order
from miner.learn.steps import Check, Lesson, Setting, failed


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
@click.option("--auto", is_flag=True, help="Show everything in a row, without waiting.")
@click.option("--check", "check_only", is_flag=True, help="Run the checks alone; all lessons.")
@click.option("--seed", type=int, default=2009, show_default=True, help="For everything random.")
@click.option("--header", callback=header_bytes, help="80 bytes of your own, as hex.")
@click.option("--text", default="homehash", show_default=True, help="Your own words to hash.")
@click.option("--backend", help="Hash with this backend where a lesson hashes.")
@click.option("--watts", type=float, help="Power at the wall while hashing, for lesson 11.")
@click.option("--share", type=click.FloatRange(0, 0.49), help="Attacker's share, for lesson 14.")
@click.option(
    "--pools",
    "pools_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Blocks per miner (JSON or name,blocks lines), for lesson 12.",
)
@click.option("--node", help="Count coinbase tags on this node, for lesson 12.")
@click.option("--cookie", help="That node's cookie file.")
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write LESSON, or all, to one self-contained interactive page.",
)
@click.option(
    "--notebook",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write LESSON, or all, as a Jupyter notebook; with --auto also run it.",
)
@click.option("--no-color", is_flag=True, help="No colours (NO_COLOR works too).")
def learn(
    lesson: str | None,
    auto: bool,
    check_only: bool,
    seed: int,
    header: bytes | None,
    text: str,
    backend: str | None,
    watts: float | None,
    share: float | None,
    pools_file: Path | None,
    node: str | None,
    cookie: str | None,
    html_file: Path | None,
    notebook: Path | None,
    no_color: bool,
) -> None:
    """Explain proof of work with this miner's own real data. LESSON is a number or a name."""
    figures = {name: one for name, one in (("watts", watts), ("share", share)) if one is not None}
    setting = Setting(
        seed, header, text, backend, auto or check_only, figures, pools_file, node, cookie
    )
    chosen = [find(lesson)] if lesson else list(LESSONS)
    if html_file is not None:
        write_page(html_file, chosen, setting)
    elif notebook is not None:
        write_notebook(notebook, chosen, setting, auto)
    elif check_only:
        check_lessons(chosen, setting)
    elif lesson is None:
        list_lessons()
    else:
        colour = False if no_color or os.environ.get("NO_COLOR") else None
        walk_through(find(lesson), setting, auto, colour)


def check_writable(path: Path) -> None:
    """Raises ConfigError before minutes of work, not after them."""
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if path.is_dir() else f"{folder} is no folder you can write to"
        raise ConfigError(f"{path} cannot be written: {why}")
    if path.exists() and not os.access(path, os.W_OK):
        raise ConfigError(f"{path} cannot be written: it is read-only")


def write_page(path: Path, lessons: Sequence[Lesson], setting: Setting) -> None:
    """Lessons on one page; takes a little, since each is run."""
    from datetime import datetime

    from miner.learn import page

    check_writable(path)
    click.echo(f"Running {len(lessons)} lessons for {path} ...", err=True)
    text = page.build(lessons, setting, datetime.now().astimezone())
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    click.echo(f"{path}: {len(text.encode()) / 1024:.0f} KiB; open it in any browser")


def write_notebook(path: Path, lessons: list[Lesson], setting: Setting, execute: bool) -> None:
    """Lessons as cells; needs the `notebooks` extra."""
    from miner.learn import notebook

    check_writable(path)
    click.echo(f"Running {len(lessons)} lessons for {path} ...", err=True)
    notebook.write(path, lessons, setting, execute)
    click.echo(f"{path}: open it with Jupyter")


def list_lessons() -> None:
    """The table of contents."""
    click.echo("Lessons (about 10 minutes each at most; Enter goes on, b back, q quits):")
    done = progress.finished(paths.state_dir())
    for level, words in LEVELS.items():
        click.echo(f"\n{words}:")
        for one in in_order():
            if one.level == level:
                tick = "x" if one.name in done else " "
                click.echo(
                    f"[{tick}] {one.number:>2}  {one.name:<10} {one.title} ({one.minutes} min)"
                )
                click.echo(f"        {'':<10} {one.about}")
    ahead = next((one for one in in_order() if one.name not in done), None)
    again = "All done; any of them again: miner learn NAME"
    click.echo(f"\nNext: miner learn {ahead.number}" if ahead else f"\n{again}")


def walk_through(lesson: Lesson, setting: Setting, auto: bool, colour: bool | None) -> None:
    """Play one lesson on this terminal."""
    from miner.learn import player, render

    console = render.console_for(sys.stdout, colour)
    stage = player.Stage(
        screen=lambda one, screen, place: render.show_screen(console, one, screen, place),
        item=lambda item: render.show_item(console, item),
        frame=lambda frame: console.print(render.frame_panel(frame)),
        say=lambda text: console.print(render.marked(text)),
    )
    waiting = not auto and sys.stdin.isatty() and sys.stdout.isatty()
    walk = player.play(lesson, setting, stage, input if waiting else None)
    wrong = failed(walk.screens)
    if wrong:
        raise LessonFailed(f"lesson {lesson.number}: {wrong[0].claim}: not so here; please report")
    if waiting and walk.finished:
        click.echo(f"\nDone. {walk.right} of {walk.asked} questions right at first try.")
        progress.finish(paths.state_dir(), lesson.name)
        if (ahead := following(lesson)) is not None:
            click.echo(f"Next: miner learn {ahead.number} ({ahead.title})")


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
