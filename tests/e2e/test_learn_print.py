"""Sheets and slides in a real browser: what a projector shows, and what comes out of a printer."""

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from miner.errors import NodeError
from miner.learn import sheets, slides
from miner.learn.catalogue import course, script
from miner.learn.fill import Filler
from miner.learn.live import Live
from miner.learn.paper import Played
from miner.learn.plans import plan_of
from miner.learn.steps import Setting
from miner.learn.voice import languages, voice
from tests.fakes.browser import BROWSER, CONTRAST, NEEDS_BROWSER, open_browser, screen

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SETTING = Setting(quick=True, printed=True)
PROJECTOR = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
LEAST_FIT = 0.8  # of 28 px: 22 px
MAKERS = {
    "worksheet": sheets.worksheet, "solutions": sheets.solutions, "plans": sheets.plans,
    "slides": slides.build,
}  # fmt: skip
NEEDS_PDFTOTEXT = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext")
MEASURE = """
return [...document.querySelectorAll(".slide")].map((slide, place) => {
  show(place);
  slide.classList.add("open");
  const body = slide.querySelector(".body");
  return [place + 1, body.scrollHeight - body.clientHeight, body.scrollWidth - body.clientWidth,
    parseFloat(slide.style.getPropertyValue("--fit")), document.documentElement.scrollHeight];
})"""


@pytest.fixture(scope="module")
def lives() -> dict[str, list[Live]]:
    """Every lesson's values, made once and told in each language."""
    try:
        return {
            one.name: list(
                importlib.import_module(f"miner.learn.lessons.{one.name}").screens(SETTING)
            )
            for one in course().lessons
        }
    except NodeError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def files(
    lives: dict[str, list[Live]], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Path]:
    """A file for each kind and language, with all lessons."""
    folder, made = tmp_path_factory.mktemp("paper"), {}
    for lang in languages():
        played = []
        for lesson in course(lang).lessons:
            filler = Filler(script(lesson.name, lang), voice(lang), SETTING)
            screens = tuple(filler.screens(iter(lives[lesson.name])))
            played.append(Played(replace(lesson, lang=lang), screens, plan_of(lesson)))
        for kind, make in MAKERS.items():
            made[kind, lang] = folder / f"{kind}-{lang}.html"
            made[kind, lang].write_text(make(played, SETTING, NOW), "utf-8")
        made["glossary", lang] = folder / f"glossary-{lang}.html"
        made["glossary", lang].write_text(
            sheets.words_of(course(lang).lessons, SETTING, NOW), "utf-8"
        )
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PROJECTOR)
    yield driver
    driver.quit()


def pages(html: Path) -> list[str]:
    """What is printed, page by page."""
    pdf = html.with_suffix(".pdf")
    subprocess.run(
        [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--no-pdf-header-footer", f"--user-data-dir={html.parent / 'printer'}",
         f"--print-to-pdf={pdf}", html.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    done = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    return done.stdout.decode().removesuffix("\f").split("\f")


@NEEDS_BROWSER
@pytest.mark.parametrize("lang", languages())
def test_no_slide_scrolls_and_all_letters_stay_large(
    browser: Any, files: dict[tuple[str, str], Path], lang: str
) -> None:
    browser.get(files["slides", lang].as_uri())
    measured = browser.execute_script(MEASURE)
    assert len(measured) > 100
    over = [one for one in measured if one[1] > 1 or one[2] > 1 or one[4] > PROJECTOR["height"]]
    assert over == [] and min(one[3] for one in measured) >= LEAST_FIT


@NEEDS_BROWSER
def test_keys_turn_slides_and_show_answers(
    browser: Any, files: dict[tuple[str, str], Path]
) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get(files["slides", "en"].as_uri())
    body = browser.find_element("tag name", "body")

    def now() -> Any:
        (shown,) = browser.execute_script(
            "return [...document.querySelectorAll('.slide')].filter((one) => one.offsetParent)"
        )
        return shown

    assert "0. Why work?" in now().text and "1 / " in now().text
    now().find_element("link text", "3. The target is a number").click()
    assert now().get_attribute("id") == "lesson-target"
    body.send_keys(Keys.ARROW_LEFT)
    assert "lesson-target" != now().get_attribute("id")
    body.send_keys(Keys.HOME, Keys.END)
    last = now().text
    body.send_keys(Keys.ARROW_RIGHT, Keys.PAGE_DOWN, " ")
    assert now().text.partition("\n")[0] == last.partition("\n")[0], "nothing after the last"
    body.send_keys(Keys.HOME)
    while not now().find_elements("css selector", ".answer"):
        body.send_keys(Keys.ARROW_RIGHT)
    asked, answer = now().text, now().find_element("css selector", ".answer")
    assert not answer.is_displayed() and "Always." not in asked
    body.send_keys("a")
    assert answer.is_displayed()
    body.send_keys(Keys.ARROW_LEFT, Keys.ARROW_RIGHT)
    assert not now().find_element("css selector", ".answer").is_displayed(), "asked anew"
    body.send_keys(Keys.ARROW_RIGHT)
    assert now().find_element("css selector", ".answer").is_displayed()
    here = browser.current_url
    body.send_keys(Keys.ARROW_RIGHT)
    assert browser.current_url != here and not now().find_elements("css selector", ".answer")
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []


@NEEDS_BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["slides", "solutions"])
def test_every_text_has_contrast(
    browser: Any, files: dict[tuple[str, str], Path], kind: str, scheme: str
) -> None:
    screen(browser, 1280, scheme)
    browser.get(files[kind, "en"].as_uri())
    browser.execute_script("document.documentElement.classList.remove('live')")
    assert browser.execute_script(CONTRAST) == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PROJECTOR)


@NEEDS_BROWSER
@NEEDS_PDFTOTEXT
def test_slides_print_one_a_page_with_their_answers(files: dict[tuple[str, str], Path]) -> None:
    html = files["slides", "en"].read_text("utf-8")
    printed = pages(files["slides", "en"])
    assert len(printed) == html.count('<section class="slide"')
    assert sum("Always. So anybody can check" in " ".join(one.split()) for one in printed) == 1


@NEEDS_BROWSER
@NEEDS_PDFTOTEXT
@pytest.mark.parametrize(
    ("kind", "lang"),
    [
        ("worksheet", "en"),
        ("solutions", "en"),
        ("plans", "en"),
        ("plans", "de"),
        ("glossary", "de"),
    ],
)
def test_no_heading_stands_alone_at_a_pages_foot(
    files: dict[tuple[str, str], Path], kind: str, lang: str
) -> None:
    html = files[kind, lang].read_text("utf-8")
    headings = {
        " ".join(unescape(re.sub(r"<[^>]+>", "", one)).split())
        for one in re.findall(r"<(?:h[123]|figcaption|caption)\b[^>]*>(.*?)</", html)
    }
    printed = pages(files[kind, lang])
    ends = [[" ".join(line.split()) for line in one.splitlines() if line.strip()][-1:]
            for one in printed]  # fmt: skip
    assert [end for end in ends if not end or end[0] in headings] == []
    assert len(headings) > 15 or kind == "glossary"
