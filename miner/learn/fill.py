"""Puts a lesson's live values into its text: a screen of items that can be shown."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from miner.errors import ConfigError
from miner.learn.answers import judge_from
from miner.learn.live import Live, Moment, Point, Series, Shown, Steps
from miner.learn.script import Block, Page, Script
from miner.learn.steps import (
    Axis,
    Bars,
    Bytes,
    Check,
    Field,
    Frame,
    Item,
    Mark,
    Question,
    Screen,
    Setting,
    Stepper,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.learn.voice import Voice

HERE = ("measured", "seen")  # origins that say "this computer"


@dataclass(frozen=True, slots=True)
class Filler:
    """One lesson's text in one language, with what the learner chose."""

    script: Script
    voice: Voice
    setting: Setting

    def total(self) -> int:
        """How many screens this learner will see."""
        return sum(not page.when or page.when in self.setting.figures for page in self.script.pages)

    def screens(self, lives: Iterator[Live]) -> Iterator[Screen]:
        """Each set of values in the screen that it names. Raises ConfigError naming what fails."""
        total = self.total()
        for place, live in enumerate(lives, 1):
            page = self.script.page(live.screen)
            try:
                yield _Page(self, page, live.values).screen(place, total)
            except KeyError as error:
                raise ConfigError(
                    f"lesson {self.script.title!r}, screen {page.name!r}: no value for {error}"
                ) from error

    def say(self, shown: Shown) -> str:
        """A value in words, as the lesson's text has them."""
        return self.voice.shown(shown, "", self.script.words)


@dataclass(frozen=True, slots=True)
class _Page:
    """A screen's text with its values."""

    filler: Filler
    page: Page
    live: Mapping[str, Any]

    def screen(self, place: int, total: int) -> Screen:
        items = tuple(self._item(one) for one in self.page.blocks if self._wanted(one))
        return Screen(self._fill(self.page.title), items, self.page.name, place, total)

    def _wanted(self, block: Block) -> bool:
        if not block.when:
            return True
        name = block.when.removeprefix("not ")
        return bool(self.live[name]) is not block.when.startswith("not ")

    def _fill(self, template: str) -> str:
        values = {"seed": str(self.filler.setting.seed), **self.live}
        return self.filler.voice.fill(template, values, self.filler.script.words)

    def _field(self, block: Block, name: str) -> str:
        return self._fill(block.fields.get(name, ""))

    def _origin(self, block: Block) -> str:
        word = block.fields.get("origin", "")
        if word in HERE and self.filler.setting.printed:
            word = f"{word}_there"
        return self.filler.voice.say(word) if word else ""

    def _item(self, block: Block) -> Item:
        makers: dict[str, Callable[[Block], Item]] = {
            "table": self._table,
            "bars": self._bars,
            "axis": self._axis,
            "bytes": self._bytes,
            "steps": self._steps,
            "check": self._check,
            "question": self._question,
            "code": lambda one: code(self.live[one.name]),
        }
        make = makers.get(block.kind)
        return make(block) if make else Text(self._field(block, ""))

    def _table(self, block: Block) -> Table:
        columns, *rows = block.rows
        cells = [tuple(self._fill(cell) for cell in row) for row in rows]
        cells += [
            tuple(self.filler.say(cell) for cell in row) for row in self.live.get(block.name, ())
        ]
        return Table(
            self._field(block, "title"), tuple(self._fill(one) for one in columns), tuple(cells),
            self._field(block, "note"), self._origin(block),
        )  # fmt: skip

    def _bars(self, block: Block) -> Bars:
        series: Series = self.live[block.name]
        template, voice = block.fields.get("label", "{x}"), self.filler.voice
        labels = [voice.fill(template, {"x": self._said(x)}) for x in series.labels]
        figures = [voice.number(value) for value in series.values]
        if series.expected is not None:
            figures = [
                f"{figure} ({voice.say('expected', value=value)})"
                for figure, value in zip(figures, series.expected, strict=True)
            ]
        return Bars(
            self._field(block, "title"), tuple(labels), tuple(series.values),
            self._field(block, "unit"), tuple(figures),
            None if series.expected is None else tuple(series.expected),
            self._field(block, "note"), self._origin(block),
        )  # fmt: skip

    def _said(self, value: Shown) -> str:
        return self.filler.say(value)

    def _axis(self, block: Block) -> Axis:
        points: list[Point] = self.live[block.name]
        marks = tuple(
            Mark(self._said(one.label), one.value, self.filler.voice.number(one.value), one.kind)
            for one in points
        )
        return Axis(
            self._field(block, "title"), self._field(block, "unit"), marks, True,
            self._field(block, "note"), self._origin(block),
        )  # fmt: skip

    def _bytes(self, block: Block) -> Bytes:
        raw: Mapping[str, bytes] = self.live[block.name]
        rows = [tuple(self._fill(cell) for cell in row) for row in block.rows]
        fields = tuple(Field(name, raw[key], meaning) for key, name, meaning in rows)
        return Bytes(self._field(block, "title"), fields)

    def _steps(self, block: Block) -> Stepper:
        steps: Steps = self.live[block.name]
        return Stepper(
            self._field(block, "title"), steps.count, lambda at: self._frame(steps.moment(at)),
            steps.shown,
        )  # fmt: skip

    def _frame(self, moment: Moment) -> Frame:
        lines = tuple(self._said(line) for line in moment.lines)
        return Frame(self._said(moment.title), lines, self._said(moment.caption))

    def _check(self, block: Block) -> Check:
        claim, how = self._field(block, ""), self._plain(block.fields.get("again", ""))
        return Check(claim, bool(self.live[block.name]), how, block.name)

    def _question(self, block: Block) -> Question:
        lang = self.filler.voice.lang
        errors = [
            (self._plain(key.removeprefix("hint ")), self._fill(text))
            for key, text in block.fields.items()
            if key.startswith("hint ")
        ]
        return Question(
            self._field(block, ""), self._field(block, "answer"),
            judge_from(self._plain(block.fields["judge"]), lang), self._field(block, "why"),
            tuple((judge_from(rule, lang), text) for rule, text in errors),
            tuple((self._typical(rule), text) for rule, text in errors),
        )  # fmt: skip

    def _typical(self, rule: str) -> str:
        """An answer that a judge's rule means, as people write it."""
        kind, _, rest = rule.partition(" ")
        if kind == "words":
            return rest.partition(",")[0]
        if kind not in ("number", "near"):
            return self.filler.voice.say(kind)
        values = [Fraction(one) for one in rest.split()]
        told = [self.filler.voice.number(int(x) if x == int(x) else float(x)) for x in values]
        return " - ".join(dict.fromkeys(told))

    def _plain(self, template: str) -> str:
        """For judges and commands: numbers without thousands and decimal commas."""
        values = {"seed": self.filler.setting.seed, **self.live}
        return re.sub(r"\{([a-z_]+)\}", lambda found: str(values[found[1]]), template)
