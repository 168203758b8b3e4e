"""The miner's page in a real browser, over a made-up run whose numbers are known."""

import json
import math
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from miner import units
from miner.state.luck import band
from tests.fakes.browser import CONTRAST, NEEDS_BROWSER, Served, open_browser, screen, until
from tests.fakes.scene import GENESIS, Scene

pytestmark = NEEDS_BROWSER
MARKUP = "<img src=/x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    one = Served(Scene(devices=1))
    yield one
    one.close()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    one = open_browser(tmp_path_factory.mktemp("profile"))
    yield one
    one.quit()


@pytest.fixture
def page(driver: Any, served: Served) -> Any:
    """The page of one miner, fresh, with its numbers in it."""
    served.show(Scene(devices=1))
    screen(driver, 1280)
    return opened(driver, served)


def opened(driver: Any, served: Served) -> Any:
    driver.get(served.url)
    driver.execute_script("localStorage.clear()")
    driver.get(served.url)
    until(lambda: text(driver, "rate") and text(driver, "zeros-told"))
    until(lambda: driver.find_elements("css selector", "#best tbody tr"))
    return driver


def text(driver: Any, name: str) -> str:
    """What stands there, hidden or not, read at one moment."""
    script = "return document.getElementById(arguments[0]).textContent"
    return str(driver.execute_script(script, name))


def click(driver: Any, css: str) -> None:
    driver.execute_script("document.querySelector(arguments[0]).click()", css)


def ask(driver: Any, path: str) -> Any:
    script = "const done = arguments[1]; fetch(arguments[0]).then((r) => r.json()).then(done)"
    return driver.execute_async_script(script, path)


def test_the_whole_story_is_there(page: Any) -> None:
    assert text(page, "word") == "mining" and "shares accepted" in text(page, "reason")
    assert text(page, "rate").endswith(" MH/s") and text(page, "rate-window") == "over 1 min"
    assert "benchmark 64.9 MH/s" in text(page, "benchmark")
    width = "return document.querySelector(`#${arguments[0]} canvas`)?.width ?? 0"
    for chart in ("rate-chart", "shares-chart", "luck-chart"):
        until(lambda c=chart: page.execute_script(width, c) > 200)  # type: ignore[misc]
    assert "MH/s on average" in page.execute_script(
        "return document.getElementById('rate-chart').getAttribute('aria-label')"
    )
    assert "a block of this network needs 126 T" in page.execute_script(
        "return document.getElementById('shares-chart').getAttribute('aria-label')"
    )
    assert "usual" in text(page, "luck-told")
    odds = text(page, "odds")
    assert "a share takes 12 s" in odds and "million years on average" in odds
    assert "mainnet" in odds and "1 in" in text(page, "chances")
    assert len(page.find_elements("css selector", "#best tbody tr")) == 20
    assert "pool.example:3333" in text(page, "sources") and "spare" in text(page, "sources")
    assert "answers in 29 ms" in text(page, "sources")
    assert "2 times its work went over to the next" in text(page, "sources")
    devices = text(page, "devices")
    assert "41.5 W" in devices and "55 °C" in devices and "kWh" in devices
    assert text(page, "alarms") == "None."


