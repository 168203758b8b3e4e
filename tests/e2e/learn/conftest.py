"""A page of every tool, without the lessons' screens, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest

from miner.learn import page
from miner.learn.catalogue import course
from miner.learn.steps import Setting
from tests.e2e.learn.kit import HEADER, NOW, bare
from tests.fakes.browser import open_browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A page of every tool in both languages, by its address."""
    folder, setting = tmp_path_factory.mktemp("tools"), Setting(header=HEADER)
    made = {}
    for lang in ("en", "de"):
        path = folder / f"{lang}.html"
        lessons = [bare(lesson) for lesson in course(lang).lessons]
        path.write_text(page.build(lessons, setting, NOW), "utf-8")
        made[lang] = path.as_uri()
    return made


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    found = open_browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.fixture
def browser(driver: Any, pages: dict[str, str]) -> Any:
    """A fresh page in English; none of it may have failed in the end."""
    driver.get(pages["en"])
    driver.get_log("browser")
    return driver


@pytest.fixture(autouse=True)
def _no_complaints(driver: Any) -> Iterator[None]:
    yield
    assert [line for line in driver.get_log("browser") if line["level"] == "SEVERE"] == []
