"""Walks the screens of a lesson: Enter goes on, b goes back, q leaves; questions are judged.

Line by line, so that it works in any terminal, over ssh and for screen readers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from miner.learn.steps import Frame, Item, Lesson, Question, Screen, Setting, Stepper
from miner.learn.voice import Voice, voice

# A prompt; the answer without its newline; EOFError or KeyboardInterrupt ends the lesson.
Ask = Callable[[str], str]
TRIES = 2
TITLE_ROWS, PROMPT_ROWS = 4, 2
QUIT, BACK, DONE = ("q", "quit", "exit"), ("b", "back"), ("d", "done")


@dataclass(slots=True)
class Stage:
    """How a lesson is shown; the terminal's functions, or a test's."""

    screen: Callable[[Lesson, Screen], None]
    item: Callable[[Item], None]
    frame: Callable[[Frame], None]
    say: Callable[[str], None]
    height: Callable[[Item], int] = lambda item: 0  # lines that an item takes
    rows: int | None = None  # of the terminal; None: no end


@dataclass(slots=True)
class Walk:
    """What has been seen so far; `right` of `asked` questions at first try."""

    screens: list[Screen] = field(default_factory=list)
    answered: dict[str, bool] = field(default_factory=dict)  # prompts: right at the first try?
    finished: bool = False

    @property
    def asked(self) -> int:
        return len(self.answered)

    @property
    def right(self) -> int:
        return sum(self.answered.values())


class Leave(Exception):
    """The learner wants to go: q, Ctrl-C or Ctrl-D, wherever it is typed."""


class GoBack(Exception):
    """The learner wants to see the screen before this one."""


def play(lesson: Lesson, setting: Setting, stage: Stage, ask: Ask | None) -> Walk:
    """Show a lesson; without `ask` (--auto, a pipe) everything is shown in a row."""
    walk, source, place = Walk(), lesson.screens(setting), 0
    scene = Scene(stage, ask, voice(lesson.lang), walk)
    while place < len(walk.screens) or _fetch(walk, source):
        screen = walk.screens[place]
        stage.screen(lesson, screen)
        try:
            scene.items(screen)
            scene.turn_page()
            place += 1
        except GoBack:
            place = max(place - 1, 0)
        except Leave:
            return walk
    walk.finished = True
    return walk


def _fetch(walk: Walk, source: Iterator[Screen]) -> bool:
    screen = next(source, None)
    if screen is not None:
        walk.screens.append(screen)
    return screen is not None


@dataclass(frozen=True, slots=True)
class Scene:
    """One lesson on one stage; without `ask` nobody is there to answer."""

    stage: Stage
    ask: Ask | None
    voice: Voice
    walk: Walk

    def items(self, screen: Screen) -> None:
        """Everything in its order; steppers and questions wait for the learner, and so does what
        would push lines off the terminal that nobody has read."""
        used = TITLE_ROWS
        for item in screen.items:
            used = self._make_room(item, used)
            if self.ask is None or not isinstance(item, Stepper | Question):
                self.stage.item(item)
            elif isinstance(item, Stepper):
                self._step(item)
            else:
                self._question(item)

    def _make_room(self, item: Item, used: int) -> int:
        """Lines in sight once the item is shown, after a pause where it takes one."""
        rows, waits = self.stage.rows, isinstance(item, Stepper | Question)
        if self.ask is None or rows is None:
            return 0
        height = 0 if waits else self.stage.height(item)
        if used and used + height > rows - PROMPT_ROWS:
            self._wait(self.voice.say("more"))
            used = 0
        return 0 if waits else used + height

    def turn_page(self) -> None:
        """Wait for Enter before the next screen."""
        if self.ask is not None:
            self._wait(self.voice.say("next"))

    def _wait(self, prompt: str) -> None:
        """For Enter; another key asks again."""
        while self._asked(prompt) not in ("", "n"):
            pass

    def _asked(self, prompt: str) -> str:
        """What was typed. Raises Leave or GoBack when that was asked for."""
        assert self.ask is not None
        try:
            key = self.ask(prompt).strip()
        except (EOFError, KeyboardInterrupt):
            raise Leave from None
        if key.lower() in QUIT:
            raise Leave
        if key.lower() in BACK:
            raise GoBack
        return key

    def _step(self, item: Stepper) -> None:
        place, last = 0, item.count - 1
        while True:
            self.stage.frame(item.frame(place))
            key = self._asked(self.voice.say("step", place=place + 1, total=item.count)).lower()
            if key in DONE or (key == "" and place == last):
                return
            if key == "p":
                place = max(place - 1, 0)
            elif key.isdigit():
                place = min(max(int(key[:9]) - 1, 0), last)
            elif key == "":
                place += 1

    def _question(self, item: Question) -> None:
        say, voice = self.stage.say, self.voice
        say(f"**{voice.say('question')}** {item.prompt}")
        for attempt in range(TRIES):
            answer = self._asked(voice.say("ask"))
            right = item.judge(answer)
            self.walk.answered.setdefault(item.prompt, right)  # the first answer of all counts
            if right:
                say(voice.say("right", why=item.why))
                return
            if not answer:
                break
            hint = item.hint(answer)
            if attempt + 1 < TRIES:
                say(voice.say("hint", hint=hint) if hint else voice.say("wrong"))
        say(voice.say("solution", answer=item.answer, why=item.why))
