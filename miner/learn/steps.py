"""A lesson as data: screens made of items that a terminal, a page and a notebook can all show.

Nothing here prints or draws. A lesson is a generator, so live data is made when its screen is
reached, and a screen already seen stays as it was. Item texts may use **bold** and `code`.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from miner.learn.answers import Judge
from miner.learn.live import Shown

PACKAGE_ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, separated by blank lines."""

    body: str


@dataclass(frozen=True, slots=True)
class Field:
    """A named run of bytes with what it means."""

    name: str
    raw: bytes
    meaning: str


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes cut into fields, each shown in its own colour and with its own letter."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; numbers are formatted by the lesson."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""  # source and date of quoted figures, or how to read it
    origin: str = ""  # measured, simulated, quoted or computed, in words


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart; `expected`, where given, is what theory says for each bar."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    unit: str
    figures: tuple[str, ...]  # the values as people read them, with what was expected
    expected: tuple[float, ...] | None = None
    note: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on an axis."""

    label: str
    value: float  # above zero on a logarithmic axis
    figure: str = ""  # the value as people read it
    kind: Literal["fixed", "own", "found", "missed"] = "fixed"


@dataclass(frozen=True, slots=True)
class Axis:
    """Points on one axis, logarithmic unless told otherwise."""

    title: str
    unit: str
    marks: tuple[Mark, ...]
    log: bool = True
    note: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of a stepper: lines of monospaced text, with what changed in words."""

    title: str
    lines: tuple[str, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Stepper:
    """Moments to step through, forward and back; made when asked for."""

    title: str
    count: int
    frame: Callable[[int], Frame]
    shown: tuple[int, ...]  # frames worth showing where nobody steps: pages, --auto


@dataclass(frozen=True, slots=True)
class Check:
    """A claim that was tested while the lesson ran; the learner can repeat `how`."""

    claim: str
    passed: bool
    how: str  # runs when pasted
    name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the rule that judges its answers."""

    prompt: str
    answer: str  # one right answer, shown after two wrong ones and in handouts
    judge: Judge  # a page can only judge by a Rule, whose text it knows
    why: str  # shown after the answer
    hints: tuple[tuple[Judge, str], ...] = ()  # what to say to typical errors
    typical: tuple[tuple[str, str], ...] = ()  # those errors as people write them, and the same

    def hint(self, answer: str) -> str:
        """What helps whoever gave this wrong answer; "" when nothing is known to."""
        return next((text for judge, text in self.hints if judge(answer)), "")


@dataclass(frozen=True, slots=True)
class Code:
    """The product's function that made what is shown: name, file and line."""

    name: str
    file: str
    line: int


Item = Text | Bytes | Table | Bars | Axis | Stepper | Check | Question | Code


@dataclass(frozen=True, slots=True)
class Screen:
    """One screenful."""

    title: str
    items: tuple[Item, ...]
    name: str = ""
    place: int = 1  # of `total` screens
    total: int = 1


Tell = Callable[[Shown], None]  # what takes a while, in words


def silent(_: Shown) -> None:
    """Drop what is told of progress: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the learner chose; everything random in a lesson comes from `seed`."""

    seed: int = 2009
    header: bytes | None = None  # 80 bytes of the learner's own
    text: str = "homehash"  # the learner's own words
    backend: str | None = None  # a backend's name; None: the fastest that is quick to open
    quick: bool = False  # --auto and tests: fewer blocks, shorter timings
    figures: dict[str, float] = field(default_factory=dict)  # the learner's own: watts, share, rate
    pools_file: Path | None = None  # blocks per miner, for lesson 12
    node: str | None = None  # a node whose coinbase tags are counted, for lesson 12
    cookie: str | None = None
    progress: Tell = silent
    printed: bool = False  # read elsewhere: "this computer" would be another one


@dataclass(frozen=True, slots=True)
class Lesson:
    """An entry of the list."""

    number: int
    name: str  # what `miner learn NAME` takes
    title: str
    about: str  # one line
    minutes: int
    level: str  # "start", "deeper" or "hard"
    screens: Callable[[Setting], Iterator[Screen]]
    lang: str = "en"
    home: Traversable | None = None  # a folder of the learner's own that it comes from


def code(function: Callable[..., object]) -> Code:
    """Where a function of the product stands, for the curious."""
    target = inspect.unwrap(function)
    path = Path(inspect.getsourcefile(target) or "?").resolve()
    file = path.relative_to(PACKAGE_ROOT) if path.is_relative_to(PACKAGE_ROOT) else path.name
    line = inspect.getsourcelines(target)[1]
    module = target.__module__.removeprefix("miner.")
    return Code(f"{module}.{target.__qualname__}", str(file), line)


def failed(screens: Sequence[Screen]) -> list[Check]:
    """Every check of these screens that did not pass."""
    return [
        item
        for screen in screens
        for item in screen.items
        if isinstance(item, Check) and not item.passed
    ]
