"""Lesson plans: 45 minutes for each lesson and language, over screens that are there."""

import pytest

from miner.errors import ConfigError
from miner.learn.catalogue import LESSONS, course, script
from miner.learn.plans import MINUTES, parse, plan_of
from miner.learn.steps import Lesson
from miner.learn.voice import TEXT, languages

PLAN = """[goals]
- say why
- say how, in
  two lines

[needs]
- lesson {lesson:attack}

[step 40 first second]
say: a word
over two lines
ask: why?

[step 5]
title: To end with
do: write

[fast]
- more

[slow]
- less
"""


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_every_lesson_has_a_plan_over_all_its_screens(name: str, lang: str) -> None:
    assert (TEXT / lang / "plans" / f"{name}.md").is_file()
    plan = plan_of(course(lang).find(name))
    assert plan is not None and plan.minutes == MINUTES
    shown = [screen for step in plan.steps for screen in step.screens]
    pages = [page.name for page in script(name, lang).pages if not page.when]
    assert shown == pages, "each screen once, in its order"
    for step in plan.steps:
        assert step.screens or step.fields["title"]
        assert {"say", "ask", "do"} & set(step.fields), step
    assert all(2 <= len(one) <= 4 for one in plan.lists.values())
    assert any("ask" in step.fields for step in plan.steps)


def test_plans_of_a_language_have_the_same_steps() -> None:
    for lesson in LESSONS:
        own, other = plan_of(lesson), plan_of(course("de").find(lesson.name))
        assert own is not None and other is not None
        assert [(one.minutes, one.screens, sorted(one.fields)) for one in own.steps] == [
            (one.minutes, one.screens, sorted(one.fields)) for one in other.steps
        ], lesson.name
        assert {key: len(one) for key, one in own.lists.items()} == {
            key: len(one) for key, one in other.lists.items()
        }, lesson.name


def test_what_a_plan_says() -> None:
    plan = parse(PLAN, "toys.md")
    assert plan.lists["goals"] == ("say why", "say how, in two lines")
    assert plan.lists["needs"] == ("lesson 14",)
    assert plan.steps[0].screens == ("first", "second")
    assert plan.steps[0].fields == {"say": "a word over two lines", "ask": "why?"}
    assert plan.steps[1].fields["title"] == "To end with"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[step 5]", "[step 6]", "steps of 46 minutes, want 45"),
        ("[fast]", "[quick]", r"\[quick\]: want step, goals"),
        ("[step 5]", "[step five]", r"want \[goals\] or \[step 10 screen\]"),
        ("[step 5]", "[step]", r"\[step\]: want step"),
        ("- less", "less", "want - before each thing of a list"),
        ("title: To end with", "To end with", "want title, say, ask or do before it"),
        ("[slow]\n- less\n", "", r"no \[slow\]"),
    ],
)
def test_a_broken_plan_says_what_is_wrong(old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(PLAN.replace(old, new), "toys.md")


def test_a_lesson_without_a_plan_has_none() -> None:
    own = LESSONS[0]
    assert plan_of(Lesson(99, "toys", "Toys", "", 1, "start", own.screens)) is None
