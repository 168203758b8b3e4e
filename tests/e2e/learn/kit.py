"""What tests of the page's tools do with a browser."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from miner.learn.answers import judge_from
from miner.learn.chain import FAMOUS, by_height
from miner.learn.steps import Lesson, Question, Screen

HEADER = by_height(FAMOUS)  # what the pages begin with
NOW = datetime(2026, 11, 29, tzinfo=UTC)
QUESTION = Question(
    "How many **bytes** has a header?", "80", judge_from("number 80"), "Six fields.",
    ((judge_from("number 640"), "Those are `bits`."),),
)  # fmt: skip


def bare(lesson: Lesson) -> Lesson:
    """The lesson without its screens: its tools alone, and one question."""
    screens = [Screen("A question", (QUESTION,))] if lesson.name == "header" else []
    return replace(lesson, screens=lambda _: iter(screens))


def js(browser: Any, text: str, *values: Any) -> Any:
    return browser.execute_script(f"return {text}", *values)


def text_of(browser: Any, name: str) -> str:
    return str(js(browser, "document.getElementById(arguments[0]).textContent", name))


def value_of(browser: Any, name: str) -> str:
    return str(js(browser, "document.getElementById(arguments[0]).value", name))


def put(browser: Any, name: str, value: str, event: str = "input") -> str:
    """Sets a field as typing does; what is said to be wrong with it."""
    browser.execute_script(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event(arguments[2], { bubbles: true }));", name, value, event
    )  # fmt: skip
    return str(js(browser, "document.getElementById(`${arguments[0]}-wrong`)?.textContent", name))


def press(browser: Any, name: str) -> None:
    browser.execute_script("document.getElementById(arguments[0]).click()", name)
