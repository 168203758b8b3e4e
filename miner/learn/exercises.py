"""Small programs to write: what each asks for, in words, and the cases it is tried on.

An exercise is tasks/NAME.py (cases and typical mistakes), solutions/NAME.py and
text/LANG/exercises/NAME.md. Page and notebook show `catalogue`; marking.py judges.
"""

import difflib
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from miner.errors import ConfigError
from miner.learn.catalogue import COURSE, script
from miner.learn.fill import Filler
from miner.learn.live import Live
from miner.learn.steps import Screen, Setting
from miner.learn.task import Case, Task
from miner.learn.voice import BASE, voice

ORDER = (
    "header", "target", "merkle", "round", "midstate", "miner", "vardiff", "pplns", "retarget",
    "timewarp",
)  # fmt: skip
WIDE = 80  # columns of a terminal
FOLDER = "exercises"  # of each language


@dataclass(frozen=True, slots=True)
class Exercise:
    """One of them, in one language."""

    number: int
    name: str  # what `miner learn exercise NAME` takes
    title: str
    about: str  # one line
    minutes: int
    level: str  # "start", "deeper" or "hard"
    lesson: str  # the name of the lesson it belongs to
    lang: str
    screen: Screen  # the task, for terminal, page and notebook
    words: Mapping[str, str]  # names of cases, hints
    task: Task

    @property
    def lesson_number(self) -> int:
        return COURSE[self.lesson]

    @property
    def cases(self) -> tuple[Case, ...]:
        """What the function is called with, and what it must give."""
        return _cases(self.name)

    def case_name(self, case: Case) -> str:
        """What a case is, in words."""
        return self.words[f"case-{case.key}"]

    def hint(self, key: str) -> str:
        """What helps whoever made this mistake; `KEY.2` is another way to make the same."""
        return self.words[f"hint-{key.partition('.')[0]}"]

    @property
    def skeleton(self) -> str:
        """The file to begin with: a function that says what it shall do, and does nothing."""
        imports = f"{self.task.imports}\n\n\n" if self.task.imports else ""
        head = f"def {self.task.signature}:"
        if len(head) >= WIDE:
            name, _, inside = head.partition("(")
            inside, _, end = inside.rpartition(")")
            head = f"{name}(\n    {inside}\n){end}"
        return f'{imports}{head}\n    """{self.words["doc"]}"""\n    ...\n'

    @property
    def solution(self) -> str:
        """A program that passes."""
        return inspect.getsource(_module("solutions", self.name))

    @property
    def asserts(self) -> tuple[str, ...]:
        """The cases as lines of Python, with what they need in the first; a cell of a notebook."""
        lines = []
        for case in self.cases:
            given = ", ".join(map(self._spelled, self.task.arguments, case.given))
            call = f"{self.task.function}({given})"
            want = self._spelled("answer", case.want)
            said = self.task.claim.format(call=call, want=want, function=self.task.function)
            lines.append(f"assert {said}, {self.case_name(case)!r}")
        return tuple(dict.fromkeys((*self.task.needs, *lines)))

    def _spelled(self, name: str, value: Any) -> str:
        """A value as Python source, in hex where the task says so."""
        return spelled(value, name in self.task.in_hex, self.task.in_hex)


def spelled(value: Any, in_hex: bool = False, keys: tuple[str, ...] = ()) -> str:
    """A value as it is written in Python."""
    match value:
        case bytes() | bytearray():
            return f'bytes.fromhex("{value.hex()}")'
        case list() | tuple():
            inside = ", ".join(spelled(one, in_hex, keys) for one in value)
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        case dict():
            pairs = [f"{key!r}: {spelled(one, key in keys, keys)}" for key, one in value.items()]
            return f"{{{', '.join(pairs)}}}"
        case int() if in_hex and not isinstance(value, bool):
            return hex(value)
    return repr(value)


@cache
def catalogue(lang: str = BASE) -> tuple[Exercise, ...]:
    """Every exercise in a language, in their order. Raises ConfigError for a broken text."""
    return tuple(_exercise(name, number, lang) for number, name in enumerate(ORDER, 1))


def find(key: str, lang: str = BASE) -> Exercise:
    """The exercise of a number or name. Raises ConfigError with the nearest names."""
    wanted = key.strip().lower()
    known = catalogue(lang)
    for one in known:
        if wanted in (str(one.number), one.name):
            return one
    near = difflib.get_close_matches(wanted, ORDER, 2, 0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    names = ", ".join(f"{one.number} {one.name}" for one in known)
    raise ConfigError(f"there is no exercise {key!r}; choose one of: {names}{hint}")


def missing(lang: str) -> tuple[str, ...]:
    """Texts of exercises that a language lacks."""
    return tuple(
        f"{name}: {key}" for name in ORDER for key in script(f"{FOLDER}/{name}", lang).missing
    )


def texts() -> int:
    """How many texts exercises have."""
    return sum(script(f"{FOLDER}/{name}").texts for name in ORDER)


def accepted(mine: Callable[[dict[str, Any]], Any]) -> bool:
    """Does the built-in node accept the blocks of this function? For exercise `miner`."""
    from miner.learn.tasks.miner import BLOCKS, TASK, on_node

    if any(TASK.judge(case, mine(*case.given)) for case in _cases("miner")):
        return False
    verdicts = [sent.accepted for sent in on_node(mine)]
    return verdicts == [True] * BLOCKS


def _exercise(name: str, number: int, lang: str) -> Exercise:
    text = script(f"{FOLDER}/{name}", lang)
    task: Task = _module("tasks", name).TASK
    (screen,) = Filler(text, voice(lang), Setting()).screens(iter([Live("task")]))
    head = text.head
    return Exercise(
        number, name, text.title, head["about"], int(head["minutes"]), head["level"],
        head["lesson"], lang, screen, text.words, task,
    )  # fmt: skip


def _module(package: str, name: str) -> ModuleType:
    return importlib.import_module(f"miner.learn.{package}.{name}")


@cache
def _cases(name: str) -> tuple[Case, ...]:
    task: Task = _module("tasks", name).TASK
    return task.cases()
