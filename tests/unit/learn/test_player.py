"""Walking a lesson: forward, back, out; steppers; questions; pipes."""

from collections.abc import Iterator

import pytest

from miner.errors import ConfigError
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
    near_judge,
    number_judge,
    word_judge,
)  # fmt: skip


def two_screens(setting: Setting) -> Iterator[Screen]:
    yield Screen("first", (Question("6 * 7?", "42", number_judge(42), "six sevens"),))
    yield Screen("second", (Stepper("s", 5, lambda i: Frame(f"frame {i}", ()), (0, 4)), Text("x")))


LESSON = Lesson(99, "test", "A test", "about", 1, two_screens)


def walk(answers: list[str] | None) -> tuple[list[str], Walk]:
    seen: list[str] = []
    stage = Stage(
        screen=lambda lesson, screen, number: seen.append(f"{number} {screen.title}"),
        item=lambda item: seen.append(type(item).__name__),
        frame=lambda frame: seen.append(frame.title),
        say=seen.append,
    )
    waiting: Iterator[str] = iter(answers or [])

    def ask(prompt: str) -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    asker: Ask | None = None if answers is None else ask
    return seen, play(LESSON, Setting(), stage, asker)


def test_a_pipe_shows_everything_in_a_row() -> None:
    seen, done = walk(None)
    assert seen == ["1 first", "Question", "six sevens", "2 second", "Stepper"]
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


def test_back_shows_the_same_screen_again_and_q_leaves() -> None:
    seen, done = walk(["42", "", "d", "b", "42", "q"])
    assert [line for line in seen if line[0].isdigit()] == ["1 first", "2 second", "1 first"]
    assert not done.finished


def test_a_closed_terminal_leaves() -> None:
    assert not walk([])[1].finished


@pytest.mark.parametrize("text", ["4294967296", "2**32", " 2^32 ", "0x100000000", "4,294,967,296"])
def test_numbers_in_any_spelling(text: str) -> None:
    assert number_judge(2**32)(text)


@pytest.mark.parametrize("text", ["", "2**33", "many", "1e99", "2**999999999999"])
def test_other_numbers_are_wrong(text: str) -> None:
    assert not number_judge(2**32)(text)


def test_words_and_ranges() -> None:
    assert word_judge("nonce")(" Nonce. ") and not word_judge("nonce")("time")
    assert near_judge(1, 2)("1.5") and not near_judge(1, 2)("x") and not near_judge(1, 2)("nan")


def test_lessons_are_found_by_number_and_name() -> None:
    for lesson in LESSONS:
        assert find(str(lesson.number)) is find(lesson.name.upper()) is lesson
    with pytest.raises(ConfigError, match="choose one of"):
        find("alchemy")
