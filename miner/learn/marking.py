"""Says in plain words how an attempt at an exercise went: the first case that fails, and a hint."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miner.learn import attempt
from miner.learn.attempt import Attempt, Outcome, Trouble
from miner.learn.candidate import Foreign
from miner.learn.exercises import Exercise, spelled
from miner.learn.task import Case, Fault, alike
from miner.learn.voice import Voice, voice
from miner.text import scrub

MOST_SHOWN = 400  # characters of a value
PRINTED_LINES = 5
LONG = 40  # characters of a list's entry that stands alone on its line
# Exceptions with a hint of their own; what the program raised is told anyway.
KNOWN = {
    "SystemExit": "exit", "KeyboardInterrupt": "exit", "EOFError": "input",
    "RecursionError": "recursion", "MemoryError": "memory", "OtherProgram": "others",
    "NotImplementedError": "unwritten", "ModuleNotFoundError": "module",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first case that failed, ready to be shown."""

    case: str  # its name; "" when the program could not be called
    given: str
    answer: str
    expected: str
    hint: str
    raised: bool = False  # nothing came back: the program raised or ended


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt went."""

    right: tuple[str, ...]  # names of the cases before the first that failed
    total: int
    wrong: Wrong | None
    printed: tuple[str, ...] = ()  # the first lines that the program printed

    @property
    def solved(self) -> bool:
        return self.wrong is None


def try_file(exercise: Exercise, path: Path, seconds: float = attempt.SECONDS) -> Report:
    """Run a learner's file. Raises ConfigError when it cannot be read."""
    source = attempt.source_of(path)
    task = exercise.task
    given = [case.given for case in exercise.cases]
    tried = attempt.run(path, source, task.function, given, task.counted, seconds)
    return report(exercise, tried)


def try_function(exercise: Exercise, function: Callable[..., Any]) -> Report:
    """The same for a function of this process, in a notebook: without any guard."""
    outcomes = []
    for case in exercise.cases:
        try:
            outcomes.append(Outcome(function(*case.given), None, -1))
        except Exception as error:  # noqa: BLE001 - whatever it raises
            said = Trouble(type(error).__name__, str(error), None, "")
            outcomes.append(Outcome(trouble=said))
    return report(exercise, Attempt(tuple(outcomes)))


def report(exercise: Exercise, tried: Attempt, cases: tuple[Case, ...] | None = None) -> Report:
    """What to tell the learner; `cases` are those of the exercise unless others were tried."""
    cases = exercise.cases if cases is None else cases
    marker = _Marker(exercise, voice(exercise.lang), tried, cases)
    right, wrong = marker.first_wrong()
    lines = [scrub(line, 76) for line in tried.printed.splitlines() if line.strip()]
    more = ("..",) if len(lines) > PRINTED_LINES else ()
    return Report(right, len(cases), wrong, (*lines[:PRINTED_LINES], *more))


