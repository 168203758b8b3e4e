"""The page's tools for everyone: on a phone, in the dark, by keyboard alone, read aloud, calm."""

from typing import Any

import pytest

from tests.e2e.learn.kit import js, text_of
from tests.fakes.browser import CONTRAST, MISFITS, NEEDS_BROWSER, screen, until

pytestmark = NEEDS_BROWSER
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
TOUCH_PX, LETTER_PX = 44, 10  # what a finger hits; what an eye reads on a phone


@pytest.mark.parametrize("lang", ["en", "de"])
def test_a_phone_shows_tools_that_a_finger_hits_and_an_eye_reads(
    driver: Any, pages: dict[str, str], lang: str
) -> None:
    screen(driver, 390)
    driver.get(pages[lang])
    driver.execute_script(OPEN_ALL)
    assert driver.execute_script(MISFITS, TOUCH_PX, LETTER_PX) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_the_tools_has_contrast(
    driver: Any, pages: dict[str, str], scheme: str
) -> None:
    screen(driver, 1280, scheme)
    driver.get(pages["en"])
    driver.execute_script(OPEN_ALL)
    assert driver.execute_script(CONTRAST) == []


def test_a_screen_reader_hears_every_picture(browser: Any) -> None:
    silent = js(
        browser, "[...document.querySelectorAll('svg')].filter((one) => one.ariaHidden !== 'true' "
        "&& !(one.getAttribute('role') === 'img' && one.getAttribute('aria-label')))"
        ".map((one) => one.id)"
    )  # fmt: skip
    assert silent == []
    assert browser.execute_script(
        "document.getElementById('bench-mine').click();"
        "return document.getElementById('bench-verdict').ariaBusy"
    ) == "true"  # fmt: skip
    until(lambda: js(browser, "document.getElementById('bench-verdict').ariaBusy") == "false")


def test_every_control_of_a_tool_is_reached_by_tab(browser: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.execute_script("document.getElementById('bench-choice').focus()")
    order = [
        "bench-version", "bench-previous", "bench-root", "bench-time", "bench-nbits",
        "bench-nonce", "bench-less", "bench-more", "bench-home", "", "bench-target", "bench-own",
        "bench-mine",
    ]  # fmt: skip
    seen = []
    for _ in order:
        ActionChains(browser).send_keys(Keys.TAB).perform()
        seen.append(js(browser, "document.activeElement.id"))
    assert seen == order, "the unnamed one unfolds the field for a header of your own"
    assert js(browser, "getComputedStyle(document.activeElement).outlineStyle") == "solid"
    ActionChains(browser).send_keys(Keys.SPACE).perform()
    until(lambda: "Wins by search: 1" in text_of(browser, "bench-tried"))


def test_who_wants_little_motion_has_little(driver: Any, pages: dict[str, str]) -> None:
    screen(driver, 1280, motion="reduce")
    driver.get(pages["en"])
    assert js(driver, "getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert js(driver, "getComputedStyle(document.querySelector('.box')).transitionDuration") == "0s"
    every = (
        "window.waits = []; const old = window.setInterval;"
        "window.setInterval = (act, wait) => { window.waits.push(wait); return old(act, wait); };"
        "document.getElementById('rounds-play').click(); return window.waits"
    )
    assert driver.execute_script(every) == [2000]
    screen(driver, 1280)
    driver.get(pages["en"])
    assert driver.execute_script(every) == [500]
