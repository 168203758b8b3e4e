"""Walking a lesson: forward, back, out; steppers; questions; pipes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from miner.errors import ConfigError
from miner.learn.answers import judge_from, near_judge, number, number_judge, word_judge
from miner.learn.catalogue import LESSONS, find
from miner.learn.player import Ask, Stage, Walk, play
from miner.learn.steps import (
    Frame,
    Lesson,
    Question,
    Screen,
    Setting,
    Stepper,
    Text,
)  # fmt: skip
from tests.unit.learn.answer_cases import asked


def two_screens(setting: Setting) -> Iterator[Screen]:
    hints = ((judge_from("number 13"), "multiply, do not add"),)
    asked = Question("6 * 7?", "42", judge_from("number 42"), "six sevens", hints)
    yield Screen("first", (asked,))
    steps = Stepper("s", 5, lambda i: Frame(f"frame {i}", ()), (0, 4))
    yield Screen("second", (steps, Text("x")), place=2)


LESSON = Lesson(99, "test", "A test", "about", 1, "start", two_screens)


def walk(answers: list[str | BaseException] | None) -> tuple[list[str], Walk]:
    seen: list[str] = []
    stage = Stage(
        screen=lambda lesson, screen: seen.append(f"{screen.place} {screen.title}"),
        item=lambda item: seen.append(type(item).__name__),
        frame=lambda frame: seen.append(frame.title),
        say=seen.append,
    )
    waiting: Iterator[str | BaseException] = iter(answers or [])

    def ask(prompt: str) -> str:
        try:
            answer = next(waiting)
        except StopIteration:
            raise EOFError from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    asker: Ask | None = None if answers is None else ask
    return seen, play(LESSON, Setting(), stage, asker)


def test_a_pipe_shows_everything_in_a_row() -> None:
    seen, done = walk(None)
    assert seen == ["1 first", "Question", "2 second", "Stepper", "Text"]
    assert done.finished and done.asked == 0


def test_right_answer_then_through_the_stepper() -> None:
    seen, done = walk(["42", "", "", "p", "4", "99", "", ""])
    assert "Right. six sevens" in seen and done.right == done.asked == 1 and done.finished
    frames = [line for line in seen if line.startswith("frame")]
    assert frames == ["frame 0", "frame 1", "frame 0", "frame 3", "frame 4"]


def test_two_wrong_answers_show_the_right_one() -> None:
    seen, done = walk(["41", "forty", "", "d", ""])
    assert any(line.startswith("The answer: 42") for line in seen)
    assert done.right == 0 and done.finished


def test_a_typical_error_gets_its_own_hint() -> None:
    seen, done = walk(["13", "42", "", "d", ""])
    assert "Not quite. multiply, do not add" in seen and "Right. six sevens" in seen
    assert done.right == 0


def test_only_enter_turns_the_page() -> None:
    seen, done = walk(["42", "x", "7", "", "d", "?", "", ""])
    assert [line for line in seen if line[0].isdigit()] == ["1 first", "2 second"]
    assert done.finished


def test_back_shows_the_same_screen_again_and_q_leaves() -> None:
    seen, done = walk(["42", "", "d", "b", "42", "q"])
    assert [line for line in seen if line[0].isdigit()] == ["1 first", "2 second", "1 first"]
    assert not done.finished


def test_a_closed_terminal_leaves() -> None:
    assert not walk([])[1].finished


@pytest.mark.parametrize("key", ["q", "quit", KeyboardInterrupt(), EOFError()])
@pytest.mark.parametrize("before", [[], ["41"], ["42"], ["42", ""], ["42", "", ""]])
def test_leaving_works_at_every_prompt_and_is_no_wrong_answer(
    key: str | BaseException, before: list[str | BaseException]
) -> None:
    seen, done = walk([*before, key, "42", "", "", "", "", "", "", ""])
    assert not done.finished
    assert not any(line.startswith("The answer") for line in seen)
    assert sum(line.startswith("Not quite") for line in seen) == before.count("41")


def test_back_works_at_a_question_and_in_a_stepper() -> None:
    for before in (["42", ""], ["42", "", ""]):
        seen, _ = walk([*before, "b", "q"])
        screens = [line for line in seen if line[0].isdigit()]
        assert screens == ["1 first", "2 second", "1 first"]
    assert walk(["b", "q"])[0].count("1 first") == 2


@pytest.mark.parametrize("text", ["4294967296", "2**32", " 2^32 ", "0x100000000", "4,294,967,296"])
def test_numbers_in_any_spelling(text: str) -> None:
    assert number_judge(2**32)(text)


@pytest.mark.parametrize("text", ["", "2**33", "many", "1e99", "2**999999999999"])
def test_other_numbers_are_wrong(text: str) -> None:
    assert not number_judge(2**32)(text)


@pytest.mark.parametrize(
    ("want", "text"),
    [
        (0.5, "1/2"), (0.5, "half"), (0.5, "a half"), (0.5, "0,5"), (0.5, "50%"), (0.5, "50 %"),
        (1.5, "3/2"), (1.5, "1,5"), (8.9, "8,9"), (100, "100%"), (100, "100 per cent"),
        (2, "two"), (2, "chunk 2"), (256, "256 bits"), (12, "12 hashes"), (72, "72."),
        (5e9, "5e9"), (5e9, "50*10^8"), (5e9, "5 x 10**9"), (5e9, "5,000,000,000"),
        (5e9, "5 000 000 000"), (1234.5, "1,234.5"), (4096, "2^12 = 4096"), (12, "about 12"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(want: float, text: str) -> None:
    assert near_judge(want * (1 - 1e-12), want * (1 + 1e-12))(text), number(text)
    assert not near_judge(want * 1.01, want * 1.02)(text)


@pytest.mark.parametrize(
    ("want", "text"),
    [
        (0.5, "0,5"), (0.5, "die Hälfte"), (0.5, "ein halb"), (1234, "1.234"), (1.5, "1,5"),
        (1.5, "anderthalb"), (5e9, "5.000.000.000"), (5e9, "5 Milliarden"), (2, "zwei"),
        (2, "Stück 2"), (100, "100 Prozent"), (0.37, "37 %"), (1024, "2 hoch 10"), (1, "einen"),
        (1234.5, "1.234,5"), (12, "zwölf Hashes"), (0.5, "1/2"), (0.5, "0.5"), (6, "2 mal 3"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them_in_german(want: float, text: str) -> None:
    assert near_judge(want * (1 - 1e-12), want * (1 + 1e-12), "de")(text), number(text, "de")
    assert not near_judge(want * 1.01, want * 1.02, "de")(text)


@pytest.mark.parametrize("text", ["five billion", "5 billion", "5 * 10^9", "5 thousand million"])
def test_large_numbers_in_words(text: str) -> None:
    assert number(text) == 5 * 10**9


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        ("yes", ("yes", "Y", "ja"), ("no", "nein", "maybe")),
        ("no", ("no", "Nein.", "n"), ("yes", "ja", "")),
        ("number 72", ("72", "byte 72", "0x48"), ("73", "-72")),
        ("near 0.9 1.1", ("1", "one", "1.05"), ("2", "0.5")),
        ("near 0.16 0.17", ("0.16", "0.17", "16 %"), ("0.1599", "0.1701")),
        ("words nonce, the nonce", ("Nonce", "the nonce."), ("time",)),
    ],
)
def test_rules_of_a_text(rule: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    judge = judge_from(rule)
    assert all(map(judge, right)) and not any(map(judge, wrong))


@pytest.mark.parametrize(("rule", "lang", "answer", "right"), asked())
def test_the_table_of_answers(rule: str, lang: str, answer: str, right: bool) -> None:
    assert judge_from(rule, lang)(answer) is right, number(answer, lang)


@pytest.mark.parametrize("rule", ["", "number", "number x", "near 1", "words", "sure", "yes 3"])
def test_a_rule_that_is_none_is_named(rule: str) -> None:
    with pytest.raises(ConfigError, match="judge"):
        judge_from(rule)


@pytest.mark.parametrize(
    "text", ["", " ", "none of them", "-5", "x", "1/0", "2^600", "2^2^99999", "9" * 500, "0x", "e9"]
)
def test_strange_answers_are_wrong_and_harmless(text: str) -> None:
    assert not number_judge(5)(text)


def test_a_decimal_comma_is_no_thousand() -> None:
    assert not number_judge(15)("1,5") and number_judge(1500)("1,500")


def test_words_and_ranges() -> None:
    assert word_judge("nonce")(" Nonce. ") and not word_judge("nonce")("time")
    assert near_judge(1, 2)("1.5") and not near_judge(1, 2)("x") and not near_judge(1, 2)("nan")


def test_lessons_are_found_by_number_and_name() -> None:
    for lesson in LESSONS:
        assert find(str(lesson.number)) is find(lesson.name.upper()) is lesson
    with pytest.raises(ConfigError, match="choose one of"):
        find("alchemy")


def test_no_line_leaves_a_short_terminal_unread() -> None:
    """A screen of 44 lines on a terminal of 24: it pauses before an item that would not fit."""
    prompts: list[str] = []

    def long(setting: Setting) -> Iterator[Screen]:
        yield Screen("long", tuple(Text(str(n)) for n in range(8)))

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        shown.append("?")
        return ""

    shown: list[str] = []
    stage = Stage(
        lambda *_: shown.append("title"), lambda item: shown.append("item"), lambda _: None,
        shown.append, height=lambda item: 5, rows=24,
    )  # fmt: skip
    assert play(replace(LESSON, screens=long), Setting(), stage, ask).finished
    told = "".join({"title": "T", "item": "i"}.get(one, one) for one in shown)
    assert told == "Tiii?iiii?i?"
    assert [prompt[:11] for prompt in prompts] == ["Enter: more", "Enter: more", "Enter: next"]
    shown.clear()
    play(replace(LESSON, screens=long), Setting(), replace(stage, rows=None), ask)
    assert "".join(one[0] for one in shown) == "tiiiiiiii?"
