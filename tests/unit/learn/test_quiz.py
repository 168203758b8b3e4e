"""The quiz bank: every number is computed once more, every wrong answer says what is behind it."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli import quiz as command
from miner.cli.learn import learn
from miner.errors import ConfigError
from miner.learn import quiz
from miner.learn.answers import judge_from
from miner.learn.catalogue import LESSONS, course
from miner.learn.player import Stage, Walk, play
from miner.learn.quiz import Entry, bank
from miner.learn.script import LEVELS
from miner.learn.steps import Question, Setting
from miner.learn.trying import evaluate
from miner.learn.voice import languages, voice

BANKS = [one for lang in languages() for one in bank(lang)]
EACH = pytest.mark.parametrize("one", BANKS, ids=[f"{one.lang}-{one.name}" for one in BANKS])
NAMES_WITH_DIGITS = re.compile(r"SHA-256|1d00ffff|1b00ffff|BIP \d+")


def test_sixty_questions_four_to_each_lesson() -> None:
    assert len(bank()) == 60
    assert Counter(one.lesson for one in bank()) == {lesson.name: 4 for lesson in LESSONS}
    assert Counter(one.level for one in bank()).keys() == set(LEVELS)
    assert 20 <= sum(one.typed for one in bank()) <= 40


@EACH
def test_a_number_is_proven_or_has_a_source(one: Entry) -> None:
    texts = [one.ask, one.right, one.why, *(text for pair in one.wrong for text in pair)]
    if re.search(r"\d", NAMES_WITH_DIGITS.sub("", " ".join(texts))):
        assert one.proof or one.source, one.name
    if one.proof:
        assert evaluate(one.proof) == "True"


@EACH
def test_the_right_answer_is_taken_and_no_wrong_one(one: Entry) -> None:
    for seed in range(3):
        question = one.question(random.Random(seed))
        assert question.judge(question.answer if one.typed else question.answer.partition(",")[0])
        assert question.hint(one.right) == "" and question.judge(one.right)
        for answer, mistake in one.wrong:
            given = typed(answer, one.lang) if one.typed else answer
            assert not question.judge(given), given
            assert question.hint(given) == mistake, given


def typed(rule: str, lang: str) -> str:
    """An answer that a judge takes, as people of that language write it."""
    kind, _, rest = rule.partition(" ")
    if kind == "near":
        low, high = map(float, rest.split())
        text = f"{(low + high) / 2:.10g}"
        return text.replace(".", ",") if lang == "de" else text
    return rest.partition(",")[0]


@EACH
def test_every_wrong_answer_says_what_is_behind_it(one: Entry) -> None:
    assert 2 <= len(one.wrong) <= 4
    answers = [one.right, *(answer for answer, _ in one.wrong)]
    assert len(set(answers)) == len(answers)
    for answer, mistake in one.wrong:
        assert len(mistake) > 15 and mistake.endswith((".", "?")), answer
        if one.typed:
            judge_from(answer, one.lang)
    assert one.why.endswith(".") and one.ask.rstrip(")").endswith(
        ("?", "..", "digits", "genügt", "do", "Ziffern")
    )


@pytest.mark.parametrize("lang", languages())
def test_every_question_is_translated(lang: str) -> None:
    assert quiz.missing(lang) == ()
    for one, english in zip(bank(lang), bank(), strict=True):
        assert one.name == english.name and len(one.wrong) == len(english.wrong)
        assert (one.judge, one.proof, one.level) == (english.judge, english.proof, english.level)
        if one.typed:
            assert [rule for rule, _ in one.wrong] == [rule for rule, _ in english.wrong]
        assert lang == "en" or one.ask != english.ask


def test_choices_are_shuffled_by_the_seed() -> None:
    (one,) = (one for one in bank() if one.name == "target-rule")
    orders = {one.choices(random.Random(seed)) for seed in range(40)}
    assert len(orders) > 10 and all(
        sorted(order) == sorted(orders.copy().pop()) for order in orders
    )
    places = Counter(
        one.choices(random.Random(f"{seed} {one.name}")).index(one.right)
        for seed in range(50) for one in bank() if not one.typed
    )  # fmt: skip
    assert max(places.values()) < 1.5 * min(places.values())


def test_a_seed_draws_the_same_questions() -> None:
    assert quiz.drawn("en", 1, 10) == quiz.drawn("en", 1, 10) != quiz.drawn("en", 2, 10)
    assert [one.name for one in quiz.drawn("de", 1, 10)] == [
        one.name for one in quiz.drawn("en", 1, 10)
    ]
    assert len(quiz.drawn("en", 1, 60)) == 60 and len(set(quiz.drawn("en", 1, 60))) == 60
    assert {one.lesson for one in quiz.drawn("en", 1, 10, "target")} == {"target"}
    with pytest.raises(ConfigError, match="no questions about lesson toys"):
        quiz.drawn("en", 1, 10, "toys")


def walk(answers: list[str]) -> tuple[list[str], Walk, tuple[Entry, ...]]:
    said: list[str] = []
    entries = quiz.drawn("en", 5, 3)
    lesson = quiz.quiz(entries, "en", 5)
    waiting = iter(answers)

    def ask(prompt: str) -> str:
        answer = next(waiting, None)
        if answer is None:
            raise EOFError
        return answer

    stage = Stage(lambda *_: None, lambda item: None, lambda frame: None, said.append)
    return said, play(lesson, Setting(), stage, ask), entries


def right_answer(place: int) -> str:
    lesson = quiz.quiz(quiz.drawn("en", 5, 3), "en", 5)
    question = list(lesson.screens(Setting()))[place].items[0]
    assert isinstance(question, Question)
    return question.answer.partition(",")[0]


def test_played_to_the_end_with_one_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    said, done, entries = walk([right_answer(0), "", "nonsense", right_answer(1), "",
                                right_answer(2), ""])  # fmt: skip
    assert done.finished and (done.right, done.asked) == (2, 3)
    command.score(course(), entries, done)
    printed = capsys.readouterr().out
    missed = next(one for one in LESSONS if one.name == entries[1].lesson)
    assert "2 of 3 questions right at the first try." in printed
    assert printed.count("Read again") == 1 and f"({missed.title})" in printed
    assert sum(line.startswith("Right.") for line in said) == 3


def test_going_back_does_not_better_the_score() -> None:
    _, done, _ = walk(["nonsense", right_answer(0), "b", right_answer(0), "", "q"])
    assert (done.right, done.asked) == (0, 1) and not done.finished
    _, done, _ = walk([right_answer(0), "b", "nonsense", right_answer(0), "", "q"])
    assert (done.right, done.asked) == (1, 1)


def test_leaving_at_once_scores_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for leave in (["q"], []):
        _, done, entries = walk(leave)
        assert not done.finished and done.right == 0
    command.score(course(), entries, done)
    assert capsys.readouterr().out == ""


def run(*words: str) -> str:
    done = CliRunner().invoke(learn, [*words])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_in_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    shown = run("--quiz", "--seed", "3", "--questions", "4")
    assert shown.count("Question.") == shown.count("Answer: ") == 4
    assert "again: miner learn --quiz --questions 4 --seed 3" in shown
    assert shown == run("quiz", "--seed", "3", "--questions", "4")
    assert run("--quiz").count("Question.") == 10 and run("--quiz") != run("--quiz")
    german = run("target", "--quiz", "--lang", "de", "--seed", "3", "--auto")
    assert german.count("Frage.") == 4 and "der Irrtum dahinter" in german
    assert german.count("Zu Lektion 3: Der Zielwert ist eine Zahl") == 4
    assert max(map(len, [*shown.splitlines(), *german.splitlines()])) <= 80
    for name in ("tarrget", "99"):
        assert isinstance(CliRunner().invoke(learn, [name, "--quiz"]).exception, ConfigError)
    assert CliRunner().invoke(learn, ["--quiz", "--questions", "0"]).exit_code == 2


@pytest.mark.parametrize("lang", languages())
def test_all_sixty_fit_eighty_columns(lang: str) -> None:
    shown = run("--quiz", "--questions", "60", "--seed", "1", "--auto", "--lang", lang)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count(f"{voice(lang).say('question')} ") >= 60
