"""What `miner learn` writes: a page, slides, a notebook, and sheets to print.

Several may be asked for at once; the sheets and slides are then made from one run of the lessons.
Every file is tried before the lessons run.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from miner.errors import ConfigError
from miner.learn.steps import Lesson, Setting

Waiting = Callable[[Setting], AbstractContextManager[Setting]]

# Option, the name it has in Python, help.
FILES = (
    ("--html", "html_file", "Write LESSON, or all, to one self-contained page."),
    ("--slides", "slides", "Write slides for the projector: keys left and right, a for answers."),
    ("--worksheet", "worksheet", "Write a worksheet to print, without answers."),
    ("--solutions", "solutions", "Write that worksheet's solutions, with the same numbers."),
    ("--plan", "plan", "Write lesson plans of 45 minutes."),
    ("--glossary", "glossary", "Write the words of the lessons, to print."),
    ("--notebook", "notebook", "Write LESSON, or all, as a Jupyter notebook; --auto runs it."),
)
OPTIONS = {key: option for option, key, _ in FILES}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds an option for each file."""
    kind = click.Path(path_type=Path, dir_okay=False)
    for option, key, text in reversed(FILES):
        command = click.option(option, key, type=kind, help=text)(command)
    return command


def asked(given: dict[str, Any]) -> dict[str, Path]:
    """The files to write, by their keys. Raises ConfigError before minutes of work, not after."""
    paths = {key: given[key] for key in OPTIONS if given[key] is not None}
    names = [path.resolve() for path in paths.values()]
    for key, path in paths.items():
        if names.count(path.resolve()) > 1:
            raise ConfigError(f"{OPTIONS[key]} {path}: another option writes the same file")
        if path.suffix.lower() == ".pdf":
            raise ConfigError(
                f"{OPTIONS[key]} {path}: no PDF is written; name it .html and print it in a browser"
            )
        check_writable(path)
    if given["report"] is not None:
        check_writable(given["report"])  # added to at the end
    return paths


def check_writable(path: Path) -> None:
    """Raises ConfigError for a path that no file can be written to."""
    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if path.is_dir() else f"{folder} is no folder you can write to"
        raise ConfigError(f"{path} cannot be written: {why}")
    if path.exists() and not os.access(path, os.W_OK):
        raise ConfigError(f"{path} cannot be written: it is read-only")


def write(
    paths: dict[str, Path], lessons: Sequence[Lesson], setting: Setting, waiting: Waiting
) -> None:
    """Run the lessons and write every file."""
    *others, last = [str(path) for path in paths.values()]
    names = f"{', '.join(others)} and {last}" if others else last
    count = "1 lesson" if len(lessons) == 1 else f"{len(lessons)} lessons"
    click.echo(f"Running {count} for {names} ...", err=True)
    now = datetime.now().astimezone()
    with waiting(setting) as told:
        for key, text in texts(paths, lessons, told, now):
            put(paths[key], text)
    if "notebook" in paths:
        from miner.learn import notebook

        with waiting(setting) as told:
            notebook.write(paths["notebook"], list(lessons), told, setting.quick)
        click.echo(f"{paths['notebook']}: open it with Jupyter")


def texts(
    paths: dict[str, Path], lessons: Sequence[Lesson], setting: Setting, now: datetime
) -> Iterator[tuple[str, str]]:
    """The content of each file but the notebook."""
    from miner.learn import page, paper, sheets, slides

    if "html_file" in paths:
        yield "html_file", page.build(lessons, setting, now)
    if "glossary" in paths:
        yield "glossary", sheets.words_of(lessons, setting, now)
    makers = {
        "slides": slides.build, "worksheet": sheets.worksheet, "solutions": sheets.solutions,
        "plan": sheets.plans,
    }  # fmt: skip
    wanted = [key for key in makers if key in paths]
    played = paper.play(lessons, setting) if wanted else []
    for key in wanted:
        yield key, makers[key](played, setting, now)


def put(path: Path, text: str) -> None:
    """Write a file and say so. Raises ConfigError naming it."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    click.echo(f"{path}: {len(text.encode()) / 1024:.0f} KiB; open it in any browser")
