"""What an exercise is made of: a function to write, cases to try it on, and typical mistakes.

A file of tasks/ makes one `TASK`; its words stand in text/LANG/exercises/NAME.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Program = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Case:
    """Arguments, and what comes back for them."""

    key: str  # its name among the text's [words]: case-KEY
    given: tuple[Any, ...]
    want: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer is wrong."""

    expected: Any
    hint: str = ""  # a key of the text's [words]: hint-KEY; "" when nothing is known
    part: str = ""  # of a dict or list: where the two differ


@dataclass(frozen=True, slots=True)
class Task:
    """The Python side of an exercise."""

    signature: str  # "target(nbits: int) -> int"
    right: Program  # by this program's own functions: the judge's answer
    cases: Callable[[], tuple[Case, ...]]
    mistakes: Mapping[str, Program]  # wrong programs by the key of the hint that they need
    imports: str = ""  # lines above the function
    in_hex: tuple[str, ...] = ()  # arguments, keys and "answer" that are shown in hex
    counted: bool = False  # are calls of `compress` counted?
    fault: Callable[[Case, Any, int], Fault | None] | None = None  # None: answers must be equal
    claim: str = "{call} == {want}"  # a case as an assertion
    needs: tuple[str, ...] = field(default=())  # lines an assertion needs before it

    @property
    def function(self) -> str:
        """The name that the learner's file must define."""
        return self.signature.partition("(")[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of what is given."""
        inside = self.signature.partition("(")[2].rpartition(")")[0]
        depth, names, word = 0, list[str](), ""
        for sign in f"{inside},":
            depth += (sign in "[(") - (sign in "])")
            if sign == "," and not depth:
                names.append(word.partition(":")[0].strip())
                word = ""
            else:
                word += sign
        return tuple(names)

    def judge(self, case: Case, answer: Any, calls: int = 0) -> Fault | None:
        """Why this answer is wrong; None when it is right."""
        if self.fault is not None:
            return self.fault(case, answer, calls)
        return None if alike(answer, case.want) else Fault(case.want, "", _where(answer, case.want))


def cases(right: Program, **given: tuple[Any, ...]) -> tuple[Case, ...]:
    """Cases by their keys, with the answers of `right`."""
    return tuple(
        Case(key.replace("_", "-"), values, right(*values)) for key, values in given.items()
    )


def alike(answer: Any, want: Any) -> bool:
    """Equal, where a tuple may stand for a list; a float is no whole number, True is not 1."""
    if isinstance(want, list | tuple):
        return (
            isinstance(answer, list | tuple)
            and len(answer) == len(want)
            and all(map(alike, answer, want))
        )
    if isinstance(want, dict):
        return (
            isinstance(answer, dict)
            and answer.keys() == want.keys()
            and all(alike(answer[key], one) for key, one in want.items())
        )
    return type(answer) is type(want) and bool(answer == want)


def _where(answer: Any, want: Any) -> str:
    """The first part in which a dict or list of the right size differs."""
    if isinstance(want, dict) and isinstance(answer, dict):
        wrong = [key for key in want if key not in answer or not alike(answer[key], want[key])]
        return str(wrong[0]) if wrong and wrong[0] in answer else ""
    if isinstance(want, list | tuple) and isinstance(answer, list | tuple):
        pairs = enumerate(zip(answer, want, strict=False))
        wrong = [place for place, (one, two) in pairs if not alike(one, two)]
        return str(wrong[0]) if wrong and len(answer) == len(want) else ""
    return ""
