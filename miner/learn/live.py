"""What a lesson's Python hands to its text: named values, one set for each screen.

The text says where each value stands, in which words and with which digits; see script.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Word:
    """A text of the lesson's [words], by its key, with values for its places."""

    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Si:
    """A number with a prefix and unit: 38.1 MH/s."""

    value: float
    unit: str
    digits: int = 3


@dataclass(frozen=True, slots=True)
class Span:
    """A time in its largest fitting unit: 21 microseconds, 1.2·10^9 years."""

    seconds: float


Shown = str | int | float | Fraction | Word | Si | Span  # what can stand in a sentence or a cell


@dataclass(frozen=True, slots=True)
class Series:
    """The bars of a chart; `expected`, where given, is what theory says for each."""

    labels: Sequence[Shown]
    values: Sequence[float]
    expected: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A point of an axis."""

    label: Shown
    value: float
    kind: Literal["fixed", "own", "found", "missed"] = "fixed"


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a stepper: lines of monospaced text, and what changed in words."""

    title: Shown
    lines: tuple[Shown, ...]
    caption: Shown = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """Moments to step through; `shown`: those worth showing where nobody steps."""

    count: int
    moment: Callable[[int], Moment]
    shown: tuple[int, ...]


class Live:
    """The values of one screen, by name: Live("chain", pages=rows, whole=True, code=write)."""

    def __init__(self, screen: str, **values: Any) -> None:
        self.screen, self.values = screen, values


def word(key: str, **values: Any) -> Word:
    """A text of the lesson by its key."""
    return Word(key, values)