def test_the_block_being_made_is_the_miners_byte_for_byte(page: Any) -> None:
    told = ask(page, "/api/v1/block")
    shown = page.execute_script(
        "return [...document.querySelectorAll('.field')].map((box) => [...box.children].map((p) => p.textContent))"  # noqa: E501
    )
    assert [name for name, *_ in shown] == [
        f"{field['name']}, {field['bytes']} bytes" for field in told["header"]["fields"]
    ]
    raw = [hex_.replace(" ", "") for _, hex_, *_ in shown]
    assert [len(one) // 2 for one in raw] == [4, 32, 32, 4, 4, 4]
    assert raw[1] == told["header"]["fields"][1]["hex"]
    rolls = page.execute_script(
        "return [...document.querySelectorAll('.field.rolls .name')].map((p) => p.textContent.split(',')[0])"  # noqa: E501
    )
    assert rolls == ["version", "merkle root", "time", "nonce"]
    before = raw[5]
    until(
        lambda: page.find_element("css selector", ".f-nonce .hex").text.replace(" ", "") != before
    )
    assert text(page, "block-told").startswith("Block 876,960, which would pay 3.12512345 BTC")
    assert "Height 876,960" in text(page, "coinbase-told")
    assert "bc1q…5mdq" in text(page, "outputs") and "(you)" in text(page, "outputs")
    assert "a block needs: 78 zero bits" in text(page, "zeros")
    assert "best hash so far: 43 zero bits" in text(page, "zeros")
    steps = page.find_elements("css selector", "#merkle li")
    assert len(steps) == 13
    ends = "return [...document.querySelectorAll('#merkle li:nth-last-child(-n+2)')].map((li) => li.querySelector('code:nth-of-type(' + (li.className ? 2 : 3) + ')').textContent)"  # noqa: E501
    last, root = page.execute_script(ends)
    assert last == root  # the path ends at the root that the header has
    assert "2,049 to 4,096 transactions" in text(page, "transactions")


def test_the_first_numbers_need_no_script(served: Served, tmp_path: Any) -> None:
    driver = open_browser(tmp_path, scripts=False)
    try:
        driver.get(served.url)
        body = driver.find_element("tag name", "body").text
        assert "mining" in body and "MH/s" in body and "Scripts are off" in body
        assert "pool.example" not in driver.page_source  # no text of another computer
        assert not driver.find_element("id", "cards").is_displayed()
    finally:
        driver.quit()


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_twelve_devices_fit_every_screen_and_every_text_can_be_read(
    driver: Any, served: Served, width: int, scheme: str
) -> None:
    served.show(Scene(devices=12, pools=3))
    screen(driver, width, scheme)
    opened(driver, served)
    assert len(driver.find_elements("css selector", "#devices tbody tr")) == 12
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.execute_script(CONTRAST) == []
    assert "372 W" in text(driver, "cost") or "W: a day takes" in text(driver, "cost")
    assert "refuses shares" in text(driver, "alarms")


def test_windows_spans_and_the_tariff_are_switched_and_remembered(page: Any) -> None:
    click(page, "#windows button[value='15 min']")
    click(page, "#spans button[value='86400']")
    assert text(page, "rate-window") == "over 15 min"
    label = "return document.getElementById('rate-chart').getAttribute('aria-label')"
    until(lambda: "over 1 d" in page.execute_script(label))
    page.find_element("id", "tariff").send_keys("0,30")
    assert "and costs 0.30 EUR" in text(page, "cost")
    page.refresh()
    until(lambda: text(page, "rate"))
    assert text(page, "rate-window") == "over 15 min" and "costs 0.30" in text(page, "cost")
    assert until(lambda: "over 1 d" in (page.execute_script(label) or ""))


def test_a_miner_that_is_gone_is_said_and_comes_back_by_itself(driver: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    one = Served(Scene(), port=port)
    screen(driver, 1280)
    opened(driver, one)
    one.close()
    until(lambda: text(driver, "word") == "no answer")
    assert "has not answered for" in text(driver, "gone")
    assert driver.find_element("id", "gone").is_displayed()
    assert text(driver, "rate").endswith("MH/s")  # the last numbers stay
    one = Served(Scene(), port=port)
    try:
        until(lambda: text(driver, "word") == "mining")
        assert not driver.find_element("id", "gone").is_displayed()
    finally:
        one.close()


def test_a_block_takes_the_whole_page_until_it_is_dismissed(driver: Any, served: Served) -> None:
    from selenium.webdriver.common.keys import Keys

    screen(driver, 1280)
    served.show(Scene())
    opened(driver, served)
    found = driver.find_element("id", "found")
    assert not found.is_displayed()
    served.show(Scene(block_at_s=10.0))
    until(found.is_displayed)
    size = driver.execute_script(
        "const r = arguments[0].getBoundingClientRect(); return [r.x, r.y, r.width, r.height]",
        found,
    )
    assert size == [0, 0, 1280, 900]
    assert "Block 876,960" in text(driver, "found-told")
    assert "pays 3.12512345 BTC" in text(driver, "found-told")
    assert driver.execute_script("return document.activeElement.id") == "dismiss"
    driver.get(served.url)  # loading the page again is no dismissal
    found = until(lambda: driver.find_element("id", "found"))
    until(found.is_displayed)
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not found.is_displayed()
    driver.get(served.url)
    until(lambda: text(driver, "rate"))
    assert not driver.find_element("id", "found").is_displayed()


def test_sounds_are_made_only_when_switched_on(driver: Any, served: Served) -> None:
    source = """
      window.made = 0;
      const Real = window.AudioContext;
      window.AudioContext = class extends Real { constructor() { super(); window.made += 1; } };"""
    made = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        served.show(Scene(block_at_s=5.0))
        opened(driver, served)
        until(driver.find_element("id", "found").is_displayed)
        assert driver.execute_script("return window.made") == 0
        click(driver, "#dismiss")
        click(driver, "#sound")
        assert driver.execute_script("return window.made") == 1
        click(driver, "#sound")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)


def test_privacy_hides_names_and_stays(page: Any) -> None:
    click(page, "#best tbody tr:first-child button")
    assert "pool.example" in text(page, "check-told")
    click(page, "#check [data-close]")
    click(page, "#privacy")
    click(page, "#best tbody tr:first-child button")
    assert "pool.example" not in text(page, "check-told")
    seen = """
      const told = (kid) => kid.nodeType === 3 && /pool[.]example|bc1q/.test(kid.data);
      return [...document.querySelectorAll("body *")].filter((node) =>
        [...node.childNodes].some(told) && !node.closest(".secret, noscript"))
        .map((node) => node.outerHTML)"""
    assert page.execute_script(seen) == []
    colour = "return getComputedStyle(document.querySelector('#sources .secret')).color"
    assert page.execute_script(colour) == "rgba(0, 0, 0, 0)"
    page.refresh()
    until(lambda: text(page, "sources"))
    assert page.execute_script(colour) == "rgba(0, 0, 0, 0)"


def test_a_best_share_is_checked_by_the_browser_and_its_command_copied(page: Any) -> None:
    click(page, "#best tbody tr:first-child button")
    until(lambda: "This browser has just done so: it is." in text(page, "check-told"))
    value = "return document.getElementById(arguments[0]).value"
    assert page.execute_script(value, "check-header") == GENESIS
    assert "000000000019d668" in page.execute_script(value, "check-hash")
    command = page.execute_script(value, "check-command")
    assert command.startswith("python3 -c") and GENESIS in command
    # As over plain http: no clipboard, and no command to copy either.
    page.execute_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"  # noqa: E501
    )
    click(page, "[data-copy=check-command]")
    until(lambda: "selected" in page.find_element("css selector", "#check .copied").text)
    chosen = (
        "const f = document.activeElement; return f.value.slice(f.selectionStart, f.selectionEnd)"
    )
    assert page.execute_script(chosen) == command


