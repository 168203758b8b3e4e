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


NONSENSE = r"""
const done = arguments[0], found = [];
window.onerror = (message) => { found.push(message); };
const texts = ["", " ", "0", "-1", "1e999", "0x", "NaN", "1/0", "2^2^99", "\u0000", "\ud800", "😀".repeat(300),
  "<img src=x onerror=alert(1)>", "f".repeat(5000), "9".repeat(5000), "__proto__", "٣", "ß\u0301", "1,2.3,4"];
const fields = [...document.querySelectorAll("input, textarea, select")];
const poke = (field, kind) => field.dispatchEvent(new Event(kind, { bubbles: true }));
for (const text of texts) {
  for (const field of fields) {
    if (field.type === "radio") continue;
    if (field.options) field.selectedIndex = texts.indexOf(text) % field.options.length;
    else field.value = text;
    for (const kind of ["input", "change"]) poke(field, kind);
  }
  for (const button of document.querySelectorAll("button")) button.click();
}
setTimeout(() => done(found), 200);
"""  # noqa: E501


def test_nonsense_in_every_field_and_every_button_break_nothing(browser: Any) -> None:
    """No error is thrown, nothing typed becomes an element, and the tools go on."""
    assert browser.execute_async_script(NONSENSE) == []
    assert js(browser, "document.querySelectorAll('img, script[src]').length") == 0
    browser.execute_script(
        "const field = document.getElementById('bench-nonce'); field.value = '7';"
        "field.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    assert js(browser, "document.getElementById('bench-bytes').textContent").endswith("07000000")
