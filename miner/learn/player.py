"""Walks the screens of a lesson: Enter goes on, b goes back, q leaves; questions are judged.

Line by line, so that it works in any terminal, over ssh and for screen readers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from miner.learn.steps import Frame, Item, Lesson, Question, Screen, Setting, Stepper

# A prompt; the answer without its newline; EOFError or KeyboardInterrupt ends the lesson.
Ask = Callable[[str], str]
NEXT_HINT = "Enter: next   b: back   q: quit > "
TRIES = 2
QUIT, BACK = ("q", "quit", "exit"), ("b", "back")


@dataclass(slots=True)
class Stage:
    """How a lesson is shown; the terminal's functions, or a test's."""

    screen: Callable[[Lesson, Screen, int], None]
    item: Callable[[Item], None]
    frame: Callable[[Frame], None]
    say: Callable[[str], None]


@dataclass(slots=True)
class Walk:
    """What has been seen so far; `right` of `asked` questions at first try."""

    screens: list[Screen] = field(default_factory=list)
    right: int = 0
    asked: int = 0
    finished: bool = False


class Leave(Exception):
    """The learner wants to go: q, Ctrl-C or Ctrl-D, wherever it is typed."""


class GoBack(Exception):
    """The learner wants to see the screen before this one."""


def play(lesson: Lesson, setting: Setting, stage: Stage, ask: Ask | None) -> Walk:
    """Show a lesson; without `ask` (--auto, a pipe) everything is shown in a row."""
    walk, source, place = Walk(), lesson.screens(setting), 0
    while place < len(walk.screens) or _fetch(walk, source):
        screen = walk.screens[place]
        stage.screen(lesson, screen, place + 1)
        try:
            _items(screen, stage, ask, walk)
            if ask is not None:
                _ask(ask, NEXT_HINT)
            place += 1
        except GoBack:
            place = max(place - 1, 0)
        except Leave:
            return walk
    walk.finished = True
    return walk


def _items(screen: Screen, stage: Stage, ask: Ask | None, walk: Walk) -> None:
    for item in screen.items:
        if isinstance(item, Stepper):
            _step(item, stage, ask)
        elif isinstance(item, Question):
            _question(item, stage, ask, walk)


def _fetch(walk: Walk, source: Iterator[Screen]) -> bool:
    screen = next(source, None)
    if screen is not None:
        walk.screens.append(screen)
    return screen is not None


def _ask(ask: Ask, prompt: str) -> str:
    """What was typed. Raises Leave or GoBack when that was asked for."""
    try:
        key = ask(prompt).strip().lower()
    except (EOFError, KeyboardInterrupt):
        raise Leave from None
    if key in QUIT:
        raise Leave
    if key in BACK:
        raise GoBack
    return key


def _step(item: Stepper, stage: Stage, ask: Ask | None) -> None:
    if ask is None:
        stage.item(item)
        return
    place = 0
    while True:
        stage.frame(item.frame(place))
        key = _ask(
            ask, f"{place + 1}/{item.count}  Enter: next   p: previous   number: go   d: done > "
        )
        if key in ("d", "done") or (key == "" and place == item.count - 1):
            return
        if key == "p":
            place = max(place - 1, 0)
        elif key.isdigit():
            place = min(max(int(key[:9]) - 1, 0), item.count - 1)
        else:
            place = min(place + 1, item.count - 1)


def _question(item: Question, stage: Stage, ask: Ask | None, walk: Walk) -> None:
    if ask is None:
        stage.item(item)
        stage.say(item.why)
        return
    walk.asked += 1
    stage.say(f"**Question.** {item.prompt}")
    for attempt in range(TRIES):
        answer = _ask(ask, "your answer (Enter: show it) > ")
        if item.judge(answer):
            walk.right += attempt == 0
            stage.say(f"Right. {item.why}")
            return
        if not answer:
            break
        if attempt + 1 < TRIES:
            stage.say("Not quite; once more.")
    stage.say(f"The answer: {item.answer}. {item.why}")