def test_the_report_names_nobody(page: Any) -> None:
    click(page, "#report")
    told = page.execute_script("return document.getElementById('report-text').value")
    assert "health: mining" in told and "41.5 W" in told and "pool 1: ready" in told
    for secret in ("pool.example", "192.168.1.9", "bc1q", "desk"):
        assert secret not in told


def test_texts_of_others_stay_texts(driver: Any, served: Served) -> None:
    served.show(Scene(pools=3, hidden=MARKUP))
    screen(driver, 1280)
    opened(driver, served)
    until(lambda: "<img" in text(driver, "coinbase-told"))
    assert "<img" in text(driver, "alarms") and "<img" in text(driver, "shares-told")
    click(driver, "#best tbody tr:first-child button")
    assert "<script>" in text(driver, "check-told")
    assert driver.find_elements("css selector", "img, main script") == []
    assert driver.title != "owned"


def test_one_stream_a_tab_and_none_while_nobody_looks(page: Any, served: Served) -> None:
    until(lambda: served.app.stream.readers == 1)
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, value: arguments[0]}); document.dispatchEvent(new Event('visibilitychange'))"  # noqa: E501
    page.execute_script(hide, True)
    until(lambda: served.app.stream.readers == 0)
    page.execute_script(hide, False)
    until(lambda: served.app.stream.readers == 1)


