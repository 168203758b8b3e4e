"""What the printed sheets and the slides share: lessons played to their end, and the document."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from importlib.resources import files

from miner import __version__
from miner.learn.plans import Plan, plan_of
from miner.learn.steps import Lesson, Screen, Setting
from miner.learn.voice import Voice, voice

DATA = files("miner.learn") / "data"
# Nothing is fetched; what stands in the file itself may style it and run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Played:
    """A lesson with the screens that it gave, and its plan where it has one."""

    lesson: Lesson
    screens: tuple[Screen, ...]
    plan: Plan | None


def play(lessons: Sequence[Lesson], setting: Setting) -> list[Played]:
    """Run each lesson once, so that all sheets made from it have the same numbers."""
    printed = replace(setting, printed=True)
    done = []
    for place, one in enumerate(lessons, 1):
        said = voice(one.lang)
        setting.progress(said.say("running", place=place, total=len(lessons), title=one.title))
        done.append(Played(one, tuple(one.screens(printed)), plan_of(one)))
    return done


def document(said: Voice, title: str, sheet: str, body: str, script: str = "") -> str:
    """A self-contained HTML file: `sheet` is its style, `body` and `script` stand as they are."""
    running = f"<script>{script}</script>" if script else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{said.lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{sheet}</style>\n</head>\n<body>\n"
        f"{body}\n{running}</body>\n</html>\n"
    )


def data(name: str) -> str:
    """A style sheet or script of ours."""
    return (DATA / name).read_text(encoding="utf-8")


def made(said: Voice, setting: Setting, now: datetime) -> str:
    """What made a sheet, when, and from which seed."""
    line = said.say(
        "paper_made", version=__version__, date=f"{now:%Y-%m-%d}", seed=str(setting.seed)
    )
    return f'<p class="made">{escape(line)}</p>'