@dataclass(frozen=True, slots=True)
class _Marker:
    """One attempt at one exercise."""

    exercise: Exercise
    voice: Voice
    tried: Attempt
    cases: tuple[Case, ...]

    def first_wrong(self) -> tuple[tuple[str, ...], Wrong | None]:
        """The cases that went well, and what is to be said of the next."""
        early = self._unusable()
        if early:
            return (), Wrong("", "", early[0], "", early[1], True)
        right: list[str] = []
        for place, case in enumerate(self.cases):
            name = self.exercise.case_name(case)
            if place >= len(self.tried.outcomes):
                answer, hint = self._ended()
                given, want = self._given(case), self._want(case)
                return tuple(right), Wrong(name, given, answer, want, hint, True)
            wrong = self._judge(case, self.tried.outcomes[place])
            if wrong is not None:
                return tuple(right), wrong
            right.append(name)
        return tuple(right), None

    def _unusable(self) -> tuple[str, str] | None:
        """Why no case could be tried at all: what happened, and a hint."""
        say, tried = self.voice.say, self.tried
        function = self.exercise.task.function
        if tried.unloaded is not None:
            return self._raised(tried.unloaded), self._hint_of(tried.unloaded)
        if tried.missing is not None:
            near = difflib.get_close_matches(function, tried.missing, 1, 0.5)
            hint = say("ex_near", name=near[0]) if near else ""
            return say("ex_missing", function=self.exercise.task.signature), hint
        if tried.end and not tried.loaded:
            return self._ended()
        return None

    def _ended(self) -> tuple[str, str]:
        """How the program ended before it answered, and a hint."""
        end, code = self.tried.end or "exit", self.tried.code
        if end == "time":
            seconds = f"{attempt.SECONDS:g}"
            return self.voice.say("ex_time", seconds=seconds), self.voice.say("ex_hint_time")
        hint = self.voice.say("ex_hint_exit" if end == "exit" else "ex_hint_signal")
        return self.voice.say(f"ex_{end}", code=str(code)), hint

    def _judge(self, case: Case, outcome: Outcome) -> Wrong | None:
        """One answer."""
        name, given = self.exercise.case_name(case), self._given(case)
        if outcome.trouble is not None:
            hint = self._mistake(case) or self._hint_of(outcome.trouble)
            raised = self._raised(outcome.trouble)
            return Wrong(name, given, raised, self._want(case), hint, True)
        fault = self.exercise.task.judge(case, outcome.value, outcome.calls)
        if fault is None:
            return None
        hint = self.exercise.hint(fault.hint) if fault.hint else ""
        hint = hint or self._mistake(case) or self._kind(outcome.value, fault.expected)
        answer, expected = self._parts(outcome, fault)
        return Wrong(name, given, answer, expected, hint)

    def _parts(self, outcome: Outcome, fault: Fault) -> tuple[str, str]:
        """Answer and expectation, where they differ."""
        if fault.part == "calls":
            return tuple(  # type: ignore[return-value]
                self.voice.say("ex_calls", count=count)
                for count in (outcome.calls, fault.expected["calls"])
            )
        both = outcome.value, fault.expected
        if not fault.part:
            return self._shown(both[0]), self._shown(both[1])
        key: Any = int(fault.part) if isinstance(fault.expected, list | tuple) else fault.part
        answer, expected = (self._shown(one[key], str(key)) for one in both)
        if isinstance(fault.expected, dict):
            return f"{key}: {answer}", f"{key}: {expected}"
        return f"[{key}]: {answer}", f"[{key}]: {expected}"

    def _shown(self, value: Any, key: str = "answer") -> str:
        """A value, shortened."""
        if isinstance(value, Foreign):
            key = "ex_huge" if value.bits else "ex_other"
            return self.voice.say(key, kind=value.kind, bits=value.bits)
        keys = self.exercise.task.in_hex
        return self._laid_out(value, key if key in keys else "answer")

    def _laid_out(self, value: Any, name: str) -> str:
        """A value as Python has it; of dicts and lists of long entries each on its own line."""
        keys = self.exercise.task.in_hex
        if isinstance(value, dict) and len(value) > 1:
            lines = [f"{key!r}: {self._laid_out(one, str(key))}," for key, one in value.items()]
            return "\n".join(["{", *lines, "}"])
        if isinstance(value, list) and any(len(spelled(one)) > LONG for one in value):
            return "\n".join(["[", *(f"{self._laid_out(one, name)}," for one in value), "]"])
        return shortened(spelled(value, name in keys, keys))

    def _given(self, case: Case) -> str:
        """The arguments, by their names."""
        task = self.exercise.task
        pairs = zip(task.arguments, case.given, strict=True)
        return "\n".join(f"{name} = {self._laid_out(value, name)}" for name, value in pairs)

    def _want(self, case: Case) -> str:
        return self._shown(case.want)

    def _raised(self, trouble: Trouble) -> str:
        """An exception in a line or two."""
        said = scrub(f"{trouble.error}: {trouble.said}".removesuffix(": "), 200)
        if trouble.line is None:
            return said
        return f"{said}\n{self.voice.say('ex_line', line=trouble.line, code=scrub(trouble.code))}"

    def _hint_of(self, trouble: Trouble) -> str:
        """What helps against an exception."""
        if any(words in trouble.said for words in ("codec can't decode", "null byte", "encoding")):
            return self.voice.say("ex_hint_utf8")
        if trouble.error in KNOWN:
            return self.voice.say(f"ex_hint_{KNOWN[trouble.error]}")
        if trouble.syntax:
            return self.voice.say("ex_hint_syntax")
        if trouble.error == "TypeError" and trouble.line is None:
            return self.voice.say("ex_hint_arguments", function=self.exercise.task.signature)
        return ""

    def _kind(self, value: Any, want: Any) -> str:
        """The hint for an answer of another type, or of the right bytes in the wrong order."""
        say, name = self.voice.say, type(want).__name__
        if value is None:
            return say("ex_hint_none")
        if isinstance(value, bytes) and isinstance(want, bytes) and value == want[::-1]:
            return say("ex_hint_reversed")
        if isinstance(value, str) and isinstance(want, str):
            return self._text_kind(value, want)
        numbers = type(value) is int and type(want) is int
        if numbers and abs(value - want) == 1:
            return say("ex_hint_one")
        if type(value) is not type(want) and not (
            isinstance(value, list | tuple) and isinstance(want, list | tuple)
        ):
            return say("ex_hint_type", kind=name)
        if isinstance(value, list | tuple | bytes | dict) and len(value) != len(want):
            return say("ex_hint_length", count=len(want), found=len(value))
        return ""

    def _text_kind(self, value: str, want: str) -> str:
        if value.lower() == want:
            return self.voice.say("ex_hint_lower")
        if value.removeprefix("0x") == want or value.zfill(len(want)) == want:
            return self.voice.say("ex_hint_digits", count=len(want))
        turned = want[::-1], "".join(want[i : i + 2] for i in range(len(want) - 2, -2, -2))
        return self.voice.say("ex_hint_reversed") if value in turned else ""

    def _mistake(self, case: Case) -> str:
        """The hint for the mistake that gives the very same answers; "" for none known."""
        place = self.cases.index(case)
        fitting = [
            key
            for key, program in self.exercise.task.mistakes.items()
            if _same(program, case, self.tried.outcomes[place])
        ]
        if not fitting:
            return ""
        programs = self.exercise.task.mistakes

        def agreed(key: str) -> int:
            pairs = zip(self.cases, self.tried.outcomes, strict=False)
            return sum(_same(programs[key], one, outcome) for one, outcome in pairs)

        return self.exercise.hint(max(fitting, key=agreed))


def _same(program: Callable[..., Any], case: Case, outcome: Outcome) -> bool:
    """Does a wrong program do with this case what the learner's did?"""
    try:
        answer = program(*case.given)
    except Exception as error:  # noqa: BLE001 - a mistake may raise too
        return outcome.trouble is not None and outcome.trouble.error == type(error).__name__
    return outcome.trouble is None and alike(outcome.value, answer)


def shortened(text: str) -> str:
    """A value's text with its middle left out, if it is long."""
    if len(text) <= MOST_SHOWN:
        return scrub(text, MOST_SHOWN)
    half = MOST_SHOWN // 2 - 10
    return scrub(f"{text[:half]} ...... {text[-half:]}", MOST_SHOWN)
