"""A language: the words of the lessons' frame, and how it writes numbers, times and units.

A language is a folder of text/: interface.toml with these words, page.toml with those of the page's
tools, and the lessons' files. Words it lacks are taken from English, and their keys are listed in
`missing`.
"""

import difflib
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from miner.errors import ConfigError
from miner.learn.live import Shown, Si, Span, Word
from miner.units import YEAR_S, si

TEXT = files("miner.learn") / "text"
BASE = "en"
WORDS = ("interface.toml", "page.toml")
PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)(?::([^{}]*))?\}")
SPANS = (
    (YEAR_S, "years"), (86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"),
    (1e-3, "milliseconds"), (1e-6, "microseconds"), (1e-9, "nanoseconds"),
)  # fmt: skip
NARROW = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a language says things."""

    lang: str
    words: Mapping[str, str]
    missing: tuple[str, ...] = ()

    def say(self, key: str, **values: Any) -> str:
        """A text of the frame, by its key."""
        return self.fill(self.words[key], values)

    def fill(
        self, template: str, values: Mapping[str, Any], words: Mapping[str, str] | None = None
    ) -> str:
        """The template with every {name} and {name:digits} replaced.

        Raises KeyError with the name of a value that nobody gave.
        """
        return PLACE.sub(
            lambda found: self.shown(values[found[1]], found[2] or "", words), template
        )

    def shown(self, value: Shown, spec: str = "", words: Mapping[str, str] | None = None) -> str:
        """A value as this language writes it; a Word is looked up in the lesson's `words`."""
        match value:
            case Word():
                known = words or self.words
                return self.fill(known[value.key], value.values, words)
            case Si():
                return self._swap(si(value.value, value.unit, value.digits)).replace(" ", NARROW)
            case Span():
                return self.span(value.seconds)
            case str():
                return value
            case _:
                return self.number(value, spec)

    def number(self, value: float | Fraction, spec: str = "") -> str:
        """A number: 1,024; 0.5; 1.35·10^14; with `spec` as Python's format has it."""
        if not spec:
            text = f"{value:,}" if isinstance(value, int) else short(float(value))
        else:
            text = format(float(value) if isinstance(value, Fraction) else value, spec)
        if spec.endswith(("x", "b", "d")):
            return text
        return self._swap(power(text.replace("%", f"{NARROW}%")))

    def span(self, seconds: float) -> str:
        """A time with two or three digits and its unit in words."""
        for size, unit in SPANS:
            if seconds >= size:
                count = self.number(float(f"{seconds / size:.2g}"))
                return f"{count}{NARROW}{self.words[unit]}"
        return f"0{NARROW}{self.words['seconds']}"

    def _swap(self, text: str) -> str:
        marks = {",": self.words["thousands"], ".": self.words["decimal"]}
        return "".join(marks.get(one, one) for one in text)


def short(value: float) -> str:
    """Four significant digits, as a power of ten where it is very large or small."""
    if value == 0 or (value == int(value) and abs(value) < 1e6):
        return f"{value:,.0f}"
    if not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    places = max(3 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def power(text: str) -> str:
    """1.35e+14 as 1.35·10^14."""
    return re.sub(r"e([+-])0*(\d+)", lambda m: f"·10^{m[1].strip('+')}{m[2]}", text)


def languages() -> tuple[str, ...]:
    """Every language there is a folder for."""
    return tuple(sorted(one.name for one in TEXT.iterdir() if (one / "interface.toml").is_file()))


def chosen(asked: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The language asked for, else that of the environment if we speak it, else English.

    Raises ConfigError for one asked for that there is not.
    """
    if asked is not None:
        name = asked.strip().lower().replace("_", "-").partition("-")[0]
        if name in languages():
            return name
        near = difflib.get_close_matches(name, languages(), 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"no language {asked!r}; choose one of: {', '.join(languages())}{hint}")
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            name = re.split(r"[_.@-]", value.lower())[0]
            return name if name in languages() else BASE
    return BASE


@cache
def voice(lang: str) -> Voice:
    """The voice of one of `languages`."""
    base = _words(BASE)
    own = _words(lang)
    return Voice(lang, {**base, **own}, tuple(key for key in base if key not in own))


def _words(lang: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in WORDS:
        if (TEXT / lang / name).is_file():
            read = tomllib.loads((TEXT / lang / name).read_text(encoding="utf-8"))
            found |= {key: str(value) for key, value in read.items()}
    return found