def test_without_a_stream_it_asks_instead(page: Any, served: Served) -> None:
    page.execute_script("sessionStorage.clear()")
    script = "window.EventSource = undefined"
    made = page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        page.refresh()
        until(lambda: text(page, "rate"))
        before = text(page, "rate-more")
        until(lambda: text(page, "rate-more") != before)
        assert text(page, "word") == "mining"
    finally:
        page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)


def test_the_keyboard_reaches_everything_and_motion_can_be_off(driver: Any, served: Served) -> None:
    from selenium.webdriver.common.keys import Keys

    served.show(Scene())
    screen(driver, 1280, motion="reduce")
    opened(driver, served)
    reached = set()
    for _ in range(60):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(driver.execute_script(
            "const at = document.activeElement; return at.id || at.className || at.textContent"
        ))  # fmt: skip
    assert {"skip", "sound", "privacy", "theme", "report", "fold", "tariff"} <= reached, reached
    outline = "document.getElementById('report').focus({focusVisible: true}); return getComputedStyle(document.activeElement).outlineWidth"  # noqa: E501
    assert driver.execute_script(outline) == "3px"
    pulse = "return getComputedStyle(document.querySelector('.f-nonce .name'), '::before').animationName"  # noqa: E501
    assert driver.execute_script(pulse) == "none"
    click(driver, "#card-odds .fold")
    assert not driver.find_element("id", "odds").is_displayed()
    driver.refresh()
    until(lambda: text(driver, "rate"))
    assert not driver.find_element("id", "odds").is_displayed()


class Paced(Scene):
    """Blocks of a practice chain are kept apart."""

    def snapshot(self, now_s: float) -> Any:
        now = super().snapshot(now_s)
        run = replace(now.run, paced=True, rate_computer_hs=53.1e6)
        return replace(now, run=run)


def test_a_paced_practice_chain_shows_no_rate_of_waiting(driver: Any, served: Served) -> None:
    served.show(Paced())
    screen(driver, 1280)
    opened(driver, served)
    assert text(driver, "rate") == "53.1 MH/s"
    assert "measured between blocks" in text(driver, "rate-window")


def test_numbers_read_as_on_every_other_screen(page: Any) -> None:
    module = "const done = arguments[1]; import('/words.js').then((w) => done(arguments[0].map(([f, v]) => w[f](v))))"  # noqa: E501
    values = [0.0, 1.0, 999.4, 999.6, 53e6, 61.23e6, 0.0421, 1e-9, 123456.0, 8.1e26, 999950.0]
    spans = [0.03, 0.9, 59.6, 61.0, 3599.9, 86400.0, 90061.0, 1e7, 7e7, 4e11]
    asked = [["rate", value] for value in values] + [["duration", span] for span in spans]
    want = [units.si(value, "H/s", 3) for value in values]
    want += [units.duration(span) for span in spans]
    assert page.execute_async_script(module, asked) == want


def test_the_band_of_luck_is_the_miners(page: Any) -> None:
    module = "const done = arguments[1]; import('/charts.js').then((c) => done(arguments[0].map(c.band)))"  # noqa: E501
    means = [0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 99.5, 640.0, 999.0, 1000.0, 5e6]
    got = page.execute_async_script(module, means)
    for mean, edges in zip(means, got, strict=True):
        assert all(math.isclose(a, b) for a, b in zip(edges, band(mean), strict=True)), mean


def test_no_complaint_was_made(page: Any) -> None:
    """By the browser, of all that it was shown in this file."""
    gone = (
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED",
        "ERR_EMPTY_RESPONSE",
        "ERR_CONNECTION_RESET",
    )
    lines = [one for one in page.get_log("browser") if one["level"] == "SEVERE"]
    assert [line for line in lines if not any(word in line["message"] for word in gone)] == [], (
        json.dumps(lines)
    )
